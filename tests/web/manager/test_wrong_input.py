"""Validation: wrong input at each field of each form: 422, a sentence at the field, the input kept, nothing changed."""

import html
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.model import Plan
from tests.support.desk_cast import Cast, Desk, said, snapshot
from tests.support.lunch_hour import LunchHour, at

LONG = "长" * 3000
NUMBERS = ("", "-1", "0", "1e9", "99999999999999999999", "约十五", "3.5", "<b>1</b>", "١٥")
DATES = ("", "2026-02-30", "0001-01-01", "9999-12-31", "明天", "20261324", "<i>", "-1")
TIMES = ("", "25:00", "12:60", "中午", "12", "-1:00", "<i>")
CHOICES = ("", "0", "-1", "abc", "999999999999999999999", "<b>")

Case = tuple[str, dict[str, Any], str, str]

SLOT = {
    "activity_id": "{activity}",
    "zone_id": "{zone}",
    "date": "2026-11-26",
    "starts": "15:00",
    "minutes": "50",
    "capacity": "10",
    "host": "林老师",
}
PLAN = {
    "activity_id": "{activity}",
    "zone_id": "{zone}",
    "weekdays": ["1", "3"],
    "starts": "15:00",
    "minutes": "50",
    "capacity": "10",
    "valid_from": "2026-11-24",
}
DRAWN = PLAN | {"allocation": "draw", "value_kind": "kl8", "value_source": "快乐8", "value_clock": "21:30"}
DATE = {"date": "2026-12-02", "skip": "", "starts": "", "zone_id": "0", "capacity": "", "host": ""}
ACTIVITY = {"title": "八段锦", "kind": "fitness", "picture": "baduanjin"}
ZONE = {"name": "新场地", "name_en": "", "capacity": "10"}
DAY = {"date": "2026-12-02", "says": "rests", "note": ""}
POLICY = {
    "days_ahead": "14",
    "opens_workdays_before": "1",
    "opens_at": "10:00",
    "seats_a_day": "1",
    "waiting_entries": "2",
    "free_minutes": "60",
    "line_minutes": "30",
    "checkin_minutes": "15",
    "grace_minutes": "5",
    "strikes_to_pause": "3",
    "strike_days": "30",
    "pause_days": "7",
    "warning_days": "90",
    "draw_minutes": "120",
    "wishes": "3",
    "most_balls": "4",
    "newcomer_balls": "3",
    "answer_workdays": "1",
    "end_workdays": "5",
}
FREE = {"days_ahead": "61", "opens_workdays_before": "11", "seats_a_day": "6", "waiting_entries": "11"}
FREE |= {"free_minutes": "1441", "line_minutes": "241", "checkin_minutes": "121", "grace_minutes": "61"}
FREE |= {"strikes_to_pause": "21", "strike_days": "366", "pause_days": "91", "warning_days": "731"}


def bad(path: str, form: dict[str, Any], field: str, values: tuple[str, ...]) -> Iterator[Case]:
    """The form of a thing that exists is that of a new one: there the first two values tell whether it is asked."""
    same_form = path in ("plans/{plan}", "activities/{activity}", "zones/{zone}")
    return ((path, form, field, value) for value in (values[:2] if same_form else values))


