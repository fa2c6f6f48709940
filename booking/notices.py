"""Telling people: a verb writes a row here, the outbox sends it after the commit."""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from booking.model import Letter


def tell(
    session: Session,
    kind: str,
    now: datetime,
    *,
    person_id: int | None = None,
    to: str | None = None,
    language: str | None = None,
    slot_id: int | None = None,
    booking_id: int | None = None,
    once: str | None = None,
    **details: Any,
) -> None:
    """Queue one letter to a person, or to a bare address. A second letter with the same `once` is not written."""
    if once and session.scalar(select(exists().where(Letter.key == once))):
        return
    session.add(
        Letter(
            kind=kind,
            key=once,
            person_id=person_id,
            to=to,
            language=language,
            slot_id=slot_id,
            booking_id=booking_id,
            details=details,
            message_id=secrets.token_hex(16),
            created_at=now,
            next_try_at=now,
        )
    )
