"""Stateful model test: any actions at a station, in any order, at any hour: no invariant ever breaks.

`LUNCH_EXAMPLES=500 pytest tests/test_stateful.py` searches for longer, with other random choices each time.
"""

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from booking import invariants, people, seats, slots
from booking.db import transactions
from booking.errors import RuleViolation
from booking.model import Base, Booking, Event, Slot, Station, Strike
from booking.queries import station_day
from booking.queries.change_feed import ChangeFeed
from booking.seats import booking, bulk_transitions, lifecycle, transitions
from booking.web.cache.poll_pace import PollPace
from booking.web.cache.store import Cache
from tests.support.lunch_hour import at, make_manager, make_people, make_slot, make_station, tick

NAMES = ("周明", "李静", "王磊", "陈晨", "刘洋", "赵敏")
HOURS = ("12:10", "13:10", "12:40")  # the third is at another station, and overlaps both
EXAMPLES = {"sqlite": (6, 100), "postgresql": (3, 40)}  # in `make test`, and with --whole
MOMENTS = [
    at(clock)
    for clock in (
        "Mon 10:00", "Tue 11:10", "Tue 11:40", "Tue 11:55", "Tue 12:10", "Tue 12:15", "Tue 12:40", "Tue 12:55",
        "Tue 13:00", "Tue 13:10", "Tue 13:15", "Tue 13:30", "Tue 14:00", "Tue 15:00", "Tue 15:30", "Tue 16:00",
    )
]  # fmt: skip
AT_EVERY_STEP = (
    invariants.capacity.seats, invariants.capacity.claims, invariants.waitlist.idle_seats, invariants.replay.replays,
    invariants.schedule.releases, invariants.tenancy.strangers,
)  # fmt: skip
LONG = int(os.environ.get("LUNCH_EXAMPLES", "0"))

person = st.integers(0, len(NAMES) - 1)
place = st.integers(0, len(HOURS) - 1)
# How a step of the clock ends: at a boundary, just before it, or somewhere between.
steps = st.sampled_from(["boundary", "before", "boundary", "30 s", "5 min", "20 min"])


