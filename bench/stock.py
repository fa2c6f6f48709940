"""Makes the stations, slots, people and past of a city, by SQL that PostgreSQL runs at its own speed.

Ids are laid out so that a driver can name them without asking: slot `1 + k + PER_DAY * (station - 1)`
is run `k` of the first station day, `stations * PER_DAY` further on it is the next day's.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from bench import inserts

PER_DAY = 5
ZONE = "Asia/Shanghai"
PAST_DAYS = 250  # workdays of a year


@dataclass(frozen=True)
class City:
    """How much of everything. `days` are coming days with slots; those of the first one are open."""

    stations: int
    people: int
    days: int = 10
    capacity: int = 15

    @property
    def slots_a_day(self) -> int:
        return self.stations * PER_DAY

    def slot(self, station: int, k: int = 0, day: int = 0) -> int:
        return 1 + k + PER_DAY * (station - 1) + day * self.slots_a_day

    @property
    def hot(self) -> tuple[int, int]:
        """Two slots of the first station with seats for everybody: one for the app, one for a ceiling."""
        last = self.days * self.slots_a_day
        return last + 1, last + 2


def build(connection: psycopg.Connection[Any], city: City) -> None:
    """Everything but the past and the sign-ins."""
    noon = datetime.combine(datetime.now(ZoneInfo(ZONE)).date() + timedelta(days=1), time(4, 10), UTC)
    values: dict[str, Any] = vars(city) | {"per_day": PER_DAY, "noon": noon, "day": noon.date()}
    values |= {"slots": city.days * city.slots_a_day, "hot": list(city.hot)}
    for statement in (*inserts.PLACES, inserts.HOT_ZONES):
        connection.execute(statement, values)
    _fill(connection, "slot", inserts.SLOTS, values)
    _fill(connection, "slot", inserts.HOT_SLOTS, values)
    _fill(connection, "person", inserts.PEOPLE, values)
    _count_on(connection)


def add_past(connection: psycopg.Connection[Any], city: City, bookings: int) -> int:
    """A year of slots that are over, one a workday and station, with `bookings` people on them. Returns how many."""
    a_slot = max(1, min(city.capacity, round(bookings / (city.stations * PAST_DAYS))))
    days = min(PAST_DAYS, max(1, bookings // (city.stations * a_slot)))
    first = connection.execute("SELECT max(id) + 1 FROM slot").fetchone()
    values = vars(city) | {"per_day": PER_DAY, "past": days, "a_slot": a_slot, "first": first and first[0]}
    _fill(connection, "slot", inserts.PAST_SLOTS, values)
    _fill(connection, "booking", inserts.PAST_BOOKINGS, values)
    _fill(connection, "event", inserts.PAST_EVENTS, values)
    _count_on(connection)
    return days * city.stations * a_slot


def add_papers(
    connection: psycopg.Connection[Any], city: City, rows: int, only: Collection[str] = inserts.PAPERS
) -> None:
    """So many rows in every table, or `only` these, that is neither a place nor the history: letters, strikes …

    For the planner's eyes only: they point at nothing that makes sense.
    """
    values = vars(city) | {"per_day": PER_DAY, "rows": rows}
    for table in only:
        _fill(connection, table, inserts.PAPERS[table], values)
        if table not in ("manages", "day_override", "plan_exception"):
            connection.execute(f"SELECT setval('{table}_id_seq', {rows} + 1)")


def settle(connection: psycopg.Connection[Any]) -> None:
    """Let the planner know what there is, as autovacuum would have."""
    connection.execute("VACUUM (ANALYZE)")
    connection.execute("CHECKPOINT")


def _fill(connection: psycopg.Connection[Any], table: str, statement: str, values: dict[str, Any]) -> None:
    with connection.transaction(), _bare(connection, table):
        connection.execute("SET LOCAL session_replication_role = replica")  # the rows are right by construction
        connection.execute(statement, values)


@contextmanager
def _bare(connection: psycopg.Connection[Any], table: str) -> Iterator[None]:
    """`table` without its indexes, which are built again at the end: much faster than row by row."""
    found = connection.execute(INDEXES, [table]).fetchall()
    for name, constraint, _definition in found:
        connection.execute(
            f"ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE" if constraint else f"DROP INDEX {name}"
        )
    yield
    for name, constraint, definition in found:
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {constraint}" if constraint else definition)


def _count_on(connection: psycopg.Connection[Any]) -> None:
    for table in ("station", "zone", "activity", "plan", "slot", "person", "booking", "event"):
        connection.execute(f"SELECT setval('{table}_id_seq', (SELECT coalesce(max(id), 0) + 1 FROM {table}), false)")


INDEXES = """
    SELECT i.relname, pg_get_constraintdef(c.oid), pg_get_indexdef(i.oid)
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
    LEFT JOIN pg_constraint c ON c.conindid = i.oid AND c.contype IN ('p', 'u', 'x')
    WHERE x.indrelid = %s::regclass AND NOT x.indisprimary
"""
