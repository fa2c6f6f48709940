"""Calendar files and feeds: a file for each seat, and a secret address that calendar programs poll."""

import re
from datetime import time
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar, Event
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking import people, slots
from booking.db import transactions
from booking.model import Feed, Person
from tests.support.lunch_hour import LunchHour, at
from tests.support.worker_cast import Phone

WECHAT = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) Chrome/130.0 Mobile Safari/537.36 MicroMessenger/8.0.50"}


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    return LunchHour(session)


def events(answer: TestResponse) -> list[Event]:
    assert answer.status_code == 200, answer.status
    return Calendar.from_ical(answer.text).events


def subscribe(phone: Phone, clock: str = "Mon 09:00") -> str:
    """Open the feed as the page does; returns the path that it shows."""
    page = phone.post("/account/calendar", clock).text
    found = re.search(r'value="http://localhost(/cal/[^"]+)"', page)
    assert found, page
    return found[1]


def read(app: Flask, path: str, clock: str, **options: Any) -> TestResponse:
    """As a calendar program does: without any cookie."""
    with time_machine.travel(at(clock), tick=False):
        return app.test_client().get(path, **options)


def test_a_seat_is_a_file_for_its_owner(app: Flask, lunch: LunchHour) -> None:
    lunch.book("周明", "Mon 10:00")
    path = f"/bookings/{lunch.latest('周明').id}/calendar.ics"
    answer = Phone(app, lunch, "周明").get(path, "Mon 10:01")
    (event,) = events(answer)
    assert (event["SUMMARY"], event["STATUS"], event.start) == ("白领瑜伽课堂", "CONFIRMED", at("12:10"))
    assert answer.mimetype == "text/calendar"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="lunch-hour-2026-11-24.ics"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert Phone(app, lunch, "李静").get(path, "Mon 10:01").status_code == 404


def test_a_place_in_line_is_no_event(app: Flask, lunch: LunchHour) -> None:
    for name in ("周明", "李静", "王磊"):
        lunch.book(name, "Mon 10:00")
    phone = Phone(app, lunch, "王磊")
    assert phone.get(f"/bookings/{lunch.latest('王磊').id}/calendar.ics", "Mon 10:01").status_code == 404
    assert events(read(app, subscribe(phone, "Mon 10:02"), "Mon 10:03")) == []
    assert "/calendar.ics" not in phone.get("/me", "Mon 10:01").text


def test_the_feed_follows_what_becomes_of_a_seat(app: Flask, lunch: LunchHour) -> None:
    path = subscribe(Phone(app, lunch, "王磊"))
    for name in ("周明", "李静", "王磊"):
        lunch.book(name, "Mon 10:00")
    assert events(read(app, path, "Mon 10:01")) == []
    lunch.give_up("周明", "Mon 11:00")
    (promoted,) = events(read(app, path, "Mon 11:01"))
    assert (promoted["STATUS"], promoted["TRANSP"]) == ("CONFIRMED", "OPAQUE")
    lunch.give_up("王磊", "Mon 12:00")
    (gone,) = events(read(app, path, "Mon 12:01"))
    assert (gone["UID"], gone["STATUS"], gone["TRANSP"]) == (promoted["UID"], "CANCELLED", "TRANSPARENT")
    assert gone["SEQUENCE"] > promoted["SEQUENCE"]


def test_neither_a_file_nor_the_feed_is_an_invitation(app: Flask, lunch: LunchHour) -> None:
    """With a METHOD, Outlook takes a file for a message from somebody, and asks for an answer."""
    phone = Phone(app, lunch, "周明")
    path = subscribe(phone)
    lunch.book("周明", "Mon 10:00")
    file = phone.get(f"/bookings/{lunch.latest('周明').id}/calendar.ics", "Mon 10:01")
    for text in (file.text, read(app, path, "Mon 10:01").text):
        assert not re.search(r"^(METHOD|ORGANIZER|ATTENDEE)\b", text, re.MULTILINE)


def test_a_lost_seat_says_so_in_the_feed_and_stays_at_its_time(app: Flask, lunch: LunchHour) -> None:
    path = subscribe(Phone(app, lunch, "周明"))
    lunch.book("周明", "Mon 10:00")
    lunch.book("李静", "Mon 10:00")
    lunch.give_up("周明", "Mon 11:00")
    zone_id = lunch.now().zone_id
    lunch.do(lambda s: str(slots.move(s, lunch.slot_id, slots.Move(time(12, 40), zone_id), at("Mon 12:00"))))
    (gone,) = events(read(app, path, "Mon 12:01"))
    assert (gone["SUMMARY"], gone.start, gone.end) == ("已取消：白领瑜伽课堂", at("12:10"), at("13:00"))


def test_a_seat_that_was_undone_does_not_vanish_from_the_feed(app: Flask, lunch: LunchHour) -> None:
    """Left out, it would stay in the calendars that have it; the entry itself waits as if it had never had a seat."""
    path = subscribe(Phone(app, lunch, "王磊"))
    for name in ("周明", "李静", "王磊"):
        lunch.book(name, "Mon 10:00")
    lunch.give_up("周明", "11:45")
    lunch.book("王磊", "11:46")
    (seat,) = events(read(app, path, "11:46:30"))
    lunch.give_up("王磊", "11:47")
    assert (lunch.state("王磊"), lunch.latest("王磊").seated_at) == ("waiting", None)
    (gone,) = events(read(app, path, "11:48"))
    assert (gone["UID"], gone["STATUS"]) == (seat["UID"], "CANCELLED")
    assert gone["SEQUENCE"] > seat["SEQUENCE"]


