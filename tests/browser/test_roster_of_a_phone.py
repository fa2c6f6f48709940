"""Roster of a phone: who waits at the door has a name and buttons within the screen, also in letters of twice the size."""

import pytest
import time_machine
from flask import Flask
from playwright.sync_api import Browser, expect
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.model import Person
from tests.support import chromium
from tests.support.cookies import carry, lasting
from tests.support.lunch_hour import LunchHour, at
from tests.support.screens import picture

pytestmark = pytest.mark.sqlite
# Buttons that reach out of their row, and names that have no room for three characters.
OUT = """() => [...document.querySelectorAll('.roster > li')].flatMap((row) => {
  const { right } = row.getBoundingClientRect(), name = row.querySelector('.who');
  const out = [...row.querySelectorAll('.button')].filter((one) => one.getBoundingClientRect().right > right);
  const narrow = name.clientWidth < 3 * parseFloat(getComputedStyle(name).fontSize) ? [name] : [];
  return [...out, ...narrow].map((one) => one.textContent.trim());
})"""


def test_a_mistaken_arrival_is_taken_back_by_a_tap(app: Flask, session: Session, live: str, browser: Browser) -> None:
    lunch = LunchHour(session)
    for who in ("周明", "李静", "王磊"):
        lunch.book(who, "Mon 10:00")
    lunch.stand_by("王磊", "12:01")
    lunch.give_up("李静", "12:03")
    with time_machine.travel(at("12:04"), tick=True), chromium.opened(browser, live) as page:
        client = app.test_client()
        with transactions.transaction(session) as rows:
            token = lasting(rows, rows.get_one(Person, lunch.manager_id), "desk", at("12:04"))
        carry(client, token, at("12:04"))
        cookie = client.get_cookie("lunch")
        assert cookie
        page.context.add_cookies([{"name": "lunch", "value": cookie.value, "url": live}])
        page.goto(f"/manage/cbd/slots/{lunch.slot_id}")
        for size in ("100%", "200%"):
            page.evaluate("(size) => { document.documentElement.style.fontSize = size }", size)
            picture(page, "roster", size)
            assert page.evaluate(OUT) == []
        page.get_by_role("button", name="王磊 没到，撤销").tap()
        expect(page.get_by_role("heading", name="现场候补")).to_have_count(0)
    assert lunch.latest("王磊").standby_at is None
