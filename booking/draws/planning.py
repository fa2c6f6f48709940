"""Planning: which draw a planned slot belongs to."""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from typing import NamedTuple, Protocol, Self

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import clock, policy
from booking.db.arrays import in_array
from booking.draws.order import VERSION
from booking.errors import RuleViolation
from booking.model import UNDECIDED, Draw, DrawEntry, Plan, Slot, Station
from booking.policy import Policy

# Between closing and result: the list can be read and saved before anybody knows the secret.
SEALED_FOR = timedelta(minutes=1)
# In which a draw that is due is drawn, before its waiting lists can no longer be served.
TO_DRAW = timedelta(minutes=2)
# How long a public value stands before it is drawn with, so that a wrong one can be corrected.
CORRECTION = timedelta(minutes=10)
# A value that is typed later counts no more; and the least time that there must be to type it.
TYPED_WITHIN, TO_TYPE = timedelta(hours=2), timedelta(minutes=10)


class PublicValue(NamedTuple):
    """What counts beside the secret: its kind, where it is read, and from when on the day on which the draw closes."""

    kind: str
    source: str
    wall: time


class Terms(NamedTuple):
    """What slots ask of their draw: when it closes, when the first waiting list ends, and the public value, if any."""

    closes_at: datetime
    waitlist_until: datetime
    value: PublicValue | None = None

    def joined(self, other: Self | None) -> "Terms":
        """Those of both. Of two values the other one's counts: it was asked for before."""
        if other is None:
            return self
        earliest = min(self.closes_at, other.closes_at), min(self.waitlist_until, other.waitlist_until)
        return Terms(*earliest, other.value or self.value)


def closing(opens_at: datetime, waitlist_until: datetime, numbers: Policy) -> datetime:
    """When entries end: some time after the opening, and early enough to draw while waiting lists can be served."""
    return min(opens_at + timedelta(minutes=numbers.draw_minutes), waitlist_until - SEALED_FOR - TO_DRAW)


def value_of(plan: Plan) -> PublicValue | None:
    """The public value of a plan's draws."""
    if plan.value_kind == "none" or plan.value_clock is None:
        return None
    return PublicValue(plan.value_kind, plan.value_source or "", plan.value_clock)


def latest_value(waitlist_until: datetime) -> datetime:
    """The last moment from which a public value can count: to be typed, corrected and drawn with in time."""
    return waitlist_until - TO_DRAW - CORRECTION - TO_TYPE


def value_from(wall: time, closes_at: datetime, zone: str) -> datetime:
    """The instant of that wall time on the day on which a draw closes."""
    return clock.instant(clock.at_station(closes_at, zone).date(), wall, zone)


class HasResult(Protocol):
    """A draw, or what a card says of one."""

    @property
    def closes_at(self) -> datetime: ...
    @property
    def value_from(self) -> datetime | None: ...


def result_at(draw: HasResult) -> datetime:
    """When the result comes; with a public value the earliest instant at which it can."""
    return draw.value_from + CORRECTION if draw.value_from else draw.closes_at + SEALED_FOR


def opens_slots(draw: Draw) -> bool:
    """Whether anybody may book its slots by now: it is drawn, or void because they were all cancelled.

    The seats of a draw that is void for another reason are given at the door.
    """
    return draw.state == "drawn" or draw.why_void == "cancelled"


def missed_by(session: Session, slot: Slot, waitlist_until: datetime) -> Draw | None:
    """The slot's draw, where it would be too late for the slot with this end of its waiting list."""
    draw = session.get(Draw, slot.draw_id)
    last = (draw.value_until + CORRECTION if draw.value_until else result_at(draw)) if draw else None
    return draw if last and draw and draw.state in UNDECIDED and waitlist_until < last + TO_DRAW else None


def draw_for(
    session: Session,
    station_id: int,
    day: date,
    opens_at: datetime,
    terms: Terms,
    now: datetime,
    *,
    joins: bool = False,
) -> int | None:
    """The draw of that day and opening, made where there is none; None where that one is closed, or closes too late.

    `terms` are those of all its plans' slots, and are fixed at the opening; a slot that `joins` takes them as they are.
    """
    same = (Draw.station_id == station_id, Draw.date == day, Draw.opens_at == opens_at)
    draw = session.scalar(select(Draw).where(*same))
    if draw is None:
        draw = Draw(station_id=station_id, date=day, opens_at=opens_at, version=VERSION)
        _set_terms(draw, terms, session.get_one(Station, station_id).zone_name)
        session.add(draw)
        session.flush()
    elif draw.state != "gathering" or ((joins or draw.opens_at <= now) and not _holds_for(draw, terms)):
        return None
    elif draw.opens_at > now and not joins:
        _set_terms(draw, terms.joined(_of_one_offs(session, draw)), draw.station.zone_name)
    return draw.id


