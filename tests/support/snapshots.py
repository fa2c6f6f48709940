"""Snapshots: the rows of a cast, made once by the app's own verbs and then copied into each test's database."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

from psycopg import sql
from sqlalchemy import Connection, exists, select
from sqlalchemy.orm import Session

from booking import workdays
from booking.db import transactions
from booking.model import Base, Person, Station, Workday

T = TypeVar("T")

CALENDAR = (Workday.__tablename__,)
OTHERS = tuple(table.name for table in Base.metadata.sorted_tables if table.name not in CALENDAR)
# Only those of the tables that are copied: others may have gone on since, and would give their numbers out again.
SEQUENCES = """
    SELECT json_object_agg(sequencename, last_value) FROM pg_sequences
    WHERE last_value IS NOT NULL AND sequencename = ANY(%s)
"""

_kept: dict[tuple[bool, Hashable], tuple[Any, Any]] = {}


def seed_workdays(session: Session) -> None:
    """What `workdays.seed` brings to an empty calendar."""
    if session.scalar(select(exists(select(Workday.date)))):
        workdays.seed(session)
    else:
        copy(session, "workdays", lambda: workdays.seed(session), CALENDAR)


def make_cast(session: Session, key: Hashable, make: Callable[[], T]) -> T:
    """What `make` writes and returns, in one transaction.

    `key` names all that decides what `make` does, but for the calendar. What it returns is shared: change nothing of it.
    """
    with transactions.transaction(session):
        if _has_people(session):
            return make()
        return copy(session, (key, _has_calendar(session)), make, OTHERS)


def make_story(session: Session, key: Hashable, tell: Callable[[], T]) -> T:
    """The same for what `tell` does in transactions of its own."""
    with transactions.transaction(session):
        name, is_new = _name(session, ("story", key, _has_calendar(session))), not _has_people(session)
        if is_new and name in _kept:
            return _write(session, name)
    made = tell()
    with transactions.transaction(session):
        if is_new:
            _read(session, name, made, OTHERS)
    return made


def copy(session: Session, key: Hashable, make: Callable[[], T], tables: Sequence[str]) -> T:
    """The same within a transaction: `make`, or the rows that it has written into `tables` the first time."""
    name = _name(session, key)
    if name in _kept:
        return _write(session, name)
    made = make()
    session.flush()
    _read(session, name, made, tables)
    return made


def _has_people(session: Session) -> bool:
    return bool(session.scalar(select(exists(select(Person.id)) | exists(select(Station.id)))))


def _has_calendar(session: Session) -> bool:
    return bool(session.scalar(select(exists(select(Workday.date)))))


def _name(session: Session, key: Hashable) -> tuple[bool, Hashable]:
    """Whether it is PostgreSQL's, and the key."""
    return session.connection().dialect.name == "postgresql", key


def _write(session: Session, name: tuple[bool, Hashable]) -> Any:
    made, rows = _kept[name]
    (_write_postgresql if name[0] else _write_sqlite)(session.connection(), rows)
    session.expire_all()
    return made


def _read(session: Session, name: tuple[bool, Hashable], made: object, tables: Sequence[str]) -> None:
    _kept[name] = made, (_read_postgresql if name[0] else _read_sqlite)(session.connection(), tables)


def _read_sqlite(connection: Connection, tables: Sequence[str]) -> dict[str, list[tuple[Any, ...]]]:
    found = {table: connection.exec_driver_sql(f'SELECT * FROM "{table}"').all() for table in tables}
    return {table: [tuple(row) for row in rows] for table, rows in found.items() if rows}


def _write_sqlite(connection: Connection, kept: dict[str, list[tuple[Any, ...]]]) -> None:
    connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    for table, rows in kept.items():
        places = ", ".join("?" * len(rows[0]))
        connection.exec_driver_sql(f'INSERT INTO "{table}" VALUES ({places})', rows)


def _read_postgresql(connection: Connection, tables: Sequence[str]) -> str:
    driver: Any = connection.connection.driver_connection
    writes = ["SET LOCAL session_replication_role = replica"]
    for table in tables:
        rows = driver.execute(f'SELECT json_agg(t)::text FROM "{table}" t').fetchone()[0]
        if rows:
            text = sql.Literal(rows).as_string(driver)
            writes.append(f'INSERT INTO "{table}" SELECT * FROM json_populate_recordset(NULL::"{table}", {text})')
    used = driver.execute(SEQUENCES, [[f"{table}_id_seq" for table in tables]]).fetchone()[0] or {}
    writes += [f"SELECT setval('{name}', {last})" for name, last in used.items()]
    writes.append("SET LOCAL session_replication_role = origin")
    return "; ".join(writes)


def _write_postgresql(connection: Connection, kept: str) -> None:
    driver: Any = connection.connection.driver_connection
    driver.execute(kept.encode())
