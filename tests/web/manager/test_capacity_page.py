"""Rule 4 on the manager's pages: raising promotes the waiting list, lowering asks first."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.support.desk_cast import Desk, said
from tests.support.lunch_hour import LunchHour


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Two seats taken, 王磊 and 陈晨 on the waiting list."""
    lunch = LunchHour(session, capacity=2)
    for name in ("周明", "李静", "王磊", "陈晨"):
        lunch.book(name, "Mon 10:00")
    return lunch


def test_raising_seats_the_line_at_once_and_says_who(app: Flask, lunch: LunchHour) -> None:
    answer = Desk(app, lunch).post(f"slots/{lunch.slot_id}/capacity", capacity="3")
    assert "候补里 王磊 补上了" in said(answer)
    assert lunch.states("王磊", "陈晨") == ["booked", "waiting"]
    assert lunch.letters("王磊") == ["promoted"]


def test_lowering_names_the_number_and_the_people_before_anything_happens(app: Flask, lunch: LunchHour) -> None:
    answer = Desk(app, lunch).post(f"slots/{lunch.slot_id}/capacity", capacity="1")
    assert answer.status_code == 422
    assert "已经有 2 人预约" in said(answer)
    assert "把最晚约上的 1 人移到候补最前面，并写信告诉他们： 李静" in said(answer)
    assert 'value="1"' in answer.text
    assert (lunch.now().capacity, lunch.state("李静")) == (2, "booked")


def test_the_confirmed_change_demotes_the_newest_and_tells_them(app: Flask, lunch: LunchHour) -> None:
    answer = Desk(app, lunch).post(f"slots/{lunch.slot_id}/capacity", capacity="1", move_newest="y")
    assert "李静 移到候补最前面" in said(answer)
    assert (lunch.now().capacity, lunch.states("周明", "李静")) == (1, ["booked", "waiting"])
    assert lunch.letters("李静")[-1] == "moved_down"
    assert [line.actor_id for line in lunch.lines("moved_down", "capacity")] == [lunch.manager_id] * 2


def test_in_the_list_only_the_row_is_replaced(app: Flask, lunch: LunchHour) -> None:
    desk, row = Desk(app, lunch), f"slot_row-{lunch.slot_id}"
    refused = desk.tap(f"slots/{lunch.slot_id}/capacity", "Mon 11:00", target=row, capacity="1")
    assert (refused.status_code, refused.text.count("<tr")) == (422, 1)
    assert "移动这 1 人" in said(refused)
    done = desk.tap(f"slots/{lunch.slot_id}/capacity", "Mon 11:00", target=row, capacity="5")
    assert (done.status_code, f'id="{row}"' in done.text, 'data-left="1"' in done.text) == (200, True, True)


def test_full_width_digits_are_digits(app: Flask, lunch: LunchHour) -> None:
    Desk(app, lunch).post(f"slots/{lunch.slot_id}/capacity", capacity="　１２ ")
    assert lunch.now().capacity == 12


def test_after_an_act_in_the_list_one_is_back_in_the_list(app: Flask, lunch: LunchHour) -> None:
    form = {"capacity": "4", "back": f"/manage/cbd/slots#slot_row-{lunch.slot_id}"}
    answer = Desk(app, lunch).post(f"slots/{lunch.slot_id}/capacity", follow=False, **form)
    assert answer.headers["Location"] == form["back"]
    away = Desk(app, lunch).post(f"slots/{lunch.slot_id}/capacity", follow=False, capacity="4", back="//evil.example")
    assert away.headers["Location"] == f"/manage/cbd/slots/{lunch.slot_id}"


@pytest.mark.parametrize("capacity", ["", "0", "-3", "1001", "999999999999", "abc", "1e3", "3.5", "<b>2</b>", "٣"])
def test_what_is_no_number_of_seats_is_answered_at_the_field(app: Flask, lunch: LunchHour, capacity: str) -> None:
    answer = Desk(app, lunch).post(f"slots/{lunch.slot_id}/capacity", capacity=capacity)
    assert answer.status_code == 422
    assert f'id="capacity-{lunch.slot_id}-error"' in answer.text
    assert lunch.now().capacity == 2
