"""Copying a week: one-offs and exceptions, past holidays, clashes and people; first shown, then done."""

from datetime import date, time, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import invariants, slots
from booking.db import transactions
from booking.model import Plan, PlanException, Slot, Station, Zone
from tests.support.desk_cast import Cast, Desk, snapshot
from tests.support.lunch_hour import LunchHour, at
from tests.support.snapshots import seed_workdays

MONDAY = date(2026, 11, 23)
WEEK = timedelta(days=7)


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """A one-off on Tuesday at 12:10; a plan on Thursdays, which this week begins at 13:00."""
    lunch = LunchHour(session)
    activity_id = lunch.now().activity_id
    with transactions.transaction(session):
        seed_workdays(session)
        zone = Zone(station_id=lunch.station_id, name="手工坊", capacity=20)
        session.add(zone)
        session.flush()
        plan = Plan(
            station_id=lunch.station_id,
            activity_id=activity_id,
            zone_id=zone.id,
            weekdays="4",
            starts=time(12, 10),
            minutes=50,
            capacity=10,
            valid_from=MONDAY,
        )
        slots.save_plan(session, plan, at("Mon 09:00"))
        said = PlanException(plan_id=plan.id, date=MONDAY + timedelta(3), starts=time(13, 0), host="周老师")
        slots.save_exception(session, said, at("Mon 09:00"))
    return lunch


def outcomes(lunch: LunchHour, weeks: int = 1, clock: str = "Mon 11:00") -> list[tuple[str, str]]:
    station = lunch.session.get_one(Station, lunch.station_id)
    told = slots.preview_week(lunch.session, station, MONDAY, weeks, at(clock))
    return [(copy.day.date.isoformat(), copy.outcome) for copy in told.copies]


def copy(lunch: LunchHour, weeks: int = 1, clock: str = "Mon 11:00") -> list[str]:
    with transactions.transaction(lunch.session) as session:
        station = session.get_one(Station, lunch.station_id)
        did = slots.copy_week(session, station, MONDAY, weeks, at(clock), lunch.manager_id)
        return [one.outcome for one in did]


def test_one_offs_and_exceptions_are_copied(lunch: LunchHour) -> None:
    assert outcomes(lunch, 2) == [
        ("2026-12-01", "add"),
        ("2026-12-03", "add"),
        ("2026-12-08", "add"),
        ("2026-12-10", "add"),
    ]
    assert copy(lunch, 2) == ["add"] * 4
    found = lunch.session.scalars(select(Slot).where(Slot.plan_id.is_(None)).order_by(Slot.date)).all()
    assert [(slot.date, slot.starts_at - found[0].starts_at) for slot in found] == [
        (found[0].date, timedelta(0)),
        (found[0].date + WEEK, WEEK),
        (found[0].date + 2 * WEEK, 2 * WEEK),
    ]
    thursday = lunch.session.scalars(select(Slot).where(Slot.date == date(2026, 12, 3))).one()
    assert (thursday.starts_at, thursday.host) == (at("Thu 13:00") + WEEK, "周老师")
    assert invariants.breaches(lunch.session, at("Mon 11:01")) == []


def test_a_preview_changes_nothing_and_a_second_copy_adds_nothing(lunch: LunchHour) -> None:
    before = snapshot(lunch.session)
    outcomes(lunch, 8)
    assert snapshot(lunch.session) == before
    copy(lunch)
    assert outcomes(lunch) == [("2026-12-01", "same"), ("2026-12-03", "same")]
    before = snapshot(lunch.session)
    assert copy(lunch) == ["same", "same"]
    assert snapshot(lunch.session) == before


