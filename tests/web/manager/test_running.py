"""Job status: what managers and admins see of the scheduler and the mail, and what they can decide."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from booking import monitoring
from booking.db import transactions
from booking.enqueue import enqueue
from booking.mail import backlog, manager_report
from booking.model import JobRun, Letter, MailPause, Outage, Person, SetAside, Slot
from tests.support.desk_cast import Desk, said
from tests.support.letter_cast import Letters
from tests.support.lunch_hour import LunchHour, at


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    lunch = LunchHour(session, capacity=2)
    lunch.book("周明", "Mon 10:00")
    lunch.book("李静", "Mon 10:01")
    return lunch


@pytest.fixture
def desk(app: Flask, lunch: LunchHour) -> Desk:
    return Desk(app, lunch)


def ran(session: Session, when: str, **columns: object) -> None:
    with transactions.transaction(session):
        run = {"name": "promote", "every": 2, "started_at": at(when), "finished_at": at(when) + timedelta(seconds=0.5)}
        session.merge(JobRun(**run | columns))


def hold(lunch: LunchHour) -> None:
    """The release of the slot came too late."""
    lunch.tick("12:10")
    with transactions.transaction(lunch.session) as session:
        session.get_one(Slot, lunch.slot_id).release_held_at = at("12:25")


def test_the_page_tells_each_job_its_length_backlog_and_next_run(desk: Desk, lunch: LunchHour) -> None:
    ran(lunch.session, "Mon 10:59:58", error="7: ZeroDivisionError: <b>poison</b>")
    page = desk.get("running", "Mon 11:00").text
    words = desk.words("running", "Mon 11:00")
    assert 'data-job="promote"' in page
    assert "0.5 秒" in words
    assert "11:00:00" in words
    assert "出错" in words
    assert "poison" not in page, "it may name another station's rows"
    assert "data-late" not in page


@pytest.mark.sqlite
def test_a_manager_is_told_that_no_mail_leaves_but_not_what_the_server_said(desk: Desk, lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        moments = {"since": at("Mon 10:50"), "until": at("Mon 11:05")}
        session.add(MailPause(sender="smtp", kind="setup", refusals=0, rests=1, reply="535 secret", **moments))
    page = desk.get("running", "Mon 11:00").text
    assert page.count("data-mail-paused") == 1
    assert "secret" not in page
    assert "MAIL_URL" not in page


def test_a_banner_says_on_every_page_when_the_scheduler_is_late(desk: Desk, lunch: LunchHour) -> None:
    ran(lunch.session, "Mon 10:30")
    for path in ("", "slots", "running", "people"):
        assert "data-late" in desk.get(path, "Mon 11:00").text
    ran(lunch.session, "Mon 10:59")
    assert "data-late" not in desk.get("", "Mon 11:00").text


def test_an_outage_is_told_for_a_week(desk: Desk, lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        session.add(Outage(began_at=at("Mon 02:00"), ended_at=at("Mon 05:10")))
    assert "02:00到11月23日周一 05:10没有运行" in desk.words("running", "Mon 11:00")


def test_a_held_release_waits_for_the_managers_decision(desk: Desk, lunch: LunchHour) -> None:
    hold(lunch)
    for path in ("", "running", f"slots/{lunch.slot_id}"):
        assert "现在释放没来的人的名额" in desk.words(path, "12:26")
    lunch.check_in("周明", "12:26")
    assert "释放了 1 个名额" in said(desk.post(f"slots/{lunch.slot_id}/release", "12:27"))
    assert lunch.states("周明", "李静") == ["attended", "released"]
    assert "release_ordered" in [line.kind for line in lunch.lines()]
    assert "现在释放没来的人的名额" not in desk.words("", "12:28")


def test_after_the_slot_nobody_is_released_any_more(desk: Desk, lunch: LunchHour) -> None:
    hold(lunch)
    assert "已结束，没有人记爽约" in desk.words("running", "13:05")
    desk.post(f"slots/{lunch.slot_id}/release", "13:05")
    assert lunch.state("李静") == "booked"


def test_a_row_set_aside_is_shown_to_its_own_manager_who_may_say_again(
    app: Flask, desk: Desk, lunch: LunchHour
) -> None:
    row = SetAside(
        job="promote",
        row_id=lunch.slot_id,
        station_id=lunch.station_id,
        tries=3,
        since=at("Mon 09:00"),
        error="<poison>",
    )
    other = SetAside(job="promote", row_id=9999, station_id=lunch.other_station(), tries=3, since=at("Mon 09:00"))
    with transactions.transaction(lunch.session) as session:
        session.add_all([row, other])
    page = desk.get("running").text
    assert "&lt;poison&gt;" in page
    assert "9999" not in page
    assert "再试一次" in page
    desk.post(f"running/{row.id}/again", "Mon 11:00")
    lunch.session.rollback()
    assert monitoring.listed(lunch.session, lunch.station_id) == []
    assert (row.tries, row.next_try_at) == (0, at("Mon 11:00"))
    assert desk.post(f"running/{other.id}/again").status_code == 404


def failed(session: Session, when: datetime) -> Letter:
    with transactions.transaction(session):
        enqueue(session, "already_registered", when, to="a@example.com")
        letter = session.query(Letter).filter_by(kind="already_registered").one()
        letter.state, letter.error, letter.tries = "failed", "550 5.1.1 nobody <here>", 4
    return letter


def test_a_manager_reads_of_an_error_what_concerns_nobody_else(desk: Desk, lunch: LunchHour) -> None:
    error = "IntegrityError: 550 <lin@example.com> unknown\n[SQL: INSERT …]\n[parameters: 王磊]"
    row = SetAside(job="promote", row_id=1, station_id=lunch.station_id, tries=3, since=at("Mon 09:00"), error=error)
    with transactions.transaction(lunch.session) as session:
        session.add(row)
    page = desk.get("running").text
    assert "IntegrityError: 550 &lt;…&gt; unknown" in page
    assert [secret for secret in ("lin@example.com", "parameters", "SQL") if secret in page] == []


def test_an_admin_sees_a_failed_letter_and_sends_it_again(app: Flask, desk: Desk, lunch: LunchHour) -> None:
    letter = failed(lunch.session, at("Mon 09:00"))
    with transactions.transaction(lunch.session) as session:
        session.get_one(Person, lunch.manager_id).is_admin = True
    admin = Desk(app, lunch)
    admin.root = "/admin/"
    page = admin.get("jobs").text
    assert "550 5.1.1 nobody &lt;here&gt;" in page
    assert "已经注册过" in page
    assert "马上会再发一次" in said(admin.post(f"jobs/letters/{letter.id}/again", "Mon 11:00"))
    lunch.session.rollback()
    assert (letter.state, letter.tries, letter.next_try_at) == ("queued", 0, at("Mon 11:00"))
    assert admin.post(f"jobs/letters/{letter.id}/again", "Mon 11:00").status_code == 404
    assert backlog.failed(lunch.session, at("Mon 11:00")) == []


def test_the_managers_digest_says_what_is_wrong(session: Session) -> None:
    cast = Letters(session)
    ran(session, "10:59:58", error="poison")
    with transactions.transaction(session):
        session.add(Outage(began_at=at("02:00"), ended_at=at("05:10")))
        slot = session.get_one(Slot, cast.yesterday)
        slot.state, slot.release_held_at = "done", at("Mon 12:30")
        session.add(SetAside(job="promote", row_id=1, station_id=cast.station_id, tries=3, since=at("09:00")))
    told = dict(manager_report.troubles(session, at("11:00"), [cast.station_id]))
    assert set(told) == {"job_failed", "outage", "release_held", "set_aside"}
    assert set(dict(manager_report.troubles(session, at("11:05"), []))) == {"job_failed", "late", "outage"}
