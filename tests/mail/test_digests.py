"""Digests: who gets a daily letter, when, about what, and never twice."""

import re
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from booking import people, slots, workdays
from booking.db import transactions
from booking.extensions import db
from booking.jobs import PartlyDone, schedule
from booking.jobs.batches import Turn
from booking.mail import backlog, digest_writer, digests, outbox, rendering, subscriptions
from booking.mail.recipient import Dropped
from booking.model import Digest, DigestRound, Letter, Manages, Person, Slot, Station, Workday
from tests.support import databases
from tests.support.letter_cast import Letters, monday_and_tuesday, worded, write_digests
from tests.support.lunch_hour import TUESDAY, at
from tests.support.statements import heard


def write(session: Session, kind: str, clock: str) -> set[str]:
    """Write every digest of a kind that is due; the names of those who got one now."""
    before = told(session, kind)
    while True:
        with transactions.transaction(session):
            if not write_digests(session, kind, at(clock), limit=2):
                return told(session, kind) - before


def told(session: Session, kind: str) -> set[str]:
    found = select(Person.name).join(Letter, Letter.person_id == Person.id).where(Letter.kind == f"{kind}_digest")
    return set(session.scalars(found))


def details(cast: Letters, who: str, kind: str = "worker") -> dict[str, object]:
    return cast.letter(f"{kind}_digest", who).details


@pytest.fixture
def cast(session: Session) -> Letters:
    """Monday is over, Tuesday is full."""
    return monday_and_tuesday(session)


def test_workers_get_theirs_from_half_past_eight(cast: Letters, session: Session) -> None:
    assert write(session, "worker", "08:29:59") == set()
    assert write(session, "worker", "08:30") == {"林晓", "周明", "李静", "王磊", "陈晨", "刘洋"}
    assert write(session, "worker", "08:31") == set()


@pytest.mark.postgresql
def test_who_gets_one_is_read_without_the_time_limit_of_a_request(cast: Letters, session: Session) -> None:
    """Else a city whose bookings of the last weeks take longer than five seconds to read would get no digest at all."""

    def limit() -> str:
        return str(session.scalar(text("SHOW statement_timeout")))

    usual = limit()
    session.rollback()
    due = digests.rounds(session, "worker", at("08:30"))
    assert (len(digests.to_write(session, due, at("08:30"))), limit()) == (6, "10min")
    session.rollback()
    assert limit() == usual


def test_managers_get_theirs_from_eleven(cast: Letters, session: Session) -> None:
    assert write(session, "manager", "10:59:59") == set()
    assert write(session, "manager", "11:00") == {"沈站长"}
    assert write(session, "manager", "11:01") == set()


def test_managers_are_told_of_the_last_workday_before_a_rest_day_of_the_stations_own(session: Session) -> None:
    cast = Letters(session)
    with transactions.transaction(session):
        for slot_id in (cast.yoga, cast.crafts, cast.next_yoga, cast.next_talk, cast.thursday):
            session.delete(session.get_one(Slot, slot_id))
        workdays.override(session, cast.station_id, TUESDAY, False, None, "停电")
    assert [write(session, "manager", f"{day} 11:00") for day in ("Tue", "Wed", "Thu")] == [set(), {"沈站长"}, set()]


@pytest.mark.parametrize(("kind", "clock"), [("worker", "12:00"), ("manager", "14:00")])
def test_after_an_outage_a_digest_that_makes_no_sense_any_more_is_left_out(
    cast: Letters, session: Session, kind: str, clock: str
) -> None:
    assert write(session, kind, clock) == set()


def test_a_digest_names_the_seat_the_place_in_line_and_what_opens(cast: Letters, session: Session) -> None:
    write(session, "worker", "08:30")
    told = details(cast, "林晓")
    assert told["seats"] == [cast.yoga]
    assert told["waits"] == [[cast.crafts, 1]]
    assert told["opens"] == [cast.next_yoga, cast.next_talk]


def test_a_place_in_line_never_looks_like_a_seat(cast: Letters, session: Session) -> None:
    write(session, "worker", "08:30")
    told = details(cast, "王磊")
    assert (told["seats"], told["waits"]) == ([], [[cast.yoga, 1]])


def test_each_place_in_a_line_is_told_to_its_own_person(cast: Letters, session: Session) -> None:
    for who, clock in (("刘洋", "Mon 10:00:03"), ("陈晨", "Mon 10:00:04")):
        cast.book(who, cast.yoga, clock)
    write(session, "worker", "08:30")
    told = {who: details(cast, who)["waits"] for who in ("王磊", "刘洋", "陈晨", "周明")}
    assert told == {"王磊": [[cast.yoga, 1]], "刘洋": [[cast.yoga, 2]], "陈晨": [[cast.yoga, 3]], "周明": []}


