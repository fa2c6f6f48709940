"""Planning: which draw a planned slot belongs to."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.draws.order import VERSION
from booking.model import Draw, DrawEntry, Slot
from booking.policy import Policy

# Between closing and result: the list can be read and saved before anybody knows the secret.
SEALED_FOR = timedelta(minutes=1)
# In which a draw that is due is drawn, before its waiting lists can no longer be served.
TO_DRAW = timedelta(minutes=2)


def closing(opens_at: datetime, waitlist_until: datetime, numbers: Policy) -> datetime:
    """When entries end: some time after the opening, and early enough to draw while waiting lists can be served."""
    return min(opens_at + timedelta(minutes=numbers.draw_minutes), waitlist_until - SEALED_FOR - TO_DRAW)


def draw_for(
    session: Session, station_id: int, day: date, opens_at: datetime, closes_at: datetime, now: datetime
) -> int | None:
    """The draw of that day and opening, made where there is none; None where that one is closed.

    `closes_at` is the earliest closing of its slots.
    """
    same = (Draw.station_id == station_id, Draw.date == day, Draw.opens_at == opens_at)
    draw = session.scalar(select(Draw).where(*same))
    if draw is None:
        draw = Draw(station_id=station_id, date=day, opens_at=opens_at, closes_at=closes_at, version=VERSION)
        session.add(draw)
        session.flush()
    elif draw.state != "gathering" or (draw.opens_at <= now and closes_at < draw.closes_at):
        return None
    elif draw.opens_at > now:
        draw.closes_at = closes_at
    return draw.id


def share(seats: int, percent: int) -> tuple[int, int]:
    """How many of the seats are drawn, at least one, and how many are left for the door."""
    drawn = max(1, seats * percent // 100)
    return drawn, seats - drawn


class UnderWay(NamedTuple):
    """A draw that people may have entered and that is not decided: how many have, and when its result comes."""

    entered: int
    result_at: datetime


def under_way(session: Session, plan_id: int, now: datetime) -> UnderWay | None:
    """The draws of a plan's slots that are under way, together."""
    theirs = select(Slot.draw_id).where(Slot.plan_id == plan_id, Slot.draw_id.is_not(None), Slot.ends_at > now)
    undecided = (Draw.id.in_(theirs), Draw.state.in_(("gathering", "frozen")), Draw.opens_at <= now)
    if (closes_at := session.scalar(select(func.max(Draw.closes_at)).where(*undecided))) is None:
        return None
    entered = select(func.count(DrawEntry.id)).join(Draw, DrawEntry.draw_id == Draw.id)
    count = session.scalar(entered.where(*undecided, DrawEntry.left_at.is_(None))) or 0
    return UnderWay(count, closes_at + SEALED_FOR)


def opened(session: Session, station_id: int, first: date, now: datetime) -> Collection[int]:
    """The draws of coming days that people may have entered: their slots are not planned anew."""
    found = select(Draw.id).where(Draw.station_id == station_id, Draw.date >= first, Draw.opens_at <= now)
    return set(session.scalars(found))
