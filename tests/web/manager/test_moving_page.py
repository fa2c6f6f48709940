"""Moving a slot on the manager's pages: first who is on it, then the change."""

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.model import Zone
from tests.support.desk_cast import Cast, Desk, said, snapshot
from tests.support.lunch_hour import LunchHour, at

pytestmark = pytest.mark.sqlite


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    lunch = LunchHour(session, capacity=1)
    for name in ("周明", "李静"):
        lunch.book(name, "Mon 10:00")
    with transactions.transaction(session):
        session.add(Zone(station_id=lunch.station_id, name="手工坊", capacity=10))
    return lunch


@pytest.fixture
def desk(app: Flask, lunch: LunchHour) -> Desk:
    return Desk(app, lunch)


def zone_id(lunch: LunchHour, name: str = "手工坊") -> int:
    return lunch.session.scalars(select(Zone.id).where(Zone.name == name)).one()


def test_the_consequences_come_first(desk: Desk, lunch: LunchHour) -> None:
    path, where = f"slots/{lunch.slot_id}/move", {"starts": "12:40", "zone_id": str(zone_id(lunch))}
    page = desk.words(path)
    assert "1 人已预约，1 人候补，每人会收到一封信" in page
    assert "周明、李静" in page
    first = desk.post(path, **where)
    assert "改，并通知这 2 人" in said(first)
    assert lunch.now().starts_at == at("12:10")
    assert "改好了，会通知 2 人" in said(desk.post(path, **where, sure="y"))
    assert lunch.now().starts_at == at("12:40")
    assert "场次改动了：开始 12:10 → 12:40、场地 场地 0 → 手工坊" in desk.words("history")


def test_without_anybody_on_it_one_step_is_enough(desk: Desk, lunch: LunchHour) -> None:
    for name in ("周明", "李静"):
        lunch.give_up(name, "Mon 10:30")
    desk.post(f"slots/{lunch.slot_id}/move", starts="12:40", zone_id=str(zone_id(lunch)))
    assert lunch.now().starts_at == at("12:40")


@pytest.mark.parametrize("starts", ["", "25:00", "23:50", "<i>", "08:00"])
@pytest.mark.parametrize("sure", ["", "y"])
def test_what_cannot_be_is_said_at_the_field(desk: Desk, lunch: LunchHour, starts: str, sure: str) -> None:
    before = snapshot(lunch.session)
    path = f"slots/{lunch.slot_id}/move"
    answer = desk.post(path, "Tue 09:00", starts=starts, zone_id=str(zone_id(lunch)), sure=sure)
    assert answer.status_code == 422
    assert 'id="starts-error"' in answer.text
    assert snapshot(lunch.session) == before


def test_another_stations_slot_and_zone_do_not_exist(app: Flask, lunch: LunchHour, desk: Desk) -> None:
    cast = Cast(lunch)
    before = snapshot(lunch.session)
    where = {"starts": "12:40", "zone_id": str(zone_id(lunch)), "sure": "y"}
    assert desk.get(f"slots/{cast.other_slot_id}/move").status_code == 404
    assert desk.post(f"slots/{cast.other_slot_id}/move", **where).status_code == 404
    theirs = desk.post(f"slots/{lunch.slot_id}/move", **where | {"zone_id": str(cast.west.zone_id)})
    assert theirs.status_code == 422
    assert snapshot(lunch.session) == before