def test_who_switches_it_off_while_it_is_written_gets_none(cast: Letters, session: Session) -> None:
    due = digests.rounds(session, "worker", at("08:30"))
    noted = digests.gather(session, due, at("08:30"), digests.to_write(session, due, at("08:30")))
    with transactions.transaction(session):
        subscriptions.want(session, cast.people["林晓"], "worker_digest", at("08:30"), wanted=False)
    with transactions.transaction(session):
        assert digest_writer.write(session, noted, at("08:30")) == 5
    assert "林晓" not in told(session, "worker")


def crafts_are_cancelled(cast: Letters) -> None:
    cast.do(slots.cancel, cast.crafts, "停电", at("08:35"), cast.manager_id)


def the_place_is_given_up(cast: Letters) -> None:
    cast.give_up(cast.book("林晓", cast.crafts, "08:35"), "08:35")


def the_place_becomes_a_seat(cast: Letters) -> None:
    cast.give_up(cast.book("陈晨", cast.crafts, "08:35"), "08:35")


def the_seat_is_given_up(cast: Letters) -> None:
    cast.give_up(cast.book("林晓", cast.yoga, "08:35"), "08:35")


TOLD = ("【今天的预约】白领瑜伽课堂", "第 1 位：创意手工", "有人让出时会自动轮到你")
MEANWHILE = {
    "nothing": (lambda _: None, TOLD),
    "cancelled": (crafts_are_cancelled, TOLD[:1]),
    "place given up": (the_place_is_given_up, TOLD[:1]),
    "a seat": (the_place_becomes_a_seat, TOLD[:1]),
    "seat given up": (the_seat_is_given_up, TOLD[1:]),
}


@pytest.mark.parametrize("case", MEANWHILE)
def test_what_ended_after_half_past_eight_is_not_told(app: Flask, cast: Letters, session: Session, case: str) -> None:
    act, left = MEANWHILE[case]
    write(session, "worker", "08:30")
    act(cast)
    said = worded(app, session, cast.letter("worker_digest", "林晓"), at("08:40"), "zh_Hans_CN").text
    assert tuple(words for words in TOLD if words in said) == left


def test_who_was_dismissed_meanwhile_gets_no_roster(app: Flask, cast: Letters, session: Session) -> None:
    write(session, "manager", "11:00")
    with transactions.transaction(session):
        west = Station(code="west", name="金融街驿站")
        session.add(west)
        session.flush()
        session.add(Manages(person_id=cast.manager_id, station_id=west.id, since=at("Mon 09:00")))
        letter = cast.letter("manager_digest")
        letter.details = {**letter.details, "stations": [cast.station_id, west.id]}
    cast.do(people.dismiss, cast.manager_id, cast.station_id, at("11:05"))
    said = worded(app, session, letter, at("11:30"), "zh_Hans_CN")
    assert ("金融街驿站" in said.text, "林晓" in said.text + said.page) == (True, False)
    cast.do(people.dismiss, cast.manager_id, west.id, at("11:31"))
    with pytest.raises(Dropped):
        worded(app, session, letter, at("11:32"), "zh_Hans_CN")


def test_as_many_statements_read_many_digests_as_one(app: Flask, cast: Letters, session: Session) -> None:
    write(session, "worker", "08:30")
    ids = list(session.scalars(select(Letter.id).where(Letter.kind == "worker_digest").order_by(Letter.id)))

    def statements(some: list[int]) -> int:
        with app.app_context(), heard(db.engine) as sent:
            loaded = rendering.load(db.session(), some)
            for letter in loaded.letters:
                rendering.compose(db.session(), letter, at("08:40"), loaded)
        return len(sent)

    assert len(ids) == 6
    assert statements(ids) == statements(ids[:1])


def test_strikes_are_told_with_the_pause(cast: Letters, session: Session) -> None:
    write(session, "worker", "08:30")
    assert details(cast, "王磊")["strikes"] == [[cast.station_id, 1, None]]
    assert details(cast, "林晓")["strikes"] == []


def test_nothing_to_say_is_not_said(session: Session) -> None:
    cast = Letters(session)
    with transactions.transaction(session):
        for slot_id in (cast.yesterday, cast.next_yoga, cast.next_talk, cast.thursday):
            session.delete(session.get_one(Slot, slot_id))
    assert write(session, "worker", "08:30") == set()


def test_a_press_after_half_past_eight_is_no_reason_for_a_digest(session: Session) -> None:
    cast = Letters(session)
    cast.book("林晓", cast.yoga, "08:40")
    assert write(session, "worker", "08:45") == set()


