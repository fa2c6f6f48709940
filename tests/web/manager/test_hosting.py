"""Hosting on the manager's pages: the field is on the slot's page, and every reader sees the substitute teacher."""

import html

import pytest
from flask import Flask
from icalendar import Calendar
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.mail import context, invites, rendering
from booking.model import Activity, Letter, Person, Slot
from tests.support.desk_cast import Cast, Desk, refusal, said, snapshot
from tests.support.lunch_hour import LunchHour, at
from tests.support.worker_cast import Phone, words_of
from tests.web.manager.test_programme import plan

pytestmark = pytest.mark.sqlite


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """林老师's yoga, which 周明 has booked."""
    lunch = LunchHour(session, capacity=2)
    with transactions.transaction(session):
        activity = session.get_one(Activity, session.get_one(Slot, lunch.slot_id).activity_id)
        activity.host, activity.host_en = "林老师", "Ms Lin"
    lunch.book("周明", "Mon 10:00")
    return lunch


@pytest.fixture
def desk(app: Flask, lunch: LunchHour) -> Desk:
    return Desk(app, lunch)


def test_everybody_who_looks_sees_who_teaches_now(app: Flask, desk: Desk, lunch: LunchHour) -> None:
    slot, worker = f"slots/{lunch.slot_id}", Phone(app, lunch, "周明")
    day = f"/s/cbd?day={lunch.now().date}"
    assert "林老师" in worker.get(day, "Mon 10:59").text
    page = desk.words(slot)
    assert "不填就是活动的老师：林老师。 已预约的 1 人会收到一封信" in page
    assert "改好了，会通知 1 人" in said(desk.post(f"{slot}/host", host=" 周老师 "))
    assert "场次改动了：老师 林老师 → 周老师" in desk.words("history")
    for path in (slot, f"{slot}/print", "slots"):
        assert "周老师" in desk.words(path), path
    for address in (day, f"/slots/{lunch.slot_id}", "/me"):
        words = words_of(worker.get(address, "Mon 11:01").text)
        assert ("周老师" in words, "林老师" in words) == (True, False), address
    desk.post(f"{slot}/host", "Mon 11:02", host="")
    assert lunch.now().host is None


def test_only_who_has_an_address_is_promised_a_letter(app: Flask, desk: Desk, lunch: LunchHour) -> None:
    slot = f"slots/{lunch.slot_id}"
    desk.post(f"{slot}/reserve", name="王老师的客人")
    assert lunch.now().taken == 2
    assert "已预约的 1 人会收到一封信" in desk.words(slot)
    lunch.give_up("周明", "Mon 11:01")
    assert "人会收到一封信" not in desk.words(slot, "Mon 11:02")


def test_a_name_that_is_too_long_is_said_at_the_field_and_kept_there(desk: Desk, lunch: LunchHour) -> None:
    before, name = snapshot(lunch.session), "周" * 41
    answer = desk.post(f"slots/{lunch.slot_id}/host", host=name)
    assert (answer.status_code, "最多 40 个字" in said(answer)) == (422, True)
    assert f'value="{name}"' in answer.text
    assert 'id="host-error"' in answer.text
    assert snapshot(lunch.session) == before


@pytest.mark.parametrize(("clock", "reason"), [("Tue 13:30", "over"), ("Tue 10:00", "cancelled")])
def test_what_is_over_or_off_has_no_teacher_to_change(desk: Desk, lunch: LunchHour, clock: str, reason: str) -> None:
    if reason == "cancelled":
        lunch.cancel("Tue 09:00")
    before = snapshot(lunch.session)
    answer = desk.post(f"slots/{lunch.slot_id}/host", clock, host="周老师")
    assert (answer.status_code, refusal(answer)) == (409, reason)
    assert snapshot(lunch.session) == before


def test_another_stations_slot_does_not_exist(desk: Desk, lunch: LunchHour) -> None:
    other = Cast(lunch).other_slot_id
    before = snapshot(lunch.session)
    assert desk.post(f"slots/{other}/host", host="周老师").status_code == 404
    assert snapshot(lunch.session) == before


