"""Identifiers that nobody can guess, and that sort by the minute they were made in: an index is written at its end.

Random ones touch a page of the index of their own, which a grown database has to write whole after every checkpoint.
"""

import secrets
from datetime import datetime


def ticket(now: datetime) -> str:
    """Seven digits of the minute and 96 random bits, 23 characters for a QR code."""
    return _minute(now) + secrets.token_urlsafe(12)


def message_id(now: datetime) -> str:
    """The local part of a letter's Message-ID."""
    return _minute(now) + secrets.token_hex(16)


def _minute(now: datetime) -> str:
    return f"{int(now.timestamp()) // 60:07x}"
