"""Applied policy: which rules of a station the nodes above it have changed lately."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import policy
from booking.model import Event


def changed_since(session: Session, station_id: int, since: datetime) -> set[str]:
    """The names of the numbers that have changed by a policy above since then."""
    told = select(Event.details).where(Event.station_id == station_id, Event.kind == "policy_applied")
    found: set[str] = set()
    for details in session.scalars(told.where(Event.at >= since)):
        was, became = (vars(policy.read(details[side])) for side in ("was", "became"))
        found |= {name for name, value in was.items() if became[name] != value}
    return found