class LunchMachine(RuleBasedStateMachine):
    engine: ClassVar[Engine]
    begins: ClassVar[Sequence[int]] = (0, 0, 1, 2, 3, 4)

    def __init__(self) -> None:
        super().__init__()
        empty(self.engine)
        self.session = Session(self.engine)
        self.cache = Cache(self.engine, ChangeFeed(self.engine, every=0), PollPace(1))
        self.now = self.ticked = MOMENTS[0]

    def teardown(self) -> None:
        """Invariants that no single step can break are checked once, at the end: keys, openings, letters."""
        try:
            assert invariants.breaches(self.session, self.now) == []
        finally:
            self.session.close()

    @initialize(
        capacity=st.integers(1, 2), seats_a_day=st.integers(1, 2), checkin_minutes=st.sampled_from([15, 75]),
        strikes_to_pause=st.integers(1, 3), crowd=st.integers(0, 5), begin=st.integers(0, 5),
    )  # fmt: skip
    def open_the_station(self, capacity: int, crowd: int, begin: int, **numbers: int) -> None:
        with transactions.transaction(self.session) as session:
            here, there = make_station(session, "cbd", **numbers), make_station(session, "west")
            self.managers = [make_manager(session, here, "林经理"), make_manager(session, there, "魏经理")]
            self.people = list(make_people(session, NAMES).values())
            self.slots = [self._slot(session, hour, capacity, (here, here, there)[n]) for n, hour in enumerate(HOURS)]
        tick(self.session, self.now)
        for who in range(crowd):
            self.book(who, 0)
        self.move_to(MOMENTS[self.begins[begin]])

    def _slot(self, session: Session, hour: str, capacity: int, station_id: int) -> int:
        moment = at(hour)
        station = session.get_one(Station, station_id)
        return make_slot(session, station, moment.date(), moment.time(), capacity)

    # What workers do

    @rule(who=person, where=place)
    def book(self, who: int, where: int) -> None:
        """Booking is a transaction of its own."""
        self.session.rollback()
        before = self.history()
        try:
            done = seats.book(self.session, self.people[who], self.slots[where], self.now).booking
        except RuleViolation:
            assert self.history() == before
        else:
            self.keeps(done.id, done.state)

    @rule(presses=st.lists(st.tuples(person, place), min_size=2, max_size=8))
    def rush(self, presses: Sequence[tuple[int, int]]) -> None:
        for who, where in presses:
            self.book(who, where)

    @rule(where=place)
    def the_first_one_leaves(self, where: int) -> None:
        held = select(func.min(Booking.id)).where(
            Booking.slot_id == self.slots[where], Booking.state.in_(("booked", "waiting"))
        )
        if booking_id := self.session.scalar(held):
            self.act(lambda s: seats.give_up(s, booking_id, self.now))

    @rule(who=person, where=place)
    def give_up(self, who: int, where: int) -> None:
        self.act(lambda s: seats.give_up(s, self.booking(who, where), self.now))

    @rule(who=person, where=place, later=st.integers(0, 120))
    def regret(self, who: int, where: int, later: int) -> None:
        """A booking and its undo: nothing is lost, except by what a free seat has changed."""
        before = self.mine(who)
        self.book(who, where)
        pressed = {
            key: state for key, state in self.mine(who).items() if state == "booked" and before.get(key) != state
        }
        self.now += timedelta(seconds=later)
        for booking_id in pressed:
            self.act(lambda s, booking_id=booking_id: seats.give_up(s, booking_id, self.now))
            self.was_undone(who, booking_id, before)

    def was_undone(self, who: int, booking_id: int, before: dict[int, str]) -> None:
        after = self.mine(who)
        undone = select(Event.id).where(
            Event.booking_id == booking_id, Event.kind == "press_undone", Event.at == self.now
        )
        if self.session.scalar(undone) is None or "booked" in {
            after[key] for key in before if before[key] == "waiting"
        }:
            return
        ended = select(Booking.id).join(Slot).where(Booking.person_id == self.people[who], Slot.starts_at <= self.now)
        lost = {key for key in before if after[key] != before[key]} - set(self.session.scalars(ended))
        assert not lost, "what the press had replaced is back"

    def mine(self, who: int) -> dict[int, str]:
        self.session.rollback()
        found = select(Booking.id, Booking.state).where(Booking.person_id == self.people[who])
        return dict(self.session.execute(found).all())

    @rule(where=place)
    def a_latecomer_is_let_in_and_out(self, where: int) -> None:
        """Released, checked in late, and undone: the state is as before."""
        lost = select(Booking).where(Booking.slot_id == self.slots[where], Booking.state == "released")
        booking = self.session.scalar(lost.order_by(Booking.id).limit(1))
        if booking is None:
            return
        booking_id, struck = booking.id, self.struck(booking.id)
        self.act(lambda s: seats.check_in(s, booking_id, self.now, self.manager(where)))
        if self.session.scalar(select(Booking.state).where(Booking.id == booking_id)) == "attended":
            assert not [forgiven for _at, forgiven in self.struck(booking_id) if not forgiven]
            self.nothing_is_broken()
            self.act(lambda s: seats.undo_check_in(s, booking_id, self.now, self.manager(where)))
        assert self.struck(booking_id) == struck

    def struck(self, booking_id: int) -> list[tuple[datetime, bool]]:
        found = select(Strike.at, Strike.forgiven_at).where(Strike.booking_id == booking_id)
        return [(row.at, row.forgiven_at is not None) for row in self.session.execute(found)]

    @rule(who=person, where=place)
    def stand_by(self, who: int, where: int) -> None:
        self.act(lambda s: seats.stand_by(s, self.people[who], self.slots[where], self.now))

    @precondition(lambda self: len(self.people) > 4)
    @rule(who=person)
    def delete_account(self, who: int) -> None:
        self.act(lambda s: people.delete_account(s, self.people[who], self.now))

    # What managers and admins do

    @rule(who=person, where=place)
    def check_in(self, who: int, where: int) -> None:
        self.act(lambda s: seats.check_in(s, self.booking(who, where), self.now, self.manager(where)))

    @rule(who=person, where=place)
    def undo(self, who: int, where: int) -> None:
        self.act(lambda s: seats.undo_check_in(s, self.booking(who, where), self.now, self.manager(where)))

    @rule(who=person, where=place)
    def walk_in(self, who: int, where: int) -> None:
        self.act(lambda s: seats.walk_in(s, self.slots[where], self.people[who], self.now, self.manager(where)))

    @rule(where=place, capacity=st.integers(0, 4), move=st.booleans())
    def resize(self, where: int, capacity: int, *, move: bool) -> None:
        def resize(session: Session) -> object:
            slot_id, boss = self.slots[where], self.manager(where)
            return slots.set_capacity(session, slot_id, capacity, self.now, boss, move_newest=move)

        self.act(resize)

    @rule(where=place, sure=st.integers(0, 4))
    def call_off(self, where: int, sure: int) -> None:
        if sure == 4:
            self.act(lambda s: slots.cancel(s, self.slots[where], "停电", self.now, self.manager(where)))

    @rule(where=place, word=st.sampled_from(["everybody_came", "take_back_word", "did_not_happen", "release_held"]))
    def say_what_happened(self, where: int, word: str) -> None:
        verb = getattr(slots, word)
        self.act(lambda s: verb(s, self.slots[where], self.now, self.manager(where)))

    @rule(who=person, stop=st.booleans())
    def stop_or_free(self, who: int, *, stop: bool) -> None:
        verb = people.disable if stop else people.enable
        self.act(lambda s: verb(s, self.people[who], self.now, self.managers[0]))
        tick(self.session, self.now)

    @rule()
    def forgive(self) -> None:
        found = self.session.scalar(select(Strike.id).where(Strike.forgiven_at.is_(None)).limit(1))
        boss = self.session.get_one(Strike, found).station_id if found else 0
        self.act(lambda s: people.forgive(s, found or 0, self.now, self.managers[max(0, boss - 1)], "电梯坏了"))
        tick(self.session, self.now)

    # What the clock does

    @rule(how=steps)
    def time_passes(self, how: str) -> None:
        ahead = next((moment for moment in MOMENTS if moment > self.now), self.now + timedelta(hours=1))
        short = {"30 s": timedelta(seconds=30), "5 min": timedelta(minutes=5), "20 min": timedelta(minutes=20)}
        if how in short:
            self.move_to(self.now + short[how], quiet=how == "30 s")
        else:
            self.move_to(max(self.now, ahead - timedelta(microseconds=how == "before")))

    def move_to(self, moment: datetime, *, quiet: bool = False) -> None:
        """The scheduler runs when it should, at most half a minute late."""
        self.now = moment
        if not quiet or self.now - self.ticked > timedelta(seconds=45):
            tick(self.session, self.now)
            self.ticked = self.now

    # What must hold

    @invariant()
    def nothing_is_broken(self) -> None:
        assert invariants.breaches(self.session, self.now, AT_EVERY_STEP) == []

    @invariant()
    def what_is_cached_is_true(self) -> None:
        self.session.rollback()
        self.cache.look()
        for code in ("cbd", "west"):
            found = self.cache.day(code, None, self.now), station_day.find(self.engine, code, None, self.now)
            cached, fresh = ((day, day.next_opening(self.now)) if day else None for day in found)
            if cached and fresh:
                # An opening that is over stays in what was read before it.
                cached, fresh = ((replace(day, openings=()), opening) for day, opening in (cached, fresh))
            assert cached == fresh, "C1 a cached day is old"

    def act(self, act: Callable[[Session], object]) -> None:
        """A verb either happens, and is in the database, or is refused, and has changed nothing."""
        self.session.rollback()
        before = self.history()
        try:
            with transactions.transaction(self.session) as session:
                done = act(session)
                promised = (done.id, done.state) if isinstance(done, Booking) else None
        except RuleViolation:
            assert self.history() == before
            return
        if promised:
            self.keeps(*promised)

    def keeps(self, booking_id: int, state: str) -> None:
        assert self.session.scalar(select(Booking.state).where(Booking.id == booking_id)) == state

    def history(self) -> int:
        return self.session.scalar(select(func.count(Event.id))) or 0

    def booking(self, who: int, where: int) -> int:
        mine = select(func.max(Booking.id)).where(
            Booking.person_id == self.people[who], Booking.slot_id == self.slots[where]
        )
        return self.session.scalar(mine) or 0

    def manager(self, where: int) -> int:
        return self.managers[where // 2]


def empty(engine: Engine) -> None:
    tables = [table.name for table in reversed(Base.metadata.sorted_tables)]
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY"))
        for table in tables if engine.dialect.name == "sqlite" else ():
            connection.execute(text(f"DELETE FROM {table}"))


def live(engine: Engine, examples: int, begins: Sequence[int] = LunchMachine.begins, **options: Any) -> None:
    machine = type("Machine", (LunchMachine,), {"engine": engine, "begins": begins})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=LONG or examples,
            stateful_step_count=40,
            database=None,
            derandomize=not LONG,
            suppress_health_check=list(HealthCheck),
            **options,
        ),
    )


