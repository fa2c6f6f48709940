"""From a letter to a seat: the link is the first tap, the button the second."""

import re

import pytest
import time_machine
from flask import Flask
from playwright.sync_api import Browser, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import people
from booking.db import transactions
from booking.mail import context, rendering
from booking.model import Booking, Person
from tests.support import chromium, letter_cast
from tests.support.cookies import carry
from tests.support.lunch_hour import at

pytestmark = pytest.mark.sqlite


@pytest.mark.parametrize("script", [True, pytest.param(False, marks=pytest.mark.whole)])
def test_the_mornings_letter_is_two_taps_from_a_seat(
    app: Flask, session: Session, browser: Browser, live: str, script: bool
) -> None:
    letter, _morning = letter_cast.make(session, "worker_digest")
    reader = letter.person_id
    with app.app_context():
        said = rendering.render(
            letter.kind, context.of(session, letter, session.get(Person, reader), at("08:30")), "zh_Hans_CN"
        )
    (link,) = re.findall(r"http://localhost(/s/cbd\S*)", said.text)
    with (
        time_machine.travel(at("10:00:05"), tick=True),
        chromium.opened(browser, live, java_script_enabled=script) as page,
    ):
        with transactions.transaction(session) as rows:
            token = people.begin(rows, rows.get_one(Person, reader), "phone", at("08:00"))
        cookie = carry(app.test_client(), token, at("08:00")).get_cookie("lunch")
        assert cookie
        page.context.add_cookies([{"name": "lunch", "value": cookie.value, "url": live}])
        page.goto(link)
        page.get_by_role("button", name="预约：青年党史讲堂").click()
        expect(page.locator('[data-mine="booked"]')).to_have_count(1)
    session.rollback()
    newest = select(Booking).where(Booking.person_id == reader).order_by(Booking.id.desc()).limit(1)
    assert session.scalars(newest).one().state == "booked"


def test_a_code_asked_in_one_browser_is_typed_there_wherever_the_letter_is_read(
    app: Flask, session: Session, browser: Browser, live: str
) -> None:
    """The letter has no link that would open the wrong browser; the sign-in lasts thirty days."""
    cast = letter_cast.Letters(session)
    with (
        time_machine.travel(at("10:00:05"), tick=True),
        chromium.opened(browser, live) as page,
    ):
        page.goto("/s/cbd?day=2026-11-25")
        page.get_by_role("button", name="预约：白领瑜伽课堂").click()
        page.get_by_label("邮箱").fill(f"person{cast.people['林晓']}@example.com")
        page.get_by_role("button", name="发验证码到邮箱").click()
        page.wait_for_url("**/account/sign-in/finish")
        session.rollback()
        letter = cast.letter("code")
        with app.app_context():
            said = rendering.render(letter.kind, context.of(session, letter, None, at("10:00:10")), "zh_Hans_CN")
        assert "http" not in said.text
        page.get_by_label("验证码").fill(str(letter.details["code"]))
        page.get_by_role("button", name="登录").click()
        page.wait_for_url("**/s/cbd?day=2026-11-25**")
        kept = next(cookie for cookie in page.context.cookies() if cookie["name"] == "lunch")
        assert kept["expires"] - page.evaluate("Date.now() / 1000") == pytest.approx(30 * 86400, abs=120)
        expect(page.locator('[data-mine="booked"]')).to_have_count(1)
