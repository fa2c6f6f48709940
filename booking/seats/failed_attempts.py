"""Failed attempts: refused bookings, kept so that people can be told why they got no seat."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from booking.db import upsert
from booking.db.arrays import Instant, to_text, unnest
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.model import Try


@transactional
def remember(session: Session, refused: Iterable[tuple[int, int, RuleViolation, datetime]]) -> int:
    """Keep refused bookings (person, slot, why, when); the same refusal again changes nothing.

    The refusals rolled their own transactions back, so this needs one of its own. Returns how many were recorded.
    """
    rows = [
        [person_id, slot_id, no.reason, to_text(now), to_text(no.details.get("until")), no.details.get("limit")]
        for person_id, slot_id, no, now in refused
        if no.flags.recorded
    ]
    if rows:
        one = unnest(rows)
        columns: dict[str, Any] = {
            "person_id": one[0].as_integer(),
            "slot_id": one[1].as_integer(),
            "reason": one[2].as_string(),
            "at": Instant(one[3].as_string()),
            "until": Instant(one[4].as_string()),
            "most": one[5].as_integer(),
        }
        # SQLite cannot parse ON CONFLICT after a join without WHERE.
        told = select(*columns.values()).where(true())
        kept = upsert.insert(session.get_bind(), Try.__table__).from_select(list(columns), told)
        session.execute(kept.on_conflict_do_nothing())
    return len(rows)
