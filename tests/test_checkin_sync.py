"""Taps that arrive late, twice, or in another order than they were made: counted once, at their true time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from booking import checkin_sync, invariants
from booking.checkin_sync import Tap
from booking.db import transactions
from booking.errors import RuleViolation
from booking.model import Booking, DoorTap
from tests.support.desk_cast import Cast, Desk
from tests.support.lunch_hour import LunchHour, at, make_manager

EXCUSE = "断网时已经签到"


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Two seats, 周明's and 李静's; 王磊 waits."""
    lunch = LunchHour(session)
    for name in ("周明", "李静", "王磊"):
        lunch.book(name, "Mon 10:00")
    return lunch


def tap(
    lunch: LunchHour, who: str, tapped: str, arrives: str, *, here: bool = True, nonce: str = "", after: str = ""
) -> str:
    made = Tap(nonce or f"{who}-{tapped}-{here}", lunch.latest(who).id, here, at(tapped), after)
    return lunch.do(lambda s: checkin_sync.apply(s, made, at(arrives), lunch.manager_id, EXCUSE))


def came_at(lunch: LunchHour, who: str) -> datetime | None:
    lunch.session.rollback()
    return lunch.latest(who).checked_in_at


def test_a_tap_that_comes_late_has_its_true_time(lunch: LunchHour) -> None:
    assert tap(lunch, "周明", "12:03", "12:08") == "in"
    assert came_at(lunch, "周明") == at("12:03")
    assert [line.at for line in lunch.lines("checked_in")] == [at("12:03")]


def test_the_same_tap_twice_counts_once(lunch: LunchHour) -> None:
    assert tap(lunch, "周明", "12:03", "12:08", nonce="abcdefgh") == "in"
    assert tap(lunch, "周明", "12:04", "12:09", here=False, nonce="ijklmnop") == "out"
    assert tap(lunch, "周明", "12:03", "12:10", nonce="abcdefgh") == "in"  # what was answered then
    assert lunch.state("周明") == "booked"
    assert len(lunch.lines("checked_in", "undone")) == 2


def test_a_slow_first_answer_does_not_turn_two_taps_round(lunch: LunchHour) -> None:
    """The first tap's age is two seconds old when it arrives, so that it looks later than the second."""
    assert tap(lunch, "周明", "12:03:02", "12:03:02", nonce="abcdefgh") == "in"
    assert tap(lunch, "周明", "12:03:01", "12:03:03", here=False, nonce="ijklmnop", after="abcdefgh") == "out"
    assert tap(lunch, "周明", "12:03:01", "12:03:03", nonce="qrstuvwx", after="no-such-tap") == "older"
    assert tap(lunch, "李静", "12:03:01", "12:03:04", nonce="12345678", after="abcdefgh") == "in"
    assert came_at(lunch, "李静") == at("12:03:01")  # only a tap on the same name comes before it


def test_taps_in_and_out_that_come_together_end_as_they_were_made(lunch: LunchHour) -> None:
    for clock, here in (("12:03", True), ("12:04", False), ("12:05", True)):
        tap(lunch, "周明", clock, "12:08", here=here)
    assert lunch.state("周明") == "attended"
    assert came_at(lunch, "周明") == at("12:05")


def test_two_helpers_the_later_word_counts_whoever_is_heard_first(lunch: LunchHour) -> None:
    assert tap(lunch, "周明", "12:06", "12:06") == "in"
    assert tap(lunch, "周明", "12:07", "12:07", here=False) == "out"
    assert tap(lunch, "周明", "12:05", "12:08") == "older"
    assert lunch.state("周明") == "booked"
    assert tap(lunch, "周明", "12:07:30", "12:09") == "in"


def test_two_helpers_at_one_name_check_in_once(lunch: LunchHour) -> None:
    assert tap(lunch, "周明", "12:06", "12:06") == "in"
    assert tap(lunch, "周明", "12:05", "12:08", nonce="the-other-phone") == "in"
    assert len(lunch.lines("checked_in")) == 1


def test_who_was_here_in_time_gets_a_seat_again_and_no_strike(lunch: LunchHour) -> None:
    tap(lunch, "李静", "12:06", "12:06")
    lunch.tick("12:10")
    lunch.roll_call("12:11")
    lunch.tick("12:15")
    assert (lunch.state("周明"), lunch.strikes("周明")) == ("released", ["no_show"])
    assert tap(lunch, "周明", "12:12", "12:17") == "seated"
    assert (lunch.state("周明"), lunch.strikes("周明")) == ("attended", [])
    assert list(invariants.breaches(lunch.session, at("12:18"))) == []


