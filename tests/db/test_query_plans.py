"""Query plans: no request reads a whole table: every route is requested in a big city, and each statement's plan is
read."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import Connection, Engine
from werkzeug.routing import Rule

from booking import people, slots
from booking.db import pool, statements, transactions
from booking.extensions import db
from booking.jobs import schedule
from booking.jobs.batches import Turn
from booking.mail import digests
from booking.seats import claim, look
from booking.statistics import station_facts
from tests.support import city as stock
from tests.support import postgres
from tests.support.city import City
from tests.support.lunch_hour import at
from tests.support.statements import Statement, heard
from tests.support.visits import Visit, sign_in

CITY = City(stations=600, people=5_000, days=4)
PAST, PAPERS = 24_000, 8_000
AT_MOST = 2_000  # rows of a generic plan: a third of a table is more
HERE = 7  # the station in the requests; person 1 manages it
# Tables that stay small however many people come may be read whole.
SMALL = {"mail_pause", "workday", "job_run", "alembic_version", "outage", "set_aside", "digest_round", "node"}
# Admin pages that count everybody, or join the few thousand stations to a page of people.
COUNTED = {
    ("GET /admin/", "station"),
    ("GET /admin/", "day_override"),
    ("GET /admin/people", "station"),
    ("GET /admin/people", "person"),
    ("GET /admin/jobs", "station"),
    ("GET /manage/<code>/running", "station"),
    ("GET stations", "station"),
    ("GET /stations", "station"),
    ("GET the network's stations", "station"),
    ("GET the network's stations", "day_override"),
    ("GET the network's people", "station"),
    ("GET the network's people", "person"),
}
# What people search for: a name and, in the lists of a station, the end of a phone number.
SEARCHES = {
    "a station's people": f"/manage/s{HERE}/people?q=zm",
    "a station's phones": f"/manage/s{HERE}/people?q=5678",
    "the door": f"/manage/s{HERE}/slots/{CITY.slot(HERE, 4)}?q=p3@example.com",
    "stations": "/stations?q=gm",
    "the network's stations": "/admin/?q=gm",
    "the network's people": "/admin/people?q=zm",
}
# Static files and the style guide: no database.
ASIDE = {"static", "parts.every_part"}
SLOTS = {
    "here": HERE,
    "full": CITY.slot(HERE + 1, 1),
    "later": CITY.slot(HERE, 0, 1),
    "door": CITY.slot(HERE, 4),
}
# A time on a workday at which both kinds of digest are written.
NOON = at("11:30")

pytestmark = pytest.mark.postgresql


@pytest.fixture
def city(app: Flask, database_url: str) -> Visit:
    """Data for an admin who also manages a station and books there. Returns that person's browser."""
    with psycopg.connect(postgres.plain(database_url), autocommit=True) as connection:
        stock.build(connection, CITY)
        stock.add_past(connection, CITY, PAST)
        stock.add_papers(connection, CITY, PAPERS)
        for statement in PERSON_ONE:
            connection.execute(statement, SLOTS)
        (visit,) = sign_in(connection, range(1, 2), secret=str(app.secret_key))
        stock.settle(connection)
    return visit


def test_no_request_and_no_finished_digest_reads_a_whole_table(app: Flask, city: Visit) -> None:
    read = Reader(app, city)
    for rule, path in [*_pages(app), *SEARCHES.items()]:
        read.ask(f"GET {rule}", "GET", path)
    for path, form in _acts():
        read.ask(f"POST {path}", "POST", path, form)
    if read.wholes:
        pytest.fail("\n".join(read.wholes))
    finished_digests_read_no_table_that_grows_with_people(app)
    a_look_for_slots_to_open_reads_no_others(app)
    forgetting_names_reads_the_history_of_these_people_only(app)


def finished_digests_read_no_table_that_grows_with_people(app: Flask) -> None:
    with app.app_context():
        done = [digests.rounds(db.session(), kind, NOON) for kind in digests.HOURS]
        with transactions.transaction(db.session) as session:
            digests.note_done(session, [one for due in done for one in due], NOON)
        with heard(db.engine) as sent:
            schedule.write_worker_digests(Turn(NOON))
            schedule.write_manager_digests(Turn(NOON))
        assert {table for table, _ in _whole_tables(db.engine, sent)} == {"station"}  # for the zones: a few thousand


