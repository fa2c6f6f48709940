"""Recommendations: two suggestions from the last four weeks, each with its evidence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from booking import clock, workdays
from booking.model import Activity, Plan, Station, Zone
from booking.queries import activity_ratings
from booking.queries.wish_list import people_wanting
from booking.statistics.aggregate import Numbers, Span, Tally, of_station
from booking.statistics.facts import Fact

LOOK_BACK = timedelta(days=28)
# Below these a number is chance, not a pattern.
TURNED_AWAY, HALF_EMPTY, HELD = 8, 0.5, 3
# How much later a second slot may start, in minutes, and until when lunch lasts.
LATER = (0, 30, 60)
LUNCH = (time(11, 30), time(14, 0))


@dataclass(frozen=True)
class Place:
    """A zone that no plan uses at that time on that weekday."""

    zone: Zone
    starts: time


@dataclass(frozen=True)
class Hint:
    """`kind` is `turned_away` (with a free `place`, if there is one) or `half_empty`.

    Beside that, what else is known of it: `wishes` counts the people who want an activity of its kind on its weekday.
    `good` is the share of those who said that the activity is good, where enough people said something.
    """

    kind: str
    activity: Activity
    weekday: int
    tally: Tally
    place: Place | None = None
    wishes: int = 0
    good: float | None = None


def suggestions(session: Session, station: Station, now: datetime, limit: int = 2) -> list[Hint]:
    """The strongest suggestion of each kind first, then the others by strength."""
    today = clock.at_station(now, station.zone_name).date()
    numbers = of_station(session, station.id, Span(today - LOOK_BACK, today - timedelta(days=1)))
    crowded, empty = list(_crowded(numbers)), list(_empty(numbers))
    best = [*crowded[:1], *empty[:1], *crowded[1:], *empty[1:]]
    known = [_with_place_and_wishes(session, station, hint, last) for hint, last in best[:limit]]
    return _with_good(session, station, known, now)


def weekly(session: Session, station: Station, now: datetime) -> list[Hint]:
    """The suggestions on the first workday of a week, nothing on any other day."""
    today = clock.at_station(now, station.zone_name).date()
    calendar = workdays.load(session, station.id, today, today)
    monday = today - timedelta(days=today.weekday())
    is_first = calendar.is_workday(today) and calendar.workday_before(today) < monday
    return suggestions(session, station, now) if is_first else []


def _with_place_and_wishes(session: Session, station: Station, hint: Hint, last: Fact) -> Hint:
    place = _free_place(session, station, last) if hint.kind == "turned_away" else None
    people = people_wanting(session, station.id, hint.activity.kind, hint.weekday)
    return replace(hint, place=place, wishes=people)


def _with_good(session: Session, station: Station, hints: list[Hint], now: datetime) -> list[Hint]:
    shares = activity_ratings.shares_of_activities(session, station.id, now) if hints else {}
    return [
        replace(hint, good=shares[hint.activity.id].of_good) if hint.activity.id in shares else hint for hint in hints
    ]


def _crowded(numbers: Numbers) -> Iterator[tuple[Hint, Fact]]:
    """Each with the last of the slots that it is about."""
    found = [(numbers.tally_of(some), some) for some in numbers.of_weekly().values()]
    for tally, some in sorted(found, key=lambda pair: (-pair[0].unmet, pair[1][0].slot_id)):
        if tally.unmet >= TURNED_AWAY:
            yield _hint("turned_away", some[-1], tally)


def _empty(numbers: Numbers) -> Iterator[tuple[Hint, Fact]]:
    seen = [[fact for fact in some if not fact.unrecorded] for some in numbers.of_weekly().values()]
    found = [(numbers.tally_of(some), some) for some in seen if len(some) >= HELD]
    for tally, some in sorted(found, key=lambda pair: (pair[0].fill or 0, pair[1][0].slot_id)):
        if tally.fill is not None and tally.fill <= HALF_EMPTY and not tally.unmet:
            yield _hint("half_empty", some[-1], tally)


def _hint(kind: str, last: Fact, tally: Tally) -> tuple[Hint, Fact]:
    return Hint(kind, last.activity, last.date.isoweekday(), tally), last


def _free_place(session: Session, station: Station, fact: Fact) -> Place | None:
    """Where and when a second slot could be: the same zone first, then one that is large enough."""
    length = fact.ends_at - fact.starts_at
    begins = clock.at_station(fact.starts_at, station.zone_name).replace(tzinfo=None)
    plans = _plans(session, station.id, fact.date)
    zones = session.scalars(
        select(Zone)
        .where(Zone.station_id == station.id, Zone.closed_at.is_(None), Zone.capacity >= fact.seats)
        .order_by(Zone.capacity, Zone.id)
    ).all()
    for zone in sorted(zones, key=lambda zone: zone.id != fact.zone.id):
        for minutes in LATER:
            start = begins + timedelta(minutes=minutes)
            if start.time() < LUNCH[0] or (start + length).time() > LUNCH[1]:
                continue
            if not any(_uses(plan, zone, start, start + length) for plan in plans):
                return Place(zone, start.time())
    return None


def _plans(session: Session, station_id: int, day: date) -> Sequence[Plan]:
    """The plans that run on the weekday of `day`."""
    found = select(Plan).where(
        Plan.station_id == station_id,
        Plan.stopped_at.is_(None),
        Plan.weekdays.contains(str(day.isoweekday())),
        or_(Plan.valid_until.is_(None), Plan.valid_until >= day),
    )
    return session.scalars(found).all()


def _uses(plan: Plan, zone: Zone, start: datetime, end: datetime) -> bool:
    begins = datetime.combine(start.date(), plan.starts)
    return plan.zone_id == zone.id and begins < end and start < begins + timedelta(minutes=plan.minutes)