def test_who_was_here_in_time_but_whose_seat_is_gone_has_no_strike(lunch: LunchHour) -> None:
    tap(lunch, "李静", "12:06", "12:06")
    lunch.stand_by("王磊", "12:07")
    lunch.tick("12:10")
    lunch.roll_call("12:11")
    lunch.tick("12:15")
    assert tap(lunch, "周明", "12:12", "12:17") == "no_seat"
    assert (lunch.state("周明"), lunch.strikes("周明")) == ("released", [])
    assert lunch.state("王磊") == "attended"
    assert tap(lunch, "周明", "12:12", "12:18") == "no_seat"


def test_who_came_after_the_release_is_let_in_late_where_a_seat_is_free(lunch: LunchHour) -> None:
    tap(lunch, "李静", "12:06", "12:06")
    lunch.tick("12:10")
    lunch.roll_call("12:11")
    lunch.tick("12:15")
    assert tap(lunch, "周明", "12:16", "12:17") == "seated"
    assert (lunch.state("周明"), came_at(lunch, "周明"), lunch.strikes("周明")) == ("attended", at("12:16"), [])
    assert tap(lunch, "周明", "12:18", "12:19", here=False) == "out"
    assert (lunch.state("周明"), lunch.strikes("周明")) == ("released", ["no_show"])


def test_and_stays_a_no_show_where_none_is(lunch: LunchHour) -> None:
    tap(lunch, "李静", "12:06", "12:06")
    lunch.stand_by("王磊", "12:07")
    lunch.tick("12:10")
    lunch.tick("12:15")
    assert tap(lunch, "周明", "12:16", "12:17") == "no: full"
    assert (lunch.state("周明"), lunch.strikes("周明")) == ("released", ["no_show"])


@pytest.mark.parametrize(
    ("tapped", "arrives", "time"), [("12:30", "12:08", "12:08"), ("Mon 12:05", "12:08", None), ("11:00", "12:08", None)]
)
def test_a_time_that_cannot_be_is_bounded_or_refused(
    lunch: LunchHour, tapped: str, arrives: str, time: str | None
) -> None:
    said = tap(lunch, "周明", tapped, arrives)
    assert said == ("in" if time else "no: too_early")
    assert came_at(lunch, "周明") == (at(time) if time else None)


def test_a_walk_in_taken_back_offline_frees_the_seat_now(lunch: LunchHour) -> None:
    lunch.tick("12:10")
    lunch.roll_call("12:11")
    lunch.tick("12:15")
    lunch.walk_in("刘洋", "12:16")
    lunch.walk_in("赵敏", "12:16")
    assert tap(lunch, "刘洋", "12:17", "12:19", here=False) == "out"
    assert lunch.state("刘洋") == "cancelled"
    assert lunch.now().taken == 1


@pytest.mark.parametrize(("ran", "struck"), [("12:15", ["no_show"]), ("13:00", [])])
def test_a_check_in_undone_offline_is_a_no_show_when_it_is_heard_after_the_end(
    lunch: LunchHour, ran: str, struck: list[str]
) -> None:
    """As if it had been heard at once: struck, unless the release itself ran only after the end."""
    lunch.check_in("周明", "12:05")
    lunch.check_in("李静", "12:05")
    for clock in ("12:10", ran, "13:00"):
        lunch.tick(clock)
    assert tap(lunch, "周明", "12:20", "13:20", here=False) == "out"
    assert (lunch.state("周明"), lunch.strikes("周明"), lunch.now().taken) == ("released", struck, 1)
    assert invariants.breaches(lunch.session, at("13:21")) == []
    assert tap(lunch, "周明", "12:21", "13:22") == "seated"
    assert (lunch.state("周明"), came_at(lunch, "周明"), lunch.strikes("周明")) == ("attended", at("12:21"), [])
    assert invariants.breaches(lunch.session, at("13:23")) == []


def test_and_who_was_here_in_time_after_all_was_there(lunch: LunchHour) -> None:
    """The phone was offline until after the end; nobody else has had the seat."""
    lunch.check_in("周明", "12:03")
    lunch.check_in("李静", "12:03")
    for clock in ("12:10", "12:15", "13:00"):
        lunch.tick(clock)
    assert tap(lunch, "周明", "12:04", "13:20", here=False) == "out"
    assert tap(lunch, "周明", "12:05", "13:20:01") == "seated"
    assert (lunch.state("周明"), came_at(lunch, "周明"), lunch.strikes("周明")) == ("attended", at("12:05"), [])


def test_a_refused_tap_is_not_remembered(lunch: LunchHour) -> None:
    tap(lunch, "周明", "11:00", "11:00", nonce="too-early-1")
    assert lunch.session.scalars(select(DoorTap)).all() == []