def a_look_for_slots_to_open_reads_no_others(app: Flask) -> None:
    """The job looks every two seconds; by their start it would read all coming slots of the city."""
    with app.app_context():
        with heard(db.engine) as sent:
            slots.to_open(db.session(), NOON)
            station_facts.late_openings(db.session(), NOON)
        with db.engine.connect() as connection:
            steps = [[*_steps(_plan(connection, one)[0]["Plan"])] for one in sent if one.text.startswith("SELECT")]
        assert [plan[-1] for plan in steps] == ["Index Scan ix_slot_to_open"] * 2


def forgetting_names_reads_the_history_of_these_people_only(app: Flask) -> None:
    """By who acted, of which there is no index, each few people took a look at the whole history."""
    with app.app_context():
        some = next(people.named(db.session, NOON + timedelta(days=300)))[:20]
        with heard(db.engine) as sent:
            people.forget_names(db.session, some, NOON + timedelta(days=300))
        with db.engine.connect() as connection:
            for setting in pool.PLANS:  # few enough rows here to be read whole wherever they can be
                connection.exec_driver_sql(f"SET LOCAL {setting}")
            plans = [_plan(connection, one)[0]["Plan"] for one in sent if "UPDATE" in one.text]
        assert len(plans) == 3
        assert {table for plan in plans for table in _scanned(plan, {})} == set()


