"""Telemetry: what the running app tells its operators: log lines, web metrics, slow statements.

`request_context` is what is known of the request at work, `logs` writes one line an event, `repeated` leaves out what repeats,
`redaction` takes out what names a person, `slow_statements` times the database, `web_metrics` counts for Prometheus.
"""