def test_a_tap_that_fails_leaves_nothing(lunch: LunchHour) -> None:
    booking = lunch.latest("周明").id

    def fails() -> None:
        with transactions.transaction(lunch.session) as session:
            checkin_sync.apply(session, Tap("some-nonce", booking, here=True, at=at("12:05")), at("12:06"), 1, EXCUSE)
            raise RuleViolation("full")

    with pytest.raises(RuleViolation):
        fails()
    assert lunch.state("周明") == "booked"
    assert tap(lunch, "周明", "12:05", "12:07", nonce="some-nonce") == "in"


# Over HTTP


def body(booking_id: int, **other: Any) -> dict[str, Any]:
    return {"booking": booking_id, "act": "in", "age": 180_000, "nonce": "0123456789abcdef"} | other


def test_the_address_takes_an_age_and_says_what_came_of_it(app: Flask, lunch: LunchHour) -> None:
    desk = Desk(app, lunch)
    for _again in range(2):
        answer = desk.post("taps", "12:08", **body(lunch.latest("周明").id))
        assert answer.json == {"outcome": "in", "words": ""}
    assert came_at(lunch, "周明") == at("12:05")
    lunch.tick("12:10")
    lunch.roll_call("12:11")
    lunch.tick("12:15")
    answer = desk.post("taps", "12:17", **body(lunch.latest("李静").id, nonce="another-nonce"))
    assert answer.json is not None
    assert answer.json["words"] == "李静：名额释放过，已经重新入座，爽约免除了。"


@pytest.mark.parametrize(
    "wrong",
    [{"act": "x"}, {"age": "-1"}, {"age": "soon"}, {"nonce": "short"}, {"nonce": "<b>12345678"}, {"booking": ""}],
)
def test_what_is_no_tap_is_not_taken(app: Flask, lunch: LunchHour, wrong: dict[str, Any]) -> None:
    answer = Desk(app, lunch).post("taps", "12:08", **body(lunch.latest("周明").id) | wrong)
    assert answer.status_code == 422
    assert lunch.state("周明") == "booked"


def test_a_tap_of_somebody_else_is_not_taken_for_ones_own(app: Flask, session: Session, lunch: LunchHour) -> None:
    with transactions.transaction(session):
        other = make_manager(session, lunch.station_id, "吴经理")
    kept = body(lunch.latest("周明").id, owner=lunch.manager_id)
    answer = Desk(app, lunch, other).post("taps", "12:08", **kept)
    assert (answer.status_code, answer.json) == (409, {"outcome": "somebody_else"})
    assert (lunch.state("周明"), lunch.session.scalars(select(DoorTap)).all()) == ("booked", [])
    assert Desk(app, lunch).post("taps", "12:09", **kept).json == {"outcome": "in", "words": ""}
    assert [line.actor_id for line in lunch.lines("checked_in")] == [lunch.manager_id]


def test_another_stations_booking_does_not_exist(app: Flask, session: Session, lunch: LunchHour) -> None:
    cast = Cast(lunch)
    lunch.book("陈晨", "Mon 10:00", cast.other_slot_id)
    theirs = session.scalars(select(Booking).where(Booking.slot_id == cast.other_slot_id)).one()
    assert Desk(app, lunch).post("taps", "12:08", **body(theirs.id)).status_code == 404
    stranger = Desk(app, lunch, cast.other_manager_id)
    assert stranger.post("taps", "12:08", **body(lunch.latest("周明").id)).status_code == 404
    assert lunch.state("周明") == "booked"


# At once


def all_at_once(engine: Engine, lunch: LunchHour, nonce: str, phones: int = 8) -> list[str]:
    """The same tap, sent by many requests in the same instant."""
    booking, manager, barrier = lunch.latest("周明").id, lunch.manager_id, Barrier(phones)
    lunch.session.rollback()

    def send(_phone: int) -> str:
        with Session(engine) as session:
            barrier.wait(30)
            try:
                with transactions.transaction(session):
                    return checkin_sync.apply(
                        session, Tap(nonce, booking, here=True, at=at("12:05")), at("12:06"), manager, EXCUSE
                    )
            except IntegrityError:
                return "twice"

    with ThreadPoolExecutor(phones) as pool:
        return list(pool.map(send, range(phones)))


def test_one_tap_sent_eight_times_at_once_counts_once(engine: Engine, lunch: LunchHour) -> None:
    assert all_at_once(engine, lunch, "the-same-tap") == ["in"] * 8
    lunch.session.rollback()
    assert len(lunch.lines("checked_in")) == 1
    assert len(lunch.session.scalars(select(DoorTap)).all()) == 1


@pytest.mark.postgresql
def test_and_without_waiting_their_turn_they_collide(
    engine: Engine, lunch: LunchHour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control. SQLite has one writer anyway."""
    monkeypatch.setattr(transactions, "advisory_lock", lambda *_: None)
    answers = [answer for n in range(10) for answer in all_at_once(engine, lunch, f"the-same-tap-{n}")]
    assert "twice" in answers
