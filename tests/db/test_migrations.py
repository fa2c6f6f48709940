"""Migrations, up and down, on both databases, and the constraints that autogenerate does not see."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import Engine, FromClause, PrimaryKeyConstraint, Table, UniqueConstraint, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import config
from booking.db import migrating
from booking.extensions import db
from booking.model import Activity, Base, Slot, Station, Zone
from tests.support import databases

NOON = datetime(2026, 11, 24, 4, 10, tzinfo=UTC)
HEADS = ScriptDirectory.from_config(databases.alembic_config(None)).get_heads()


@pytest.fixture
def zones(session: Session) -> tuple[Zone, Zone]:
    station = Station(code="cbd", name="白领驿站")
    session.add(station)
    session.flush()
    session.add(Activity(id=1, station_id=station.id, kind="yoga", title="白领瑜伽课堂"))
    fitness, crafts = (Zone(station_id=station.id, name=name, capacity=15) for name in ("健身区", "手工坊"))
    session.add_all((fitness, crafts))
    session.commit()
    return fitness, crafts


def slot(zone: Zone, starts_at: datetime, **columns: Any) -> Slot:
    moments = dict.fromkeys(("opens_at", "free_until", "waitlist_until", "checkin_from", "starts_at"), starts_at)
    ends = {"release_at": starts_at + timedelta(minutes=5), "ends_at": starts_at + timedelta(minutes=50)}
    return Slot(
        station_id=zone.station_id,
        activity_id=1,
        zone_id=zone.id,
        date=date(2026, 11, 24),
        capacity=15,
        **(moments | ends | columns),
    )


def test_there_is_one_head() -> None:
    assert HEADS == [migrating.NEWEST]


@pytest.mark.parametrize(("revision", "done"), [("base", False), ("0001", False), ("head", True)])
def test_a_database_is_ready_after_the_last_step(engine: Engine, revision: str, done: bool) -> None:
    if not done:
        command.downgrade(databases.alembic_config(engine), revision)
    with engine.connect() as connection:
        assert (migrating.mismatch(connection) is None) == done


def test_the_command_makes_the_tables_of_an_empty_database(make_app: Callable[..., Flask], empty_url: str) -> None:
    app = make_app(SQLALCHEMY_DATABASE_URI=empty_url)
    run = app.test_cli_runner()
    assert not is_done(app)
    assert run.invoke(args=["db", "upgrade"]).exit_code == 0
    assert is_done(app)


def is_done(app: Flask) -> bool:
    with app.app_context(), db.engine.connect() as connection:
        return migrating.mismatch(connection) is None


@pytest.mark.sqlite
def test_the_command_takes_flask_migrates_subcommands(app: Flask) -> None:
    run = app.test_cli_runner()
    assert "Upgrade to a later version" in run.invoke(args=["db", "--help"]).output
    assert "--sql" in run.invoke(args=["db", "upgrade", "--help"]).output
    unknown = run.invoke(args=["db", "no-such-step"])
    assert (unknown.exit_code, "No such command 'no-such-step'" in unknown.output) == (2, True)


def test_the_migrations_make_exactly_the_tables_of_the_model(engine: Engine) -> None:
    options = {"compare_type": True, "include_name": migrating.is_in_model}
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert context.get_current_heads() == tuple(HEADS)
        assert compare_metadata(context, Base.metadata) == []


def test_every_check_of_the_model_is_in_the_database(engine: Engine) -> None:
    inspector = inspect(engine)
    for table in Base.metadata.sorted_tables:
        there = {check["name"] for check in inspector.get_check_constraints(table.name)}
        wanted = {str(one.name) for one in table.constraints if one.__visit_name__ == "check_constraint"}
        assert wanted <= there, table.name


@pytest.mark.postgresql
def test_pages_of_slots_keep_room_for_new_versions(engine: Engine) -> None:
    with engine.connect() as connection:
        told = connection.scalar(text("SELECT reloptions FROM pg_class WHERE relname = 'slot'"))
    wanted = Base.metadata.tables["slot"].dialect_options["postgresql"]["with"]
    assert told == [f"{name}={value}" for name, value in wanted.items()]


def test_down_to_nothing_and_up_again(empty_url: str) -> None:
    engine = databases.connect_engine(empty_url)
    databases.upgrade(engine)
    for _ in range(2):
        command.downgrade(databases.alembic_config(engine), "base")
        assert inspect(engine).get_table_names() == ["alembic_version"]
        databases.upgrade(engine)
        assert set(Base.metadata.tables) <= set(inspect(engine).get_table_names())
    engine.dispose()


def test_a_second_upgrade_changes_nothing(engine: Engine, session: Session, zones: tuple[Zone, Zone]) -> None:
    databases.upgrade(engine)
    assert session.get_one(Zone, zones[0].id).name == "健身区"


@pytest.mark.sqlite
def test_foreign_keys_are_on_again_after_a_migration(engine: Engine) -> None:
    databases.upgrade(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1


@pytest.mark.parametrize("minutes", [-49, -1, 0, 30, 49])
def test_two_slots_never_overlap_in_a_zone(session: Session, zones: tuple[Zone, Zone], minutes: int) -> None:
    session.add(slot(zones[0], NOON))
    session.commit()
    session.add(slot(zones[0], NOON + timedelta(minutes=minutes)))
    with pytest.raises(IntegrityError, match="zone_overlap"):
        session.commit()


def test_neighbours_other_zones_and_cancelled_slots_do_not_overlap(session: Session, zones: tuple[Zone, Zone]) -> None:
    fitness, crafts = zones
    session.add(slot(fitness, NOON, state="cancelled"))
    for zone, starts_at in (
        (fitness, NOON),
        (fitness, NOON + timedelta(minutes=50)),
        (fitness, NOON - timedelta(minutes=50)),
        (crafts, NOON),
    ):
        session.add(slot(zone, starts_at))
        session.commit()


@pytest.mark.parametrize("change", ["time", "zone", "state"])
def test_no_change_makes_two_slots_overlap(session: Session, zones: tuple[Zone, Zone], change: str) -> None:
    fitness, crafts = zones
    session.add(slot(fitness, NOON))
    other = {
        "time": slot(fitness, NOON + timedelta(hours=1)),
        "zone": slot(crafts, NOON),
        "state": slot(fitness, NOON, state="cancelled"),
    }[change]
    session.add(other)
    session.commit()
    other.zone_id, other.state = fitness.id, "open"
    other.opens_at = other.free_until = other.waitlist_until = other.checkin_from = other.starts_at = NOON
    with pytest.raises(IntegrityError, match="zone_overlap"):
        session.commit()


def test_touching_a_slot_is_no_overlap_with_itself(session: Session, zones: tuple[Zone, Zone]) -> None:
    only = slot(zones[0], NOON)
    session.add(only)
    session.commit()
    only.ends_at += timedelta(minutes=10)
    only.state = "open"
    session.commit()


def test_what_refers_to_rows_that_are_deleted_is_indexed() -> None:
    """Otherwise each deleted row reads a whole table of others, and on SQLite everybody waits meanwhile."""
    sources = "".join(path.read_text() for path in (config.ROOT / "booking").rglob("*.py"))
    deleted = {table for table in Base.metadata.tables.values() if f"delete({class_of(table)})" in sources}
    assert {"letter", "sign_in", "strike"} <= {table.name for table in deleted}
    lost = [
        str(key.parent)
        for table in Base.metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table in deleted and key.parent.name not in first_columns(table)
    ]
    assert lost == []


def class_of(table: FromClause) -> str:
    return next(one.class_.__name__ for one in Base.registry.mappers if one.local_table is table)


def first_columns(table: Table) -> set[str]:
    """The columns with which an index of the table begins."""
    unique = (one for one in table.constraints if isinstance(one, PrimaryKeyConstraint | UniqueConstraint))
    return {one.columns[0].name for one in (*table.indexes, *unique) if len(one.columns)}


def test_a_year_that_was_imported_from_an_empty_file_is_forgotten(engine: Engine) -> None:
    """The file of a year exists before its notice: 2026 was wiped by one, 2028 was made up by one, 2027 is a real one."""
    command.downgrade(databases.alembic_config(engine), "0005")
    plain = [date(year, 1, 1) + timedelta(days=n) for year in (2026, 2027, 2028) for n in range(365)]
    rows = [{"d": d, "works": d.isoweekday() <= 5 and d != date(2027, 1, 1)} for d in plain]
    with engine.begin() as connection:
        insert = text("INSERT INTO workday (date, works, name, source) VALUES (:d, :works, '', 'import 2026-11-20')")
        connection.execute(insert, [{**row, "d": row["d"].isoformat()} for row in rows])
        kept = text(
            "INSERT INTO workday (date, works, name, source) VALUES ('2025-03-03', true, '', 'chinesecalendar')"
        )
        connection.execute(kept)
    command.upgrade(databases.alembic_config(engine), "head")
    with engine.connect() as connection:
        left = {str(when)[:4] for when in connection.scalars(text("SELECT date FROM workday"))}
    assert left == {"2025", "2027"}
