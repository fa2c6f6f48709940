"""News of the services in the worker's digest: an answer is a reason for one, a new notice stands beside something else."""

from email import message_from_bytes
from email.policy import default

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import services
from booking.db import transactions
from booking.mail import rendering
from booking.model import Letter, Notice, ServiceRequest, Slot, Station
from booking.services import NoticeWords
from booking.workdays import ONE_DAY
from tests.support.letter_cast import Letters, write_digests
from tests.support.lunch_hour import TUESDAY, at


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
