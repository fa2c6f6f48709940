"""Telling people: a verb writes a row here, the outbox sends it after the commit."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, insert, literal, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import String

from booking.model import Booking, Letter


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


def tell_all(session: Session, kind: str, now: datetime, booking_ids: Sequence[int], **details: Any) -> None:
    """Queue the same letter to the people of these bookings, about their slots."""
    if not booking_ids:
        return
    said = {"kind": literal(kind), "details": literal(details, Letter.details.type), "message_id": RandomHex()}
    when = {"created_at": literal(now, Letter.created_at.type), "next_try_at": literal(now, Letter.created_at.type)}
    columns: dict[str, Any] = {"person_id": Booking.person_id, "slot_id": Booking.slot_id, **said, **when}
    rows = select(*columns.values()).where(Booking.id.in_(booking_ids)).order_by(Booking.id)
    session.execute(insert(Letter).from_select(list(columns), rows))


class RandomHex(FunctionElement[str]):
    """32 digits that the database draws, other ones for each row."""

    type = String()
    inherit_cache = True


@compiles(RandomHex, "postgresql")
def _by_postgresql(*_: Any, **__: Any) -> str:
    return "replace(gen_random_uuid()::text, '-', '')"


@compiles(RandomHex, "sqlite")
def _by_sqlite(*_: Any, **__: Any) -> str:
    return "lower(hex(randomblob(16)))"