def test_a_rest_day_takes_nothing_and_a_make_up_day_what_it_follows(lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        station = session.get_one(Station, lunch.station_id)
        slots.set_day(session, station, date(2026, 12, 1), works=False, now=at("Mon 10:00"), note="检修")
        slots.set_day(session, station, date(2026, 12, 5), works=True, now=at("Mon 10:00"), follows=2)
    station = lunch.session.get_one(Station, lunch.station_id)
    told = slots.preview_week(lunch.session, station, MONDAY, 1, at("Mon 11:00"))
    assert [day.name for day in told.rests] == ["检修"]
    assert [day.date for day in told.gained] == [date(2026, 12, 5)]
    assert outcomes(lunch) == [("2026-12-01", "holiday"), ("2026-12-03", "add"), ("2026-12-05", "add")]
    copy(lunch)
    assert lunch.session.scalars(select(Slot.date).where(Slot.date == date(2026, 12, 5))).all() == [date(2026, 12, 5)]
    assert lunch.session.scalars(select(Slot).where(Slot.date == date(2026, 12, 1))).all() == []


def test_clashes_and_people_are_named_and_left_alone(lunch: LunchHour) -> None:
    first = lunch.now()
    wish = slots.OneOff(first.activity_id, first.zone_id, first.date + WEEK, time(12, 30), 50, 2)
    with transactions.transaction(lunch.session) as session:
        there = slots.add(session, lunch.station_id, wish, at("Mon 09:00")).id
        station = session.get_one(Station, lunch.station_id)
        slots.plan_ahead(session, station.id, at("Mon 09:00"))
        thursday = session.scalars(select(Slot).where(Slot.date == date(2026, 12, 3))).one()
        thursday.opens_at, next_id = at("Mon 09:00"), thursday.id
        session.get_one(Slot, there).opens_at = at("Mon 09:00")
    lunch.book("周明", "Mon 10:00", there)
    lunch.book("李静", "Mon 10:00", next_id)
    station = lunch.session.get_one(Station, lunch.station_id)
    told = slots.preview_week(lunch.session, station, MONDAY, 1, at("Mon 11:00"))
    assert [(one.outcome, one.people) for one in told.copies] == [("zone_taken", 1), ("slot_in_use", 1)]
    assert copy(lunch) == ["zone_taken", "slot_in_use"]
    assert lunch.state("李静", next_id) == "booked"


def test_what_is_past_or_gone_is_not_copied(lunch: LunchHour) -> None:
    zone_id = lunch.now().zone_id
    with transactions.transaction(lunch.session) as session:
        zone = session.get_one(Zone, zone_id)
        zone.closed_at = at("Mon 10:00")
    assert outcomes(lunch)[0] == ("2026-12-01", "no_such_zone")


def test_what_a_smaller_zone_does_not_hold_is_said_before(lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        for zone in session.scalars(select(Zone)):
            zone.capacity = 1
    assert [outcome for _, outcome in outcomes(lunch)] == copy(lunch) == ["zone_max", "zone_max"]


# At the desk


@pytest.mark.sqlite
def test_the_desk_shows_first_and_does_then(app: Flask, lunch: LunchHour) -> None:
    desk = Desk(app, lunch)
    page = desk.get("week/copy?from=2026-11-25&weeks=2").text
    assert page.count('data-outcome-code="add"') == 4
    assert "week/copy?from=2026-11-23" in desk.get("week").text
    answer = desk.post("week/copy", **{"from": "2026-11-23", "weeks": "2"})
    assert "复制好了：加上 4 项，跳过 0 项。" in answer.text


@pytest.mark.sqlite
@pytest.mark.parametrize("asked", ["weeks=99", "weeks=-1", "weeks=x", "from=x", "from=9999-01-01", "weeks=１"])
def test_what_makes_no_sense_is_no_trouble(app: Flask, lunch: LunchHour, asked: str) -> None:
    assert Desk(app, lunch).get(f"week/copy?{asked}").status_code == 200


@pytest.mark.sqlite
def test_a_stranger_copies_nothing(app: Flask, lunch: LunchHour) -> None:
    cast = Cast(lunch)
    stranger = Desk(app, lunch, cast.other_manager_id)
    before = snapshot(lunch.session)
    assert stranger.post("week/copy", **{"from": "2026-11-23"}).status_code == 404
    assert snapshot(lunch.session) == before
