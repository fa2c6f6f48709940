"""Explanations of missed slots: one true sentence for each attempt."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import people
from booking.db import transactions
from booking.errors import RuleViolation
from booking.model import Slot, Try
from booking.queries import missed_slots
from booking.seats import failed_attempts
from tests.support.lunch_hour import LunchHour, at
from tests.support.worker_cast import Phone, words_of

pytestmark = pytest.mark.both


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    return LunchHour(session)


def tell(lunch: LunchHour, who: str, reason: str, clock: str, slot_id: int | None = None, **details: Any) -> bool:
    """As the booking view does after a refusal."""
    with transactions.transaction(lunch.session) as rows:
        no = RuleViolation(reason, **details)
        return failed_attempts.remember(rows, [(lunch.people[who], slot_id or lunch.slot_id, no, at(clock))]) == 1


def rush(lunch: LunchHour, *waiting: str) -> None:
    """Two seats, taken within four seconds of the opening."""
    lunch.book("周明", "Mon 10:00:01")
    lunch.book("李静", "Mon 10:00:04")
    for second, name in enumerate(waiting, start=5):
        lunch.book(name, f"Mon 10:00:{second:02}")


def said(app: Flask, lunch: LunchHour, who: str, clock: str = "Wed 09:00", **options: Any) -> str:
    page = Phone(app, lunch, who).get("/me", clock, **options).text
    return words_of(page.partition('id="misses"')[2].partition("</ul>")[0])


def test_a_person_who_waited_reads_how_fast_it_was_full_and_how_many_wanted_it(app: Flask, lunch: LunchHour) -> None:
    rush(lunch, "王磊", "陈晨", "刘洋")
    lunch.tick("12:10")
    assert "放号 4 秒就约满了，5 人想要 2 个名额，候补没有轮到你。" in said(app, lunch, "王磊")


def test_the_same_in_english(app: Flask, lunch: LunchHour) -> None:
    rush(lunch, "王磊")
    lunch.tick("12:10")
    with transactions.transaction(lunch.session) as rows:
        people.speak(rows, lunch.people["王磊"], "en", at("Wed 08:00"))
    told = said(app, lunch, "王磊")
    assert "Full 4 s after opening: 3 wanted 2 seats, and the waiting list did not reach you." in told


def test_who_pressed_when_the_line_was_closed_learns_that_too(app: Flask, lunch: LunchHour) -> None:
    rush(lunch)
    assert lunch.book("王磊", "11:50") == "no: line_closed"
    assert tell(lunch, "王磊", "line_closed", "11:50")
    assert "放号 4 秒就约满了，3 人想要 2 个名额，你按的时候候补也截止了。" in said(app, lunch, "王磊", "11:51")


def test_a_seat_given_up_and_taken_again_before_anybody_waited_counts_as_full_the_second_time(
    lunch: LunchHour, session: Session
) -> None:
    rush(lunch)
    lunch.give_up("李静", "Mon 10:01")
    lunch.book("王磊", "Mon 10:02")
    lunch.book("陈晨", "Mon 10:03")
    assert missed_slots.rush(session, lunch.slot_id, at("12:00")) == missed_slots.Demand(at("Mon 10:02"), 4)


def test_a_slot_that_filled_slowly_says_when(app: Flask, lunch: LunchHour) -> None:
    lunch.book("周明", "Mon 10:00:01")
    lunch.book("李静", "Mon 15:20")
    lunch.book("王磊", "Mon 15:30")
    lunch.tick("12:10")
    assert "周一 15:20 约满，3 人想要 2 个名额" in said(app, lunch, "王磊")


@pytest.mark.parametrize(
    ("reason", "details", "sentence"),
    [
        ("day_limit", {"limit": 1, "slot_id": 1}, "每人每天最多 1 场，这一天你已经约满了。"),
        ("overlap", {"slot_id": 1}, "这一场和你已约的另一场时间重叠。"),
        ("waiting_limit", {"limit": 2}, "同时候补的场次有上限，你当时已经排满了。"),
        ("paused", {"until": at("Fri 10:00")}, "因为爽约，周五 10:00 之前不能新预约。"),
        ("busy", {}, "那一刻按的人太多，你的那一次没有处理成功。"),
        ("full", {}, "你按的时候已经满了，候补也截止了。"),
    ],
)
@pytest.mark.sqlite
def test_each_refusal_has_its_sentence(
    app: Flask, lunch: LunchHour, reason: str, details: dict[str, Any], sentence: str
) -> None:
    assert tell(lunch, "王磊", reason, "Mon 10:00:03", **details)
    assert sentence in said(app, lunch, "王磊", "Mon 10:10")


@pytest.mark.parametrize("reason", ["not_open", "started", "over", "cancelled", "yours", "in_line", "key_reused"])
@pytest.mark.sqlite
def test_refusals_without_an_explanation_are_not_recorded(lunch: LunchHour, session: Session, reason: str) -> None:
    assert not tell(lunch, "王磊", reason, "Mon 10:00:03")
    assert session.scalar(select(func.count()).select_from(Try)) == 0


def test_pressing_again_and_again_is_one_try(lunch: LunchHour, session: Session) -> None:
    for second in range(10):
        tell(lunch, "王磊", "day_limit", f"Mon 10:00:{second:02}", limit=1)
    kept = session.scalars(select(Try)).one()
    assert (kept.at, kept.most) == (at("Mon 10:00:00"), 1)


def test_a_person_who_got_the_seat_after_all_reads_no_explanation(app: Flask, lunch: LunchHour) -> None:
    tell(lunch, "周明", "day_limit", "Mon 10:00:03", limit=1)
    assert "每人每天" in said(app, lunch, "周明", "Mon 10:01")
    lunch.book("周明", "Mon 10:02")
    assert said(app, lunch, "周明", "Mon 10:03") == ""


def test_who_left_the_line_by_choice_is_told_nothing(app: Flask, lunch: LunchHour) -> None:
    rush(lunch, "王磊")
    lunch.give_up("王磊", "Mon 11:00")
    lunch.tick("12:10")
    assert said(app, lunch, "王磊") == ""


def test_a_skipped_person_reads_the_reason(app: Flask, lunch: LunchHour, session: Session) -> None:
    rush(lunch, "王磊", "陈晨")
    other = lunch.slot("12:20")
    with transactions.transaction(session):
        mine = lunch.latest("王磊")
        mine.skipped = "overlap"
    lunch.tick("12:10")
    assert other
    assert "你在同一时间有另一场，名额给了下一位" in said(app, lunch, "王磊")


def test_a_place_that_ended_with_another_seat_says_so(app: Flask, lunch: LunchHour) -> None:
    rush(lunch, "王磊")
    lunch.book("王磊", "Mon 10:10", lunch.slot("12:30"))
    assert "你约上了和它冲突的另一场，这个候补已经退出了" in said(app, lunch, "王磊", "Mon 10:11")


def test_a_cancelled_slot_says_why_it_was_cancelled(app: Flask, lunch: LunchHour) -> None:
    rush(lunch, "王磊")
    lunch.cancel("Mon 11:00", "停电")
    assert "这一场已经取消：停电" in said(app, lunch, "王磊", "Mon 11:10")


def test_what_is_explained_here_is_not_repeated_in_the_past(app: Flask, lunch: LunchHour) -> None:
    rush(lunch, "王磊")
    lunch.tick("12:10")
    page = Phone(app, lunch, "王磊").get("/me", "Wed 09:00").text
    assert page.count(f'href="/slots/{lunch.slot_id}"') == 1


def test_nobody_reads_another_persons_tries(app: Flask, lunch: LunchHour) -> None:
    tell(lunch, "王磊", "day_limit", "Mon 10:00:03", limit=1)
    assert said(app, lunch, "陈晨", "Mon 10:01") == ""


def test_old_tries_are_forgotten(lunch: LunchHour, session: Session) -> None:
    tell(lunch, "王磊", "day_limit", "Mon 10:00", limit=1)
    for later, left in ((timedelta(days=59), 1), (timedelta(days=60), 0)):
        with transactions.transaction(session):
            people.forget(session, at("Mon 10:00") + later)
        assert session.scalar(select(func.count()).select_from(Try)) == left


def test_tries_are_in_ones_copy_and_go_with_the_account(lunch: LunchHour, session: Session) -> None:
    tell(lunch, "王磊", "paused", "Mon 10:00", until=at("Fri 10:00"))
    told = people.everything_about(session, lunch.people["王磊"])["tries"]
    assert [(row["activity"], row["reason"]) for row in told] == [("白领瑜伽课堂", "paused")]
    with transactions.transaction(session):
        people.delete_account(session, lunch.people["王磊"], at("Mon 11:00"))
    assert session.scalar(select(func.count()).select_from(Try)) == 0


def test_a_slot_that_planning_takes_back_takes_its_tries_along(lunch: LunchHour, session: Session) -> None:
    tell(lunch, "王磊", "day_limit", "Mon 10:00", limit=1)
    with transactions.transaction(session):
        session.delete(session.get_one(Slot, lunch.slot_id))
    assert session.scalar(select(func.count()).select_from(Try)) == 0