@pytest.mark.whole
def test_the_statements_of_a_booking_have_one_plan_whatever_the_statistics_say(
    engine: Engine, database_url: str
) -> None:
    """In a city whose tables were last analysed while they were empty, and again after that."""
    with psycopg.connect(postgres.plain(database_url), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        stock.build(connection, CITY)
        stock.add_past(connection, CITY, 60_000)
        sign_in(connection, range(1, CITY.people))
        young = _shapes(engine)
        stock.settle(connection)
    assert [step for step in young if "Seq Scan" in step or step.startswith("all of ")] == []
    assert _shapes(engine) == young
    assert "pk_slot" in str(young)


def test_plans_made_for_empty_tables_are_made_anew(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plan() -> list[str]:
        with pool.connection(engine) as line:
            return list(_steps(_explained(line, "old", text)))

    sent: list[str] = []
    send = statements.DriverConnection.send
    monkeypatch.setattr(statements.DriverConnection, "send", lambda line, text: (sent.append(text), send(line, text)))
    monkeypatch.setattr(pool, "SIZE", 1)
    monkeypatch.setattr(pool, "REPLANNED", 3600.0)
    with psycopg.connect(postgres.plain(database_url), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        with pool.connection(engine) as line:
            text = look._PEOPLE._compiled(line)
            line.driver.execute(f"PREPARE old AS {text.text}".encode())
        plan()
        stock.build(connection, CITY)
        sign_in(connection, range(1, CITY.people))
    plan()
    assert sent == []  # the control: made anew by us only when it is time
    monkeypatch.setattr(pool, "REPLANNED", 0.0)
    assert "Index Scan uq_sign_in_token_hash" in plan()
    assert sent == ["DISCARD PLANS"]


def _explained(line: statements.DriverConnection, name: str, text: statements.DialectStatement) -> dict[str, Any]:
    values = ", ".join(["NULL"] * len(text.names))
    row = line.driver.execute(f"EXPLAIN (FORMAT JSON) EXECUTE {name}({values})".encode()).fetchone()
    plan: dict[str, Any] = row[0][0]["Plan"]
    return plan


def _shapes(engine: Engine) -> list[str]:
    """The steps of each plan and the indexes that they use; an index that is read from end to end is `all of` it."""
    hot = (look._SLOTS, look._PEOPLE, look._ENTRIES, claim._PEOPLE, claim._SLOTS, claim._COUNT, claim._BOOKINGS)
    line, found = pool.dedicated(engine), []
    for n, statement in enumerate((*hot, claim._EVENTS, claim._LETTERS["confirmed"])):
        text = statement._compiled(line)
        line.driver.execute(f"PREPARE hot{n} AS {text.text}".encode())
        found += _steps(_explained(line, f"hot{n}", text))
    line.driver.close()
    return found


def _steps(plan: dict[str, Any]) -> Iterator[str]:
    index = plan.get("Index Name", "")
    yield f"{'all of ' if index and 'Index Cond' not in plan else ''}{plan['Node Type']} {index}"
    for part in plan.get("Plans", ()):
        yield from _steps(part)


class Reader:
    """Sends requests as person 1, and reads the plans of their statements."""

    def __init__(self, app: Flask, visit: Visit) -> None:
        self.client = app.test_client(use_cookies=False)
        self.headers = {"Cookie": visit.cookie}
        self.wholes: list[str] = []
        with app.app_context():
            self.engine = db.engine

    def ask(self, name: str, method: str, path: str, form: dict[str, str] | None = None) -> None:
        with heard(self.engine) as sent:
            answer = self.client.open(path, method=method, data=form, headers=self.headers)
        assert answer.status_code not in (400, 429, 500, 503), f"{name}: {answer.status} {answer.text}"
        for table, statement in _whole_tables(self.engine, sent):
            if (name, table) not in COUNTED:
                self.wholes.append(f"{name} reads all of {table}: {statement}")


def _acts() -> Iterator[tuple[str, dict[str, str]]]:
    """Actions that succeed: `PERSON_ONE` has prepared each of them."""
    running = CITY.slot(HERE, 4)
    yield f"/slots/{CITY.slot(HERE)}/book", {"key": "one"}
    yield f"/slots/{CITY.slot(HERE)}/book", {"key": "one"}
    yield f"/slots/{CITY.slot(HERE, 1)}/book", {}
    yield f"/slots/{CITY.slot(HERE + 1, 1)}/book", {}
    yield f"/slots/{CITY.slot(HERE, 0, 2)}/book", {}
    yield "/bookings/900001/give-up", {}
    yield "/account/sign-in", {"email": "p3@example.com", "password": "wrong-but-long-enough"}
    yield "/account/language", {"language": "en"}
    yield f"/s/s{HERE}/wishes", {"text": "陶艺", "kind": "crafts", "weekday": "any"}
    yield f"/s/s{HERE}/wishes/{HERE * 100 + 1}/want", {}
    yield f"/s/s{HERE}/wishes/{HERE * 100 + 1}/take-back", {}
    yield f"/manage/s{HERE}/wishes/{HERE * 100 + 2}/merge", {"into_id": f"{HERE * 100 + 3}"}
    yield f"/manage/s{HERE}/wishes/{HERE * 100 + 3}/hold", {"slot_id": f"{CITY.slot(HERE)}"}
    yield f"/manage/s{HERE}/bookings/900003/check-in", {}
    yield f"/manage/s{HERE}/bookings/900003/undo", {}
    yield f"/manage/s{HERE}/taps", {"booking": "900003", "act": "in", "age": "1000", "nonce": "0123456789"}
    yield f"/manage/s{HERE}/taps", {"booking": "900003", "act": "out", "age": "0", "nonce": "9876543210"}
    yield f"/manage/s{HERE}/slots/{running}/walk-in", {"name": "路过的人"}
    yield f"/manage/s{HERE}/slots/{running}/capacity", {"capacity": "14"}
    yield f"/manage/s{HERE}/slots/{CITY.slot(HERE, 3)}/cancel", {"reason": "电梯坏了"}


# Of each index of a table with many rows the table and its first column: of one without, any index will do.
LEADING = f"""SELECT i.indexrelid::regclass::text, t.relname, a.attname FROM pg_index i
              JOIN pg_class t ON t.oid = i.indrelid AND t.reltuples > {AT_MOST}
              JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0] AND a.attnum > 0"""
# A seat to cancel with somebody waiting for it, a full slot elsewhere, somebody to check in.
PERSON_ONE = (
    "UPDATE person SET is_admin = true WHERE id = 1",
    "INSERT INTO manages (person_id, station_id, since) VALUES (1, %(here)s, now()) ON CONFLICT DO NOTHING",
    "UPDATE slot SET taken = 15, waiting = 1, waitlist_seq = 1, state = 'open', opens_at = now() WHERE id = %(later)s",
    """INSERT INTO booking
       (id, slot_id, station_id, person_id, state, via, waitlist_position, ticket, created_at, seated_at, late)
       VALUES (900001, %(later)s, %(here)s, 1, 'booked', 'tap', NULL, 'a', now(), now(), false),
              (900002, %(later)s, %(here)s, 2, 'waiting', 'tap', 1, 'b', now(), NULL, false),
              (900003, %(door)s, %(here)s, 3, 'booked', 'tap', NULL, 'c', now(), now(), false)""",
    "UPDATE slot SET taken = 15 WHERE id = %(full)s",
    """UPDATE slot SET taken = 1, starts_at = now() + interval '5 minutes', checkin_from = now() - interval '5 minutes',
       waitlist_until = now(), free_until = now(), release_at = now() + interval '9 minutes',
       ends_at = now() + interval '40 minutes' WHERE id = %(door)s""",
    "INSERT INTO door_tap SELECT 'nonce-' || id, id, 1, now(), now(), 'in' FROM booking ORDER BY id LIMIT 5000",
    "INSERT INTO feed (person_id, token_hash, made_at) SELECT id, 'hash-' || id, now() FROM person WHERE id > 100",
    "INSERT INTO try (person_id, slot_id, reason, at) SELECT id, %(full)s, 'full', now() FROM person WHERE id > 100",
    """INSERT INTO picture (name, used_at, card, large)
       SELECT lpad(id::text, 32, '0'), now(), '', '' FROM person WHERE id > 100""",
    """INSERT INTO manager_invitation (station_id, email, token_hash, invited_by, created_at, sent_at, expires_at, withdrawn_at)
       SELECT %(here)s, 'new' || id || '@example.com', id, 1, now(), now(), now(), now() FROM person WHERE id > 100""",
    """INSERT INTO draw (station_id, date, opens_at, closes_at, state, version, seats, why_void)
       SELECT s.id, CURRENT_DATE - d, now(), now(), 'void', 1, '{}', 'late' FROM station s, generate_series(1, 60) d""",
    """INSERT INTO draw_entry (draw_id, person_id, tag, wishes, entered_at, passed_over)
       SELECT d.id, p.id, p.id, '[]', now(), '{}' FROM draw d, generate_series(101, 105) p (id)""",
    """INSERT INTO attendance_proof (person_id, code, first, last, created_at)
       SELECT id, 'proof-' || id, CURRENT_DATE, CURRENT_DATE, now() FROM person WHERE id > 100""",
    "INSERT INTO watch_link (slot_id) SELECT id FROM slot",
    "INSERT INTO watch_open (slot_id, person_id, opened_at) SELECT %(full)s, id, now() FROM person WHERE id > 100",
    """INSERT INTO activity_wish (id, station_id, text, text_key, kind, created_at, answer, state, ended_at)
       SELECT s.id * 100 + n, s.id, 'wish', n, 'yoga', now(), '', CASE WHEN n < 6 THEN 'open' ELSE 'held' END,
              CASE WHEN n > 5 THEN now() - interval '1 day' * n END FROM station s, generate_series(1, 10) n""",
    """INSERT INTO wish_vote (wish_id, person_id, created_at)
       SELECT w.id, p.id, now() FROM activity_wish w, generate_series(101, 104) p (id)""",
    """INSERT INTO notice (station_id, title, text, picture, first, last, created_at)
       SELECT s.id, 'n', '', '', CURRENT_DATE - d, CURRENT_DATE - d, now() FROM station s, generate_series(-1, 5) d""",
    """INSERT INTO service_request (station_id, person_id, kind, text, state, created_at, answer_due_on, due_on, answer,
       passed_to, their_no, said_at, ended_at)
       SELECT 1 + id %% 600, id, 'room', 'x', 'solved', now() - id * interval '1 hour', CURRENT_DATE, CURRENT_DATE, '', '', '',
       now() - id * interval '1 hour', now() FROM person WHERE id > 100""",
    """INSERT INTO door_arrival (station_id, name, at, until)
       SELECT 1 + mod(id, 600), 'name ' || id, now(), now() + interval '9 hours' FROM person WHERE id > 100""",
)


def _pages(app: Flask) -> Iterator[tuple[str, str]]:
    """Every GET route, at the station HERE."""
    adapter = app.url_map.bind("localhost")
    for rule in sorted(app.url_map.iter_rules(), key=str):
        if "GET" in (rule.methods or ()) and rule.endpoint not in ASIDE:
            yield str(rule), adapter.build(rule.endpoint, _values(rule))


def _values(rule: Rule) -> dict[str, Any]:
    known = {
        "code": f"s{HERE}",
        "slot_id": CITY.slot(HERE),
        "plan_id": CITY.slot(HERE),
        "zone_id": CITY.slot(HERE),
        "activity_id": CITY.slot(HERE),
        "person_id": 2,
        "booking_id": 1,
        "name": "0" * 32,
        "size": "card",
        "draw_id": 1,
        "entry_id": 1,
        "request_id": 1,
        "wish_id": 1,
        "proof_id": 1,
        "notice_id": 1,
        "import_id": 1,
        "transfer_id": 1,
        "invitation_id": 1,
        "station_code": f"s{HERE}",
        "strike_id": 1,
        "ticket": "T1-1",
        "token": "unknown",
        "day": "2026-12-01",
        "kind": "plans",
        "letter": "confirmed",
        "tongue": "zh",
        "form": "page",
    }
    return {name: known[name] for name in rule.arguments}


def _whole_tables(engine: Engine, sent: list[Statement]) -> set[tuple[str, str]]:
    """The growing tables that are scanned completely, and by which statement."""
    found = set()
    with engine.connect() as connection:
        leading = {index: (table, column) for index, table, column in connection.exec_driver_sql(LEADING)}
        for statement in sent:
            if statement.text.split()[0] not in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"):
                continue
            (plan,) = (_plan_of_any if statement.compiled else _plan)(connection, statement)
            told = " ".join(statement.text.split())
            found |= {(table, told) for table in _scanned(plan["Plan"], leading)}
            if statement.compiled and plan["Plan"]["Plan Rows"] > AT_MOST:
                found.add(("what it finds", told))
    return found


def _plan(connection: Connection, statement: Statement) -> list[dict[str, Any]]:
    many = isinstance(statement.parameters, list)
    filled = statement.parameters[0] if many else statement.parameters
    (plan,) = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement.text}", filled).scalar_one()
    return [plan]


def _plan_of_any(connection: Connection, statement: Statement) -> list[dict[str, Any]]:
    """The generic plan of a statement that is planned once for all values (`booking/db/statements.py`)."""
    driver: Any = connection.connection.driver_connection
    for setting in pool.PLANS if statement.by_index else pool.PLANS[:1]:
        driver.execute(f"SET LOCAL {setting}".encode())
    driver.execute(f"PREPARE asked AS {statement.text}".encode())
    count = len(set(re.findall(r"\$[0-9]+", statement.text)))
    values = f"({', '.join(['NULL'] * count)})" if count else ""
    row = driver.execute(f"EXPLAIN (FORMAT JSON) EXECUTE asked{values}".encode()).fetchone()
    driver.execute("DEALLOCATE asked")
    return list(row[0])


def _scanned(plan: dict[str, Any], leading: dict[str, tuple[str, str]]) -> Iterator[str]:
    """Tables that are read whole: by themselves, or by an index of whose first column nothing is asked."""
    table, column = leading.get(plan.get("Index Name", ""), (plan.get("Relation Name", ""), ""))
    by_rest = "Index Cond" in plan and column and not re.search(rf"\({column}\)?[ :]", plan["Index Cond"])
    if (plan["Node Type"] == "Seq Scan" or by_rest) and table not in SMALL and not table.startswith("pg_"):
        yield table
    for part in plan.get("Plans", ()):
        yield from _scanned(part, leading)
