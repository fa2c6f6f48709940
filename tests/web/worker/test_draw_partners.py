"""Draw partners on the pages: the code, the field for it, and what both read."""

import re

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from booking import people
from booking.model import DrawEntry, Person
from tests.support.draw_cast import DrawDay
from tests.support.lunch_hour import NAMES, at
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import HTMX, Phone, words_of

pytestmark = pytest.mark.sqlite
ONE, OTHER, THIRD = NAMES[:3]


@pytest.fixture
def day(app: Flask, session: Session) -> DrawDay:
    seed_workdays(session)
    session.commit()
    day = DrawDay(session)
    day.enter(ONE, "Mon 10:00", day.yoga, day.tea)
    return day


def phone(app: Flask, day: DrawDay, who: str) -> Phone:
    return Phone(app, day, who)  # type: ignore[arg-type]


def typed(day: DrawDay, code: str) -> dict[str, str]:
    return {"back": "slot", "slot": str(day.yoga), "code": code}


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_two_enter_by_a_code(app: Flask, day: DrawDay, headers: dict[str, str]) -> None:
    asks, joins = phone(app, day, ONE), phone(app, day, OTHER)
    assert "两人同去" in asks.get(f"/slots/{day.yoga}", "Mon 10:10").text
    where = {"back": "slot", "slot": str(day.yoga)}
    answer = asks.post(f"/entries/{day.entry(ONE).id}/invite", "Mon 10:10", data=where, headers=headers)
    code = day.entry(ONE).code or ""
    assert re.search(rf"data-code>{code}<", answer.text)
    assert f'action="/draws/{day.draw_id}/join"' in joins.get(f"/slots/{day.yoga}", "Mon 10:11").text
    # as it is copied out of a message, in full-width digits
    wide = code.translate({ord("0") + n: ord("０") + n for n in range(10)})
    answer = joins.post(f"/draws/{day.draw_id}/join", "Mon 10:12", data=typed(day, f"邀请码 {wide}"), headers=headers)
    assert "两人一起报名了" in answer.text
    for reader, friend in ((asks, OTHER), (joins, ONE)):
        for path in (f"/slots/{day.yoga}", "/me"):
            page = reader.get(path, "Mon 10:13").text
            assert 'data-mine="entered"' in page
            assert f"和{friend}两人同去。" in words_of(page)
            assert "谁退出，另一个人单独留下。" in page
    assert "你们两个人是一份报名" not in joins.get(f"/draws/{day.draw_id}", "Mon 10:13").text
    day.draw_all()
    for reader in (asks, joins):
        assert "你是 1 号" in (page := reader.get(f"/draws/{day.draw_id}", "Mon 12:05").text)
        assert "你们两个人是一份报名" in page
    for who in (ONE, OTHER):
        (told,) = people.everything_about(day.session, day.people[who])["draws"]
        assert (told["no"], told["balls"], told["together"]) == (1, 3, True)


REFUSED = {
    "partner_unknown": "000",
    "own_code": "{code}",
    "partner_entered": "{code}",
    "partner_taken": "{code}",
    "draw_closed": "{code}",
}


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
@pytest.mark.parametrize("reason", REFUSED)
def test_a_refusal_stands_at_the_field_with_what_was_typed(
    app: Flask, day: DrawDay, reason: str, headers: dict[str, str]
) -> None:
    code = day.invite(ONE, "Mon 10:00")
    if reason == "partner_taken":
        day.join(THIRD, "Mon 10:01", code)
    if reason == "partner_entered":
        day.enter(OTHER, "Mon 10:01")
    who = ONE if reason == "own_code" else OTHER
    value = REFUSED[reason].format(code=code)
    clock = "Mon 12:00" if reason == "draw_closed" else "Mon 10:10"
    page = phone(app, day, who).post(f"/draws/{day.draw_id}/join", clock, data=typed(day, value), headers=headers).text
    assert f'data-refusal="{reason}"' in page
    if reason in ("partner_unknown", "partner_taken"):
        assert re.search(rf'name="code"[^>]* value="{value}"[^>]* aria-invalid="true"', page)
        assert re.search(r'id="code-\d+-error"', page)
    assert day.session.scalar(select(func.count(DrawEntry.id)).where(DrawEntry.partner_id.is_not(None))) in (0, 2)


def test_who_has_entered_alone_reads_how_to_use_a_friends_code(app: Flask, day: DrawDay) -> None:
    code, joins = day.invite(ONE, "Mon 10:00"), phone(app, day, OTHER)
    day.enter(OTHER, "Mon 10:01", day.crafts)
    assert "已经报了名的，先退出再输入" in phone(app, day, ONE).get("/me", "Mon 10:02").text
    for path in (f"/slots/{day.yoga}", "/me"):
        assert "朋友给了你邀请码的，先退出抽签，再打开这次抽签的任何一场输入。" in joins.get(path, "Mon 10:02").text
    day.leave(OTHER, "Mon 10:03")
    assert f'action="/draws/{day.draw_id}/join"' in joins.get(f"/slots/{day.tea}", "Mon 10:04").text
    assert day.join(OTHER, "Mon 10:05", code) == "2 wishes"


def test_codes_cannot_be_guessed_without_end(app: Flask, day: DrawDay) -> None:
    code, guesser = day.invite(ONE, "Mon 10:00"), phone(app, day, OTHER)
    unlike = [f"{(int(code) + n) % 10**6:06}" for n in range(1, 7)]
    pages = [guesser.post(f"/draws/{day.draw_id}/join", "Mon 10:10", data=typed(day, one)).text for one in unlike]
    assert [re.findall(r'data-refusal="(\w+)"', page)[-1] for page in pages] == ["partner_unknown"] * 5 + [
        "too_many_tries"
    ]
    answer = guesser.post(f"/draws/{day.draw_id}/join", "Mon 10:11", data=typed(day, code))
    assert "试错的次数太多了" in answer.text
    assert "一起报名了" in guesser.post(f"/draws/{day.draw_id}/join", "Mon 10:21", data=typed(day, code)).text


def test_who_wants_to_delete_the_account_reads_what_becomes_of_the_entry(app: Flask, day: DrawDay) -> None:
    words = "你报名的抽签还没出结果，注销后就不参加了；和你一起报名的朋友单独留下。"
    reader = phone(app, day, ONE)
    assert words in reader.get("/account/delete", "Mon 10:10").text
    day.join(OTHER, "Mon 10:11", day.invite(ONE, "Mon 10:10"))
    people.delete_account(day.session, day.people[ONE], at("Mon 10:12"))
    assert words in phone(app, day, OTHER).get("/account/delete", "Mon 10:12").text
    day.draw_all()
    assert [(entry.person_id, entry.people, entry.result) for entry in day.entries() if entry.left_at is None] == [
        (day.people[OTHER], 1, "seat")
    ]
    assert words not in phone(app, day, OTHER).get("/account/delete", "Mon 12:05").text


def test_english_pages_are_in_english(app: Flask, day: DrawDay) -> None:
    reader = phone(app, day, OTHER)
    session = day.session
    session.execute(update(Person).where(Person.id == day.people[OTHER]).values(language="en"))
    session.commit()
    page = reader.get(f"/slots/{day.yoga}", "Mon 10:10").text
    assert "A friend gave me a code" in page
    day.join(OTHER, "Mon 10:11", day.invite(ONE, "Mon 10:10"))
    words = words_of(reader.get("/me", "Mon 10:12").text)
    assert f"Going together with {ONE}." in words
    assert "Draws you entered not booked yet" in words  # a heading, not the button
