"""Connection pool: what its connections are set to, and what happens when they are lost."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, make_url, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFree

import config
from booking.db import pool, transactions
from booking.db.connections import BOTH_ENDS
from booking.db.statements import CompiledStatement, DriverConnection
from booking.extensions import db
from booking.jobs import leader_election
from booking.model import Station
from tests.conftest import disconnect
from tests.support import databases, memory, postgres

STATIONS = CompiledStatement(select(Station.id))
NAMES = CompiledStatement(select(Station.name))
AT_ONCE = 2  # seconds, on a machine that does other things too


def sql(url: str, text: str) -> None:
    with psycopg.connect(postgres.plain(make_url(url).set(database="postgres")), autocommit=True) as connection:
        connection.execute(text.encode())


def end_all(url: str) -> None:
    name = make_url(url).database
    sql(url, f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'")


@contextmanager
def away(url: str) -> Iterator[None]:
    name = make_url(url).database
    sql(url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    end_all(url)
    try:
        yield
    finally:
        sql(url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def at_once(ask: Callable[[], Any]) -> Any:
    began = monotonic()
    try:
        return ask()
    finally:
        assert monotonic() - began < AT_ONCE


def take_all(engine: Engine) -> None:
    with pool.connection(engine), pool.connection(engine), pool.connection(engine):
        assert pool.SIZE == 3


def test_what_is_read_on_connections_that_were_all_lost_is_read_on_a_new_one(engine: Engine, backend: str) -> None:
    take_all(engine)
    if backend == "postgresql":
        end_all(engine.url.render_as_string(hide_password=False))
    for _ in range(pool.SIZE + 1):
        assert at_once(lambda: pool.fetch(engine, STATIONS)) == []


@pytest.mark.postgresql
def test_a_database_that_is_away_is_not_waited_for_and_found_again_at_once(engine: Engine, database_url: str) -> None:
    take_all(engine)
    with away(database_url):
        for _ in range(3):
            with pytest.raises(DBAPIError) as lost:
                at_once(lambda: pool.fetch(engine, STATIONS))
            assert lost.value.connection_invalidated
    assert at_once(lambda: pool.fetch(engine, STATIONS)) == []


@pytest.mark.postgresql
def test_who_waits_while_the_database_goes_away_is_told_at_once(engine: Engine, database_url: str) -> None:
    told: list[bool] = []

    def ask() -> None:
        try:
            pool.fetch(engine, STATIONS)
        except DBAPIError as error:
            told.append(error.connection_invalidated)

    waiting = [Thread(target=ask) for _ in range(8)]
    with pytest.raises(DBAPIError), pool.connection(engine) as first, pool.connection(engine), pool.connection(engine):
        for thread in waiting:
            thread.start()
        with away(database_url):
            began = monotonic()
            STATIONS.run(first)
    for thread in waiting:
        thread.join(60)
    assert monotonic() - began < AT_ONCE * 2
    assert all(told)


@pytest.mark.postgresql
def test_a_connection_is_waited_for_a_bounded_time(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "WAIT", 0.1)
    with pytest.raises(NoneFree), pool.connection(engine), pool.connection(engine), pool.connection(engine):
        pool.fetch(engine, STATIONS)
    assert pool.fetch(engine, STATIONS) == []


@pytest.mark.postgresql
def test_an_app_that_was_only_made_has_no_connection(make_app: Callable[..., Flask], database_url: str) -> None:
    """What is open before a fork is used by two processes after it."""
    make_app()
    with psycopg.connect(postgres.plain(database_url)) as other:
        asked = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ 'lunch'"
        )
        assert other.execute(asked).fetchone() == (0,)


def by_the_engine(engine: Engine) -> Any:
    held = engine.raw_connection()
    driver = held.driver_connection
    held.detach()
    return driver


def by_the_pool(engine: Engine) -> Any:
    with pool.connection(engine) as held:
        return held.driver


def by_the_leader(engine: Engine) -> Any:
    candidate = leader_election.ByConnection(engine)
    assert candidate.acquire()
    return candidate.connection


@pytest.mark.postgresql
@pytest.mark.parametrize("connect", [by_the_engine, by_the_pool, by_the_leader])
def test_every_connection_notices_a_host_that_vanishes(engine: Engine, connect: Callable[[Engine], Any]) -> None:
    driver = connect(engine)
    driver.autocommit = True
    given = driver.info.get_parameters()
    wanted = {"keepalives_idle": "2", "keepalives_interval": "1", "keepalives_count": "3", "tcp_user_timeout": "5000"}
    assert given | wanted == given
    assert given["connect_timeout"] == "3"
    asked = "SELECT name, setting FROM pg_settings WHERE name ~ '^tcp_'"
    there = {BOTH_ENDS[name]: value for name, value in wanted.items()}
    assert dict(driver.execute(asked).fetchall()) == there
    settings = {name: driver.execute(f"SHOW {name}").fetchone()[0] for name in ("lock_timeout", "timezone", "jit")}
    assert settings == {"lock_timeout": "1min", "timezone": "UTC", "jit": "off"}, "those of databases.engine_options"
    driver.close()


FORMS = [
    "postgres:p%40ss@127.0.0.1:{port}/{name}",
    "postgres:p@ss@127.0.0.1:{port}/{name}?sslmode=disable",
    "postgres@127.0.0.1:1,127.0.0.1:{port}/{name}",
    "postgres@/{name}?host=127.0.0.1:1&host=127.0.0.1:{port}",
    "postgres@/{name}?host={socket}&port={port}",
]


@pytest.mark.postgresql
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_an_address_leads_web_scheduler_and_commands_to_the_database(
    database_url: str, tmp_path: Path, form: str
) -> None:
    where = make_url(database_url)
    with psycopg.connect(postgres.plain(where)) as connection:
        (socket,) = connection.execute("SHOW unix_socket_directories").fetchone() or ("",)
    url = form.format(port=where.port, name=where.database, socket=socket)
    settings = config.load(
        {"DATABASE_URL": f"postgresql://{url}", "INSTANCE_PATH": str(tmp_path), "SECRET_KEY": "x" * 40}
    )
    engine = databases.connect_engine(settings["SQLALCHEMY_DATABASE_URI"])
    with engine.connect() as by_command:
        assert by_command.scalars(select(Station.id)).all() == []
    assert pool.fetch(engine, STATIONS) == []
    candidate = leader_election.ByConnection(engine)
    assert candidate.acquire()
    candidate.release()
    engine.dispose()


# A column whose type changes under prepared statements


@pytest.mark.postgresql
def test_a_statement_that_was_prepared_for_other_columns_is_prepared_anew(engine: Engine) -> None:
    """PostgreSQL says "cached plan must not change result type", on that connection for ever."""
    assert pool.fetch(engine, NAMES) == []
    with engine.begin() as other:
        other.execute(text("ALTER TABLE station ALTER COLUMN name TYPE VARCHAR(300)"))
    for _ in range(pool.SIZE + 1):
        assert pool.fetch(engine, NAMES) == []


# A server that refuses to write


@pytest.fixture
def read_only(database_url: str) -> Iterator[Callable[[str], None]]:
    """Stop all writes of new connections, and allow them again."""
    name = make_url(database_url).database

    def switch(to: str) -> None:
        sql(database_url, f"ALTER DATABASE {name} SET default_transaction_read_only = {to}")

    yield switch
    sql(database_url, f"ALTER DATABASE {name} RESET default_transaction_read_only")


def is_written(connection: DriverConnection) -> bool:
    connection.send("UPDATE station SET name = name")
    return True


@pytest.mark.postgresql
def test_a_pool_that_once_reached_a_read_only_server_does_not_stay_there(
    engine: Engine, read_only: Callable[[str], None]
) -> None:
    read_only("on")
    take_all(engine)
    read_only("off")
    assert pool.read(engine, is_written)
    for _ in range(pool.SIZE):
        assert pool.read(engine, is_written)


@pytest.mark.postgresql
def test_no_scheduler_leads_where_nothing_can_be_written(engine: Engine, read_only: Callable[[str], None]) -> None:
    candidate = leader_election.ByConnection(engine)
    read_only("on")
    assert not candidate.acquire()
    candidate.release()
    read_only("off")
    assert candidate.acquire()
    assert candidate.holds()
    candidate.release()


def with_a_form(app: Flask) -> FlaskClient:
    @app.post("/write")
    def write() -> str:
        transactions.run_with_retry(db.session, lambda writing: writing.execute(db.update(Station).values(name="写")))
        return "written"

    return app.test_client()


@pytest.mark.postgresql
def test_an_app_whose_server_stops_all_writes_goes_on_when_it_takes_them_again(make_app: Callable[..., Flask]) -> None:
    with postgres.own(memory.MEMORY, postgres.FAST) as server:
        url = server.url.render_as_string(hide_password=False)
        engine = databases.connect_engine(url)
        databases.upgrade(engine)
        engine.dispose()
        app = make_app(SQLALCHEMY_DATABASE_URI=url)
        client = with_a_form(app)
        assert client.post("/write").text == "written"
        for switch, status in (("on", 503), ("off", 200)):
            sql(url, f"ALTER SYSTEM SET default_transaction_read_only = {switch}")
            sql(url, "SELECT pg_reload_conf()")
            wait_for(lambda status=status: client.post("/write").status_code == status)
            assert client.get("/readyz").status_code == status
        disconnect(app)


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = monotonic() + 30
    while not holds():
        assert monotonic() < deadline


@pytest.mark.postgresql
def test_an_app_whose_server_refuses_to_write_says_so_and_recovers(
    make_app: Callable[..., Flask], database_url: str, read_only: Callable[[str], None]
) -> None:
    client = with_a_form(make_app())
    assert client.get("/readyz").status_code == 200
    read_only("on")
    end_all(database_url)
    assert client.get("/readyz").json["status"] == "database is read-only"
    refused = client.post("/write")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "3")
    assert "系统正忙" in refused.text
    assert client.get("/").status_code == 200  # what only reads is still answered
    read_only("off")
    # Also on connections from before: the first refusal gives up all of them, and the retry connects anew.
    assert [client.post("/write").text for _ in range(6)] == ["written"] * 6
    assert client.get("/readyz").status_code == 200
