"""Hosting: a substitute teacher: the people who have booked are told once, and calendars and planning keep it."""

from datetime import time

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import invariants, slots
from booking.db import transactions
from booking.model import Activity, Letter, Plan, PlanException, Slot, Zone
from booking.queries import calendar_revisions
from tests.support.lunch_hour import LunchHour, at


@pytest.fixture
def noon(session: Session) -> LunchHour:
    """林老师's yoga on Tuesday at 12:10: 周明 has its one seat, 李静 waits."""
    lunch = LunchHour(session, capacity=1)
    with transactions.transaction(session):
        activity = session.get_one(Activity, session.get_one(Slot, lunch.slot_id).activity_id)
        activity.host, activity.host_en = "林老师", "Ms Lin"
        session.add(Zone(station_id=lunch.station_id, name="手工坊", capacity=10))
    for name in ("周明", "李静"):
        lunch.book(name, "Mon 10:00")
    return lunch


def set_host(noon: LunchHour, host: str, clock: str) -> str:
    return noon.do(lambda s: f"{len(slots.set_host(s, noon.slot_id, host, at(clock), noon.manager_id))} told")


def move(noon: LunchHour, starts: time, clock: str) -> str:
    where = noon.session.scalars(select(Zone.id).where(Zone.name == "手工坊")).one()
    wish = slots.Move(starts, where)
    return noon.do(lambda s: f"{len(slots.move(s, noon.slot_id, wish, at(clock), noon.manager_id))} told")


def letters(noon: LunchHour, who: str) -> list[tuple[str, str]]:
    mine = select(Letter).where(Letter.person_id == noon.people[who], Letter.kind == "slot_moved").order_by(Letter.id)
    return [(letter.state, letter.details["was"]["host"]) for letter in noon.session.scalars(mine)]


def sequence(noon: LunchHour) -> int:
    booking = noon.latest("周明")
    return calendar_revisions.revisions(noon.session, [booking])[booking.id].sequence


def test_who_has_a_seat_is_told_once_and_who_waits_is_not(noon: LunchHour) -> None:
    before = sequence(noon)
    assert set_host(noon, "周老师", "09:00") == "1 told"
    assert noon.now().host == "周老师"
    assert letters(noon, "周明") == [("queued", "林老师")]
    assert letters(noon, "李静") == []
    assert noon.lines("moved")[-1].details["changed"] == {"host": ["林老师", "周老师"]}
    assert sequence(noon) > before
    assert set_host(noon, "周老师", "09:00:10") == "0 told"
    assert len(noon.lines("moved")) == 1
    assert invariants.breaches(noon.session, at("09:01")) == []


@pytest.mark.parametrize("own", ["", "林老师"])
def test_a_change_undone_before_the_letter_is_sent_tells_nobody(noon: LunchHour, own: str) -> None:
    set_host(noon, "周老师", "09:00")
    assert set_host(noon, own, "09:00:30") == "0 told"
    assert noon.now().host is None
    assert letters(noon, "周明") == [("dropped", "林老师")]


def test_a_change_undone_later_is_told_as_a_new_change(noon: LunchHour) -> None:
    set_host(noon, "周老师", "09:00")
    with transactions.transaction(noon.session) as session:
        session.scalars(select(Letter).where(Letter.kind == "slot_moved")).one().state = "sent"
    assert set_host(noon, "", "09:30") == "1 told"
    assert letters(noon, "周明") == [("sent", "林老师"), ("queued", "周老师")]


def test_another_teacher_and_another_hour_within_a_minute_are_one_letter(noon: LunchHour) -> None:
    set_host(noon, "周老师", "09:00")
    assert move(noon, time(12, 40), "09:00:20") == "2 told"
    assert letters(noon, "周明") == [("dropped", "林老师"), ("queued", "林老师")]
    assert letters(noon, "李静") == [("queued", "周老师")]
    assert set_host(noon, "吴老师", "09:00:40") == "2 told"  # waiting people are still told of the new hour
    assert [state for state, _ in letters(noon, "李静")] == ["dropped", "queued"]


def test_with_nobody_on_it_no_letter_is_written(noon: LunchHour) -> None:
    for name in ("李静", "周明"):
        noon.give_up(name, "Mon 11:00")
    assert set_host(noon, "周老师", "09:00") == "0 told"
    assert noon.now().host == "周老师"


@pytest.mark.parametrize(("clock", "said"), [("12:30", "0 told"), ("13:00", "no: over")])
def test_a_running_slot_tells_nobody_and_a_finished_one_cannot_change(noon: LunchHour, clock: str, said: str) -> None:
    assert set_host(noon, "周老师", clock) == said
    assert noon.now().host == ("周老师" if said == "0 told" else None)


def test_a_cancelled_slot_has_no_teacher_to_change(noon: LunchHour) -> None:
    noon.cancel("09:00")
    assert set_host(noon, "周老师", "09:01") == "no: cancelled"


def test_planning_keeps_the_teacher_when_nobody_is_left_on_it(noon: LunchHour) -> None:
    with transactions.transaction(noon.session) as session:
        there = session.get_one(Slot, noon.slot_id)
        where = {"station_id": there.station_id, "activity_id": there.activity_id, "zone_id": there.zone_id}
        weekly = {"weekdays": "2", "starts": time(12, 10), "minutes": 50, "capacity": 1}
        plan = Plan(**where, **weekly, valid_from=there.date)
        session.add(plan)
        session.flush()
        there.plan_id = plan.id
        session.add(PlanException(plan_id=plan.id, date=there.date, capacity=1))
    set_host(noon, "周老师", "Mon 12:00")
    for name in ("李静", "周明"):
        noon.give_up(name, "Mon 13:00")
    with transactions.transaction(noon.session) as session:
        slots.plan_ahead(session, noon.station_id, at("Mon 14:00"))
    assert noon.now().host == "周老师"
    set_host(noon, "", "Mon 15:00")
    with transactions.transaction(noon.session) as session:
        slots.plan_ahead(session, noon.station_id, at("Mon 16:00"))
    assert (noon.now().host, noon.now().capacity) == (None, 1)
