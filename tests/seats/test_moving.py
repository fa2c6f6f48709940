"""Moving a slot to another hour or zone of its day, with its people, who are told."""

from datetime import date, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import invariants, slots
from booking.db import transactions
from booking.model import Event, Letter, Plan, PlanException, Slot, Station, Zone
from booking.policy import Policy
from tests.support.lunch_hour import LunchHour, at, make_slot


@pytest.fixture
def noon(session: Session) -> LunchHour:
    """Two seats on Tuesday at 12:10: 周明's and 李静's; 王磊 waits. A second zone for ten is free."""
    lunch = LunchHour(session)
    for name in ("周明", "李静", "王磊"):
        lunch.book(name, "Mon 10:00")
    with transactions.transaction(session):
        session.add(Zone(station_id=lunch.station_id, name="手工坊", capacity=10))
        session.add(Zone(station_id=lunch.station_id, name="小间", capacity=1))
    return lunch


def zone(lunch: LunchHour, name: str) -> int:
    return lunch.session.scalars(select(Zone.id).where(Zone.name == name)).one()


def move(lunch: LunchHour, starts: time, place: str, clock: str) -> str:
    wish = slots.Move(starts, zone(lunch, place))
    return lunch.do(lambda s: f"{len(slots.move(s, lunch.slot_id, wish, at(clock), lunch.manager_id))} told")


def test_everybody_on_it_keeps_their_place_and_is_told_once(noon: LunchHour) -> None:
    assert move(noon, time(12, 40), "手工坊", "09:00") == "3 told"
    slot = noon.now()
    assert (slot.starts_at, slot.ends_at, slot.zone.name) == (at("12:40"), at("13:30"), "手工坊")
    assert (slot.release_at, slot.checkin_from, slot.opens_at) == (at("12:45"), at("12:25"), at("Mon 10:00"))
    assert noon.states("周明", "李静", "王磊") == ["booked", "booked", "waiting"]
    assert [noon.letters(name)[-1] for name in ("周明", "李静", "王磊")] == ["slot_moved"] * 3
    line = noon.lines("moved")[-1]
    assert line.details["changed"] == {"starts": ["12:10", "12:40"], "zone": ["场地 0", "手工坊"]}
    assert noon.events("slot_moved") == [("slot_moved", "周明"), ("slot_moved", "李静"), ("slot_moved", "王磊")]
    assert invariants.breaches(noon.session, at("09:01")) == []


def test_people_on_a_moved_slot_may_cancel_freely(noon: LunchHour) -> None:
    move(noon, time(12, 40), "手工坊", "11:30")
    noon.give_up("周明", "12:30")
    assert noon.latest("周明").late is False
    for clock in ("12:40", "12:45", "13:30"):
        noon.tick(clock)
    assert noon.strikes("周明") == []


@pytest.mark.parametrize("numbers", [Policy(wishes=4), Policy(free_minutes=90), Policy(free_minutes=0)])
def test_a_change_of_the_policy_leaves_people_on_a_moved_slot_free(noon: LunchHour, numbers: Policy) -> None:
    move(noon, time(12, 40), "手工坊", "11:00")
    for wanted in (numbers, Policy(grace_minutes=7)):
        set_policy(noon, wanted, "11:05")
        assert (noon.now().free_until, noon.now().release_at) == (
            at("12:40"),
            at("12:40") + timedelta(minutes=wanted.grace_minutes),
        )
    noon.give_up("周明", "12:30")
    assert noon.latest("周明").late is False


def test_what_the_policy_alone_had_made_free_until_the_start_follows_the_policy(noon: LunchHour) -> None:
    set_policy(noon, Policy(free_minutes=0), "Mon 11:00")
    assert noon.now().free_until == at("12:10")
    set_policy(noon, Policy(), "Mon 11:05")
    assert noon.now().free_until == at("11:10")


def test_no_move_tells_nobody(noon: LunchHour) -> None:
    assert move(noon, time(12, 10), "场地 0", "09:00") == "0 told"
    assert noon.lines("moved") == []


def set_policy(noon: LunchHour, numbers: Policy, clock: str) -> None:
    station = noon.session.get_one(Station, noon.station_id)
    slots.set_policy(noon.session, station, numbers, at(clock), noon.manager_id)


def states(noon: LunchHour, who: str) -> list[tuple[str, str]]:
    mine = select(Letter).where(Letter.person_id == noon.people[who], Letter.kind == "slot_moved").order_by(Letter.id)
    return [(letter.state, letter.details["was"]["zone"]) for letter in noon.session.scalars(mine)]


def sent(noon: LunchHour, who: str) -> None:
    with transactions.transaction(noon.session) as session:
        mine = select(Letter).where(Letter.person_id == noon.people[who], Letter.kind == "slot_moved")
        session.scalars(mine).one().state = "sent"


