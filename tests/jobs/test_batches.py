"""Batches: many slots in one transaction: the same rules as for one, and one failing row delays no other."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from booking import invariants, jobs, seats
from booking.db import transactions
from booking.jobs import backpressure, batches, schedule
from booking.jobs.batches import BatchRunner, Turn
from booking.mail import outbox
from booking.model import Booking, Event, Letter, SetAside, Slot, Strike
from tests.support.lunch_hour import LunchHour, at, tick
from tests.support.statements import heard

EARLY = "Mon 10:00"


class Noon(LunchHour):
    """With a second slot at the same hour, and one at another station."""

    def __init__(self, session: Session, **options: Any) -> None:
        super().__init__(session, **options)
        self.beside = self.slot()
        self.west = self.slot(station_id=self.other_station(warning_days=1))


@pytest.fixture
def noon(session: Session) -> Noon:
    """Two slots at one hour and one at another station, two people in each; 周明 is checked in, 王磊 is on standby."""
    lunch = Noon(session, capacity=2)
    for who, slot_id in (
        ("周明", lunch.slot_id),
        ("李静", lunch.slot_id),
        ("陈晨", lunch.beside),
        ("刘洋", lunch.beside),
    ):
        lunch.book(who, EARLY, slot_id)
    for who in ("赵敏", "孙悦"):
        lunch.book(who, EARLY, lunch.west)
    lunch.check_in("周明", "12:00")
    lunch.stand_by("王磊", "12:01")
    for slot_id in (lunch.beside, lunch.west):
        lunch.roll_call("12:02", slot_id)
    tick(session, at("12:10"))
    return lunch


def release(lunch: Noon, clock: str = "12:15") -> int:
    with transactions.transaction(lunch.session) as session:
        return seats.release(session, [lunch.slot_id, lunch.beside, lunch.west], at(clock))


def struck(lunch: LunchHour, who: str, station_id: int, when: datetime) -> None:
    """An earlier no-show of that person at that station."""
    with transactions.transaction(lunch.session) as session:
        slot = session.get_one(Slot, lunch.slot_id)
        old = Booking(slot_id=slot.id, station_id=station_id, person_id=lunch.people[who], state="released")
        old.created_at = old.seated_at = old.ended_at = when
        session.add(old)
        session.flush()
        about = {"person_id": old.person_id, "station_id": station_id, "slot_id": slot.id, "booking_id": old.id}
        session.add(Strike(at=when, reason="no_show", **about))


def test_every_slot_of_a_batch_is_released_by_the_rules(noon: Noon) -> None:
    assert release(noon) == 5
    assert noon.states("周明", "李静", "王磊") == ["attended", "released", "attended"]
    assert noon.states("陈晨", "刘洋", slot_id=noon.beside) == ["released", "released"]
    assert [noon.now(slot).taken for slot in (noon.slot_id, noon.beside, noon.west)] == [2, 0, 0]
    assert invariants.breaches(noon.session, at("12:15")) == []


def test_each_no_show_has_two_lines_of_history_a_strike_and_a_letter(noon: Noon) -> None:
    release(noon)
    for who, slot_id in (("李静", noon.slot_id), ("陈晨", noon.beside), ("孙悦", noon.west)):
        booking = noon.latest(who, slot_id)
        told = select(Event.kind, Event.before, Event.after, Event.reason, Event.station_id, Event.person_id)
        lines = noon.session.execute(told.where(Event.booking_id == booking.id).order_by(Event.id)).all()
        about = (booking.station_id, booking.person_id)
        assert [tuple(line) for line in lines[-2:]] == [
            ("released", "booked", "released", None, *about),
            ("strike", None, None, "no_show", *about),
        ]
        assert noon.strikes(who) == ["no_show"]
        assert noon.letters(who)[-1] == "strike"
    letters = noon.session.scalars(select(Letter).where(Letter.kind == "strike")).all()
    assert {letter.details["reason"] for letter in letters} == {"no_show"}
    assert len({letter.message_id for letter in letters}) == 5


def test_a_batch_is_idempotent(noon: Noon) -> None:
    release(noon)
    assert release(noon, "12:16") == 0
    assert len(noon.session.scalars(select(Strike)).all()) == 5


def test_a_first_strike_is_a_warning_by_each_stations_own_numbers(noon: Noon) -> None:
    struck(noon, "陈晨", noon.station_id, at(EARLY) - timedelta(days=7))
    struck(noon, "孙悦", noon.session.get_one(Slot, noon.west).station_id, at(EARLY) - timedelta(days=7))
    release(noon)
    told = select(Letter.person_id, Letter.details).where(Letter.kind == "strike")
    warned = {person_id: details["warning"] for person_id, details in noon.session.execute(told)}
    assert [warned[noon.people[who]] for who in ("李静", "陈晨", "孙悦")] == [True, False, True]


def test_of_two_strikes_in_one_batch_only_the_first_is_a_warning(session: Session) -> None:
    lunch = LunchHour(session)
    for slot_id, clock in ((lunch.slot_id, "11:30"), (lunch.slot(), "11:40")):
        assert lunch.book("周明", EARLY if clock == "11:30" else "11:31", slot_id) == "booked"
        assert lunch.give_up("周明", clock, slot_id) == "cancelled"
    tick(session, at("12:10"))
    tick(session, at("13:00"))
    told = session.scalars(select(Letter).where(Letter.kind == "strike").order_by(Letter.id)).all()
    assert lunch.strikes("周明") == ["late_cancel", "late_cancel"]
    assert sorted(letter.details["warning"] for letter in told) == [False, True]


def test_one_bad_booking_keeps_only_its_own_slot_from_its_release(app: Flask, noon: Noon) -> None:
    booking = noon.latest("陈晨", noon.beside)
    about = {"person_id": booking.person_id, "station_id": booking.station_id, "slot_id": noon.beside}
    with transactions.transaction(noon.session) as session:  # its strike is there already: the database refuses another
        session.add(Strike(at=at("12:00"), reason="no_show", booking_id=booking.id, **about))
    with app.app_context():
        told = {ran.name: ran for ran in jobs.tick(at("12:15"))}["release_no_shows"]
    assert told.did == 3
    assert told.error.startswith(f"{noon.beside}: IntegrityError")
    assert noon.states("陈晨", "刘洋", slot_id=noon.beside) == ["booked", "booked"]
    assert noon.states("赵敏", "孙悦", slot_id=noon.west) == ["released", "released"]
    assert noon.session.scalars(select(SetAside.row_id)).all() == [noon.beside]


def test_seats_that_nobody_waits_for_are_released_by_few_statements(session: Session, engine: Engine) -> None:
    lunch = Noon(session, capacity=2)
    for who, slot_id in (
        ("周明", lunch.slot_id),
        ("李静", lunch.slot_id),
        ("陈晨", lunch.beside),
        ("赵敏", lunch.west),
    ):
        lunch.book(who, EARLY, slot_id)
    for slot_id in (lunch.slot_id, lunch.beside, lunch.west):
        lunch.roll_call("12:02", slot_id)
    tick(session, at("12:10"))
    with heard(engine) as sent:
        assert release(lunch) == 4
    by_one = engine.dialect.name == "postgresql"
    writes_and_reads = [one for one in sent if one.text.split()[0] in ("SELECT", "INSERT", "UPDATE", "WITH")]
    assert len(writes_and_reads) == (8 if by_one else 12)
    assert invariants.breaches(session, at("12:15")) == []


# Batch sizes


class Machine:
    """A clock, and a verb that takes so many seconds for each row."""

    def __init__(self, a_row: float) -> None:
        self.now, self.a_row, self.chunks = 0.0, a_row, list[int]()

    def __call__(self) -> float:
        return self.now

    def verb(self, _session: Session, ids: Collection[int], _now: datetime) -> int:
        self.now += self.a_row * len(ids)
        self.chunks.append(len(ids))
        return len(ids)


@pytest.mark.parametrize("a_row", [0.0001, 0.001, 0.004, 0.3])
def test_a_transaction_takes_as_many_rows_as_fit_into_its_time(
    app: Flask, monkeypatch: pytest.MonkeyPatch, a_row: float
) -> None:
    machine = Machine(a_row)
    monkeypatch.setattr(batches, "perf_counter", machine)
    with app.app_context():
        assert BatchRunner(Turn(at("12:15")), "open_slots").chunks(range(1, 501), machine.verb).result() == 500
    assert sum(machine.chunks) == 500
    most = max(machine.chunks[1:])
    assert most == 1 or most * a_row <= batches.LOCKS_FOR
    assert len(machine.chunks) <= 500 / min(500, max(1, batches.LOCKS_FOR / a_row)) + 6


def test_where_the_transaction_costs_more_than_its_rows_it_does_not_shrink_to_one(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(0.004)

    def busy(session: Session, ids: Collection[int], now: datetime) -> int:
        machine.now += 0.15
        return machine.verb(session, ids, now)

    monkeypatch.setattr(batches, "perf_counter", machine)
    with app.app_context():
        assert BatchRunner(Turn(at("12:15")), "release_no_shows").chunks(range(1, 501), busy).result() == 500
    assert set(machine.chunks[2:-1]) == {batches.FIRST}


@pytest.mark.parametrize(
    ("gentle", "crowded", "took"), [(True, True, 0.5 * (1 + backpressure.REST)), (True, False, 0.5), (False, True, 0.5)]
)
def test_a_gentle_job_pauses_several_seconds_for_each_second_of_work(
    app: Flask, monkeypatch: pytest.MonkeyPatch, gentle: bool, crowded: bool, took: float
) -> None:
    machine = Machine(0.001)
    monkeypatch.setattr(batches, "perf_counter", machine)
    monkeypatch.setattr(backpressure, "perf_counter", machine)
    monkeypatch.setattr(backpressure, "waited", lambda: machine.now if crowded else 0.0)
    monkeypatch.setattr(backpressure, "sleep", lambda seconds: setattr(machine, "now", machine.now + seconds))
    with app.app_context():
        work = BatchRunner(Turn(at("12:15")), "release_no_shows", gentle)
        assert work.chunks(range(1, 501), machine.verb).result() == 500
    assert machine.now == pytest.approx(took, rel=0.1)


def test_a_gentle_job_with_a_limit_spreads_its_pauses_over_that_time(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(0.001)
    monkeypatch.setattr(batches, "perf_counter", machine)
    monkeypatch.setattr(backpressure, "perf_counter", machine)
    monkeypatch.setattr(backpressure, "waited", lambda: machine.now)
    monkeypatch.setattr(backpressure, "sleep", lambda seconds: setattr(machine, "now", machine.now + seconds))
    with app.app_context():
        work = BatchRunner(Turn(at("12:15")), "apply_policy", gentle=True, within=2)
        assert work.chunks(range(1, 501), machine.verb).result() == 500
    assert machine.now == pytest.approx(2, rel=0.1)


def test_looking_up_what_to_do_locks_nothing_and_makes_no_batch_smaller(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(0.0001)
    monkeypatch.setattr(batches, "perf_counter", machine)

    def look(session: Session, ids: Sequence[int], _now: datetime) -> Sequence[int]:
        assert not session.info.get("writes")
        machine.now += 3
        return ids

    with app.app_context():
        assert BatchRunner(Turn(at("12:15")), "open_slots").chunks(range(1, 501), machine.verb, look).result() == 500
    assert max(machine.chunks) > 100


def pressure(path: Path, waited: int) -> None:
    path.write_text(f"some avg10=0.00 avg60=0.00 avg300=0.00 total={waited}\nfull avg10=0.00 total=0\n")


@pytest.mark.parametrize(("waited", "rests"), [(0, False), (90_000, False), (900_000, True)])
def test_a_gentle_job_pauses_when_others_wait_for_a_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waited: int, rests: bool
) -> None:
    clock = Machine(1)
    monkeypatch.setattr(backpressure, "PRESSURE", tmp_path / "cpu")
    monkeypatch.setattr(backpressure, "perf_counter", clock)
    monkeypatch.setattr(backpressure, "sleep", lambda seconds: setattr(clock, "now", clock.now + seconds))
    pressure(tmp_path / "cpu", 0)
    mine = backpressure.Backpressure(lambda: False)
    clock.now = 1.0
    pressure(tmp_path / "cpu", waited)
    mine.give_way(0.05)
    assert clock.now == pytest.approx(1 + 0.05 * backpressure.REST if rests else 1)


@pytest.mark.one_database
@pytest.mark.parametrize("letters_a_round", [{"at_once": 20, "digests": 500}])
@pytest.mark.parametrize("kinds", ["at_once", "digests"])
@pytest.mark.parametrize(("crowded", "a_letter"), [(False, 0.002), (True, 0.002), (True, 0.5)])
def test_sending_letters_slows_down_under_load_but_never_stops(
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    letters_a_round: dict[str, int],
    kinds: str,
    crowded: bool,
    a_letter: float,
) -> None:
    clock, sizes, left = Machine(1), list[int](), [2_000]

    def deliver(*_: Any) -> outbox.Delivery:
        sizes.append(min(left[0], _[-1]))
        left[0] -= sizes[-1]
        clock.now += sizes[-1] * a_letter
        return outbox.Delivery(claimed=sizes[-1], sent=sizes[-1])

    monkeypatch.setattr(schedule, "_round", deliver)
    monkeypatch.setattr(schedule, "perf_counter", clock)
    monkeypatch.setattr(backpressure, "perf_counter", clock)
    monkeypatch.setattr(backpressure, "waited", lambda: clock.now if crowded else 0.0)
    monkeypatch.setattr(backpressure, "sleep", lambda seconds: setattr(clock, "now", clock.now + seconds))
    with app.app_context():
        assert schedule._deliver(Turn(at("12:15")), kinds, outbox.AT_ONCE) == 2_000
    work = 2_000 * a_letter
    assert clock.now - work == pytest.approx(min(backpressure.REST * work, 2_000 / schedule.AT_LEAST) if crowded else 0)
    assert sizes[0] == letters_a_round[kinds]
    assert set(sizes[1:-1]) == {schedule.IN_A_CROWD if crowded else letters_a_round[kinds]}


def test_without_pressure_figures_the_load_average_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backpressure, "PRESSURE", tmp_path / "none")
    monkeypatch.setattr(backpressure.os, "getloadavg", lambda: (64.0, 1.0, 1.0))
    monkeypatch.setattr(backpressure.os, "cpu_count", lambda: 2)
    assert backpressure.waited() is None
    assert backpressure.crowded() == 31


def test_chunks_worked_on_side_by_side_are_each_done_once_and_counted(app: Flask) -> None:
    """On SQLite one after the other, on PostgreSQL two at a time; what fails stops no other."""
    done: list[int] = []

    def verb(_session: object, rows: Sequence[int], _now: datetime) -> int:
        if 7 in rows:
            raise ValueError("a row that cannot be done")
        done.extend(rows)
        return len(rows)

    with app.app_context():
        work = BatchRunner(Turn(at("12:00")), "run_draws").chunks(range(1, 41), verb, side_by_side=2)
        with pytest.raises(batches.PartlyDone, match="7: ValueError") as told:
            work.result()
    assert (sorted(done), told.value.did) == ([n for n in range(1, 41) if n != 7], 39)
