"""Watch links: whether a slot can be watched online at a moment, how many opened its link, and which links are missing."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager

from booking.model import Slot, WatchLink, WatchOpen

# A link is shown from so long before the start until the end.
OPENS_BEFORE = timedelta(minutes=5)


class Watched(NamedTuple):
    """Of a slot that can be watched online: its link, and how many people have opened it."""

    url: str
    opened: int


def link_of(session: Session, slot_id: int) -> WatchLink | None:
    """The link of a slot; None where it cannot be watched online."""
    return session.get(WatchLink, slot_id)


def watch_of(session: Session, slot_id: int) -> Watched | None:
    """The same for staff, with the count."""
    opened = select(func.count(WatchOpen.id)).where(WatchOpen.slot_id == slot_id).scalar_subquery()
    row = session.execute(select(WatchLink.url, opened).where(WatchLink.slot_id == slot_id)).one_or_none()
    return Watched(*row) if row else None


def opened(session: Session, slot_id: int) -> int:
    """How many people opened the link of a slot, also where it is not to be watched any more."""
    return session.scalar(select(func.count(WatchOpen.id)).where(WatchOpen.slot_id == slot_id)) or 0


def missing(session: Session, station_id: int, today: date, now: datetime) -> Sequence[Slot]:
    """The slots of today and of the next day with slots whose link is still missing, by start."""
    here = (Slot.station_id == station_id, Slot.state.in_(("planned", "open", "running")))
    next_day = select(func.min(Slot.date)).where(*here, Slot.date > today).scalar_subquery()
    found = select(WatchLink).join(WatchLink.slot).options(contains_eager(WatchLink.slot))
    found = found.where(*here, Slot.date.in_((today, next_day)), Slot.ends_at > now, WatchLink.url == "")
    return [link.slot for link in session.scalars(found.order_by(Slot.starts_at, Slot.id))]
