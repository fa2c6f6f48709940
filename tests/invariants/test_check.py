"""`flask check`: a lunch hour that was lived by the rules has no breach, and a planted one of each is found."""

from collections.abc import Callable
from datetime import time
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from booking import invariants, people, seats, services, slots
from booking.db import transactions
from booking.model import Digest, Letter, Plan, Slot, Station, Zone
from booking.policy import Policy
from tests.support.lunch_hour import LONG_BEFORE, TUESDAY, LunchHour, at, make_manager

OPEN = "Mon 10:00"
# What an act may break that a later one hides; keys, indexes and letters stay broken.
AT_EVERY_STEP = [one for one in invariants.CHECKS if one.__name__ not in ("schema", "integrity", "letters")]


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """周明 and 李静 (bookings 1 and 2 of slot 1) sit, 王磊 and 陈晨 (3 and 4) wait."""
    lunch = LunchHour(session)
    for who in ("周明", "李静", "王磊", "陈晨"):
        lunch.book(who, OPEN)
    return lunch


def breaches(lunch: LunchHour, now: str = "Mon 11:00") -> list[str]:
    return invariants.breaches(lunch.session, at(now))


def plant(lunch: LunchHour, statements: str, without: str = "") -> None:
    """Write what no verb would write; `without` names the index (or table: constraint) in the way."""
    lunch.session.rollback()
    engine = lunch.session.get_bind()
    with engine.connect() as connection:  # type: ignore[union-attr]
        if engine.dialect.name == "sqlite":  # outside of a transaction, or it is ignored
            connection.connection.driver_connection.execute("PRAGMA foreign_keys = OFF")
            connection.connection.driver_connection.execute("PRAGMA ignore_check_constraints = ON")
        table, _, name = without.partition(": ")
        if not name and without:
            connection.exec_driver_sql(f"DROP INDEX {without}")
        elif name and engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for statement in statements.split("; "):
            connection.execute(text(statement))
        connection.commit()
        connection.invalidate()  # its pragmas must not reach anybody else


