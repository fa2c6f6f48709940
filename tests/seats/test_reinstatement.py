"""Reinstatement: a manager's mistake undone until a letter about it is sent, as if it had not been made."""

from datetime import datetime, time
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking import invariants, slots
from booking.db import transactions
from booking.enqueue import UNDO_WINDOW
from booking.model import Booking, Letter, Slot, Station, Zone
from booking.policy import Policy
from booking.slots import Move, OneOff
from tests.support.lunch_hour import LunchHour, at

OPEN = "Mon 10:00"


def bring_back(lunch: LunchHour, clock: str) -> str:
    def act(session: Session) -> str:
        back = slots.bring_back(session, lunch.slot_id, at(clock), lunch.manager_id)
        return f"{len(back.again)} back, {len(back.elsewhere)} elsewhere"

    return lunch.do(act)


def send(lunch: LunchHour, state: str, **values: Any) -> None:
    """What the outbox does to the letters about the cancelled slot."""
    with transactions.transaction(lunch.session) as session:
        session.execute(update(Letter).where(Letter.kind == "slot_cancelled").values(state=state, **values))


def told(lunch: LunchHour, kind: str) -> list[str]:
    """The states of the letters of that kind."""
    lunch.session.rollback()
    return list(lunch.session.scalars(select(Letter.state).where(Letter.kind == kind).order_by(Letter.id)))


def all_of(lunch: LunchHour) -> list[tuple[Any, ...]]:
    """What must be unchanged."""
    lunch.session.rollback()
    columns = (
        Booking.id,
        Booking.state,
        Booking.waitlist_position,
        Booking.seated_at,
        Booking.standby_at,
        Booking.checked_in_at,
    )
    rows = [tuple(row) for row in lunch.session.execute(select(*columns).order_by(Booking.id))]
    slot = lunch.now()
    return [*rows, (slot.state, slot.taken, slot.waiting, slot.capacity, slot.starts_at, slot.zone_id)]


@pytest.fixture
def busy(lunch: LunchHour) -> LunchHour:
    """周明 is checked in, 李静 has a seat, 王磊 and 陈晨 wait, 刘洋 cancelled."""
    for who in ("周明", "刘洋", "李静", "王磊", "陈晨"):
        lunch.book(who, OPEN)
    lunch.give_up("刘洋", "Mon 10:30")  # 李静 has the seat now
    lunch.check_in("周明", "11:56")
    return lunch


def test_a_cancelled_slot_comes_back_with_everybody_on_it(busy: LunchHour) -> None:
    before = all_of(busy)
    assert busy.cancel("11:57") == "4 told"
    assert bring_back(busy, "11:58") == "4 back, 0 elsewhere"
    assert all_of(busy) == before
    assert told(busy, "slot_cancelled") == ["dropped"] * 4
    assert invariants.breaches(busy.session, at("11:58")) == []
    assert bring_back(busy, "11:58") == "0 back, 0 elsewhere"


def test_cancelled_a_second_time_everybody_is_told(busy: LunchHour) -> None:
    busy.cancel("Tue 10:00")
    bring_back(busy, "Tue 10:00")
    assert busy.cancel("Tue 10:30") == "4 told"
    assert sorted(told(busy, "slot_cancelled")) == ["dropped"] * 4 + ["queued"] * 4
    assert bring_back(busy, "Tue 10:31") == "4 back, 0 elsewhere"
    assert invariants.breaches(busy.session, at("Tue 10:31")) == []


@pytest.mark.parametrize(("state", "tries"), [("sending", 0), ("sent", 1), ("failed", 1), ("queued", 1)])
def test_not_reinstated_after_a_letter_may_have_been_sent(busy: LunchHour, state: str, tries: int) -> None:
    busy.cancel("10:00")
    send(busy, state, tries=tries)
    before = all_of(busy)
    assert bring_back(busy, "10:01") == "no: people_know"
    assert all_of(busy) == before
    assert told(busy, "slot_cancelled") == [state] * 4


def test_a_dropped_letter_does_not_prevent_it(busy: LunchHour) -> None:
    busy.cancel("10:00")
    send(busy, "dropped", error="no address")
    assert bring_back(busy, "10:05") == "4 back, 0 elsewhere"


def test_not_reinstated_after_the_start(busy: LunchHour) -> None:
    busy.cancel("12:00")
    assert bring_back(busy, "12:10") == "no: started"


def test_a_person_with_another_seat_by_now_keeps_that_one(lunch: LunchHour) -> None:
    later = lunch.slot("13:10")
    for who in ("周明", "李静", "王磊"):
        lunch.book(who, OPEN)
    lunch.cancel("Mon 11:00")
    lunch.book("周明", "Mon 11:00", later)
    assert bring_back(lunch, "Mon 11:01") == "2 back, 1 elsewhere"
    assert lunch.states("周明", "李静", "王磊") == ["cancelled", "booked", "booked"]  # the waiting list moved up
    assert lunch.state("周明", later) == "booked"
    assert invariants.breaches(lunch.session, at("Mon 11:02")) == []


def test_a_waiting_list_place_taken_meanwhile_ends_for_the_seat(lunch: LunchHour) -> None:
    later = lunch.slot("12:30", 1)
    lunch.book("周明", OPEN)
    lunch.book("李静", OPEN, later)
    lunch.cancel("Mon 11:00")
    lunch.book("周明", "Mon 11:00", later)
    assert bring_back(lunch, "Mon 11:01") == "1 back, 0 elsewhere"
    assert (lunch.state("周明"), lunch.state("周明", later)) == ("booked", "cancelled")
    assert invariants.breaches(lunch.session, at("Mon 11:02")) == []


