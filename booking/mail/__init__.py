"""Mail: `digests` says who gets the daily letters, `letters` words one, `outbox` sends what is due.

Digests are made of pieces that many readers share (`alike`), letters are packed by hand (`packing`).
`facts` and `report` look up what a letter tells, `links` makes its addresses, `post` talks SMTP.
"""