@pytest.mark.parametrize(
    ("column", "value"),
    [("wants_digest", False), ("disabled_at", at("Mon 09:00")), ("deleted_at", at("Mon 09:00")), ("email", None)],
)
def test_who_cannot_or_will_not_read_gets_none(cast: Letters, session: Session, column: str, value: object) -> None:
    with transactions.transaction(session):
        setattr(session.get_one(Person, cast.people["林晓"]), column, value)
    assert "林晓" not in write(session, "worker", "08:30")


def test_each_kind_is_switched_off_alone(cast: Letters, session: Session) -> None:
    with transactions.transaction(session):
        session.add(Manages(person_id=cast.people["林晓"], station_id=cast.station_id, since=at("Mon 09:00")))
        subscriptions.want(session, cast.people["林晓"], "worker_digest", at("08:00"), wanted=False)
    assert "林晓" not in write(session, "worker", "08:30")
    assert "林晓" in write(session, "manager", "11:00")


def test_rest_days_are_quiet(cast: Letters, session: Session) -> None:
    with transactions.transaction(session):
        workdays.override(session, cast.station_id, TUESDAY, False, None, "停电")
    assert write(session, "worker", "08:30") == set()
    assert write(session, "manager", "11:00") == set()


def test_a_station_may_work_while_the_country_rests(cast: Letters, session: Session) -> None:
    with transactions.transaction(session):
        session.merge(Workday(date=TUESDAY, works=False, name="放假", source="test"))
        workdays.override(session, cast.station_id, TUESDAY, True, None, "加班")
    assert "林晓" in write(session, "worker", "08:30")


def test_the_hour_is_the_stations_own(cast: Letters, session: Session) -> None:
    with transactions.transaction(session):
        session.get_one(Station, cast.station_id).zone_name = "Asia/Tokyo"
    assert "林晓" in write(session, "worker", "07:30")


def test_one_row_per_person_kind_and_date_and_each_has_its_letter(cast: Letters, session: Session) -> None:
    with transactions.transaction(session):
        assert write_digests(session, "worker", at("08:30")) == 6
    with transactions.transaction(session):
        assert write_digests(session, "worker", at("08:31")) == 0
    assert session.scalar(select(func.count(Digest.id))) == 6
    assert session.scalars(select(Digest).where(Digest.letter_id.is_(None))).all() == []


