"""Applied policy: which rules of a station the nodes above it have changed lately."""

from datetime import datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from booking import policy
from booking.model import OF_NODES, Event

# A change of a node reaches its stations in a minute; with a scheduler that was down, later.
REACHES_WITHIN = timedelta(days=1)


def changed_since(session: Session, station_id: int, since: datetime) -> set[str]:
    """The names of the numbers that have changed by a policy above since then.

    No station's history is read where no node has changed: the events of nodes are few, and have an index.
    """
    began = select(func.min(Event.id)).where(text(OF_NODES), Event.at >= since - REACHES_WITHIN)
    if (first := session.scalar(began)) is None:
        return set()
    applied = (Event.station_id == station_id, Event.kind == "policy_applied")
    told = select(Event.details).where(*applied, Event.id > first, Event.at >= since)
    found: set[str] = set()
    for details in session.scalars(told):
        was, became = (vars(policy.read(details[side])) for side in ("was", "became"))
        found |= {name for name, value in was.items() if became[name] != value}
    return found
