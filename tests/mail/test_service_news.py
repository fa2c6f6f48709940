"""News of the services in the worker's digest: an answer is a reason for one, a new notice stands beside something else."""

from datetime import date, time
from email import message_from_bytes
from email.policy import default

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import clock, services, workdays
from booking.db import transactions
from booking.extensions import db
from booking.mail import digests, rendering
from booking.model import Letter, Notice, ServiceRequest, Slot, Station
from booking.services import NoticeWords
from booking.workdays import ONE_DAY
from tests.support.letter_cast import Letters, write_digests
from tests.support.lunch_hour import TUESDAY, at, make_station
from tests.support.statements import heard


@pytest.fixture
def quiet(session: Session) -> Letters:
    """Nothing is on, so that nobody gets a digest for slots."""
    cast = Letters(session)
    with transactions.transaction(session):
        for slot_id in (cast.yesterday, cast.yoga, cast.crafts, cast.next_yoga, cast.next_talk, cast.thursday):
            session.delete(session.get_one(Slot, slot_id))
    return cast


def asked(cast: Letters, when: str = "Mon 07:00", text: str = "空调太冷了") -> ServiceRequest:
    return services.send_request(cast.session, cast.station_id, cast.people["林晓"], "room", text, at(when))


def written(cast: Letters, when: str) -> list[Letter]:
    with transactions.transaction(cast.session):
        write_digests(cast.session, "worker", at(when))
    return list(cast.session.scalars(select(Letter).where(Letter.kind == "worker_digest").order_by(Letter.id)))


def post(cast: Letters, when: str, title: str = "电梯检修", begins: int = 0) -> None:
    first = TUESDAY + ONE_DAY * begins
    station = cast.session.get_one(Station, cast.station_id)
    words = NoticeWords(title, "", first, first + ONE_DAY * 3)
    services.publish_notice(cast.session, station, words, at(when), cast.manager_id)


@pytest.mark.parametrize(
    ("answered", "told"),
    [("Mon 08:29", False), ("Mon 08:30", True), ("Tue 08:29", True), ("Tue 08:30", False)],
)
def test_an_answer_since_the_last_workdays_digest_is_told(quiet: Letters, answered: str, told: bool) -> None:
    request = asked(quiet)
    services.take_up(quiet.session, request.id, "在看", at(answered), quiet.manager_id)
    letters = written(quiet, "08:31")
    assert [one.person_id for one in letters] == ([quiet.people["林晓"]] if told else [])
    assert not told or letters[0].details["answers"] == [request.id]


def test_the_second_word_is_told_too_and_a_withdrawn_one_is_not(quiet: Letters) -> None:
    first, second = asked(quiet, "Mon 06:00"), asked(quiet, "Mon 06:01", "灯坏了")
    for one in (first, second):
        services.take_up(quiet.session, one.id, "在看", at("Mon 07:30"), quiet.manager_id)
        services.pass_on(quiet.session, one.id, "物业", "7", "转了", at("Mon 12:00"), quiet.manager_id)
    services.withdraw(quiet.session, second.id, at("Mon 13:00"))
    assert [one.details["answers"] for one in written(quiet, "08:31")] == [[first.id]]


def says(cast: Letters, station_id: int, day: str, *, works: bool) -> None:
    """The manager of the station says that it rests, or works, on that day."""
    with transactions.transaction(cast.session) as session:
        workdays.override(session, station_id, day_of(day), works, None, "")


def day_of(day: str) -> date:
    """`Tue`, or the days after Friday."""
    after = {"Sat": 1, "Sun": 2, "Next Mon": 3}.get(day, 0)
    return at("Fri 12:00" if after else f"{day} 12:00").date() + ONE_DAY * after


def mornings(cast: Letters, *days: str) -> dict[str, list[int]]:
    """The answers in the digests of those mornings, of those that are written."""
    for day in days:
        with transactions.transaction(cast.session):
            write_digests(cast.session, "worker", clock.instant(day_of(day), time(8, 31), "Asia/Shanghai"))
    letters = cast.session.scalars(select(Letter).where(Letter.kind == "worker_digest"))
    found = {one.details["date"]: one.details["answers"] for one in letters}
    return {day: found[day_of(day).isoformat()] for day in days if day_of(day).isoformat() in found}


RESTS_AND_WORKS = [  # what the station says, when it answers, and whose morning's digest tells it
    ("Wed", False, "Tue 12:30", "Thu"),
    ("Wed", False, "Tue 08:29", "Tue"),
    ("Wed", False, "Wed 12:30", "Thu"),
    ("Sat", True, "Fri 12:30", "Sat"),
    ("Sun", True, "Fri 12:30", "Sun"),
    ("Sun", True, "Fri 08:29", "Fri"),
]


