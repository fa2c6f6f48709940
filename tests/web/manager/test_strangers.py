"""Tenancy: what belongs to another station is a 404 by its address, an error by its id in a body, and never changed."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.model import Booking, Plan, Strike
from tests.support.desk_cast import Cast, Desk, snapshot
from tests.support.lunch_hour import LunchHour
from tests.web.manager.test_wrong_input import ACTIVITY, DATE, PLAN, SLOT, ZONE

pytestmark = pytest.mark.sqlite


@pytest.fixture
def cast(session: Session, app: Flask) -> Cast:
    """Both stations have a plan, somebody on a slot, and a strike."""
    lunch = LunchHour(session, capacity=3)
    cast = Cast(lunch)
    for name, slot_id in (("周明", None), ("李静", cast.other_slot_id)):
        lunch.book(name, "Mon 10:00", slot_id)
        lunch.book("王磊", "Mon 10:00", slot_id)
    for things in (cast.cbd, cast.west):
        booking = session.scalars(select(Booking).where(Booking.slot_id == things.slot_id)).first()
        assert booking is not None
        things.booking_id, things.person_id, things.ticket = booking.id, booking.person_id, booking.ticket
        plan = Plan(
            station_id=things.station_id,
            activity_id=things.activity_id,
            zone_id=things.zone_id,
            weekdays="5",
            starts=lunch.now().starts_at.time(),
            minutes=50,
            capacity=5,
            valid_from=lunch.now().date,
        )
        strike = Strike(
            person_id=booking.person_id,
            station_id=things.station_id,
            slot_id=things.slot_id,
            booking_id=booking.id,
            at=lunch.now().opens_at,
            reason="no_show",
        )
        session.add_all([plan, strike])
        session.commit()
        things.plan_id, things.strike_id = plan.id, strike.id
    return cast


PATHS = """
GET slots/{slot_id} · GET slots/{slot_id}/print · GET slots/{slot_id}/cancel · GET slots/{slot_id}/forgive
GET plans/{plan_id} · GET plans/{plan_id}/stop · GET plans/{plan_id}/dates · GET activities/{activity_id}
GET zones/{zone_id} · GET people/{person_id} · GET history?slot={slot_id} · GET tickets/{ticket}
POST slots/{slot_id}/capacity capacity=1 move_newest=y · POST slots/{slot_id}/cancel reason=x
POST slots/{slot_id}/release · POST slots/{slot_id}/all-came
POST slots/{slot_id}/fell-through · POST slots/{slot_id}/take-back
POST slots/{slot_id}/forgive reason=x · POST slots/{slot_id}/walk-in name=x · POST slots/{slot_id}/stand-by name=x
POST bookings/{booking_id}/check-in · POST bookings/{booking_id}/undo · POST strikes/{strike_id}/forgive reason=x
POST plans/{plan_id}/stop · POST plans/{plan_id}/dates/2026-11-27/take-back · POST activities/{activity_id}/retire
POST zones/{zone_id}/close · POST tickets/{ticket} · GET slots/{slot_id}/export · GET slots/{slot_id}/move
POST slots/{slot_id}/move starts=12:30 zone_id=1 sure=y · POST people/{person_id}/phone
POST slots/{slot_id}/bring-back · POST zones/{zone_id}/reopen · POST slots/{slot_id}/watch hybrid=y
POST activities/{activity_id}/offer-again · POST plans/{plan_id}/resume
GET history?person={person_id} · POST taps booking={booking_id} act=in age=0 nonce=0123456789
""".replace("\n", " · ").split(" · ")


@pytest.mark.parametrize("line", [line for line in PATHS if line])
def test_another_stations_thing_does_not_exist(app: Flask, cast: Cast, line: str) -> None:
    before = snapshot(cast.lunch.session)
    method, path, *fields = line.split()
    form = dict(field.format(**vars(cast.west)).split("=") for field in fields)
    desk = Desk(app, cast.lunch)
    before = snapshot(cast.lunch.session)
    # 李静 and her things are at the other station only.
    path = path.format(**vars(cast.west))
    answer = desk.get(path, "12:00") if method == "GET" else desk.post(path, "12:00", **form)
    assert answer.status_code == 404
    assert snapshot(cast.lunch.session) == before


@pytest.mark.parametrize(
    ("path", "form", "nested"),
    [
        ("slots/new", SLOT, "zone_id"),
        ("slots/new", SLOT, "activity_id"),
        ("plans/new", PLAN, "zone_id"),
        ("plans/new", PLAN, "activity_id"),
        ("plans/{plan_id}", PLAN, "zone_id"),
        ("plans/{plan_id}", PLAN, "activity_id"),
        ("plans/{plan_id}/dates", DATE, "zone_id"),
        ("slots/{slot_id}/move", {"starts": "12:30", "sure": "y"}, "zone_id"),
        ("slots/{slot_id}/walk-in", {}, "person_id"),
        ("slots/{slot_id}/stand-by", {}, "person_id"),
    ],
)
def test_another_stations_id_in_a_body_changes_nothing(
    app: Flask, cast: Cast, path: str, form: dict[str, Any], nested: str
) -> None:
    desk, own = Desk(app, cast.lunch), vars(cast.cbd)
    words = {"activity": cast.cbd.activity_id, "zone": cast.cbd.zone_id}
    body = {name: value.format(**words) if isinstance(value, str) else value for name, value in form.items()}
    before = snapshot(cast.lunch.session)
    answer = desk.post(path.format(**own), "12:00", follow=False, **body | {nested: getattr(cast.west, nested)})
    assert answer.status_code in (404, 422)
    assert snapshot(cast.lunch.session) == before


def test_fields_that_no_form_has_are_not_read(app: Flask, cast: Cast) -> None:
    desk = Desk(app, cast.lunch)
    extra = {"station_id": cast.west.station_id, "id": cast.west.zone_id, "state": "open", "role": "admin"}
    desk.post("zones", **ZONE | extra)
    desk.post("activities/new", **ACTIVITY | extra)
    after = snapshot(cast.lunch.session)
    for kind in ("Zone", "Activity"):
        rows = after[kind]
        assert isinstance(rows, list)
        assert rows[-1]["station_id"] == cast.cbd.station_id


def test_a_manager_of_another_station_has_access_there_only(app: Flask, cast: Cast) -> None:
    west = Desk(app, cast.lunch, cast.other_manager_id, code="west/")
    assert west.get("").status_code == 200
    assert Desk(app, cast.lunch, cast.other_manager_id).get("").status_code == 404
    assert Desk(app, cast.lunch, cast.other_manager_id, code="").get("").headers["Location"] == "/manage/west/"


def test_a_worker_is_no_manager(app: Flask, cast: Cast) -> None:
    worker = Desk(app, cast.lunch, cast.lunch.people["周明"])
    assert worker.get("").status_code == 404
    assert worker.post("policy", days_ahead="3").status_code == 404
