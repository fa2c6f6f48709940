"""Mixed: a part of the seats is drawn, and the rest is for people at the door, whom no waiting list comes before."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import checkin_sync, draws, invariants, seats, slots
from booking.draws import order, proof
from booking.errors import RuleViolation
from booking.model import Booking, Letter, PlanException, Slot
from tests.support.draw_cast import DrawDay
from tests.support.lunch_hour import NAMES, at, tick

SHARES = {(15, 80): (12, 3), (14, 80): (11, 3), (1, 95): (1, 0), (2, 95): (1, 1), (3, 50): (1, 2), (20, 100): (20, 0)}


@pytest.fixture
def day(session: Session) -> DrawDay:
    """Three of five seats are drawn in each slot."""
    return DrawDay(session, capacity=5, share=60)


def counted(day: DrawDay) -> tuple[int, int, int, int]:
    day.session.rollback()
    slot = day.session.get_one(Slot, day.yoga)
    return slot.taken, slot.capacity, slot.door_seats, slot.waiting


def standing(day: DrawDay) -> list[str]:
    """Who waits, in their order."""
    names = {person_id: name for name, person_id in day.people.items()}
    return [names[person_id] for person_id in day.bookings(day.yoga, "waiting")]


@pytest.mark.sqlite
@pytest.mark.parametrize("case", SHARES)
def test_how_seats_are_shared(case: tuple[int, int]) -> None:
    assert draws.share(*case) == SHARES[case]


def test_the_rest_is_for_people_at_the_door(day: DrawDay) -> None:
    for name in NAMES:
        day.enter(name, "Mon 10:00")
    day.draw_all()
    told = proof.published(day.session, day.draw())
    assert told["seats"] == {str(day.yoga): 3, str(day.crafts): 3, str(day.tea): 3}
    assert order.check(told)[1]
    assert counted(day) == (3, 3, 2, 5)
    for clock in ("Mon 12:02", "Tue 11:45", "Tue 12:00"):  # nobody is promoted into them, and no tap takes one
        tick(day.session, at(clock))
        assert counted(day)[:3] == (3, 3, 2)
    waits = standing(day)
    for name, clock in ((waits[3], "Tue 12:00"), (waits[1], "Tue 12:01"), (waits[0], "Tue 12:02")):
        seats.stand_by(day.session, day.people[name], day.yoga, at(clock))
    tick(day.session, at("Tue 12:10"))
    assert counted(day) == (5, 5, 0, 1)
    seated = day.session.scalars(select(Booking.person_id).where(Booking.via == "door", Booking.state == "attended"))
    assert set(seated) == {day.people[waits[3]], day.people[waits[1]]}
    assert standing(day) == [waits[0]]
    assert invariants.breaches(day.session, at("Tue 12:11")) == []


def test_who_comes_to_the_door_without_having_entered_gets_one_too(day: DrawDay) -> None:
    day.enter(NAMES[0], "Mon 10:00")
    day.draw_all()
    tick(day.session, at("Tue 12:10"))
    booking = seats.walk_in(day.session, day.yoga, day.people[NAMES[1]], at("Tue 12:11"), day.manager_id)
    assert (booking.state, booking.via, counted(day)) == ("attended", "door", (2, 5, 0, 0))


def test_a_manager_sets_the_seats_in_all(day: DrawDay) -> None:
    slots.set_capacity(day.session, day.yoga, 10, at("Mon 09:00"), day.manager_id)
    assert counted(day) == (0, 6, 4, 0)
    day.plan(at("Mon 09:10"))
    assert counted(day) == (0, 6, 4, 0)
    for name in NAMES:
        day.enter(name, "Mon 10:00")
    day.draw_all()
    assert counted(day) == (6, 6, 4, 2)
    slots.set_capacity(day.session, day.yoga, 11, at("Mon 13:00"), day.manager_id)
    assert counted(day) == (7, 7, 4, 1)
    with pytest.raises(RuleViolation, match="zone_max"):
        slots.set_capacity(day.session, day.yoga, 1001, at("Mon 13:00"), day.manager_id)
    with pytest.raises(RuleViolation, match="below_booked"):
        slots.set_capacity(day.session, day.yoga, 10, at("Mon 13:00"), day.manager_id)
    assert day.session.scalar(select(func.max(PlanException.capacity))) == 11
    assert invariants.breaches(day.session, at("Mon 13:01")) == []


def test_void_all_its_seats_are_given_at_the_door(day: DrawDay) -> None:
    day.enter(NAMES[0], "Mon 10:00")
    day.tick("Mon 09:00")
    day.tick("Mon 12:00")
    day.tick("Tue 11:45")
    assert day.draw().state == "void"
    tick(day.session, at("Tue 12:10"))
    assert counted(day) == (0, 5, 0, 0)
    assert invariants.breaches(day.session, at("Tue 12:11")) == []


def test_void_who_queues_at_the_door_is_seated_at_the_start_in_the_order_of_coming(session: Session) -> None:
    day = DrawDay(session, capacity=2)
    day.enter(NAMES[0], "Mon 10:00")
    day.tick("Mon 09:00")
    day.tick("Mon 12:00")
    day.tick("Tue 11:45")
    came = [(NAMES[2], "Tue 11:56"), (NAMES[0], "Tue 11:57"), (NAMES[1], "Tue 11:58")]
    for name, clock in came:
        assert seats.stand_by(session, day.people[name], day.yoga, at(clock)).state == "waiting"
    last, now = day.people[NAMES[1]], at("Tue 11:59")
    again = session.scalars(select(Booking.id).where(Booking.person_id == last)).one()
    assert checkin_sync.arrive(session, last, day.yoga, now, booking_id=again).state == "waiting"
    with pytest.raises(RuleViolation, match="not_open"):
        seats.book(session, last, day.yoga, now)
    tick(session, at("Tue 12:00"))
    assert counted(day) == (0, 2, 0, 3)
    assert session.scalar(select(func.count(Letter.id)).where(Letter.kind == "seat_open")) == 0
    assert invariants.breaches(session, at("Tue 12:01")) == []
    tick(session, at("Tue 12:10"))
    assert day.bookings(day.yoga, "attended") == [day.people[name] for name, _ in came[:2]]
    assert standing(day) == [NAMES[1]]
    assert invariants.breaches(session, at("Tue 12:11")) == []


def test_void_a_walk_in_before_the_start_is_no_breach(day: DrawDay) -> None:
    day.tick("Mon 09:00")
    day.tick("Mon 12:00")
    day.tick("Tue 11:45")
    came = seats.walk_in(day.session, day.yoga, day.people[NAMES[0]], at("Tue 11:58"), day.manager_id)
    assert came.state == "attended"
    assert invariants.breaches(day.session, at("Tue 11:59")) == []


def test_nobody_at_the_door_is_ahead_of_a_draw_that_is_late(session: Session) -> None:
    day = DrawDay(session, capacity=1, checkin_minutes=60, line_minutes=10)
    day.enter(NAMES[0], "Mon 10:00")
    day.tick("Mon 09:00")
    day.tick("Mon 12:00")
    assert seats.stand_by(session, day.people[NAMES[1]], day.yoga, at("Tue 11:20")).state == "waiting"
    tick(session, at("Tue 11:21"))
    assert counted(day) == (0, 1, 0, 1)
    day.tick("Tue 11:30")
    assert day.bookings(day.yoga, "booked") == [day.people[NAMES[0]]]
    assert standing(day) == [NAMES[1]]
    assert invariants.breaches(session, at("Tue 11:31")) == []
