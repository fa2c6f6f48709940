"""Follow news: the slots of followed activities that a person's next digest tells of.

A slot is told twice at most: once when it has been planned or added, and once on the day on which it opens. What the
digests of a person have told follows from the date of the last one: everything that was planned until shortly before its
hour, and everything that opened until the end of its day. So a digest that was not written, or never sent, is made up
for by the next, and nothing has to be remembered.
"""

from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, or_, select
from sqlalchemy.orm import QueryableAttribute

from booking import clock
from booking.model import Activity, Booking, Digest, Event, Follow, Letter, Slot, Station
from booking.workdays import ONE_DAY

# A slot planned later than so long before the digest's hour waits for the next: its transaction may be under way.
SETTLED = timedelta(minutes=10)
# News of before are not told any more.
NEWS_FOR = 14


def news(day: date, hour: time, zone: str, now: datetime) -> Select[int, int, int]:
    """Person, station and slot of all news for the digests of that day at that hour."""
    last = _last_told(day)
    days = [day - ONE_DAY * n for n in range(NEWS_FOR, 0, -1)]
    settled = {one: clock.instant(one, hour, zone) - SETTLED for one in [*days, day]}
    over = {one: clock.instant(one + ONE_DAY, time(0), zone) for one in [*days, day]}
    planned = exists().where(
        Event.slot_id == Slot.id, Event.kind == "planned", *_between(Event.at, settled, last, days[0], day)
    )
    # A slot by draw opens at its start until it is drawn, which is no news.
    opens = and_(Slot.opens_at < Slot.starts_at, *_between(Slot.opens_at, over, last, days[0], day))
    knows = exists().where(Booking.slot_id == Slot.id, Booking.person_id == Follow.person_id)
    return (
        select(Follow.person_id, Slot.station_id, Slot.id.label("slot_id"))
        .join(Activity, and_(Activity.id == Follow.activity_id, Activity.retired_at.is_(None)))
        .join(Station, and_(Station.id == Activity.station_id, Station.closed_at.is_(None)))
        .join(Slot, and_(Slot.station_id == Activity.station_id, Slot.activity_id == Activity.id, Slot.date >= day))
        .where(Slot.state.in_(("planned", "open")), Slot.starts_at > now, or_(planned, opens), ~knows)
        .where(Follow.created_at < clock.instant(day, hour, zone))
    )


def _last_told(day: date) -> ColumnElement[date]:
    """The date of the person's last digest before this day. One that was dropped has told nothing."""
    lately = and_(
        Digest.person_id == Follow.person_id,
        Digest.kind == "worker",
        Digest.date.between(day - ONE_DAY * NEWS_FOR, day - ONE_DAY),
    )
    sent = or_(Letter.id.is_(None), Letter.state != "dropped")
    last = select(func.max(Digest.date)).outerjoin(Letter, Letter.id == Digest.letter_id).where(lately, sent)
    return last.correlate(Follow).scalar_subquery()


def _between(
    moment: QueryableAttribute[datetime], until: dict[date, datetime], last: ColumnElement[date], first: date, day: date
) -> tuple[ColumnElement[bool], ...]:
    """Whether a moment lies between what the last digest told and what that of `day` tells, and after the following."""
    kind = Slot.opens_at.type
    told = case({one: literal(end, kind) for one, end in until.items() if one != day}, value=last, else_=until[first])
    return moment >= told, moment < until[day], moment > Follow.created_at
