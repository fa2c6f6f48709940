"""Revisions of calendar events: whatever is changed in whatever order, SEQUENCE rises, and a lost seat's times stay."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

import pytest
from flask import Flask
from flask_babel import force_locale
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import calendar_files, seats, slots, stations
from booking.db import transactions
from booking.errors import RuleViolation
from booking.mail import invites
from booking.model import LANGUAGES, Activity, Booking, Plan, Slot, Station, Zone
from booking.queries.calendar_feed import HAD_SEAT
from tests.support.lunch_hour import TUESDAY, LunchHour, at
from tests.support.snapshots import seed_workdays

pytestmark = pytest.mark.one_database

PEOPLE = ("周明", "李静", "王磊")
TITLES = {"title": ("白领瑜伽", "午间瑜伽"), "title_en": ("", "Yoga"), "host": ("", "林老师"), "bring": ("", "瑜伽垫")}


class Seen(NamedTuple):
    """An event as calendars see it, in both languages, and its revision."""

    shown: tuple[dict[str, Any], ...]
    cancelled: bool
    times: tuple[datetime, datetime]
    sequence: int
    changed_at: datetime


class Tuesday:
    """A planned slot of two seats with a zone of its own and another one beside it, and all that may happen to it."""

    def __init__(self, lunch: LunchHour, number: int) -> None:
        self.lunch, self.session, self.now = lunch, lunch.session, at("Mon 10:00")
        with transactions.transaction(self.session) as session:
            self.zones = [Zone(station_id=lunch.station_id, name=f"{number} {n}", capacity=9) for n in range(2)]
            self.activities = [
                Activity(station_id=lunch.station_id, kind="yoga", title=f"瑜伽 {number} {n}") for n in range(2)
            ]
            session.add_all([*self.zones, *self.activities])
            session.flush()
            self.zone_ids = [zone.id for zone in self.zones]
            self.activity_ids = [activity.id for activity in self.activities]
        self.plan_id = 0
        self.plan(0, 0, 0, 0)
        self.plan_id = self.session.scalars(select(Plan.id).order_by(Plan.id.desc()).limit(1)).one()
        self.slot_id = self.session.scalars(
            select(Slot.id).where(Slot.plan_id == self.plan_id, Slot.date == TUESDAY)
        ).one()

    def act(self, name: str, *numbers: int) -> None:
        """One second later; a refusal changes nothing."""
        self.now += timedelta(seconds=1)
        with suppress(RuleViolation):
            getattr(self, name)(*numbers)
        self.session.rollback()

    def book(self, who: int) -> None:
        seats.book(self.session, self.lunch.people[PEOPLE[who]], self.slot_id, self.now)

    def give_up(self, who: int, later: int) -> None:
        """By an undo, or after the time for it."""
        self.now += timedelta(minutes=3) * later
        seats.give_up(self.session, self.lunch.latest(PEOPLE[who], self.slot_id).id, self.now)

    def resize(self, capacity: int) -> None:
        slots.set_capacity(self.session, self.slot_id, capacity + 1, self.now, move_newest=True)

    def move(self, hour: int, zone: int) -> None:
        slots.move(self.session, self.slot_id, slots.Move(time(12 + hour, 10), self.zone_ids[zone]), self.now)

    def host(self, name: int) -> None:
        slots.set_host(self.session, self.slot_id, ("", "周老师")[name], self.now)

    def activity(self, which: int, column: int, value: int) -> None:
        columns = {name: getattr(self.kept(Activity, self.activity_ids[which]), name) for name in ("kind", *TITLES)}
        changed = list(TITLES)[column]
        wanted = columns | {changed: TITLES[changed][value]}
        activity = Activity(id=self.activity_ids[which], station_id=self.lunch.station_id, **wanted)
        slots.save_activity(self.session, activity, self.now)

    def zone(self, which: int, value: int) -> None:
        zone_id = self.zone_ids[which]
        zone = Zone(id=zone_id, station_id=self.lunch.station_id, name=f"场地 {zone_id} {value}", capacity=9)
        slots.save_zone(self.session, zone, self.now)

    def station(self, name: int, address: int) -> None:
        details = stations.Details(("白领驿站", "青年驿站")[name], address=("", "国贸三期")[address])
        stations.change_station(self.session, self.lunch.station_id, details, self.now, self.lunch.manager_id)

    def plan(self, activity: int, zone: int, hour: int, longer: int) -> None:
        plan = Plan(
            id=self.plan_id or None,
            station_id=self.lunch.station_id,
            activity_id=self.activity_ids[activity],
            zone_id=self.zone_ids[zone],
            weekdays="2",
            starts=time(12 + hour, 10),
            minutes=50 + 10 * longer,
            capacity=2,
            valid_from=TUESDAY,
            valid_until=TUESDAY,
        )
        slots.save_plan(self.session, plan, self.now)

    def skip(self, yes: int) -> None:
        """The holiday calendar takes the day, or gives it back."""
        station = self.kept(Station, self.lunch.station_id)
        slots.set_day(self.session, station, TUESDAY, False if yes else None, self.now)

    def cancel(self) -> None:
        slots.cancel(self.session, self.slot_id, "停电", self.now)

    def bring_back(self) -> None:
        slots.bring_back(self.session, self.slot_id, self.now)

    def kept(self, table: Any, key: int) -> Any:
        return self.session.get_one(table, key)

    def seen(self) -> dict[int, Seen]:
        """Every event that a calendar may know, by booking."""
        found = select(Booking).where(Booking.slot_id == self.slot_id, HAD_SEAT).order_by(Booking.id)
        bookings = self.session.scalars(found).all()
        told = []
        for language in LANGUAGES:
            with force_locale(language):
                told.append(invites.entries(self.session, bookings))
        seen = {b.id: _seen(entries) for b, entries in zip(bookings, zip(*told, strict=True), strict=True)}
        self.session.rollback()
        return seen

    def end(self) -> None:
        """Nobody is bound by it any more."""
        with suppress(RuleViolation):
            slots.cancel(self.session, self.slot_id, "完了", self.now)
        slots.set_day(self.session, self.kept(Station, self.lunch.station_id), TUESDAY, None, self.now)
        slots.stop_plan(self.session, self.kept(Plan, self.plan_id), self.now)


def _seen(entries: Sequence[calendar_files.CalendarEntry]) -> Seen:
    first = entries[0]
    shown = tuple(asdict(replace(entry, revision=None)) for entry in entries)  # type: ignore[arg-type]
    times = (first.starts_at, first.ends_at)
    return Seen(shown, first.cancelled, times, first.revision.sequence, first.revision.changed_at)


def step(name: str, *most: int) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.tuples(st.just(name), *(st.integers(0, one) for one in most))


STEPS = st.one_of(
    step("book", 2),
    step("give_up", 2, 1),
    step("resize", 1),
    step("move", 1, 1),
    step("host", 1),
    step("activity", 1, 3, 1),
    step("zone", 1, 1),
    step("station", 1, 1),
    step("plan", 1, 1, 1, 1),
    step("skip", 1),
    step("cancel"),
    step("bring_back"),
)


@pytest.fixture
def lunch(session: Session, app: Flask) -> Iterator[LunchHour]:
    with transactions.transaction(session):
        seed_workdays(session)
    with app.app_context():
        yield LunchHour(session, people=3)


def follow(tuesday: Tuesday, steps: Sequence[tuple[Any, ...]]) -> None:
    before = tuesday.seen()
    for name, *numbers in steps:
        tuesday.act(name, *numbers)
        after = tuesday.seen()
        assert before.keys() <= after.keys()
        for key, was in before.items():
            now = after[key]
            assert now.sequence >= was.sequence
            assert now.changed_at >= was.changed_at
            assert now.shown == was.shown or now.sequence > was.sequence, (name, numbers)
            assert now.times == was.times or not (now.cancelled and was.cancelled), (name, numbers)
        before = after


@settings(suppress_health_check=list(HealthCheck), max_examples=12)
@given(steps=st.lists(STEPS, max_size=12))
def test_whatever_changes_an_event_raises_its_number(lunch: LunchHour, steps: list[tuple[Any, ...]]) -> None:
    tuesday = Tuesday(lunch, lunch.session.query(Plan).count())
    try:
        tuesday.act("book", 0)
        follow(tuesday, steps)
    finally:
        tuesday.end()


LOST: dict[str, list[tuple[Any, ...]]] = {
    "given up": [("give_up", 0, 1)],
    "undone": [("give_up", 0, 0)],
    "moved down": [("book", 1), ("resize", 0)],
    "moved down, and given up then": [("book", 1), ("resize", 0), ("give_up", 1, 1)],
}
MOVED: dict[str, list[tuple[Any, ...]]] = {
    "by a manager": [("move", 1, 1), ("move", 0, 1)],
    "by planning": [("give_up", 0, 1), ("plan", 0, 0, 1, 1), ("plan", 1, 1, 0, 1)],
    "away and back by the calendar": [("give_up", 0, 1), ("skip", 1), ("plan", 0, 0, 1, 0), ("skip", 0)],
}


@pytest.mark.one_database
@pytest.mark.parametrize("moved", MOVED)
@pytest.mark.parametrize("lost", LOST)
def test_the_times_of_a_lost_seat_do_not_move(lunch: LunchHour, lost: str, moved: str) -> None:
    tuesday = Tuesday(lunch, 0)
    tuesday.act("book", 0)
    follow(tuesday, [*LOST[lost], *MOVED[moved]])
    assert {seen.times[0] for seen in tuesday.seen().values() if seen.cancelled} == {at("12:10")}


def test_a_seat_that_comes_back_is_where_its_slot_is(lunch: LunchHour) -> None:
    tuesday = Tuesday(lunch, 0)
    follow(tuesday, [("book", 0), ("book", 1), ("resize", 0), ("move", 1, 0), ("resize", 1), ("give_up", 1, 1)])
    follow(tuesday, [("move", 0, 0)])
    times = {tuesday.lunch.latest(who, tuesday.slot_id).id: who for who in PEOPLE[:2]}
    starts = {times[key]: seen.times[0] for key, seen in tuesday.seen().items()}
    assert starts == {"周明": at("12:10"), "李静": at("13:10")}


RENAMED: dict[str, Callable[[Tuesday], None]] = {
    "activity": lambda tuesday: tuesday.act("activity", 0, 0, 1),
    "English title": lambda tuesday: tuesday.act("activity", 0, 1, 1),
    "host": lambda tuesday: tuesday.act("activity", 0, 2, 1),
    "what to bring": lambda tuesday: tuesday.act("activity", 0, 3, 1),
    "another teacher": lambda tuesday: tuesday.act("host", 1),
    "zone": lambda tuesday: tuesday.act("zone", 0, 1),
    "station": lambda tuesday: tuesday.act("station", 1, 0),
    "address": lambda tuesday: tuesday.act("station", 0, 1),
    "time": lambda tuesday: tuesday.act("move", 1, 0),
    "other zone": lambda tuesday: tuesday.act("move", 0, 1),
    "cancelled": lambda tuesday: tuesday.act("cancel"),
}


@pytest.mark.one_database
@pytest.mark.parametrize("what", RENAMED)
def test_each_visible_change_raises_the_number(lunch: LunchHour, what: str) -> None:
    tuesday = Tuesday(lunch, 0)
    tuesday.act("station", 0, 0)
    tuesday.act("book", 0)
    (was,) = tuesday.seen().values()
    RENAMED[what](tuesday)
    (now,) = tuesday.seen().values()
    assert now.shown != was.shown
    assert (now.sequence > was.sequence, now.changed_at > was.changed_at) == (True, True)
    assert now.shown[0]["title"].startswith("已取消：") == (what == "cancelled")
