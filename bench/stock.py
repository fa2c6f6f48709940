"""Makes the stations, slots, people and past of a city, by SQL that PostgreSQL runs at its own speed.

Ids are laid out so that a driver can name them without asking: slot `1 + k + PER_DAY * (station - 1)`
is run `k` of the first station day, `stations * PER_DAY` further on it is the next day's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, LiteralString, cast
from zoneinfo import ZoneInfo

import psycopg

from booking.model import Activity, Base, Booking, Event, Person, Plan, Slot, Station, Zone

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
    for statement in (*PLACES, SLOTS, HOT_ZONES, HOT_SLOTS, PEOPLE):
        connection.execute(statement, values)
    _count_on(connection)


def add_past(connection: psycopg.Connection[Any], city: City, bookings: int) -> int:
    """A year of slots that are over, one a workday and station, with `bookings` people on them. Returns how many."""
    a_slot = max(1, min(city.capacity, round(bookings / (city.stations * PAST_DAYS))))
    days = min(PAST_DAYS, max(1, bookings // (city.stations * a_slot)))
    first = connection.execute("SELECT max(id) + 1 FROM slot").fetchone()
    values = vars(city) | {"per_day": PER_DAY, "past": days, "a_slot": a_slot, "first": first and first[0]}
    connection.execute(PAST_SLOTS, values)
    for table, statement in (("booking", PAST_BOOKINGS), ("event", PAST_EVENTS)):
        with connection.transaction(), _bare(connection, table):
            connection.execute("SET LOCAL session_replication_role = replica")  # the rows are right by construction
            connection.execute(statement, values)
    _count_on(connection)
    return days * city.stations * a_slot


def settle(connection: psycopg.Connection[Any]) -> None:
    """Let the planner know what there is, as autovacuum would have."""
    connection.execute("VACUUM (ANALYZE)")
    connection.execute("CHECKPOINT")


@contextmanager
def _bare(connection: psycopg.Connection[Any], table: LiteralString) -> Iterator[None]:
    """`table` without its indexes, which are built again at the end: much faster than row by row."""
    found = connection.execute(INDEXES, [table]).fetchall()
    for name, constraint, _definition in found:
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE" if constraint else f"DROP INDEX {name}")
    yield
    for name, constraint, definition in found:
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {constraint}" if constraint else definition)


def _count_on(connection: psycopg.Connection[Any]) -> None:
    for table in ("station", "zone", "activity", "plan", "slot", "person", "booking", "event"):
        connection.execute(f"SELECT setval('{table}_id_seq', (SELECT coalesce(max(id), 0) + 1 FROM {table}), false)")


INDEXES = """
    SELECT i.relname, pg_get_constraintdef(c.oid), pg_get_indexdef(i.oid)
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
    LEFT JOIN pg_constraint c ON c.conindid = i.oid AND c.contype IN ('p', 'u')
    WHERE x.indrelid = %s::regclass AND NOT x.indisprimary
"""
def _insert(model: type[Base], source: str, **columns: str) -> LiteralString:
    """INSERT … SELECT of these expressions; the model's plain defaults fill the columns that are not named."""
    for column in model.__table__.columns:
        default: Any = column.default
        if column.name not in columns and default is not None and default.is_scalar:
            columns[column.name] = f"'{default.arg}'"
    names, expressions = ", ".join(columns), ", ".join(columns.values())
    return cast("LiteralString", f"INSERT INTO {model.__tablename__} ({names}) SELECT {expressions} {source}")