def cases() -> Iterator[Case]:
    for path, form in (("slots/new", SLOT), ("plans/new", PLAN), ("plans/{plan}", PLAN)):
        yield from bad(path, form, "activity_id", CHOICES)
        yield from bad(path, form, "zone_id", CHOICES)
        yield from bad(path, form, "starts", TIMES)
        yield from bad(path, form, "minutes", (*NUMBERS, "9", "481"))
        yield from bad(path, form, "capacity", (*NUMBERS, "1001"))
    for path, form in (("slots/new", SLOT), ("plans/new", PLAN)):
        yield from bad(path, form, "allocation", ("x", "<b>"))
        yield (path, form, "starts", "23:30")
    yield from bad("plans/new", DRAWN, "value_kind", ("x", "<b>"))
    yield from bad("plans/new", DRAWN, "value_source", ("", LONG))
    yield from bad("plans/new", DRAWN, "value_clock", (*TIMES, "12:00"))
    yield from bad("slots/new", SLOT, "date", (*DATES, "2026-11-20"))
    yield from bad("slots/new", SLOT, "host", (LONG,))
    for path in ("plans/new", "plans/{plan}"):
        yield from bad(path, PLAN, "weekdays", ("", "0", "8", "一", "<b>"))
        yield from bad(path, PLAN, "valid_from", DATES)
        yield from bad(path, PLAN, "valid_until", (*DATES[1:], "2026-11-23"))
        yield from bad(path, PLAN, "opens_workdays_before", ("-1", "11", "x", "1e9"))
        yield from bad(path, PLAN, "opens_clock", TIMES[1:])
    yield from bad("plans/{plan}/dates", DATE, "date", (*DATES, "2026-11-20"))
    yield from bad("plans/{plan}/dates", DATE, "starts", TIMES[1:])
    yield from bad("plans/{plan}/dates", DATE, "zone_id", CHOICES[2:])
    yield from bad("plans/{plan}/dates", DATE, "capacity", (*NUMBERS[1:], "1001"))
    yield from bad("plans/{plan}/dates", DATE, "host", (LONG,))
    for path in ("activities/new", "activities/{activity}"):
        yield from bad(path, ACTIVITY, "title", ("", " \t ", "长" * 61, "\u200b\u202e"))
        yield from bad(path, ACTIVITY, "kind", ("", "sleep", "<b>"))
        yield from bad(path, ACTIVITY, "picture", ("", "../../etc/passwd", "<b>"))
        for field in ("title_en", "host", "host_en", "text", "text_en", "bring", "bring_en", "suits", "suits_en"):
            yield from bad(path, ACTIVITY, field, (LONG,))
    for path in ("zones", "zones/{zone}"):
        yield from bad(path, ZONE, "name", ("", "  ", "长" * 41))
        yield from bad(path, ZONE, "name_en", (LONG,))
        yield from bad(path, ZONE, "capacity", (*NUMBERS, "1001"))
    yield from bad("calendar", DAY, "date", (*DATES, "2026-11-23", "2026-11-20"))
    yield from bad("calendar", DAY, "says", ("", "8", "maybe", "<b>"))
    yield from bad("calendar", DAY, "note", ("长" * 41,))
    for field, above in FREE.items():
        yield from bad("policy", POLICY, field, ("", "-1", "x", "1e9", above))
    yield from bad("policy", POLICY, "opens_at", TIMES)
    yield from bad("slots/{slot}/cancel", {}, "reason", ("", "  ", "长" * 201))


CASES = list(cases())


@pytest.fixture
def desk(app: Flask, session: Session) -> Desk:
    lunch = LunchHour(session, capacity=3)
    lunch.book("周明", "Mon 10:00")
    lunch.cast = Cast(lunch)  # type: ignore[attr-defined]
    desk = Desk(app, lunch)
    desk.post("plans/new", **filled(desk, PLAN | {"weekdays": ["2"], "starts": "09:00"}))
    return desk


def ids(desk: Desk) -> dict[str, object]:
    cast: Cast = desk.lunch.cast  # type: ignore[attr-defined]
    plan = desk.lunch.session.scalar(select(Plan.id)) or 0
    own = cast.cbd
    return {"activity": own.activity_id, "zone": own.zone_id, "slot": own.slot_id, "plan": plan}


def filled(desk: Desk, form: dict[str, Any]) -> dict[str, Any]:
    known = ids(desk)
    return {name: value.format(**known) if isinstance(value, str) else value for name, value in form.items()}


@pytest.mark.sqlite
def test_every_wrong_value_is_answered_at_its_field_and_changes_nothing(desk: Desk) -> None:
    before = snapshot(desk.lunch.session)
    wrongs = []
    for path, form, field, value in CASES:
        answer = desk.post(path.format(**ids(desk)), follow=False, **filled(desk, form) | {field: value})
        page = html.unescape(answer.text)
        case = f"{path} {field}={value[:20]!r}"
        if answer.status_code != 422:
            wrongs.append(f"{case}: {answer.status_code}")
        elif not error_at(page, field):
            wrongs.append(f"{case}: no sentence at the field")
        elif not kept(answer.text, page, field, value):
            wrongs.append(f"{case}: what was typed is lost")
    assert wrongs == []
    assert snapshot(desk.lunch.session) == before


def error_at(page: str, field: str) -> bool:
    return bool(re.search(rf'id="{field}-error"', page)) or (field == "picture" and '<p class="error">' in page)


