"""Swap on the page of a slot: one press, with and without script, and a warning where it would be a late cancel."""

import re

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from booking.db import transactions
from tests.support.lunch_hour import LunchHour
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import HTMX, Phone

pytestmark = pytest.mark.sqlite
WARNING = "免费取消的时间已过"


class Tuesday:
    """周明 has a seat at 12:10 and looks at 13:10."""

    def __init__(self, app: Flask, session: Session) -> None:
        with transactions.transaction(session):
            seed_workdays(session)
        self.lunch = LunchHour(session)
        self.other = self.lunch.slot("13:10")
        self.lunch.book("周明", "Mon 10:00")
        self.phone = Phone(app, self.lunch, "周明")

    def form(self, clock: str) -> dict[str, str]:
        """What the button of the other slot sends; empty without one."""
        page = self.phone.get(f"/slots/{self.other}", clock).text
        found = re.search(
            r'<form class="stack tight" method="post" action="/slots/\d+/book".*?</form>', page, re.DOTALL
        )
        return dict(re.findall(r'name="(\w+)" value="([^"]*)"', found[0])) if found else {}

    def states(self) -> tuple[str, str | None]:
        self.lunch.session.rollback()
        first = self.lunch.state("周明")
        try:
            return first, self.lunch.state("周明", self.other)
        except Exception:  # noqa: BLE001 - no booking yet
            return first, None


@pytest.fixture
def tuesday(app: Flask, session: Session) -> Tuesday:
    return Tuesday(app, session)


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["script", "no script"])
def test_one_press_changes_places(tuesday: Tuesday, headers: dict[str, str]) -> None:
    form = tuesday.form("Tue 11:00")
    answer = tuesday.phone.post(f"/slots/{tuesday.other}/book", "Tue 11:00", data=form, headers=headers)
    assert "12:10 那一场的预约已经替你取消" in answer.text
    assert 'data-mine="booked"' in answer.text
    assert tuesday.states() == ("cancelled", "booked")


def test_what_is_full_meanwhile_changes_nothing_and_says_so(tuesday: Tuesday) -> None:
    form = tuesday.form("Tue 11:00")
    for who in ("李静", "王磊"):
        tuesday.lunch.book(who, "Tue 11:00", tuesday.other)
    answer = tuesday.phone.post(f"/slots/{tuesday.other}/book", "Tue 11:00", data=form, headers=HTMX)
    assert (answer.status_code, 'data-refusal="full"' in answer.text) == (409, True)
    assert tuesday.states() == ("booked", None)


def test_a_late_cancel_is_said_before(tuesday: Tuesday) -> None:
    form = tuesday.form("Tue 11:05")
    assert form["warned"] == "0"
    answer = tuesday.phone.post(f"/slots/{tuesday.other}/book", "Tue 11:11", data=form, headers=HTMX)
    assert ("还没有改约" in answer.text, WARNING in answer.text) == (True, True)
    assert tuesday.states() == ("booked", None)
    again = tuesday.form("Tue 11:11")
    assert again["warned"] == "1"
    tuesday.phone.post(f"/slots/{tuesday.other}/book", "Tue 11:11", data=again, headers=HTMX)
    assert tuesday.states() == ("cancelled", "booked")


def test_who_has_been_there_is_not_told_to_swap(tuesday: Tuesday) -> None:
    advice = "有空位就能直接改约"
    tuesday.lunch.check_in("周明", "12:05")
    assert tuesday.form("12:20") == {}
    page = tuesday.phone.get(f"/slots/{tuesday.other}", "12:20").text
    assert ('data-refusal="day_limit"' in page, advice in page) == (True, False)
    for who in ("李静", "王磊"):
        tuesday.lunch.book(who, "12:20", tuesday.other)
    assert advice in tuesday.phone.get(f"/slots/{tuesday.other}", "12:21").text  # full: another one may be free


@pytest.mark.parametrize("instead", ["999999", "x", "-1", "0", "9" * 30])
def test_a_booking_that_is_not_ones_own_is_not_found(tuesday: Tuesday, instead: str) -> None:
    form = tuesday.form("Tue 11:00") | {"instead": instead}
    answer = tuesday.phone.post(f"/slots/{tuesday.other}/book", "Tue 11:00", data=form, headers=HTMX)
    assert answer.status_code == 404
    assert tuesday.states() == ("booked", None)


def test_from_the_card_of_a_day_it_is_a_swap_too(tuesday: Tuesday) -> None:
    """The fast lane leaves it to the app."""
    form = tuesday.form("Tue 11:00") | {"back": "day"}
    answer = tuesday.phone.post(f"/slots/{tuesday.other}/book", "Tue 11:00", data=form, headers=HTMX)
    assert answer.status_code == 200
    assert tuesday.states() == ("cancelled", "booked")


def test_a_strangers_booking_cannot_be_given_up(tuesday: Tuesday, app: Flask) -> None:
    tuesday.lunch.book("李静", "Mon 10:00", tuesday.other)
    form = tuesday.form("Tue 11:00") | {"back": "slot"}
    assert form["instead"]
    answer = Phone(app, tuesday.lunch, "王磊").post(
        f"/slots/{tuesday.other}/book", "Tue 11:00", data=form, headers=HTMX
    )
    assert answer.status_code == 404
    assert tuesday.states() == ("booked", None)
