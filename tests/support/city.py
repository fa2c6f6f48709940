"""Makes the stations, slots, people and past of a city, by SQL that PostgreSQL runs at its own speed.

Ids are laid out so that a driver can name them without asking: slot `1 + k + PER_DAY * (station - 1)`
is run `k` of the first station day, `stations * PER_DAY` further on it is the next day's.
"""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from booking.model import Base

PER_DAY = 5
ZONE = "Asia/Shanghai"
PAST_DAYS = 250  # workdays of a year
# Columns that had another name in a build from before: as it is now, and as it was.
RENAMED = {"waitlist_until": "line_until", "waitlist_seq": "line_last", "waitlist_position": "line_no"}
EMPTY = {"boolean": "false", "integer": "0", "smallint": "0", "bigint": "0", "json": "'{}'", "jsonb": "'{}'"}


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
    for table, source in PLACES:
        fill(connection, table, source, values)
    _count_on(connection)


def add_tree(connection: psycopg.Connection[Any]) -> None:
    """A city of 30 districts and 403 centres above the stations; nothing in a build from before there was any."""
    found = connection.execute("SELECT to_regclass('node')").fetchone()
    for statement in TREE if found and found[0] else ():
        execute(connection, statement)


def add_past(connection: psycopg.Connection[Any], city: City, bookings: int) -> int:
    """A year of slots that are over, one a workday and station, with `bookings` people on them. Returns how many."""
    a_slot = max(1, min(city.capacity, round(bookings / (city.stations * PAST_DAYS))))
    days = min(PAST_DAYS, max(1, bookings // (city.stations * a_slot)))
    first = connection.execute("SELECT max(id) + 1 FROM slot").fetchone()
    values = vars(city) | {"per_day": PER_DAY, "past": days, "a_slot": a_slot, "first": first and first[0]}
    for table, source in PAST:
        fill(connection, table, source, values)
    _count_on(connection)
    return days * city.stations * a_slot


def add_papers(connection: psycopg.Connection[Any], city: City, rows: int, only: Collection[str] | None = None) -> None:
    """So many rows in every table, or `only` these, that is neither a place nor the history: letters, strikes …

    For the planner's eyes only: they point at nothing that makes sense.
    """
    values = vars(city) | {"per_day": PER_DAY, "rows": rows}
    for table in PAPERS if only is None else only:
        fill(connection, table, f"SELECT {PAPERS[table]} FROM generate_series(1, %(rows)s) n", values)
        if table not in ("follow", "manages", "day_override", "plan_exception"):
            execute(connection, f"SELECT setval('{table}_id_seq', (SELECT max(id) + 1 FROM {table}))")


def settle(connection: psycopg.Connection[Any]) -> None:
    """Let the planner know what there is, as autovacuum would have."""
    connection.execute("VACUUM (ANALYZE)")
    connection.execute("CHECKPOINT")


def execute(
    connection: psycopg.Connection[Any], statement: str, values: dict[str, Any] | None = None
) -> psycopg.Cursor[Any]:
    """Run the statement, with columns named as this database names them."""
    rows = connection.execute("SELECT column_name FROM information_schema.columns WHERE table_schema = 'public'")
    there = {row[0] for row in rows}
    for name, before in RENAMED.items():
        if name not in there:
            statement = re.sub(rf"\b{name}\b", before, statement)
    return connection.execute(statement.encode(), values)


def fill(connection: psycopg.Connection[Any], table: str, source: str, values: dict[str, Any]) -> None:
    """Insert what a SELECT of named columns gives; columns that it does not name get the model's plain defaults."""
    given = [column.name for column in execute(connection, f"{source} LIMIT 0", values).description or ()]
    more = {name: value for name, value in _defaults(connection, table).items() if name not in given}
    names, expressions = ", ".join((*given, *more)), ", ".join(("rows.*", *more.values()))
    with connection.transaction(), _bare(connection, table):
        connection.execute("SET LOCAL session_replication_role = replica")  # the rows are right by construction
        execute(connection, f"INSERT INTO {table} ({names}) SELECT {expressions} FROM ({source}) rows", values)


def _defaults(connection: psycopg.Connection[Any], table: str) -> dict[str, str]:
    """A value for each column that needs one: the model's, or for one that only another build has, an empty one."""
    model = {column.name: column.default for column in Base.metadata.tables[table].columns}
    known = {}
    for name, kind, needed in connection.execute(COLUMNS, [table]).fetchall():
        default: Any = model.get(name)
        if default is not None and default.is_scalar:
            known[name] = f"'{default.arg}'"
        elif needed and name not in model:
            known[name] = EMPTY.get(kind, "''")
    return known


@contextmanager
def _bare(connection: psycopg.Connection[Any], table: str) -> Iterator[None]:
    """`table` without its indexes, which are built again at the end: much faster than row by row."""
    found = connection.execute(INDEXES, [table]).fetchall()
    for name, constraint, _definition in found:
        drop = f"ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE" if constraint else f"DROP INDEX {name}"
        connection.execute(drop.encode())
    yield
    for name, constraint, definition in found:
        make = f"ALTER TABLE {table} ADD CONSTRAINT {name} {constraint}" if constraint else definition
        connection.execute(make.encode())


def _count_on(connection: psycopg.Connection[Any]) -> None:
    for table in ("station", "zone", "activity", "plan", "slot", "person", "booking", "event"):
        execute(connection, f"SELECT setval('{table}_id_seq', (SELECT coalesce(max(id), 0) + 1 FROM {table}), false)")


TREE = (
    """INSERT INTO node (id, parent_id, level, code, path, name, name_en, own_policy, locks, grade, category)
       VALUES (1, NULL, 'city', 'bj', '1.', '', '', '{}', '[]', '', '')""",
    """INSERT INTO node (id, parent_id, level, code, path, name, name_en, own_policy, locks, grade, category)
       SELECT 1 + d, 1, 'district', 'd' || d, '1.' || 1 + d || '.', '', '', '{}', '[]', '', '' FROM generate_series(1, 30) d""",
    """INSERT INTO node (id, parent_id, level, code, path, name, name_en, own_policy, locks, grade, category)
       SELECT 31 + c, 2 + c % 30, 'centre', 'c' || c, '1.' || 2 + c % 30 || '.' || 31 + c || '.', '', '', '{}', '[]', '', ''
       FROM generate_series(1, 403) c""",
    "UPDATE station SET centre_id = 32 + id % 403, own_policy = '{}'",
)
COLUMNS = """
    SELECT column_name, data_type, is_nullable = 'NO' AND column_default IS NULL FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = %s
"""
INDEXES = """
    SELECT i.relname, pg_get_constraintdef(c.oid), pg_get_indexdef(i.oid)
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
    LEFT JOIN pg_constraint c ON c.conindid = i.oid AND c.contype IN ('p', 'u', 'x')
    WHERE x.indrelid = %s::regclass AND NOT x.indisprimary
"""
NOON = """noon - interval '30 minutes' AS free_until, noon - interval '15 minutes' AS waitlist_until,
    noon - interval '15 minutes' AS checkin_from, noon AS starts_at, noon + interval '5 minutes' AS release_at,
    noon + interval '50 minutes' AS ends_at"""
PLACES = (
    (
        "station",  # door_secret is a made-up station's
        """SELECT s AS id, 's' || s AS code, '驿站 ' || s AS name, 'Station ' || s AS name_en,
                  '中山路 ' || s || ' 号' AS address, '{}'::json AS policy, md5(s::text) AS door_secret
           FROM generate_series(1, %(stations)s) s""",
    ),
    (
        "zone",
        """SELECT (s - 1) * %(per_day)s + k AS id, s AS station_id, '板块 ' || k AS name, 1000 AS capacity
           FROM generate_series(1, %(stations)s) s, generate_series(1, %(per_day)s) k""",
    ),
    (
        "activity",
        """SELECT id, station_id, 'yoga' AS kind, '白领瑜伽课堂 ' || id AS title, 'Yoga at noon' AS title_en,
                  '零基础也可以，穿宽松的衣服就好。' AS text, '李老师' AS host, '瑜伽垫' AS bring, '久坐的人' AS suits
           FROM zone""",
    ),
    (
        "plan",
        """SELECT id, station_id, id AS activity_id, id AS zone_id, '12345' AS weekdays, time '12:10' AS starts,
                  50 AS minutes, 15 AS capacity, current_date - 400 AS valid_from FROM zone""",
    ),
    (
        "slot",
        f"""SELECT z + d * %(stations)s * %(per_day)s AS id, (z - 1) / %(per_day)s + 1 AS station_id, z AS plan_id,
                   z AS activity_id, z AS zone_id, %(day)s::date + d AS date, %(capacity)s AS capacity,
                   CASE d WHEN 0 THEN now() - interval '1 hour' ELSE noon - interval '26 hours' END AS opens_at,
                   CASE d WHEN 0 THEN 'open' ELSE 'planned' END AS state, {NOON}
            FROM generate_series(0, %(days)s - 1) d, generate_series(1, %(stations)s * %(per_day)s) z,
                 LATERAL (SELECT %(noon)s::timestamptz + d * interval '1 day' AS noon) n""",
    ),
    (
        "zone",
        """SELECT %(stations)s * %(per_day)s + n AS id, 1 AS station_id, '大厅 ' || n AS name, 1000 AS capacity
           FROM generate_series(1, 2) n""",
    ),
    (
        "slot",
        f"""SELECT (%(hot)s::bigint[])[n] AS id, 1 AS station_id, 1 AS activity_id, 'open' AS state,
                   %(stations)s * %(per_day)s + n AS zone_id, %(day)s::date AS date, 1000000 AS capacity,
                   now() - interval '1 hour' AS opens_at, {NOON}
            FROM generate_series(1, 2) n, LATERAL (SELECT %(noon)s::timestamptz AS noon) m""",
    ),
    (
        "person",
        """SELECT p AS id, 'p' || p || '@example.com' AS email, '员工 ' || p AS name,
                  now() - interval '1 year' AS created_at FROM generate_series(1, %(people)s) p""",
    ),
)
PAST = (
    (
        "slot",
        f"""SELECT %(first)s + (s - 1) * %(past)s + d - 1 AS id, s AS station_id, z AS plan_id, z AS activity_id,
                   z AS zone_id, noon::date AS date, noon - interval '26 hours' AS opens_at, 'done' AS state,
                   greatest(%(a_slot)s, 15) AS capacity, %(a_slot)s AS taken,
                   noon + interval '5 minutes' AS released_at, {NOON}
            FROM generate_series(1, %(stations)s) s, generate_series(1, %(past)s) d,
                 LATERAL (SELECT (s - 1) * %(per_day)s + d %% %(per_day)s + 1 AS z, date_trunc('day', now())
                          - (1 + d * 7 / 5) * interval '1 day' + interval '250 minutes' AS noon) t""",
    ),
    (
        "booking",
        """SELECT (slot.id - %(first)s) * %(a_slot)s + j + 1 AS id, slot.id AS slot_id, slot.station_id,
                  1 + (slot.station_id * 75 + (slot.id * 7 + j) %% 150) %% %(people)s AS person_id,
                  'attended' AS state, 'T' || slot.id || '-' || j AS ticket, slot.opens_at AS created_at,
                  slot.opens_at AS seated_at, slot.starts_at AS checked_in_at
           FROM slot, generate_series(0, %(a_slot)s - 1) j WHERE slot.id >= %(first)s""",
    ),
    (
        "event",
        """SELECT (b.id - 1) * 2 + n AS id, CASE n WHEN 1 THEN b.created_at ELSE b.checked_in_at END AS at,
                  CASE n WHEN 1 THEN 'booked' ELSE 'checked_in' END AS kind, b.station_id, b.slot_id,
                  b.id AS booking_id, b.person_id, b.person_id AS actor_id, CASE n WHEN 2 THEN 'booked' END AS before,
                  CASE n WHEN 1 THEN 'booked' ELSE 'attended' END AS after, '{}'::json AS details
           FROM booking b, generate_series(1, 2) n""",
    ),
)
SOMEBODY = "n %% %(people)s + 1 AS person_id"
PAPERS = {
    "manages": f"{SOMEBODY}, (n / %(people)s + n) %% %(stations)s + 1 AS station_id, now() AS since",
    "follow": f"""{SOMEBODY}, (n / %(people)s + n) %% (%(stations)s * %(per_day)s) + 1 AS activity_id,
        now() AS created_at""",
    "sign_in": f"{SOMEBODY}, 'hash-' || n AS token_hash, now() AS created_at, now() AS expires_at",
    "code": """'p' || n || '@example.com' AS email, 'sign_in' AS purpose, md5(n::text) AS code_hash,
        now() - interval '1 day' AS created_at, now() - interval '1 day' AS expires_at""",
    "failure": """md5(n::text) AS account, '10.0.' || n / 250 || '.' || n %% 250 AS address,
        now() - n * interval '1 minute' AS at""",
    "day_override": """n %% %(stations)s + 1 AS station_id, current_date - (n / %(stations)s)::int AS date,
        true AS works""",
    "plan_exception": """n %% (%(stations)s * %(per_day)s) + 1 AS plan_id,
        current_date - (n / (%(stations)s * %(per_day)s))::int AS date""",
    "letter": f"""'confirmed' AS kind, {SOMEBODY}, n AS slot_id, n AS booking_id, '{{}}'::json AS details,
        md5(n::text) AS message_id, 'sent' AS state, now() - n * interval '1 minute' AS created_at,
        now() - n * interval '1 minute' AS next_try_at, now() AS sent_at""",
    "digest": f"""{SOMEBODY}, 'worker' AS kind, current_date - (n / %(people)s)::int AS date, now() AS written_at""",
    "strike": f"""{SOMEBODY}, n %% %(stations)s + 1 AS station_id, n AS slot_id, n AS booking_id,
        now() - interval '100 days' AS at, 'no_show' AS reason""",
}
