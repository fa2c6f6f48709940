"""Letters that say where to watch: to who waited in vain, once, and only while there is something to watch."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from booking import slots
from booking.db import transactions
from booking.jobs import schedule
from booking.jobs.batches import Turn
from booking.mail import context, watch_letters
from booking.mail.context import Dropped
from booking.model import Letter, Person
from tests.support.letter_cast import monday_and_tuesday, worded, write_digests
from tests.support.lunch_hour import LunchHour, at
from tests.support.together import together

LIVE, HOSTS = "https://live.bilibili.com/21", ("live.bilibili.com",)


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """One seat on Tuesday: 周明 has it, 李静 and 王磊 wait, 王磊 at the door. It can be watched online."""
    lunch = LunchHour(session, capacity=1)
    for who in ("周明", "李静", "王磊"):
        lunch.book(who, "Mon 10:00:30")
    lunch.stand_by("王磊", "12:00")
    link(lunch, LIVE)
    return lunch


def link(lunch: LunchHour, url: str | None, clock: str = "Mon 11:00") -> None:
    slots.set_watch_link(lunch.session, lunch.slot_id, url, HOSTS, at(clock), lunch.manager_id)


def write(lunch: LunchHour, clock: str) -> int:
    found = watch_letters.due(lunch.session, at(clock))
    return watch_letters.write(lunch.session, found, at(clock))


def readers(lunch: LunchHour) -> list[str]:
    lunch.session.rollback()
    names = select(Person.name).join(Letter, Letter.person_id == Person.id).where(Letter.kind == "watch_link")
    return list(lunch.session.scalars(names.order_by(Letter.id)))


def test_who_waited_in_vain_hears_at_the_start_where_to_watch_and_only_once(lunch: LunchHour) -> None:
    lunch.tick("12:09:59")
    assert write(lunch, "12:09:59") == 0
    lunch.tick("12:10")
    assert [write(lunch, clock) for clock in ("12:10", "12:10:20", "12:40")] == [1, 0, 0]
    assert readers(lunch) == ["李静"]


def test_a_link_that_comes_late_is_still_told_but_not_at_the_very_end(lunch: LunchHour) -> None:
    link(lunch, "")
    lunch.tick("12:10")
    assert write(lunch, "12:10") == 0
    link(lunch, LIVE, "12:20")
    assert write(lunch, "12:50") == 0
    assert write(lunch, "12:49:59") == 1


def test_without_an_address_nobody_is_written_to(lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        session.get_one(Person, lunch.people["李静"]).email = None
    lunch.tick("12:10")
    assert write(lunch, "12:10") == 0


def test_written_by_four_at_once_it_is_one_letter(lunch: LunchHour, engine: Engine) -> None:
    lunch.tick("12:10")
    found = watch_letters.due(lunch.session, at("12:10"))
    lunch.session.rollback()
    assert sum(together(engine, 4, lambda rows, _: watch_letters.write(rows, found, at("12:10")))) == 1


@pytest.mark.one_database
def test_the_job_of_reminders_writes_them(app: Flask, lunch: LunchHour) -> None:
    lunch.tick("12:10")
    with app.app_context():
        assert schedule.write_reminders(Turn(at("12:10:05"))) == 1
        assert schedule.write_reminders(Turn(at("12:10:25"))) == 0


@pytest.mark.parametrize("change", ["walked in", "over", "cancelled", "no link"])
def test_it_is_not_sent_any_more_where_it_is_not_true(app: Flask, lunch: LunchHour, change: str) -> None:
    lunch.tick("12:10")
    write(lunch, "12:10")
    now = at("12:20")
    if change == "walked in":
        lunch.roll_call("12:11")
        lunch.tick("12:15")
        lunch.resize(2, "12:16")
        assert lunch.walk_in("李静", "12:17") == "attended"
    elif change == "over":
        now = at("13:00") - timedelta(minutes=10)
    elif change == "cancelled":
        lunch.cancel("12:15")
    else:
        link(lunch, None, "12:15")
    letter = lunch.session.scalars(select(Letter).where(Letter.kind == "watch_link")).one()
    with app.app_context(), pytest.raises(Dropped):
        context.of(lunch.session, letter, lunch.session.get(Person, letter.person_id), now)


@pytest.mark.sqlite
def test_the_managers_digest_tells_of_a_link_that_is_missing(app: Flask, session: Session) -> None:
    cast = monday_and_tuesday(session)
    for slot_id in (cast.crafts, cast.next_yoga, cast.thursday):  # today, tomorrow, and later
        cast.do(slots.set_watch_link, slot_id, "", HOSTS, at("Mon 09:00"), cast.manager_id)
    cast.do(write_digests, "manager", at("11:00"))
    letter = cast.letter("manager_digest")
    with app.app_context():
        said = worded(app, session, letter, at("11:00"), "zh_Hans_CN").text
    assert said.count("在线看的链接还没有。") == 2
    assert f"/manage/cbd/slots/{cast.crafts}#watch" in said