def test_not_reinstated_where_its_zone_has_another_slot_by_now(busy: LunchHour) -> None:
    busy.cancel("10:00")
    gone = busy.now()

    def add(session: Session) -> str:
        wish = OneOff(gone.activity_id, gone.zone_id, gone.date, at("12:30").time(), 50, 5)
        return str(slots.add(session, busy.station_id, wish, at("10:00")).state)

    assert busy.do(add) == "planned"
    assert bring_back(busy, "10:00") == "no: zone_taken"


def test_a_slot_that_planning_withdrew_is_not_reinstated(lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        session.get_one(Slot, lunch.slot_id).cancel_reason = slots.planning.REPLANNED
        session.get_one(Slot, lunch.slot_id).state = "cancelled"
    assert bring_back(lunch, "Mon 10:01") == "0 back, 0 elsewhere"


def test_reinstated_people_may_cancel_freely_until_the_start(busy: LunchHour) -> None:
    busy.cancel("11:05")
    bring_back(busy, "11:05")
    busy.give_up("李静", "12:05")
    assert not busy.latest("李静").late


def test_neither_a_change_of_the_policy_nor_a_move_undone_takes_that_back(busy: LunchHour) -> None:
    busy.undo("周明", "11:56")
    busy.cancel("Tue 09:00")
    bring_back(busy, "Tue 09:00")
    station = busy.session.get_one(Station, busy.station_id)
    slots.set_policy(busy.session, station, Policy(days_ahead=20), at("Tue 09:01"), busy.manager_id)
    assert busy.now().free_until == at("12:10")
    place = busy.now().zone_id
    for hour, told in ((13, 4), (12, 0)):
        wish = Move(time(hour, 10), place)
        assert len(slots.move(busy.session, busy.slot_id, wish, at("Tue 09:02"))) == told
    assert (busy.now().starts_at, busy.now().free_until) == (at("12:10"), at("12:10"))


@pytest.mark.parametrize("again", ["Mon 11:00", "11:50"])
def test_a_capacity_set_back_gives_the_same_people_their_seats_back(busy: LunchHour, again: str) -> None:
    """In the last half hour too, when anybody may book a freed seat."""
    busy.undo("周明", "11:56")
    before = all_of(busy)
    assert busy.resize(1, again, move_newest=True) == "resized"
    assert busy.states("周明", "李静") == ["booked", "waiting"]
    busy.resize(2, again)
    assert all_of(busy) == before
    assert told(busy, "moved_down") == ["dropped"]
    assert told(busy, "promoted") == ["queued"]  # 李静's, of the morning
    assert invariants.breaches(busy.session, at(again)) == []


def test_people_told_of_their_demotion_are_told_of_the_seat(busy: LunchHour) -> None:
    busy.undo("周明", "11:56")
    busy.resize(1, "Mon 11:00", move_newest=True)
    with transactions.transaction(busy.session) as session:
        session.execute(update(Letter).where(Letter.kind == "moved_down").values(state="sent"))
    busy.resize(2, "Mon 11:05")
    assert busy.letters("李静")[-1] == "promoted"


def test_nobody_whose_letter_waits_passes_somebody_who_was_told_first(lunch: LunchHour) -> None:
    lunch.resize(3, "Mon 09:00")
    for who in ("周明", "李静", "王磊"):
        lunch.book(who, OPEN)
    lunch.resize(1, "Mon 11:00", move_newest=True)
    with transactions.transaction(lunch.session) as session:
        told_first = (Letter.kind == "moved_down", Letter.person_id == lunch.people["李静"])
        session.execute(update(Letter).where(*told_first).values(state="sent"))
    lunch.resize(2, "Mon 11:00:30")
    assert lunch.states("李静", "王磊") == ["booked", "waiting"]
    lunch.resize(3, "Mon 11:00:40")
    assert lunch.events("promoted", "moved_back") == [("promoted", "李静"), ("moved_back", "王磊")]


@pytest.mark.parametrize(("clock", "waits"), [("Mon 11:00", True), ("11:39", True), ("11:40", False), ("12:05", False)])
def test_letters_about_a_change_wait_a_minute_unless_the_start_is_near(
    lunch: LunchHour, clock: str, waits: bool
) -> None:
    for who in ("周明", "李静"):
        lunch.book(who, OPEN)
    with transactions.transaction(lunch.session) as session:
        session.add(Zone(station_id=lunch.station_id, name="手工坊", capacity=10))
    lunch.resize(1, clock, move_newest=True)

    def move(session: Session) -> str:
        zone_id = session.scalars(select(Zone.id).where(Zone.name == "手工坊")).one()
        wish = Move(at("12:10").time(), zone_id)
        return str(slots.move(session, lunch.slot_id, wish, at(clock)))

    lunch.do(move)
    lunch.cancel(clock)
    acts = Letter.kind.in_(("moved_down", "slot_moved", "slot_cancelled"))
    rows = lunch.session.execute(select(Letter.kind, Letter.next_try_at).where(acts))
    due: dict[str, datetime] = {row.kind: row.next_try_at for row in rows}
    assert due == dict.fromkeys(
        ("moved_down", "slot_moved", "slot_cancelled"), at(clock) + (UNDO_WINDOW if waits else UNDO_WINDOW * 0)
    )
