"""Bookings in batches: the same results as one by one, in the order of arrival, whatever is in a batch."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Barrier, Thread
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from booking import invariants, seats
from booking.db import pool, transactions
from booking.db.batch import Deferred
from booking.errors import RuleViolation
from booking.model import Booking, Event, Letter, Slot
from booking.seats import booking, claim
from booking.seats.look import Asked
from tests.support.lunch_hour import LunchHour, at, make_people

OPEN = at("Mon 10:00")
SIZES = [1, 2, 17, 64]


def book_all(engine: Engine, presses: Sequence[Asked], size: int) -> tuple[list[int], list[str]]:
    """Execute the presses in batches of that size, as the queue does. Returns the order in which they were decided, and
    what became of each."""
    waiting, order, said = list(range(len(presses))), [], [""] * len(presses)
    while waiting:
        batch, waiting = waiting[:size], waiting[size:]
        put_off = []
        for n, answer in zip(batch, booking._book_batch(engine, [presses[n] for n in batch]), strict=True):
            if isinstance(answer, Deferred):
                put_off.append(n)
                continue
            order.append(n)
            said[n] = word(answer) or alone(engine, presses[n])
        waiting = put_off + waiting
    return order, said


def word(answer: seats.Pressed) -> str:
    if answer.refusal:
        return f"no: {answer.refusal.reason}"
    return f"{answer.result.booking.state}{' again' * answer.result.again}" if answer.result else ""


def alone(engine: Engine, asked: Asked) -> str:
    with Session(engine) as session:
        try:
            done = seats.book_single(session, asked.person_id or 0, asked.slot_id, asked.now, asked.key)
        except RuleViolation as no:
            return f"no: {no.reason}"
        return f"{done.booking.state}{' again' * done.again}"


@pytest.fixture
def crowd(session: Session) -> list[int]:
    with transactions.transaction(session):
        return list(make_people(session, [f"甲{n:02}" for n in range(64)]).values())


@pytest.fixture
def roomy(session: Session) -> LunchHour:
    return LunchHour(session, capacity=40)


@pytest.mark.parametrize("size", SIZES)
def test_every_seat_of_one_slot_in_a_batch_counts(
    roomy: LunchHour, engine: Engine, crowd: list[int], size: int
) -> None:
    order, said = book_all(engine, [Asked(roomy.slot_id, OPEN, None, person) for person in crowd], size)
    assert (order, said) == (list(range(64)), ["booked"] * 40 + ["waiting"] * 24)
    slot = roomy.now()
    assert (slot.taken, slot.waiting, slot.waitlist_seq) == (40, 24, 24)
    entries = select(Booking.person_id).where(Booking.state == "waiting").order_by(Booking.waitlist_position)
    assert roomy.session.scalars(entries).all() == crowd[40:]
    assert (count(roomy, Booking), count(roomy, Event)) == (64, 65)  # the slot has one of its own
    assert count(roomy, Letter) == 40
    assert invariants.breaches(roomy.session, OPEN) == []


def test_control_seats_that_are_not_grouped_count_once(roomy: LunchHour, engine: Engine, crowd: list[int]) -> None:
    each = mock.patch.object(claim, "_counts", lambda claims: [(one.slot.id, 1, 0) for one in claims])
    with each:
        book_all(engine, [Asked(roomy.slot_id, OPEN, None, person) for person in crowd[:8]], 8)
    assert (roomy.now().taken, count(roomy, Booking)) == (1, 8)


def count(lunch: LunchHour, table: type[Any]) -> int:
    lunch.session.rollback()
    return lunch.session.scalar(select(func.count()).select_from(table).where(table.slot_id.is_not(None))) or 0


@pytest.mark.parametrize("size", SIZES)
def test_two_bookings_of_one_person_are_decided_one_after_the_other(
    lunch: LunchHour, engine: Engine, crowd: list[int], size: int
) -> None:
    later = lunch.slot("13:10")
    first, second = crowd[:2]
    presses = [(lunch.slot_id, first), (later, first), (later, second), (lunch.slot_id, first), (lunch.slot_id, second)]
    order, said = book_all(engine, [Asked(slot_id, OPEN, None, person) for slot_id, person in presses], size)
    assert said == ["booked", "no: day_limit", "booked", "booked again", "no: day_limit"]
    assert [n for n in order if presses[n][0] == later] == [1, 2]  # nobody passes who came later


@pytest.mark.parametrize("size", SIZES)
def test_who_gives_a_place_up_for_a_seat_is_passed_by_nobody_behind(
    lunch: LunchHour, engine: Engine, crowd: list[int], size: int
) -> None:
    """Decided alone, since the place on the other waiting list goes."""
    full = lunch.slot("12:30", 1)
    presses = [(full, crowd[0]), (full, crowd[1]), *((lunch.slot_id, person) for person in crowd[1:5])]
    _order, said = book_all(engine, [Asked(slot_id, OPEN, None, person) for slot_id, person in presses], size)
    assert said == ["booked", "waiting", "booked", "booked", "waiting", "waiting"]


def test_control_a_batch_that_forgets_the_person_exceeds_the_limit(
    lunch: LunchHour, engine: Engine, crowd: list[int]
) -> None:
    later = lunch.slot("13:10")
    with mock.patch.object(booking, "_defer", return_value=None):
        book_all(engine, [Asked(slot_id, OPEN, None, crowd[0]) for slot_id in (lunch.slot_id, later)], 2)
    assert any(line.startswith("I2") for line in invariants.breaches(lunch.session, OPEN))


@pytest.mark.parametrize("size", SIZES)
def test_a_key_works_across_batches(lunch: LunchHour, engine: Engine, crowd: list[int], size: int) -> None:
    same = Asked(lunch.slot_id, OPEN, "once", crowd[0])
    other = Asked(lunch.slot("Wed 12:10"), at("Tue 10:00"), "once", crowd[0])
    assert book_all(engine, [same, same, other, same], size)[1] == [
        "booked",
        "booked again",
        "no: key_reused",
        "booked again",
    ]
    assert count(lunch, Booking) == 1


def test_a_row_that_fails_harms_nobody_else(
    roomy: LunchHour, engine: Engine, crowd: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody's letter cannot be written, until they try again."""
    presses = [Asked(roomy.slot_id, OPEN, None, person) for person in crowd[:17]]
    real, tickets = claim._booking, iter(["same", "same"])

    def twice(one: claim.ClaimRow[Any], *rest: Any) -> list[object]:
        row = real(one, *rest)
        return [next(tickets, value) if value == row[6] and one.person_id in crowd[3:5] else value for value in row]

    with mock.patch.object(claim, "_booking", twice):
        said = book_all(engine, presses, 17)[1]
    assert said == ["booked"] * 17
    assert "a batch of 17 was not written: " in caplog.text
    assert (roomy.now().taken, count(roomy, Booking), count(roomy, Letter)) == (17, 17, 17)
    assert invariants.breaches(roomy.session, OPEN) == []


