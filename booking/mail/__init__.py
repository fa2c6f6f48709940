"""Mail: `digests` selects the readers of the daily letters, `digest_writer` writes them into the outbox, `outbox` sends.

A letter is made by `context` (what its templates may name) and `rendering` (templates to MIME), sent by `transport`,
and held back by `rate_limit` and `backoff`, which reads what `smtp_replies` makes of the server's answers.
"""
