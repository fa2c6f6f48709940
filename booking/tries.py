"""Presses that brought nothing: kept, so that their people can be told why."""

from datetime import datetime
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from booking.model import Try

# What is about this person and this slot. A slot that is not open yet, or over, needs no story.
WORTH_TELLING = frozenset({"full", "line_closed", "day_limit", "overlap", "waiting_limit", "paused", "busy"})


def remember(session: Session, person_id: int, slot_id: int, reason: str, now: datetime, **details: Any) -> bool:
    """Keep a refused press; the same refusal again changes nothing. `details` are those of the refusal.

    The refusal has rolled its own transaction back: this needs one of its own. Returns whether it was worth telling.
    """
    if reason not in WORTH_TELLING:
        return False
    dialect = {"sqlite": sqlite, "postgresql": postgresql}[session.get_bind().dialect.name]
    row = {"person_id": person_id, "slot_id": slot_id, "reason": reason, "at": now}
    kept = row | {"until": details.get("until"), "most": details.get("limit")}
    session.execute(dialect.insert(Try).values(kept).on_conflict_do_nothing())
    return True