def test_moved_back_before_a_letter_is_sent_nobody_is_told(noon: LunchHour) -> None:
    free = noon.now().free_until
    move(noon, time(12, 40), "手工坊", "09:00")
    assert move(noon, time(12, 10), "场地 0", "09:00:05") == "0 told"
    assert states(noon, "周明") == [("dropped", "场地 0")]
    assert (noon.now().starts_at, noon.now().free_until) == (at("12:10"), free)
    assert invariants.breaches(noon.session, at("09:01")) == []


def test_people_told_of_a_move_are_told_when_it_is_undone(noon: LunchHour) -> None:
    move(noon, time(12, 40), "手工坊", "09:00")
    sent(noon, "周明")
    assert move(noon, time(12, 10), "场地 0", "09:05") == "1 told"
    assert states(noon, "周明") == [("sent", "场地 0"), ("queued", "手工坊")]
    assert states(noon, "李静") == [("dropped", "场地 0")]
    assert noon.now().free_until == at("12:10")


def test_moved_on_and_back_before_the_second_letter_the_first_one_stays_true(noon: LunchHour) -> None:
    move(noon, time(12, 40), "手工坊", "09:00")
    for who in ("周明", "李静", "王磊"):
        sent(noon, who)
    assert move(noon, time(13, 0), "手工坊", "09:05") == "3 told"
    assert move(noon, time(12, 40), "手工坊", "09:05:20") == "0 told"
    assert noon.now().free_until == at("12:40")


def test_moved_again_at_once_is_one_letter_from_where_it_was_first(noon: LunchHour) -> None:
    move(noon, time(12, 40), "手工坊", "09:00")
    assert move(noon, time(13, 0), "手工坊", "09:00:05") == "3 told"
    assert states(noon, "周明") == [("dropped", "场地 0"), ("queued", "场地 0")]


@pytest.mark.parametrize(
    ("starts", "place", "clock", "said"),
    [
        (time(12, 40), "手工坊", "12:10", "no: started"),
        (time(8, 0), "手工坊", "09:00", "no: past"),
        (time(12, 40), "小间", "09:00", "no: zone_max"),
    ],
)
def test_an_impossible_move_is_refused_and_changes_nothing(
    noon: LunchHour, starts: time, place: str, clock: str, said: str
) -> None:
    assert move(noon, starts, place, clock) == said
    assert noon.now().starts_at == at("12:10")
    assert "slot_moved" not in noon.letters("周明")


def test_a_zone_that_is_taken_or_somebody_elses_is_refused(noon: LunchHour) -> None:
    west = noon.other_station()
    with transactions.transaction(noon.session) as session:
        busy = make_slot(session, session.get_one(Station, noon.station_id), date(2026, 11, 24), time(12, 30), 1)
        there = session.get_one(Slot, busy).zone.name
        session.add(Zone(station_id=west, name="西边", capacity=50))
    assert move(noon, time(13, 0), there, "09:00") == "no: zone_taken"
    assert move(noon, time(12, 40), "西边", "09:00") == "no: no_such_zone"


def test_nobody_is_moved_onto_another_seat_of_theirs(session: Session) -> None:
    lunch = LunchHour(session, seats_a_day=2)
    later = lunch.slot("13:10", 2)
    lunch.book("周明", "Mon 10:00")
    lunch.book("周明", "Mon 10:00", later)
    place = lunch.now().zone.name
    assert move(lunch, time(12, 40), place, "09:00") == "no: people_elsewhere"
    assert move(lunch, time(12, 15), place, "09:00") == "1 told"


def test_planning_does_not_take_the_move_back(session: Session, noon: LunchHour) -> None:
    with transactions.transaction(session):
        first = noon.now()
        plan = Plan(
            station_id=noon.station_id,
            activity_id=first.activity_id,
            zone_id=zone(noon, "手工坊"),
            weekdays="4",
            starts=time(12, 10),
            minutes=50,
            capacity=5,
            valid_from=date(2026, 11, 20),
        )
        slots.save_plan(session, plan, at("Mon 10:30"))
        made = session.scalars(select(Slot).where(Slot.plan_id == plan.id).order_by(Slot.date)).first()
        assert made is not None
        slot_id = made.id
        slots.move(session, slot_id, slots.Move(time(12, 40), plan.zone_id), at("Mon 10:31"), noon.manager_id)
    with transactions.transaction(session):
        slots.plan_ahead(session, noon.station_id, at("Mon 10:40"))
    assert session.get_one(Slot, slot_id).starts_at == at("Thu 12:40")
    assert session.scalars(select(PlanException.starts)).one() == time(12, 40)
    assert session.scalars(select(Letter.kind).where(Letter.slot_id == slot_id)).all() == []
    assert session.scalars(select(Event).where(Event.kind == "moved", Event.slot_id == slot_id)).one().actor_id
