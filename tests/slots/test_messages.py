"""Messages: a manager's letter to everybody on a slot: who gets it, how often, and how it is taken back."""

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking import slots
from booking.db import transactions
from booking.enqueue import UNDO_WINDOW
from booking.errors import RuleViolation
from booking.model import Event, Letter, Person
from tests.support.lunch_hour import LunchHour, at

TEXT = "请带瑜伽垫"


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Two seats, two who wait; 李静 has left no address."""
    lunch = LunchHour(session, capacity=2)
    for who in ("周明", "李静", "王磊", "陈晨"):
        lunch.book(who, "Mon 10:00")
    with transactions.transaction(session):
        session.get_one(Person, lunch.people["李静"]).email = None
    return lunch


def write(lunch: LunchHour, clock: str, audience: str = "both", text: str = TEXT) -> str:
    return lunch.do(lambda s: str(slots.write_to(s, lunch.slot_id, audience, text, at(clock), lunch.manager_id)))


def take_back(lunch: LunchHour, clock: str) -> str:
    event_id = lunch.lines("message")[-1].id
    return lunch.do(lambda s: str(slots.withdraw_message(s, lunch.slot_id, event_id, at(clock), lunch.manager_id)))


def got(lunch: LunchHour) -> list[str]:
    return [who for who in lunch.people if "slot_message" in lunch.letters(who)]


@pytest.mark.parametrize(
    ("audience", "readers"), [("booked", ["周明"]), ("waiting", ["王磊", "陈晨"]), ("both", ["周明", "王磊", "陈晨"])]
)
def test_the_audience_is_written_to_once_each_and_counted(lunch: LunchHour, audience: str, readers: list[str]) -> None:
    assert write(lunch, "10:00", audience) == str(len(readers))
    assert got(lunch) == readers
    (event,) = lunch.lines("message")
    assert (event.actor_id, event.details) == (lunch.manager_id, {"to": audience, "people": len(readers), "text": TEXT})


@pytest.mark.parametrize(("clock", "waits"), [("10:00", True), ("11:50", False)])
def test_it_waits_a_moment_unless_the_slot_is_near(lunch: LunchHour, clock: str, waits: bool) -> None:
    write(lunch, clock)
    due = lunch.session.scalars(select(Letter.next_try_at).where(Letter.kind == "slot_message")).all()
    assert set(due) == {at(clock) + (UNDO_WINDOW if waits else UNDO_WINDOW * 0)}


def test_two_a_slot_and_day_and_two_more_the_next_day(lunch: LunchHour) -> None:
    clocks = ("Mon 11:00", "Mon 11:01", "Mon 11:02", "00:00", "00:01", "00:02")
    answers = [write(lunch, clock, text=clock) for clock in clocks]
    assert answers == ["3", "3", "no: message_limit", "3", "3", "no: message_limit"]


def test_one_taken_back_reaches_nobody_and_counts_for_nothing(lunch: LunchHour) -> None:
    write(lunch, "Mon 11:00", text="一")
    write(lunch, "Mon 11:01", text="二")
    assert take_back(lunch, "Mon 11:01:30") == "3"
    states = lunch.session.scalars(select(Letter.state).where(Letter.kind == "slot_message").order_by(Letter.id)).all()
    assert states == ["queued"] * 3 + ["dropped"] * 3
    assert write(lunch, "Mon 11:02", text="二") == "3", "what was taken back may be written again"
    assert write(lunch, "Mon 11:03", text="三") == "no: message_limit"


def test_a_second_press_writes_nothing_more(lunch: LunchHour) -> None:
    assert [write(lunch, clock) for clock in ("Mon 11:00", "Mon 11:00:01")] == ["3", "3"]
    assert len(lunch.lines("message")) == 1
    assert lunch.letters("周明").count("slot_message") == 1


def test_one_that_somebody_was_sent_stays(lunch: LunchHour) -> None:
    write(lunch, "Mon 11:00")
    with transactions.transaction(lunch.session) as session:
        first = select(Letter.id).where(Letter.kind == "slot_message").limit(1).scalar_subquery()
        session.execute(update(Letter).where(Letter.id == first).values(state="sent"))
    assert take_back(lunch, "Mon 11:01") == "no: message_sent"
    assert lunch.lines("message_withdrawn") == []


@pytest.mark.parametrize(("clock", "reason"), [("13:00", "over"), ("10:00", "cancelled")])
def test_nobody_is_written_to_about_a_slot_that_is_over_or_off(lunch: LunchHour, clock: str, reason: str) -> None:
    if reason == "cancelled":
        lunch.cancel("09:00")
    assert write(lunch, clock) == f"no: {reason}"
    assert got(lunch) == []


def test_with_nobody_to_reach_nothing_is_written(lunch: LunchHour) -> None:
    lunch.give_up("周明", "Mon 10:10")
    with transactions.transaction(lunch.session) as session:
        session.execute(update(Person).values(email=None))
    assert write(lunch, "10:00", "booked") == "no: nobody_to_write"
    assert lunch.session.scalars(select(Event).where(Event.kind == "message")).all() == []


@pytest.mark.sqlite
def test_another_slots_message_is_not_taken_back_here(lunch: LunchHour) -> None:
    other = lunch.slot("18:00")
    lunch.book("周明", "Mon 10:00", other)
    write(lunch, "Mon 11:00")
    with pytest.raises(RuleViolation, match="message_sent"):
        slots.withdraw_message(lunch.session, other, lunch.lines("message")[0].id, at("Mon 11:00"), lunch.manager_id)