NOON = {
    "free_until": "noon - interval '30 minutes'",
    "line_until": "noon - interval '15 minutes'",
    "checkin_from": "noon - interval '15 minutes'",
    "starts_at": "noon",
    "release_at": "noon + interval '5 minutes'",
    "ends_at": "noon + interval '50 minutes'",
}
PLACES = (
    _insert(
        Station,
        "FROM generate_series(1, %(stations)s) s",
        id="s",
        code="'s' || s",
        name="'驿站 ' || s",
        name_en="'Station ' || s",
        address="'中山路 ' || s || ' 号'",
        policy="'{}'",
        door_secret="md5(s::text)",  # noqa: S106 # a made-up station's
    ),
    _insert(
        Zone,
        "FROM generate_series(1, %(stations)s) s, generate_series(1, %(per_day)s) k",
        id="(s - 1) * %(per_day)s + k",
        station_id="s",
        name="'板块 ' || k",
        capacity="1000",
    ),
    _insert(
        Activity,
        "FROM zone",
        id="id",
        station_id="station_id",
        kind="'yoga'",
        title="'白领瑜伽课堂 ' || id",
        title_en="'Yoga at noon'",
        text="'零基础也可以，穿宽松的衣服就好。'",
        host="'李老师'",
        bring="'瑜伽垫'",
        suits="'久坐的人'",
    ),
    _insert(
        Plan,
        "FROM zone",
        id="id",
        station_id="station_id",
        activity_id="id",
        zone_id="id",
        weekdays="'12345'",
        starts="'12:10'",
        minutes="50",
        capacity="15",
        valid_from="current_date - 400",
    ),
)
SLOTS = _insert(
    Slot,
    """FROM generate_series(0, %(days)s - 1) d, generate_series(1, %(stations)s * %(per_day)s) z,
       LATERAL (SELECT %(noon)s::timestamptz + d * interval '1 day' AS noon) n""",
    id="z + (d * %(stations)s * %(per_day)s)",
    station_id="(z - 1) / %(per_day)s + 1",
    plan_id="z",
    activity_id="z",
    zone_id="z",
    date="%(day)s::date + d",
    opens_at="CASE d WHEN 0 THEN now() - interval '1 hour' ELSE noon - interval '26 hours' END",
    capacity="%(capacity)s",
    state="CASE d WHEN 0 THEN 'open' ELSE 'planned' END",
    **NOON,
)
HOT_ZONES = _insert(
    Zone,
    "FROM generate_series(1, 2) n",
    id="%(stations)s * %(per_day)s + n",
    station_id="1",
    name="'大厅 ' || n",
    capacity="1000",
)
HOT_SLOTS = _insert(
    Slot,
    "FROM generate_series(1, 2) n, LATERAL (SELECT %(noon)s::timestamptz AS noon) m",
    id="(%(hot)s::bigint[])[n]",
    station_id="1",
    activity_id="1",
    zone_id="%(stations)s * %(per_day)s + n",
    date="%(day)s::date",
    opens_at="now() - interval '1 hour'",
    capacity="1000000",
    state="'open'",
    **NOON,
)
PEOPLE = _insert(
    Person,
    "FROM generate_series(1, %(people)s) p",
    id="p",
    email="'p' || p || '@example.com'",
    name="'员工 ' || p",
    created_at="now() - interval '1 year'",
)
PAST_SLOTS = _insert(
    Slot,
    """FROM generate_series(1, %(stations)s) s, generate_series(1, %(past)s) d,
       LATERAL (SELECT (s - 1) * %(per_day)s + d %% %(per_day)s + 1 AS z, date_trunc('day', now())
                - (1 + d * 7 / 5) * interval '1 day' + interval '250 minutes' AS noon) t""",
    id="%(first)s + (s - 1) * %(past)s + d - 1",
    station_id="s",
    plan_id="z",
    activity_id="z",
    zone_id="z",
    date="noon::date",
    opens_at="noon - interval '26 hours'",
    capacity="greatest(%(a_slot)s, 15)",
    taken="%(a_slot)s",
    state="'done'",
    released_at="noon + interval '5 minutes'",
    **NOON,
)
PAST_BOOKINGS = _insert(
    Booking,
    "FROM slot, generate_series(0, %(a_slot)s - 1) j WHERE slot.id >= %(first)s",
    id="(slot.id - %(first)s) * %(a_slot)s + j + 1",
    slot_id="slot.id",
    station_id="slot.station_id",
    person_id="1 + (slot.station_id * 75 + (slot.id * 7 + j) %% 150) %% %(people)s",
    state="'attended'",
    ticket="'T' || slot.id || '-' || j",
    created_at="slot.opens_at",
    seated_at="slot.opens_at",
    checked_in_at="slot.starts_at",
)
PAST_EVENTS = _insert(
    Event,
    "FROM booking b, generate_series(1, 2) n",
    id="(b.id - 1) * 2 + n",
    at="CASE n WHEN 1 THEN b.created_at ELSE b.checked_in_at END",
    kind="CASE n WHEN 1 THEN 'booked' ELSE 'checked_in' END",
    station_id="b.station_id",
    slot_id="b.slot_id",
    booking_id="b.id",
    person_id="b.person_id",
    actor_id="b.person_id",
    before="CASE n WHEN 2 THEN 'booked' END",
    after="CASE n WHEN 1 THEN 'booked' ELSE 'attended' END",
    details="'{}'",
)
INDEXES: LiteralString = """
    SELECT i.relname, pg_get_constraintdef(c.oid), pg_get_indexdef(i.oid)
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
    LEFT JOIN pg_constraint c ON c.conindid = i.oid AND c.contype IN ('p', 'u')
    WHERE x.indrelid = %s::regclass AND NOT x.indisprimary
"""