def draw_of_one_off(
    session: Session, station: Station, day: date, opens_at: datetime, waitlist_until: datetime, now: datetime
) -> int:
    """The draw for a slot of no plan: that of its opening, or where that is over or ends too late, one from now on.

    Raises `draw_too_late` where nobody could enter.
    """
    numbers = policy.read(station.policy)
    for opening in (opens_at, now.replace(microsecond=0)):
        closes_at = closing(opening, waitlist_until, numbers)
        if closes_at > max(opening, now):
            terms = Terms(closes_at, waitlist_until)
            if draw_id := draw_for(session, station.id, day, opening, terms, now, joins=True):
                return draw_id
    raise RuleViolation("draw_too_late")


def _of_one_offs(session: Session, draw: Draw) -> Terms | None:
    """The terms of its slots that no plan makes."""
    alone = (Slot.draw_id == draw.id, Slot.plan_id.is_(None), Slot.state == "planned")
    until = session.scalar(select(func.min(Slot.waitlist_until)).where(*alone))
    return Terms(closing(draw.opens_at, until, policy.read(draw.station.policy)), until) if until else None


def _holds_for(draw: Draw, terms: Terms) -> bool:
    """Whether a slot with these terms can still join an opened draw."""
    in_time = draw.value_until is None or draw.value_until <= terms.waitlist_until - TO_DRAW - CORRECTION
    return terms.closes_at >= draw.closes_at and in_time


def _set_terms(draw: Draw, terms: Terms, zone: str) -> None:
    """A day on which the value would come too early or too late is drawn without one, and its page says so."""
    draw.closes_at, value = terms.closes_at, terms.value
    since = value_from(value.wall, terms.closes_at, zone) if value else None
    fits = since is not None and terms.closes_at < since <= latest_value(terms.waitlist_until)
    draw.value_kind, draw.value_source = (value.kind, value.source) if value and fits else ("none", None)
    draw.value_from = draw.value_until = None
    if since and fits:
        draw.value_from = since
        draw.value_until = min(since + TYPED_WITHIN, terms.waitlist_until - TO_DRAW - CORRECTION)


def share(seats: int, percent: int) -> tuple[int, int]:
    """How many of the seats are drawn, at least one, and how many are left for the door."""
    drawn = max(1, seats * percent // 100)
    return drawn, seats - drawn


class UnderWay(NamedTuple):
    """A draw that people may have entered and that is not decided: how many have, when its result comes, and the start
    of the plan's first slot after it, as far as it is planned."""

    entered: int
    result_at: datetime
    next_at: datetime


def under_way(session: Session, plan_id: int, now: datetime) -> UnderWay | None:
    """The draws of a plan's slots that are under way, together."""
    theirs = select(Slot.draw_id).where(Slot.plan_id == plan_id, Slot.draw_id.is_not(None), Slot.ends_at > now)
    undecided = (Draw.id.in_(theirs), Draw.state.in_(UNDECIDED), Draw.opens_at <= now)
    if not (found := session.scalars(select(Draw).where(*undecided)).all()):
        return None
    count = sum(entered(session, [draw.id for draw in found]).values())
    later = (Slot.plan_id == plan_id, Slot.date > max(draw.date for draw in found))
    next_at = session.scalar(select(func.min(Slot.starts_at)).where(*later))
    result = max(result_at(draw) for draw in found)
    return UnderWay(count, result, next_at or result)


def entered(session: Session, draw_ids: Collection[int]) -> dict[int, int]:
    """How many people are in each of these draws; one with nobody is left out."""
    live = (DrawEntry.draw_id.in_(in_array(draw_ids)), DrawEntry.left_at.is_(None))
    rows = session.execute(select(DrawEntry.draw_id, func.count()).where(*live).group_by(DrawEntry.draw_id))
    return {draw_id: count for draw_id, count in rows}  # noqa: C416


def opened(session: Session, station_id: int, first: date, now: datetime) -> Collection[int]:
    """The draws of coming days that people may have entered: their slots are not planned anew."""
    found = select(Draw.id).where(Draw.station_id == station_id, Draw.date >= first, Draw.opens_at <= now)
    return set(session.scalars(found))