def letter(app: Flask, lunch: LunchHour, language: str) -> rendering.Rendered:
    lunch.session.rollback()
    row = lunch.session.scalars(
        select(Letter).where(Letter.kind == "slot_moved", Letter.state == "queued").order_by(Letter.id).limit(1)
    ).one()
    with app.app_context():
        reader = lunch.session.get_one(Person, row.person_id)
        return rendering.render(row.kind, context.of(lunch.session, row, reader, at("Mon 11:02")), language)


WORDS = {
    "zh_Hans_CN": ("换老师了：", "换老师了。时间和地点不变", "主持：周老师", "原来的老师：林老师"),
    "en": ("Different host: ", "has a different host. Time and place stay", "Host: 周老师", "Previous host: Ms Lin"),
}


@pytest.mark.parametrize("language", WORDS)
def test_the_letter_says_who_teaches_instead(app: Flask, desk: Desk, lunch: LunchHour, language: str) -> None:
    desk.post(f"slots/{lunch.slot_id}/host", host="周老师")
    told = letter(app, lunch, language)
    subject, *words = WORDS[language]
    assert told.subject.startswith(subject)
    for word in words:
        assert word in told.text, word
    assert "周老师" in told.page
    assert "原定" not in told.text
    assert not any(words in html.unescape(told.page) for words in ("原定", "时间或地点改了"))


def test_the_letter_carries_the_event_once_more(app: Flask, desk: Desk, lunch: LunchHour) -> None:
    desk.post(f"slots/{lunch.slot_id}/host", host="周老师")
    lunch.session.rollback()
    rows = lunch.session.scalars(select(Letter).where(Letter.kind.in_(("confirmed", "slot_moved"))).order_by(Letter.id))
    with app.test_request_context():
        found = [invites.with_letter(lunch.session, row, "lin@example.com", None) for row in rows]
    told = [Calendar.from_ical(invite.message).events[0] for invite in found if invite]
    assert "周老师" in told[-1]["DESCRIPTION"]
    assert [event["SEQUENCE"] for event in told] == [3, 3]  # both are of now


def test_links_do_not_lead_to_a_form_that_redirects(app: Flask, lunch: LunchHour) -> None:
    """The plan's page of one date refuses to change a date with bookings; so the slot's page does not link to it."""
    cast, desk = Cast(lunch), Desk(app, lunch)
    made = plan(desk, cast)
    lunch.session.rollback()
    slot = lunch.session.scalars(select(Slot).where(Slot.plan_id == made.id).order_by(Slot.date).limit(1)).one()
    here, there = f"slots/{slot.id}", f"plans/{made.id}/dates?date={slot.date}"
    assert there in html.unescape(desk.get(here).text)
    with transactions.transaction(lunch.session) as session:
        session.get_one(Slot, slot.id).waiting = 1
    page = html.unescape(desk.get(here).text)
    assert there not in page
    for path in ("host", "capacity", "move", "cancel"):
        assert f"{here}/{path}" in page, path
    refused = desk.post(f"plans/{made.id}/dates", date=slot.date.isoformat(), host="周老师")
    assert "请到场次页处理" in said(refused)
    assert f"/manage/cbd/{here}" in refused.text  # the link to the slot


def test_an_old_letter_about_a_move_can_still_be_worded(app: Flask, lunch: LunchHour) -> None:
    was = {"starts": at("11:00").isoformat(), "zone": "手工坊", "zone_en": ""}
    with transactions.transaction(lunch.session) as session:
        mine = lunch.latest("周明")
        row = Letter(kind="slot_moved", person_id=mine.person_id, slot_id=lunch.slot_id, booking_id=mine.id)
        row.details, row.message_id, row.created_at, row.next_try_at = (
            {"was": was},
            "x",
            at("Mon 11:00"),
            at("Mon 11:00"),
        )
        session.add(row)
    assert "原定" in letter(app, lunch, "zh_Hans_CN").text
