"""Names left at the door: limits, what the staff makes of them, when they go; and two kiosks of one door."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from booking import checkin_sync, invariants, people, services
from booking.errors import RuleViolation
from booking.model import DoorArrival, Event
from booking.queries import door_names
from tests.support.lunch_hour import LunchHour, at
from tests.support.together import together

NOON = at("12:01")


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    lunch = LunchHour(session)
    lunch.book("周明", "Mon 10:00")
    return lunch


def left(lunch: LunchHour) -> int:
    lunch.session.rollback()
    return lunch.session.scalar(select(func.count()).select_from(DoorArrival)) or 0


def test_a_name_is_left_once_and_thirty_in_an_hour(lunch: LunchHour) -> None:
    first = services.leave_name(lunch.session, lunch.station_id, "王小明", NOON).id
    assert services.leave_name(lunch.session, lunch.station_id, " 王 小明 ", NOON).id == first
    for n in range(services.MOST_NAMES - 1):
        services.leave_name(lunch.session, lunch.station_id, f"甲{n}", NOON)
    with pytest.raises(RuleViolation, match="too_many_names"):
        services.leave_name(lunch.session, lunch.station_id, "乙", NOON)
    lunch.session.rollback()
    services.leave_name(lunch.session, lunch.station_id, "乙", NOON + timedelta(hours=1))
    assert left(lunch) == services.MOST_NAMES + 1


def test_names_left_at_once_do_not_pass_the_limit(
    lunch: LunchHour, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.door_arrivals, "MOST_NAMES", 3)
    leave = services.leave_name.inside
    said = together(engine, 8, lambda session, n: bool(leave(session, lunch.station_id, f"甲{n}", NOON)))
    assert sorted(map(str, said)) == ["True"] * 3 + ["no: too_many_names"] * 5
    assert left(lunch) == 3


@pytest.mark.postgresql
def test_without_the_stations_lock_they_pass_the_limit(
    lunch: LunchHour, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control; SQLite has one writer at a time."""
    monkeypatch.setattr(services.door_arrivals, "MOST_NAMES", 2)
    monkeypatch.setattr(services.door_arrivals.transactions, "advisory_lock", lambda *_: None)
    leave = services.leave_name.inside
    with Session(engine) as one, Session(engine) as other:
        for n in range(2):
            leave(one, lunch.station_id, f"甲{n}", NOON)
            leave(other, lunch.station_id, f"乙{n}", NOON)
        one.commit(), other.commit()
    assert left(lunch) == 4


def test_a_name_goes_when_the_day_ends_there(lunch: LunchHour) -> None:
    services.leave_name(lunch.session, lunch.station_id, "王小明", NOON)
    for clock, seen in (("23:59", 1), ("Wed 00:00", 0)):
        assert len(door_names.waiting(lunch.session, lunch.now().station, at(clock))) == seen
        lunch.session.rollback()
        people.forget(lunch.session, at(clock))
        assert left(lunch) == seen
    assert "王小明" not in str([event.details for event in lunch.session.scalars(select(Event))])


def test_check_in_and_seen_to_are_one(lunch: LunchHour) -> None:
    name = services.leave_name(lunch.session, lunch.station_id, "周明", NOON).id
    booking = lunch.latest("周明").id
    lunch.session.rollback()
    for _twice in range(2):
        services.check_in_named(lunch.session, name, booking, at("12:02"), lunch.manager_id)
    assert lunch.state("周明") == "attended"
    assert len(lunch.lines("checked_in")) == 1
    settled = select(func.count()).select_from(Event).where(Event.kind == "name_settled")
    assert lunch.session.scalar(settled) == 1
    assert invariants.breaches(lunch.session, at("12:03")) == []


def test_a_refused_check_in_leaves_the_name_on_the_list(lunch: LunchHour) -> None:
    name = services.leave_name(lunch.session, lunch.station_id, "周明", at("11:40")).id
    booking = lunch.latest("周明").id
    lunch.session.rollback()
    with pytest.raises(RuleViolation, match="too_early"):
        services.check_in_named(lunch.session, name, booking, at("11:41"), lunch.manager_id)
    assert len(door_names.waiting(lunch.session, lunch.now().station, at("11:42"))) == 1


def test_one_ticket_at_two_kiosks_at_once_is_one_check_in(lunch: LunchHour, engine: Engine) -> None:
    booking = lunch.latest("周明")
    about = booking.person_id, booking.slot_id, at("12:00")
    key = booking.id
    lunch.session.rollback()
    arrive = checkin_sync.arrive.inside
    said = together(engine, 8, lambda session, _: arrive(session, *about, booking_id=key).state)
    assert said == ["attended"] * 8
    assert lunch.state("周明") == "attended"
    assert len(lunch.lines("checked_in")) == 1