@contextmanager
def scene(engine: Engine, lunch: LunchHour) -> Iterator[None]:
    """Whatever is booked in the block is gone after it."""
    try:
        yield
    finally:
        lunch.session.rollback()
        with engine.begin() as connection:
            connection.execute(delete(Letter))
            connection.execute(delete(Event).where(Event.booking_id.is_not(None)))
            connection.execute(delete(Booking))
            connection.execute(update(Slot).values(taken=0, waiting=0, waitlist_seq=0))


@pytest.fixture
def three_slots(lunch: LunchHour) -> list[int]:
    """Two that overlap, and one at another hour of the day."""
    return [lunch.slot_id, lunch.slot("12:30", 1), lunch.slot("13:30", 1)]


def test_any_batches_give_what_the_same_order_gives_one_by_one(
    lunch: LunchHour, engine: Engine, crowd: list[int], three_slots: list[int]
) -> None:
    press = st.tuples(st.integers(0, 4), st.integers(0, 2), st.sampled_from([None, "a", "b"]))

    @settings(max_examples=settings.default.max_examples // 3, deadline=None)
    @given(st.lists(press, max_size=14), st.integers(1, 14))
    def same(presses: list[tuple[int, int, str | None]], size: int) -> None:
        asked = [Asked(three_slots[slot], OPEN, key, crowd[who]) for who, slot, key in presses]
        with scene(engine, lunch):
            order, said = book_all(engine, asked, size)
            assert sorted(order) == list(range(len(asked)))
            rows = result(lunch)
        with scene(engine, lunch):
            assert [alone(engine, asked[n]) for n in order] == [said[n] for n in order]
            assert result(lunch) == rows

    same()


def result(lunch: LunchHour) -> list[Any]:
    """Every booking, by its person and slot."""
    lunch.session.rollback()
    columns = (Booking.person_id, Booking.slot_id, Booking.state, Booking.waitlist_position, Booking.end_reason)
    found = lunch.session.execute(select(*columns).order_by(Booking.person_id, Booking.id))
    kept = [tuple(row) for row in found]
    counters = lunch.session.execute(select(Slot.taken, Slot.waiting, Slot.waitlist_seq).order_by(Slot.id))
    return [*kept, *map(tuple, counters)]


@pytest.mark.postgresql
def test_batches_that_lock_the_same_rows_in_different_orders_do_not_deadlock(
    lunch: LunchHour, engine: Engine, crowd: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    ids = [lunch.slot_id, *(lunch.slot(f"Wed 12:{n:02}", 4) for n in range(10, 25))]
    for n in range(4):
        ahead, back = crowd[n * 16 : n * 16 + 8], crowd[n * 16 + 8 : n * 16 + 16]
        presses = [
            [Asked(slot_id, at("Tue 10:00"), None, who) for who, slot_id in zip(people, slots, strict=False)]
            for people, slots in ((ahead, ids[1:]), (back, ids[8::-1][:8]))
        ]
        threads = [Thread(target=booking._book_batch, args=(engine, batch)) for batch in presses]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert "was not written" not in caplog.text


@pytest.mark.postgresql
def test_control_rows_locked_in_any_order_deadlock(lunch: LunchHour, engine: Engine) -> None:
    ids, met = [lunch.slot_id, lunch.slot("13:10")], Barrier(2)
    failed: list[str] = []

    def lock(slots: Sequence[int]) -> None:
        try:
            with pool.connection(engine) as line, transactions.on_connection(line):
                claim.lock(line, [], slots[:1])
                met.wait(60)
                claim.lock(line, [], slots[1:])
        except OperationalError as error:
            failed.append(type(error.orig).__name__)

    threads = [Thread(target=lock, args=(order,)) for order in (ids, ids[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == ["DeadlockDetected"]