def test_whatever_happens_at_noon_the_invariants_hold(
    engine: Engine, backend: str, request: pytest.FixtureRequest
) -> None:
    live(engine, EXAMPLES[backend][request.config.getoption("--whole")])


def leave_uncounted(session: Session, slot: Slot, *rest: Any) -> None:
    taken = slot.taken
    transitions.leave(session, slot, *rest)
    slot.taken = taken


def start_and_release(session: Session, slot_ids: Collection[int], now: datetime) -> int:
    started = lifecycle.start(session, slot_ids, now)
    transactions.lock(session, slots=slot_ids)
    bulk_transitions.release_seats(session, bulk_transitions.claims(session, slot_ids, "booked"), now, punish=True)
    return started


# What is broken, what is found, and the number of the moment from which `make test` begins.
GUARDS: dict[str, tuple[Callable[[], Any], str, int]] = {
    "a seat given up stays counted": (lambda: mock.patch.object(booking, "leave", leave_uncounted), "I1", 0),
    "no-shows are released at the start": (lambda: mock.patch.object(seats, "start", start_and_release), "I8", 4),
    "only bookings change": (lambda: mock.patch.object(ChangeFeed, "changed_but_bookings", return_value=0), "C1", 0),
}


@pytest.mark.sqlite
@pytest.mark.parametrize("guard", GUARDS)
def test_control_without_a_guard_the_machine_finds_the_breach(
    engine: Engine, guard: str, request: pytest.FixtureRequest
) -> None:
    take_away, code, moment = GUARDS[guard]
    begins = LunchMachine.begins if request.config.getoption("--whole") else (moment,) * len(LunchMachine.begins)
    with take_away(), pytest.raises(AssertionError, match=code):
        live(engine, 60, begins, phases=[Phase.generate], report_multiple_bugs=False)
