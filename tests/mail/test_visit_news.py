"""Visits in the digest: each is asked about once, on the next workday's morning, with three faces as links."""

from collections.abc import Sequence

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import seats, services, workdays
from booking.db import transactions
from booking.extensions import db
from booking.mail import digests, links, previews
from booking.model import Booking, Letter, Station
from tests.support.letter_cast import Letters, monday_and_tuesday, worded, write_digests
from tests.support.lunch_hour import at, tick
from tests.support.statements import heard


@pytest.fixture
def cast(session: Session) -> Letters:
    """On Monday 周明 and 李静 were there, 王磊 was not, and 陈晨 waited in vain."""
    return monday_and_tuesday(session)


def visits(cast: Letters, who: str, clock: str = "08:30") -> Sequence[Sequence[int]] | None:
    """What the digest of that morning asks them about; None where there is no digest."""
    cast.do(write_digests, "worker", at(clock))
    key = f"digest:worker:{at(clock).date()}:{cast.people[who]}"
    told = cast.session.scalar(select(Letter.details).where(Letter.key == key))
    return None if told is None else list(told.get("visits", ()))


def visit(cast: Letters, who: str, slot_id: int) -> list[int]:
    mine = select(Booking.id).where(
        Booking.person_id == cast.people[who], Booking.slot_id == slot_id, Booking.state == "attended"
    )
    return [cast.session.scalars(mine).one(), slot_id]


def come_on_thursday(cast: Letters, who: str) -> None:
    tick(cast.session, at("Wed 10:00"))
    cast.do(seats.check_in, cast.book(who, cast.thursday, "Wed 10:01"), at("Thu 12:05"))
    for clock in ("Thu 12:10", "Thu 12:15", "Thu 13:00"):
        tick(cast.session, at(clock))


def test_who_was_there_is_asked_once(cast: Letters) -> None:
    assert visits(cast, "周明") == [visit(cast, "周明", cast.yesterday)]
    assert visits(cast, "王磊") == visits(cast, "陈晨") == []
    assert not visits(cast, "周明", "Wed 08:30")


def test_a_rest_day_of_the_stations_own_puts_the_question_off(cast: Letters) -> None:
    with transactions.transaction(cast.session) as session:
        workdays.override(session, cast.station_id, at("08:30").date(), False, None, "停电")
    assert visits(cast, "周明") is None
    assert visits(cast, "周明", "Wed 08:30") == [visit(cast, "周明", cast.yesterday)]
    assert not visits(cast, "周明", "Thu 08:30")


def test_who_has_said_it_already_is_not_asked(cast: Letters) -> None:
    booking_id, _slot = visit(cast, "周明", cast.yesterday)
    services.rate_visit(cast.session, booking_id, cast.people["周明"], "good", "", at("Mon 14:00"))
    assert visits(cast, "周明") == []
    assert visits(cast, "李静") == [visit(cast, "李静", cast.yesterday)]


def test_a_visit_alone_is_reason_enough_and_the_subject_names_it(app: Flask, cast: Letters) -> None:
    come_on_thursday(cast, "刘洋")
    assert visits(cast, "周明", "Fri 08:30") is None
    assert visits(cast, "刘洋", "Fri 08:30") == [visit(cast, "刘洋", cast.thursday)]
    said = worded(app, cast.session, cast.letter("worker_digest", "刘洋"), at("Fri 08:30"), "zh_Hans_CN")
    assert said.subject == "周四的“白领瑜伽课堂”怎么样？"


@pytest.mark.parametrize(
    ("language", "title", "faces"),
    [("zh_Hans_CN", "“白领瑜伽课堂”怎么样？", "好 一般 不好"), ("en", "How was “Yoga at Noon”?", "Good Fair Poor")],
)
def test_three_faces_in_text_and_page(app: Flask, cast: Letters, language: str, title: str, faces: str) -> None:
    visits(cast, "周明")
    letter = cast.letter("worker_digest", "周明")
    said = worded(app, cast.session, letter, at("08:30"), language)
    booking_id, _slot = visit(cast, "周明", cast.yesterday)
    with app.app_context():
        address = links.rate(booking_id, cast.people["周明"])
    for part in (said.text, said.page):
        assert title in part
        for face, words in zip(("good", "fine", "poor"), faces.split(), strict=True):
            assert part.count(f"{address}?face={face}") == 1
            assert words in part
    with app.app_context():
        token = address.rsplit("/")[-1]
        assert links.read_rate(token) == (booking_id, cast.people["周明"])
        assert links.read_unfollow(token) is None
        assert links.read_stop(token) is None
        assert links.read_rate(token[:-1]) is None


def test_as_many_statements_for_many_visits_as_for_one(app: Flask, cast: Letters) -> None:
    def statements(*who: str) -> int:
        with app.app_context():
            due = digests.rounds(db.session(), "worker", at("08:30"))
            with heard(db.engine) as sent:
                told = digests.gather(db.session(), due, at("08:30"), [cast.people[name] for name in who])
        assert [len(one.details["visits"]) for one in told] == [1] * len(who)
        return len(sent)

    assert statements("周明") == statements("周明", "李静")


def test_a_preview_gives_the_reason(cast: Letters) -> None:
    come_on_thursday(cast, "刘洋")
    station = cast.session.get_one(Station, cast.station_id)
    told = {one.person.name: one.told for one in digests.preview(cast.session, "worker", station, at("Fri 08:00"))}
    assert previews.reasons(told["刘洋"] or {}) == ["visits to rate (1)"]
    assert told["周明"] is None