def test_a_feed_holds_its_owners_seats_only(app: Flask, lunch: LunchHour) -> None:
    lunch.book("周明", "Mon 10:00")
    assert events(read(app, subscribe(Phone(app, lunch, "李静")), "Mon 10:01")) == []
    assert len(events(read(app, subscribe(Phone(app, lunch, "周明")), "Mon 10:01"))) == 1


def test_what_a_calendar_has_already_is_a_304_and_nobody_between_keeps_it(app: Flask, lunch: LunchHour) -> None:
    path = subscribe(Phone(app, lunch, "周明"))
    lunch.book("周明", "Mon 10:00")
    first = read(app, path, "Mon 10:01")
    tag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = read(app, path, "Mon 11:01", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    lunch.give_up("周明", "Mon 12:00")
    assert read(app, path, "Mon 12:01", headers={"If-None-Match": tag}).status_code == 200


def test_the_secret_is_long_and_only_its_hash_is_kept(app: Flask, lunch: LunchHour, session: Session) -> None:
    token = subscribe(Phone(app, lunch, "周明")).removeprefix("/cal/").removesuffix(".ics")
    assert len(token) == 43
    kept = session.scalars(select(Feed)).one()
    assert token not in repr(vars(kept))
    assert read(app, f"/cal/{kept.token_hash}.ics", "Mon 10:00").status_code == 404


def test_the_address_is_shown_once(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch, "周明")
    path = subscribe(phone)
    page = phone.get("/account/calendar", "Mon 09:01").text
    assert path not in page
    assert "正在使用" in page


def test_a_new_address_ends_the_old_one_and_stopping_ends_it_too(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch, "周明")
    old, new = subscribe(phone), subscribe(phone)
    assert [read(app, path, "Mon 10:00").status_code for path in (old, new)] == [404, 200]
    phone.post("/account/calendar/stop", "Mon 10:01")
    assert read(app, new, "Mon 10:02").status_code == 404


def test_the_feed_of_who_is_gone_or_stopped_is_gone(app: Flask, lunch: LunchHour, session: Session) -> None:
    paths = [subscribe(Phone(app, lunch, name)) for name in ("周明", "李静")]
    with transactions.transaction(session):
        people.disable(session, lunch.people["周明"], at("Mon 10:00"), lunch.manager_id)
        people.delete_account(session, lunch.people["李静"], at("Mon 10:00"))
    assert [read(app, path, "Mon 10:01").status_code for path in paths] == [404, 404]
    assert session.scalar(select(Feed).where(Feed.person_id == lunch.people["李静"])) is None


def test_the_feed_speaks_its_owners_language(app: Flask, lunch: LunchHour, session: Session) -> None:
    path = subscribe(Phone(app, lunch, "周明"))
    with transactions.transaction(session):
        session.get_one(Person, lunch.people["周明"]).language = "en"
    asked = read(app, path, "Mon 10:00", headers={"Accept-Language": "zh-CN"})
    assert "X-WR-CALNAME:Lunch Hour" in asked.text


def test_inside_wechat_the_file_comes_by_mail(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch, "周明")
    lunch.book("周明", "Mon 10:00")
    mail = f"/bookings/{lunch.latest('周明').id}/calendar/mail"
    elsewhere, inside = phone.get("/me", "Mon 10:01").text, phone.get("/me", "Mon 10:01", headers=WECHAT).text
    assert ("calendar.ics" in elsewhere, mail in elsewhere) == (True, False)
    assert ("calendar.ics" in inside, mail in inside) == (False, True)
    assert "日历文件已经发到你的邮箱" in phone.post(mail, "Mon 10:02").text
    lunch.session.rollback()
    assert lunch.letters("周明") == ["confirmed", "calendar"]


def test_the_eleventh_letter_of_an_hour_is_not_sent(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch, "周明")
    lunch.book("周明", "Mon 10:00")
    mail = f"/bookings/{lunch.latest('周明').id}/calendar/mail"
    for _letter in range(10):
        phone.post(mail, "Mon 10:02")
    assert "这样的邮件发得太多了，今天 11:02 之后再要。" in phone.post(mail, "Mon 10:03").text
    lunch.session.rollback()
    assert lunch.letters("周明").count("calendar") == 10


def test_nobody_mails_another_persons_seat(app: Flask, lunch: LunchHour) -> None:
    lunch.book("周明", "Mon 10:00")
    mail = f"/bookings/{lunch.latest('周明').id}/calendar/mail"
    assert Phone(app, lunch, "李静").post(mail, "Mon 10:02").status_code == 404
    lunch.session.rollback()
    assert lunch.letters("周明") == ["confirmed"]


def test_the_page_offers_webcal_but_not_inside_wechat(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch, "周明")
    assert 'href="webcal://localhost/cal/' in phone.post("/account/calendar", "Mon 10:00").text
    assert "webcal://" not in phone.post("/account/calendar", "Mon 10:00", headers=WECHAT).text


def test_a_wrong_secret_opens_nothing(client: FlaskClient) -> None:
    for token in ("x", "A" * 43, "../..", "%00"):
        assert client.get(f"/cal/{token}.ics").status_code in (400, 404)
