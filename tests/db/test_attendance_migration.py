"""Attendance migration in a database with data: it changes CHECKs, and keeps everything else."""

import re
from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import Engine, MetaData, Table, create_engine, inspect, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from booking.model import Base
from tests.support import databases
from tests.support.lunch_hour import LunchHour

BEFORE = "0004"


@pytest.fixture
def grown(engine: Engine) -> Iterator[Engine]:
    """Data that the previous version cannot hold: unrecorded bookings, with a strike, letters and history."""
    with Session(engine) as session:
        lunch = LunchHour(session, capacity=3)
        beside = lunch.slot("12:10", 3)
        for who, slot_id in (("周明", None), ("李静", None), ("王磊", beside), ("陈晨", beside)):
            lunch.book(who, "Mon 10:00", slot_id)
        lunch.check_in("王磊", "12:00", beside)
        for clock in ("12:10", "12:15", "13:00", "15:00"):
            lunch.tick(clock)
        assert lunch.states("周明", "李静") == ["unrecorded", "unrecorded"]
    command.downgrade(databases.alembic_config(engine), BEFORE)
    yield engine
    databases.upgrade(engine)


def rows(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    told = MetaData()
    with engine.connect() as connection:
        tables = [Table(name, told, autoload_with=connection) for name in ("booking", "event", "strike", "letter")]
        return {t.name: [tuple(row) for row in connection.execute(select(t).order_by(t.c.id))] for t in tables}


def made(engine: Engine) -> set[str]:
    """The schema as SQLite stores it, however it was made."""
    with engine.connect() as connection:
        own = connection.scalars(
            text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'")
        )
        return {" ".join(re.sub(r'["\s]+', " ", sql).split()) for sql in own}


def test_a_grown_database_goes_down_and_up_and_keeps_every_row(grown: Engine) -> None:
    before = rows(grown)
    assert {row[4] for row in before["booking"]} == {"released", "attended"}
    databases.upgrade(grown)
    after = rows(grown)
    for table, was in before.items():  # later migrations add columns at the end
        assert [row[: len(was[0])] for row in after[table]] == was
    with grown.begin() as connection:
        connection.execute(text("UPDATE booking SET state = 'unrecorded' WHERE end_reason = 'release_missed'"))


WRONG = (
    "state = 'lost'",
    "ended_at = NULL",
    "seated_at = NULL",
    "state = 'attended'",
    "via = 'air'",
    "state = 'waiting', ended_at = NULL, waitlist_position = NULL",
    "person_id = 999",
)


def test_the_constraints_of_a_grown_database_hold(grown: Engine) -> None:
    databases.upgrade(grown)
    for wrong in WRONG:
        with grown.connect() as connection, pytest.raises(IntegrityError):
            connection.execute(text(f"UPDATE booking SET {wrong} WHERE end_reason = 'release_missed'"))
            connection.commit()
            pytest.fail(wrong)


def test_a_grown_database_has_the_checks_keys_and_indexes_of_the_model(grown: Engine) -> None:
    databases.upgrade(grown)
    asked = inspect(grown)
    table = Base.metadata.tables["booking"]
    assert {one["name"] for one in asked.get_indexes("booking")} >= {index.name for index in table.indexes}
    assert {one["name"] for one in asked.get_foreign_keys("booking")} == {
        key.name for key in table.foreign_key_constraints
    }
    texts = " ".join(str(one["sqltext"]) for one in asked.get_check_constraints("booking"))
    assert texts.count("unrecorded") == 3


@pytest.mark.sqlite
def test_the_rebuilt_table_is_the_fresh_one_to_the_letter(grown: Engine, sqlite_copies: databases.SqliteCopies) -> None:
    with sqlite_copies.fresh() as url:
        fresh = databases.connect_engine(url)
        wanted = made(fresh)
        fresh.dispose()
    assert any("zone_overlap_insert" in sql for sql in wanted)
    databases.upgrade(grown)
    assert made(grown) == wanted
    model = create_engine("sqlite://")
    Base.metadata.create_all(model)
    assert {sql for sql in made(model) if "INDEX" in sql and " ON booking " in sql} <= made(grown)
    for one in ("get_check_constraints", "get_foreign_keys"):
        there, meant = ({str(row) for row in getattr(inspect(e), one)("booking")} for e in (grown, model))
        assert there == meant
