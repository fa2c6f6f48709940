"""Presses that brought nothing: kept, so that their people can be told why."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from booking.model import Try
from booking.refusals import Refused

# What is about this person and this slot. A slot that is not open yet, or over, needs no story.
WORTH_TELLING = frozenset({"full", "line_closed", "day_limit", "overlap", "waiting_limit", "paused", "busy"})


def remember(session: Session, refused: Iterable[tuple[int, int, Refused, datetime]]) -> int:
    """Keep refused presses (person, slot, why, when); the same refusal again changes nothing.

    The refusals have rolled their own transactions back: this needs one of its own. Returns how many were worth telling.
    """
    rows = [
        {"person_id": person_id, "slot_id": slot_id, "reason": no.reason, "at": now}
        | {"until": no.details.get("until"), "most": no.details.get("limit")}
        for person_id, slot_id, no, now in refused
        if no.reason in WORTH_TELLING
    ]
    dialect = {"sqlite": sqlite, "postgresql": postgresql}[session.get_bind().dialect.name]
    if rows:
        # With RETURNING, SQLAlchemy sends many rows in one statement.
        session.execute(dialect.insert(Try.__table__).on_conflict_do_nothing().returning(Try.reason), rows)
    return len(rows)
