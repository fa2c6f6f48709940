"""Note: one line of a manager about a slot, on its tickets, in later letters and in the history."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from booking import slots
from tests.support import letter_cast
from tests.support.desk_cast import HTMX, Desk, said
from tests.support.letter_cast import Letters
from tests.support.lunch_hour import LunchHour, at

pytestmark = pytest.mark.sqlite
NOTE = "请带瑜伽垫"


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    lunch = LunchHour(session, capacity=2)
    lunch.book("周明", "Mon 10:00")
    return lunch


def set_note(lunch: LunchHour, clock: str, note: str = NOTE) -> str:
    return lunch.do(lambda s: slots.set_note(s, lunch.slot_id, note, at(clock), lunch.manager_id).note or "")


def test_the_ticket_shows_it_and_a_poll_brings_it(app: Flask, lunch: LunchHour) -> None:
    phone = Desk(app, lunch, lunch.people["周明"])
    phone.root = "/"
    before = phone.get("me", "Mon 11:00", headers=HTMX)
    assert NOTE not in before.text
    desk = Desk(app, lunch)
    assert f"票上会写：{NOTE}" in said(desk.post(f"slots/{lunch.slot_id}/note", "Mon 11:01", note=NOTE))
    after = phone.get("me", "Mon 11:02", headers=HTMX | {"If-None-Match": before.headers["ETag"]})
    assert (after.status_code, NOTE in after.text) == (200, True)
    for path in ("me", "offline"):
        assert NOTE in phone.get(path, "Mon 11:02").text
    assert NOTE in desk.words(f"slots/{lunch.slot_id}/print", "Mon 11:02")
    assert f"票上的提示改了：{NOTE}" in desk.words("history", "Mon 11:02")
    assert lunch.letters("周明") == ["confirmed"], "nobody is sent anything"
    assert "票上的提示拿掉了" in said(desk.post(f"slots/{lunch.slot_id}/note", "Mon 11:03", note=" "))
    assert NOTE not in phone.get("me", "Mon 11:04").text


@pytest.mark.parametrize("language", ["zh_Hans_CN", "en"])
def test_letters_written_later_say_it(app: Flask, session: Session, language: str) -> None:
    cast = Letters(session)
    cast.do(slots.set_note, cast.yoga, NOTE, at("Mon 09:00"), cast.manager_id)
    letter, _now = letter_cast.MAKERS["confirmed"](cast)
    assert letter.slot_id == cast.yoga
    said = letter_cast.worded(app, session, letter, at("Mon 10:01"), language)
    assert NOTE in said.text
    assert NOTE in said.page


@pytest.mark.parametrize(("clock", "reason"), [("13:00", "over"), ("11:00", "cancelled")])
def test_a_slot_that_is_over_or_off_gets_none(lunch: LunchHour, clock: str, reason: str) -> None:
    if reason == "cancelled":
        lunch.cancel("10:00")
    assert set_note(lunch, clock) == f"no: {reason}"


def test_the_same_note_again_is_no_event(lunch: LunchHour) -> None:
    for _ in range(2):
        assert set_note(lunch, "Mon 11:00") == NOTE
    assert len(lunch.lines("note")) == 1


def test_what_is_too_long_stays_beside_its_error(app: Flask, lunch: LunchHour) -> None:
    answer = Desk(app, lunch).post(f"slots/{lunch.slot_id}/note", note="长" * 121)
    assert (answer.status_code, 'id="note-error"' in answer.text, "长" * 121 in answer.text) == (422, True, True)