def test_five_writers_at_once_write_each_digest_once(cast: Letters, session: Session, engine: Engine) -> None:
    together = threading.Barrier(5)

    def write_all() -> None:
        other = databases.connect_engine(engine.url.render_as_string(hide_password=False))
        with Session(other) as mine:
            together.wait()
            write(mine, "worker", "08:30")
        other.dispose()

    threads = [threading.Thread(target=write_all) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    session.rollback()
    assert session.scalar(select(func.count(Letter.id)).where(Letter.kind == "worker_digest")) == 6
    assert session.scalar(select(func.count(Digest.id))) == 6


# Asking a question about everybody


def job(app: Flask, clock: str, **options: Any) -> int:
    """What the job of the workers' digests does at that time."""
    with app.app_context():
        return schedule.write_worker_digests(Turn(at(clock), **options))


def test_a_round_that_is_done_asks_nobodys_bookings(app: Flask, cast: Letters) -> None:
    assert job(app, "08:30") == 6
    with app.app_context(), heard(db.engine) as sent:
        assert job(app, "08:30:20") == 0
        assert backlog.whole_backlog(db.session(), at("08:30:40"))["write_worker_digests"] == 0
    read = {table for one in sent for table in re.findall(r"FROM (\w+)", one.text)}
    assert read & {"booking", "person", "digest", "manages"} == set()
    by_the_job = sent[: next(n for n, one in enumerate(sent) if one.text == "ROLLBACK") + 1]
    assert len([one for one in by_the_job if one.text.startswith("SELECT")]) <= 4


def test_who_switches_it_on_later_in_the_morning_is_told_within_ten_minutes(
    app: Flask, cast: Letters, session: Session
) -> None:
    for clock, wanted, written in (("08:29", False, 0), ("08:30", None, 5), ("08:31", True, 0), ("08:40", None, 1)):
        if wanted is not None:
            with transactions.transaction(session):
                subscriptions.want(session, cast.people["林晓"], "worker_digest", at(clock), wanted=wanted)
        assert job(app, clock) == written, clock
    assert job(app, "08:50") == 0


def test_a_round_that_ended_early_or_failed_is_not_done(
    app: Flask, cast: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> int:
        raise OperationalError("INSERT", None, ZeroDivisionError("broken on purpose"))

    assert job(app, "08:30", stop=lambda: True) == 0
    with monkeypatch.context() as patch, pytest.raises(PartlyDone):
        patch.setattr(digest_writer, "write", broken)
        job(app, "08:30:20")
    assert job(app, "08:30:40") == 6


def test_a_person_whose_digest_failed_is_tried_again_as_soon_as_it_is_due(
    app: Flask, cast: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = digest_writer.write

    def poisoned(session: Session, noted: Sequence[digests.Noted], now: datetime) -> int:
        if cast.people["林晓"] in {one.person_id for one in noted}:
            raise ZeroDivisionError("poison")
        return real(session, noted, now)

    with monkeypatch.context() as patch, pytest.raises(PartlyDone):
        patch.setattr(digest_writer, "write", poisoned)
        job(app, "08:30")
    assert job(app, "08:30:20") == 0
    assert job(app, "08:31") == 1


@pytest.mark.parametrize("seen", ["Mon 09:00", "08:29", "10:00"])
def test_a_round_is_not_done_because_of_another_day_or_a_clock_that_was_wrong(
    app: Flask, cast: Letters, session: Session, seen: str
) -> None:
    with transactions.transaction(session):
        session.add(DigestRound(kind="worker", zone_name="Asia/Shanghai", done_at=at(seen)))
    assert job(app, "08:35") == 6


def test_letters_and_rows_of_30_days_ago_are_forgotten(cast: Letters, session: Session) -> None:
    write(session, "worker", "08:30")
    with transactions.transaction(session):
        for letter in session.scalars(select(Letter)):
            letter.state = "sent"
    with transactions.transaction(session):
        outbox.forget(session, at("08:30") + timedelta(days=30))
        assert outbox.forget(session, at("08:31") + timedelta(days=30)) == 6
    assert session.scalar(select(func.count(Letter.id))) == 0
    assert session.scalar(select(func.count(Digest.id))) == 6


def test_a_preview_says_who_gets_one_and_who_does_not(app: Flask, cast: Letters, session: Session) -> None:
    with transactions.transaction(session):
        subscriptions.want(session, cast.people["周明"], "worker_digest", at("08:00"), wanted=False)
        session.get_one(Person, cast.people["李静"]).disabled_at = at("08:00")
    station = session.get_one(Station, cast.station_id)
    told = {r.person.name: r.why_not for r in digests.preview(session, "worker", station, at("07:00"))}
    assert told == {
        "林晓": "",
        "周明": "switched off",
        "李静": "the account is disabled",
        "王磊": "",
        "陈晨": "",
        "刘洋": "",
    }
    assert session.scalar(select(func.count(Digest.id))) == 0


def test_on_a_rest_day_a_preview_says_so(cast: Letters, session: Session) -> None:
    with transactions.transaction(session):
        workdays.override(session, cast.station_id, TUESDAY, False, None, "停电")
    told = digests.preview(session, "worker", session.get_one(Station, cast.station_id), at("08:30"))
    assert {(reader.told, reader.why_not) for reader in told} == {(None, "a rest day")}
    assert len(told) == 6


def dry_run(app: Flask, *words: str, clock: str = "07:00") -> str:
    run = app.test_cli_runner()
    with time_machine.travel(at(clock), tick=False):
        result = run.invoke(args=["digest", *words, "--station", "cbd", "--dry-run"])
    assert result.exit_code == 0
    return result.output


def test_the_command_shows_what_goes_to_whom_and_why(app: Flask, cast: Letters, session: Session) -> None:
    head, line = dry_run(app, "--for", "manager").splitlines()
    assert head == "manager digest of cbd, 2026-11-24 11:00: 1 get one, 0 get none"
    assert line.startswith(f"{cast.manager_id} person{cast.manager_id}@example.com gets one, because of the stations")
    assert line.endswith(" that they run (1): （请看一下）今天 2 场：已约 5 / 5，候补 2")
    lin = cast.people["林晓"]
    said = dry_run(app, "--for", "worker")
    assert "worker digest of cbd, 2026-11-24 08:30: 6 get one, 0 get none\n" in said
    why = "a seat today (1); a place in line (1); slots that open today (2)"
    assert f"{lin} person{lin}@example.com gets one, because of {why}: 今天 12:10 白领瑜伽课堂\n" in said
    assert "    【今天的预约】白领瑜伽课堂\n" in dry_run(app, "--for", "worker", "--whole")
    assert session.scalar(select(func.count(Letter.id)).where(Letter.kind.like("%digest"))) == 0


def test_the_command_tells_who_gets_none_and_who_has_it_already(app: Flask, cast: Letters, session: Session) -> None:
    with transactions.transaction(session):
        subscriptions.want(session, cast.people["周明"], "worker_digest", at("08:00"), wanted=False)
    write(session, "worker", "08:30")
    said = dry_run(app, "--for", "worker", clock="09:00")
    assert f"{cast.people['周明']} person{cast.people['周明']}@example.com gets none: switched off\n" in said
    assert said.count(" has it already, because of ") == 5


def test_the_command_only_looks(app: Flask, cast: Letters) -> None:
    assert app.test_cli_runner().invoke(args=["digest", "--for", "manager", "--station", "cbd"]).exit_code == 2