def kept(raw: str, page: str, field: str, value: str) -> bool:
    """Selects keep their options; typed values are shown again, and never as markup."""
    chosen = ("activity_id", "zone_id", "kind", "picture", "says", "weekdays", "allocation", "value_kind")
    if field in chosen or not value.strip(" \t\u200b\u202e"):
        return True
    if "<" in value and value in raw:
        return False
    return value in page or value.strip() in page


@pytest.mark.sqlite
def test_a_plan_keeps_the_public_value_of_its_draws_only(desk: Desk) -> None:
    for sent, kept in ((DRAWN, ("kl8", "快乐8")), (DRAWN | {"allocation": "first", "starts": "17:00"}, ("none", None))):
        assert desk.post("plans/new", follow=False, **filled(desk, sent)).status_code == 303
        desk.lunch.session.rollback()
        plan = desk.lunch.session.scalars(select(Plan).order_by(Plan.id.desc())).first()
        assert plan
        assert (plan.value_kind, plan.value_source) == kept


@pytest.mark.sqlite
def test_a_one_off_can_be_given_by_draw(desk: Desk) -> None:
    answer = desk.post("slots/new", follow=False, **filled(desk, SLOT | {"allocation": "draw"}))
    assert answer.status_code == 303
    slot = desk.lunch.now(int(answer.headers["Location"].rpartition("/")[2]))
    assert slot.draw_id is not None


@pytest.mark.sqlite
def test_full_width_digits_are_taken_where_a_number_is_meant(desk: Desk) -> None:
    wide = SLOT | {"date": "２０２６－１１－２６", "starts": "１５：００", "minutes": "５０", "capacity": "１０"}
    answer = desk.post("slots/new", follow=False, **filled(desk, wide))
    assert answer.status_code == 303
    slot = desk.lunch.now(int(answer.headers["Location"].rpartition("/")[2]))
    assert (str(slot.date), slot.capacity) == ("2026-11-26", 10)


@pytest.mark.sqlite
def test_a_slot_on_a_rest_day_is_added_only_when_the_manager_says_so(desk: Desk) -> None:
    assert 'name="on_rest_day"' not in desk.get("slots/new?date=2026-11-28").text
    sunday = filled(desk, SLOT | {"date": "2026-11-29"})
    asked = desk.post("slots/new", follow=False, **sunday)
    assert (asked.status_code, 'id="on_rest_day-error"' in asked.text) == (422, True)
    assert "这一天驿站休息" in said(asked)
    assert desk.post("slots/new", follow=False, **sunday, on_rest_day="y").status_code == 303


@pytest.mark.sqlite
def test_a_zone_that_is_taken_is_said_at_the_time(desk: Desk) -> None:
    taken = SLOT | {"date": "2026-11-24", "starts": "12:30"}
    answer = desk.post("slots/new", follow=False, **filled(desk, taken))
    assert answer.status_code == 422
    assert 'id="starts-error"' in answer.text
    plan = desk.post("plans/new", follow=False, **filled(desk, PLAN | {"weekdays": ["2"], "starts": "09:30"}))
    assert (plan.status_code, 'id="starts-error"' in plan.text) == (422, True)


@pytest.mark.sqlite
def test_a_name_that_is_taken_and_a_zone_that_is_in_use_say_so(desk: Desk) -> None:
    desk.post("zones", **ZONE)
    twin = desk.post("zones", follow=False, **ZONE)
    assert (twin.status_code, 'id="name-error"' in twin.text) == (422, True)
    small = desk.post("zones/{zone}".format(**ids(desk)), follow=False, **ZONE | {"name": "别的", "capacity": "1"})
    assert (small.status_code, 'id="capacity-error"' in small.text) == (422, True)


@pytest.mark.sqlite
def test_a_file_or_a_json_body_is_no_form(desk: Desk) -> None:
    with time_machine.travel(at("Mon 11:00"), tick=False):
        for path in ("zones", "activities/new", "slots/new", "plans/new", "policy", "calendar"):
            file = {"name": (BytesIO(b"x"), "x.txt"), "title": (BytesIO(b"x"), "x.txt"), "capacity": "3"}
            assert desk.client.post(f"/manage/cbd/{path}", data=file).status_code == 422, path
            for body in ([1], "x", {"name": ["a"]}, None):
                assert desk.client.post(f"/manage/cbd/{path}", json=body).status_code == 422, path