@pytest.mark.parametrize(("day", "works", "answered", "morning"), RESTS_AND_WORKS)
def test_an_answer_is_told_once_around_a_day_of_the_stations_own(
    quiet: Letters, day: str, works: bool, answered: str, morning: str
) -> None:
    says(quiet, quiet.station_id, day, works=works)
    request = asked(quiet)
    services.take_up(quiet.session, request.id, "在看", at(answered), quiet.manager_id)
    told = mornings(quiet, "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Next Mon")
    assert told == {morning: [request.id]}


def test_who_asked_two_stations_is_told_by_the_days_of_each(quiet: Letters) -> None:
    with transactions.transaction(quiet.session) as session:
        west = make_station(session, "west")
    says(quiet, quiet.station_id, "Wed", works=False)
    here = asked(quiet)
    there = [
        services.send_request(quiet.session, west, quiet.people["林晓"], "room", text, at("Mon 07:00"))
        for text in ("灯坏了", "门坏了")
    ]
    for one, when in ((here, "Tue 12:30"), (there[0], "Tue 12:30"), (there[1], "Wed 12:30")):
        services.take_up(quiet.session, one.id, "在看", at(when), quiet.manager_id)
    told = mornings(quiet, "Tue", "Wed", "Thu", "Fri")
    assert {day: sorted(ids) for day, ids in told.items()} == {"Wed": [there[0].id], "Thu": [here.id, there[1].id]}


def test_a_notice_is_told_once_around_a_day_of_the_stations_own(quiet: Letters) -> None:
    says(quiet, quiet.station_id, "Wed", works=False)
    post(quiet, "Tue 12:00")
    request = asked(quiet)
    for day in ("Tue", "Thu"):
        services.take_up(quiet.session, request.id, "在看", at(f"{day} 12:30"), quiet.manager_id)
        mornings(quiet, "Wed", "Thu", "Fri")
    letters = quiet.session.scalars(select(Letter).where(Letter.kind == "worker_digest").order_by(Letter.id))
    assert [(one.details["date"], len(one.details.get("notices", ()))) for one in letters] == [
        ("2026-11-26", 1),
        ("2026-11-27", 0),
    ]


def test_as_many_statements_for_many_stations_with_days_of_their_own_as_for_one(app: Flask, quiet: Letters) -> None:
    request = asked(quiet)
    services.take_up(quiet.session, request.id, "在看", at("Tue 12:30"), quiet.manager_id)

    def statements(more: int) -> int:
        with transactions.transaction(quiet.session) as session:
            some = [quiet.station_id, *(make_station(session, f"more{more}{n}") for n in range(more))]
        for station_id in some:
            says(quiet, station_id, "Wed", works=False)
        now = at("Thu 08:31")
        with app.app_context(), heard(db.engine) as sent:
            due = digests.rounds(db.session(), "worker", now)
            told = digests.gather(db.session(), due, now, digests.to_write(db.session(), due, now))
        assert [one.details["answers"] for one in told] == [[request.id]]
        return len(sent)

    assert statements(0) == statements(5)


def test_a_notice_alone_makes_no_digest(quiet: Letters) -> None:
    post(quiet, "Mon 12:00")
    assert written(quiet, "08:31") == []


def test_a_new_notice_stands_beside_something_else_once(quiet: Letters) -> None:
    for when, title, begins in (
        ("Mon 12:00", "新的", 0),
        ("Mon 07:00", "上一封里有过", -1),
        ("Mon 07:00", "早写好今天开始", 0),
        ("Mon 12:00", "还没开始", 1),
    ):
        post(quiet, when, title, begins)
    request = asked(quiet)
    services.take_up(quiet.session, request.id, "在看", at("Mon 12:00"), quiet.manager_id)
    (letter,) = written(quiet, "08:31")
    told = quiet.session.scalars(select(Notice.title).where(Notice.id.in_(letter.details["notices"])))
    assert sorted(told) == ["新的", "早写好今天开始"]


def test_what_ended_before_the_letter_is_sent_is_not_in_it(app: Flask, quiet: Letters) -> None:
    for title in ("留着的", "撤下的"):
        post(quiet, "Mon 12:00", title)
    request = asked(quiet)
    services.take_up(quiet.session, request.id, "在看", at("Mon 12:00"), quiet.manager_id)
    (letter,) = written(quiet, "08:31")
    gone = quiet.session.scalars(select(Notice).where(Notice.title == "撤下的")).one()
    services.end_notice(quiet.session, gone, at("08:32"), quiet.manager_id)
    with app.app_context():
        mail = message_from_bytes(rendering.compose(quiet.session, letter, at("08:33")).mime, policy=default)
    body = mail.get_body(("plain",))
    assert body
    assert str(mail["Subject"]) == "你的诉求有答复：空调太冷了"
    said = body.get_content()
    assert [word in said for word in ("驿站：在看", "公告：留着的", "撤下的")] == [True, True, False]