PLANTED: dict[str, list[tuple[str, str, str]]] = {
    "I1 counters": [
        ("UPDATE slot SET taken = 1", "", "I1 slot 1: taken 1 but 2 bookings hold a seat"),
        ("UPDATE slot SET waiting = 3", "", "I1 slot 1: waiting 3 but 2 entries wait"),
        ("UPDATE slot SET capacity = 1, taken = 2", "slot: ck_slot_taken", "I1 slot 1: taken 2 of 1"),
    ],
    "I2 two live bookings": [
        ("UPDATE booking SET person_id = 1 WHERE id = 2", "uq_booking_live",
         "I2 person 1: more than one live booking of slot 1"),
    ],
    "I3 a promise": [
        ("DELETE FROM event WHERE booking_id = 2", "",
         "I3 letter 2: confirmed to person 2 for slot 1, but the history has none"),
        ("UPDATE letter SET booking_id = NULL WHERE id = 1", "",
         "I3 letter 1: confirmed to person 1 for slot 1, but the history has none"),
    ],
    "I4 openings": [
        (("INSERT INTO event (at, kind, station_id, slot_id, before, after, details)"
         " SELECT at, 'opened', 1, 1, 'planned', 'planned', '{}' FROM event WHERE id IN (2, 3)"), "",
         "I4 slot 1: opened more than once"),
        ("UPDATE event SET at = '2026-11-16 01:00:00.000000+00:00' WHERE kind = 'opened'", "",
         "I4 slot 1: opened before its hour"),
        ("UPDATE booking SET created_at = '2026-11-23 01:59:59.999999+00:00' WHERE id = 3", "",
         "I4 slot 1: booking 3 is older than the opening"),
    ],
    "I6 the line": [
        # 陈晨 gets a seat, and 王磊, who came before, does not.
        (("UPDATE slot SET capacity = 3, taken = 3, waiting = 1;"
         " UPDATE booking SET state = 'booked', via = 'line', seated_at = created_at WHERE id = 4;"
         " INSERT INTO event (at, kind, station_id, slot_id, booking_id, person_id, before, after, details)"
         " SELECT at, 'promoted', 1, 1, 4, 4, 'waiting', 'booked', '{}' FROM event WHERE booking_id = 4"), "",
         "I6 slot 1: booking 4 was seated past booking 3 (event 6)"),
        ("UPDATE slot SET capacity = 4", "", "I6 slot 1: a seat is free and booking 3 waits"),
    ],
    "I7 history": [
        ("UPDATE booking SET state = 'attended', checked_in_at = created_at WHERE id = 1", "",
         "I7 booking 1 of slot 1: attended, its history says booked"),
        ("UPDATE event SET before = 'waiting' WHERE booking_id = 2", "",
         "I7 slot 1: event 3 does not follow the one before it"),
        ("UPDATE slot SET state = 'open'", "", "I7 slot 1: it is open, its history says planned"),
        ("UPDATE slot SET capacity = 7", "", "I7 slot 1: capacity 7, its history says 2"),
        ("DELETE FROM event WHERE booking_id = 4", "",
         "I7 booking 4 of slot 1: waiting, its history says nothing"),
        ("INSERT INTO suppression (person_id, kind, since, reply) VALUES (1, 'hard', '2026-11-23 01:00:00.000000+00:00', '')", "",
         "I7 person 1: mail to them is stopped, their history does not say so"),
        (("INSERT INTO event (at, kind, person_id, details)"
         " VALUES ('2026-11-23 01:00:00.000000+00:00', 'mail_stopped', 2, '{}')"), "",
         "I7 person 2: mail to them is not stopped, their history says so"),
    ],
    "I8 releases": [
        ("UPDATE booking SET state = 'released', ended_at = '2026-11-24 04:14:59.999999+00:00' WHERE id = 1", "",
         "I8 slot 1: booking 1 was released before the deadline"),
        (("INSERT INTO event (at, kind, station_id, slot_id, booking_id, person_id, before, after, details)"
         " SELECT at, 'released', 1, 1, 2, 2, 'attended', 'released', '{}' FROM event WHERE id = 2"), "",
         "I8 slot 1: booking 2 was released after its check-in"),
        (("UPDATE booking SET state = 'attended', checked_in_at = created_at WHERE id = 2;"
         " INSERT INTO strike (id, person_id, station_id, slot_id, booking_id, at, reason, forgive_reason)"
         " SELECT 1, 2, 1, 1, 2, at, 'no_show', '' FROM event WHERE id = 2"), "",
         "I8 booking 2: strike 1 for somebody who was there"),
        ("UPDATE slot SET unattended = true, released_at = starts_at", "",
         "I8 slot 1: released though nobody took attendance"),
        ("UPDATE booking SET state = 'unrecorded' WHERE id = 1", "",
         "I8 slot 1: booking 1 is unrecorded though the manager could still say"),
        ("UPDATE booking SET state = 'unrecorded', checked_in_at = NULL, ended_at = created_at WHERE id = 2", "",
         "I8 booking 2: strike 1 for an unrecorded booking"),
        ("UPDATE slot SET state = 'done'; UPDATE booking SET state = 'booked', ended_at = NULL WHERE id = 1", "",
         "I8 slot 1: it is done, but booking 1 is still live"),
    ],
    "I10 hands": [
        ("UPDATE event SET actor_id = 3 WHERE id = 2", "",
         "I10 event 2: booked at station 1 by person 3, a stranger there"),
        ("UPDATE event SET actor_id = 4 WHERE id = 1", "",
         "I10 event 1: planned at station 1 by person 4, a stranger there"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("invariant", PLANTED)
def test_a_planted_breach_is_reported(lunch: LunchHour, invariant: str) -> None:
    before = breaches(lunch)
    assert before == []
    for statements, without, told in PLANTED[invariant]:
        plant(lunch, statements.replace(";  ", "; "), without)
        after = breaches(lunch)
        assert told in after
        assert told not in before
        before = after


def test_i2_two_seats_on_one_day_and_at_one_hour(lunch: LunchHour) -> None:
    west = lunch.other_station()
    later, there = lunch.slot("13:10"), lunch.slot("12:59", station_id=west)
    for who, slot_id in (("刘洋", later), ("赵敏", there)):
        lunch.book(who, OPEN, slot_id)
    assert breaches(lunch) == []
    plant(lunch, f"UPDATE booking SET person_id = 1 WHERE slot_id IN ({later}, {there})")
    assert [line for line in breaches(lunch) if line.startswith("I2")] == [
        "I2 person 1: 2 seats at station 1 on 2026-11-24",
        f"I2 person 1: slot {there} overlaps another seat of theirs",
        f"I2 person 1: slot {later} overlaps another seat of theirs",
    ]


def test_i2_three_places_in_line(lunch: LunchHour) -> None:
    second, third = lunch.slot("13:10", 1), lunch.slot("14:10", 1)
    for who, waiter, slot_id in (("刘洋", "王磊", second), ("赵敏", "孙悦", third)):
        lunch.book(who, OPEN, slot_id)
        lunch.book(waiter, OPEN, slot_id)
    assert breaches(lunch) == []
    plant(lunch, f"UPDATE booking SET person_id = 3 WHERE slot_id = {third} AND state = 'waiting'")
    assert "I2 person 3: 3 places in line" in breaches(lunch)


def test_i2_a_number_that_was_lowered_later_makes_no_breach(session: Session) -> None:
    lunch = LunchHour(session, seats_a_day=2)
    lunch.book("周明", OPEN)
    lunch.book("周明", OPEN, lunch.slot("13:10"))
    with transactions.transaction(session):
        station = session.get_one(Station, lunch.station_id)
        slots.set_policy(session, station, Policy(seats_a_day=1), at("Mon 10:30"), lunch.manager_id)
    assert breaches(lunch) == []


def test_i4_each_date_of_a_plan_has_exactly_one_slot(lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        zone = Zone(station_id=lunch.station_id, name="茶室", capacity=20)
        session.add(zone)
        session.flush()
        activity = session.get_one(Slot, lunch.slot_id).activity_id
        plan = Plan(
            station_id=lunch.station_id, activity_id=activity, zone_id=zone.id, weekdays="12345",
            starts=time(15, 0), minutes=50, capacity=9, valid_from=TUESDAY,
        )  # fmt: skip
        slots.save_plan(session, plan, LONG_BEFORE)
        plan_id = plan.id
    tuesday, wednesday = f"plan_id = {plan_id} AND date = '2026-11-24'", f"plan_id = {plan_id} AND date = '2026-11-25'"
    assert breaches(lunch) == []
    plant(lunch, f"DELETE FROM event WHERE plan_id = {plan_id}; DELETE FROM slot WHERE {tuesday}")
    assert f"I4 plan {plan_id}: nothing opened for 2026-11-24" in breaches(lunch)
    plant(lunch, f"UPDATE slot SET date = '2026-11-24' WHERE {wednesday}")
    plant(lunch, "UPDATE slot SET date = '2026-11-24' WHERE date = '2026-11-26'", "uq_slot_plan_date")
    assert f"I4 plan {plan_id}: 2 slots on 2026-11-24" in breaches(lunch)


def test_i5_two_digests_and_a_letter_that_hangs(lunch: LunchHour) -> None:
    session = lunch.session
    plant(lunch, "SELECT 1", "digest: uq_digest_person_id_kind_date")
    session.add(Digest(person_id=1, kind="worker", date=TUESDAY, written_at=at("08:30")))
    stuck = {"state": "sending", "message_id": "m", "created_at": at("08:30"), "next_try_at": at("08:30")}
    session.add(Letter(kind="digest", person_id=1, claimed_at=at("08:30"), **stuck))
    session.commit()
    letter_id = session.query(Letter).filter_by(message_id="m").one().id
    rows = [line for line in breaches(lunch, "08:40") if not line.startswith("I9")]
    assert rows == []
    rows = [line for line in breaches(lunch, "08:40:00.000001") if not line.startswith("I9")]
    assert rows == [f"I5 letter {letter_id}: stuck in sending"]
    plant(lunch, "CREATE TABLE spare AS SELECT * FROM digest")
    if session.get_bind().dialect.name == "sqlite":  # a constraint cannot be dropped there, a table can
        plant(lunch, "DROP TABLE digest; ALTER TABLE spare RENAME TO digest")
    plant(lunch, "INSERT INTO digest (id, person_id, kind, date, written_at)"
                 " SELECT 9, person_id, kind, date, written_at FROM digest")  # fmt: skip
    assert "I5 person 1: more than one worker digest of 2026-11-24" in breaches(lunch, "08:40")


def test_i6_who_was_passed_by_for_a_reason_is_no_breach(lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        people.disable(session, lunch.people["王磊"], at(OPEN), lunch.manager_id)
    lunch.give_up("周明", "Mon 10:30")
    assert lunch.states("王磊", "陈晨") == ["waiting", "booked"]
    assert breaches(lunch) == []
    lunch.give_up("李静", "Mon 10:30")  # a seat is free, and only he waits
    assert breaches(lunch) == []
    plant(lunch, "DELETE FROM event WHERE kind = 'skipped'")
    assert "I6 slot 1: booking 4 was seated past booking 3 (event 9)" in breaches(lunch)


ROW = "slots", "seats", "visits", "expected", "no_shows", "walk_ins", "late_cancels", "turned_away", "entries"


def test_i15_a_tampered_row_of_numbers(lunch: LunchHour) -> None:
    lunch.check_in("周明", "12:05")
    for clock in ("12:10", "12:15", "13:00"):
        lunch.tick(clock)
    assert breaches(lunch, "13:01") == []
    for name in ROW[:-1]:
        plant(lunch, f"UPDATE station_day SET {name} = {name} + 1")
        (told,) = breaches(lunch, "13:01")
        assert told.startswith(f"I15 station 1: {name} of 2026-11-24 is ")
        plant(lunch, f"UPDATE station_day SET {name} = {name} - 1")
    plant(lunch, "UPDATE station_day SET entries = 1")
    assert breaches(lunch, "13:01") == []  # a draw may still be decided
    plant(lunch, "UPDATE station_day SET final = true")
    assert breaches(lunch, "13:01") == ["I15 station 1: entries of 2026-11-24 is 1, the bookings say 0"]


def test_i15_a_row_of_before_the_upgrade_waits_for_the_job(lunch: LunchHour) -> None:
    row = "(date, station_id, slots, seats, visits, expected, no_shows)"
    plant(lunch, f"INSERT INTO station_day {row} VALUES ('2026-11-20', 1, 7, 0, 0, 0, 0)")
    assert breaches(lunch) == []


def test_i6_standby_is_a_line_too(lunch: LunchHour) -> None:
    for who, clock in (("孙悦", "12:00"), ("吴桐", "12:01")):
        lunch.stand_by(who, clock)
    lunch.tick("12:10")
    lunch.tick("12:15")
    assert lunch.states("孙悦", "吴桐") == ["attended", "attended"]
    assert breaches(lunch, "12:20") == []
    first, second = lunch.latest("孙悦").id, lunch.latest("吴桐").id
    line = f"I6 slot 1: booking {second} was seated past booking {first}"
    plant(lunch, f"DELETE FROM event WHERE booking_id = {first} AND kind IN ('walked_in', 'checked_in')")
    assert any(told.startswith(line) for told in breaches(lunch, "12:20"))


def test_i9_wishes_belong_to_one_station(lunch: LunchHour) -> None:
    west, me, when = lunch.other_station(), lunch.people["周明"], at("Mon 12:30")
    here, other = (services.make_wish(lunch.session, lunch.station_id, me, text, "art", None, when) for text in "甲乙")
    there = services.make_wish(lunch.session, west, me, "丙", "art", None, when)
    services.hold_wish(lunch.session, here.id, lunch.slot_id, "", when, lunch.manager_id)
    assert breaches(lunch) == []
    plant(lunch, f"UPDATE activity_wish SET station_id = {west}, text_key = 'x' WHERE id = {here.id}")
    assert f"I9 activity_wish {here.id}: its slot is of another station" in breaches(lunch)
    merged = f"state = 'merged', merged_into = {there.id}, ended_at = created_at"
    plant(lunch, f"UPDATE activity_wish SET {merged} WHERE id = {other.id}")
    assert f"I9 activity_wish {other.id}: it was merged where it cannot be" in breaches(lunch)


def test_i9_keys_that_lead_nowhere_and_stations_mixed(lunch: LunchHour) -> None:
    lunch.other_station()
    assert breaches(lunch) == []
    plant(lunch, "UPDATE slot SET activity_id = (SELECT max(id) FROM activity)")
    assert "I9 slot 1: its activity is of another station" in breaches(lunch)
    plant(lunch, "UPDATE booking SET station_id = 2 WHERE id = 1")
    assert "I9 booking 1: its slot is of another station" in breaches(lunch)
    plant(lunch, "UPDATE letter SET booking_id = 4711 WHERE id = 1", "letter: fk_letter_booking_id")
    told = {"sqlite": "I9 letter row 1: its booking does not exist",
            "postgresql": "I9 letter.booking_id: 1 rows lead to no booking"}  # fmt: skip
    assert told[lunch.session.get_bind().dialect.name] in breaches(lunch)


# What a migration may lose: how, on SQLite and on PostgreSQL, and what is told of it.
IN_SCHEMA = "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, '{}', '{}')"
LOST = [
    (
        "DROP TRIGGER zone_overlap_update",
        "ALTER TABLE slot DROP CONSTRAINT zone_overlap",
        "the database lacks zone_overlap",
    ),
    ("DROP INDEX ix_plan_station_id", "DROP INDEX ix_plan_station_id", "the database lacks ix_plan_station_id"),
    (
        IN_SCHEMA.format("CONSTRAINT ck_plan_minutes CHECK (minutes BETWEEN 10 AND 480),", ""),
        "ALTER TABLE plan DROP CONSTRAINT ck_plan_minutes",
        "the database lacks ck_plan_minutes",
    ),
    (
        IN_SCHEMA.format("CONSTRAINT fk_plan_zone_id FOREIGN", "FOREIGN"),
        "ALTER TABLE plan DROP CONSTRAINT fk_plan_zone_id",
        "the database lacks fk_plan_zone_id",
    ),
    (
        "DROP INDEX ix_slot_to_open; CREATE INDEX ix_slot_to_open ON slot (opens_at)",
        "DROP INDEX ix_slot_to_open; CREATE INDEX ix_slot_to_open ON slot (opens_at)",
        "the index ix_slot_to_open has lost its WHERE",
    ),
]


@pytest.mark.parametrize(("on_sqlite", "on_postgresql", "told"), LOST, ids=[told for _, _, told in LOST])
def test_i9_a_wall_that_a_migration_lost(session: Session, on_sqlite: str, on_postgresql: str, told: str) -> None:
    assert invariants.breaches(session, at("12:30")) == []
    engine = session.get_bind()
    with engine.connect() as connection:  # type: ignore[union-attr]
        for statement in (on_sqlite if engine.dialect.name == "sqlite" else on_postgresql).split("; "):
            connection.exec_driver_sql(statement)
        connection.commit()
        connection.invalidate()
    lost = invariants.breaches(session, at("12:30"))
    assert [line.startswith(f"I9 {told}") for line in lost] == [True]


def test_i9_two_slots_in_one_zone(lunch: LunchHour) -> None:
    there = lunch.slot("12:59")
    moved = "UPDATE slot SET zone_id = 1"
    if lunch.session.get_bind().dialect.name == "sqlite":
        names = lunch.session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all()
        moved = "; ".join([*(f"DROP TRIGGER {name}" for name in names), moved])
    plant(lunch, moved, "slot: zone_overlap")
    assert f"I9 slot {there}: overlaps another in zone 1" in breaches(lunch)


def test_i10_managers_then_and_now(lunch: LunchHour) -> None:
    """Who is dismissed did what they did; another station's manager did not."""
    with transactions.transaction(lunch.session) as session:
        other = make_manager(session, 1, "魏经理")
    with transactions.transaction(lunch.session) as session:
        slots.set_capacity(session, 1, 2, at("Mon 10:10"), other)
        slots.set_capacity(session, 1, 4, at("Mon 10:11"), other)
        people.dismiss(session, other, 1, at("Mon 10:20"), lunch.manager_id)
    assert breaches(lunch) == []
    with transactions.transaction(lunch.session) as session:
        slots.set_capacity(session, 1, 5, at("Mon 10:30"), other)
    assert [line.partition(": ")[2] for line in breaches(lunch)] == [
        f"capacity at station 1 by person {other}, a stranger there"
    ]
    with transactions.transaction(lunch.session) as session:
        people.appoint(session, other, 1, at("Mon 10:40"))
        slots.set_capacity(session, 1, 6, at("Mon 10:50"), other)
    assert len(breaches(lunch)) == 1


def test_a_lunch_hour_by_the_rules_has_no_breach(lunch: LunchHour) -> None:
    acts: tuple[Callable[[], Any], ...] = (
        lambda: lunch.tick(OPEN), lambda: lunch.resize(1, "Mon 11:00", move_newest=True),
        lambda: lunch.resize(3, "Mon 11:01"), lambda: lunch.give_up("李静", "11:20"), lambda: lunch.book("刘洋", "11:21"),
        lambda: lunch.stand_by("刘洋", "11:56"), lambda: lunch.stand_by("赵敏", "11:57"),
        lambda: lunch.check_in("周明", "11:58"), lambda: lunch.undo("周明", "11:59"), lambda: lunch.tick("12:10"),
        lambda: lunch.tick("12:15"), lambda: lunch.walk_in("周明", "12:20"), lambda: lunch.stand_by("孙悦", "12:20"),
        lambda: lunch.undo("刘洋", "12:21"), lambda: lunch.tick("13:00"),
    )  # fmt: skip
    for act in acts:
        assert not str(act()).startswith("no:")
        assert invariants.breaches(lunch.session, at("12:30"), AT_EVERY_STEP) == []
    assert breaches(lunch, "12:30") == []


def test_an_account_deleted_at_noon_leaves_no_breach(lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        people.delete_account(session, lunch.people["周明"], at("11:00"))
    assert lunch.state("王磊") == "booked"
    assert breaches(lunch, "11:30") == []


def test_an_empty_database_has_no_breach(session: Session) -> None:
    assert invariants.breaches(session, at("12:30")) == []


def test_people_go_on_booking_while_it_looks(lunch: LunchHour) -> None:
    """Counters read before a booking and history read after it are no breach."""
    real = invariants.capacity.claims

    def claims(session: Session, now: Any) -> Any:
        with Session(lunch.session.get_bind()) as other, transactions.transaction(other):
            seats.give_up(other, 1, at("Mon 10:30"))
        return real(session, now)

    checks = (invariants.capacity.seats, claims, invariants.replay.replays)
    assert invariants.breaches(lunch.session, at("Mon 11:00"), checks) == []
    assert lunch.state("周明") == "cancelled"


def test_the_command_prints_one_line_a_breach_and_exits_1(lunch: LunchHour, app: Flask) -> None:
    with time_machine.travel(at("Mon 11:00"), tick=False):
        clean = app.test_cli_runner().invoke(args=["check"])
        plant(lunch, "UPDATE slot SET waiting = 3")
        broken = app.test_cli_runner().invoke(args=["check"])
    assert (clean.exit_code, clean.stdout) == (0, "")
    assert (broken.exit_code, broken.stdout) == (1, "I1 slot 1: waiting 3 but 2 entries wait\n")
