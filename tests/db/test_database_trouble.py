"""Database failures: busy, restarted or gone: a static 503 without a trace, and normal service afterwards."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, make_url, text
from sqlalchemy.orm import Session

import config
from booking.db import transactions
from booking.extensions import db
from booking.model import Station
from tests.support import postgres


@pytest.fixture
def shop(make_app: Callable[..., Flask], database_url: str, session: Session) -> FlaskClient:
    """A page that reads a station, and one that writes to it, with a lock timeout of 0.1 seconds."""
    session.add(Station(code="cbd", name="白领驿站"))
    session.commit()
    options = config.engine_options(database_url)
    if "execution_options" in options:
        options["execution_options"]["session_settings"]["lock_timeout"] = "100"
    app = make_app(SQLALCHEMY_ENGINE_OPTIONS=options)

    @app.get("/read")
    def read() -> str:
        return db.session.scalars(db.select(Station.name)).one()

    @app.get("/write")
    def write() -> str:
        if db.engine.dialect.name == "sqlite":
            db.session.execute(text("PRAGMA busy_timeout = 100"))
        with transactions.transaction(db.session) as writing:
            writing.execute(db.update(Station).values(address="一层"))
        return "written"

    return app.test_client()


def is_calm(client: FlaskClient, address: str) -> bool:
    answer = client.get(address)
    return answer.status_code == 503 and answer.headers["Retry-After"] == "3" and "系统正忙" in answer.text


@contextmanager
def admin(url: str) -> Iterator[Callable[[str], Any]]:
    with psycopg.connect(postgres.plain(make_url(url).set(database="postgres")), autocommit=True) as connection:
        yield connection.execute


@pytest.mark.postgresql
def test_lost_connections_are_replaced_without_an_error(shop: FlaskClient, database_url: str) -> None:
    assert shop.get("/read").text == "白领驿站"
    with admin(database_url) as sql:
        sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lunch-hour'")
    assert shop.get("/read").text == "白领驿站"


@pytest.mark.postgresql
def test_a_database_that_is_away_and_comes_back(shop: FlaskClient, database_url: str) -> None:
    name = make_url(database_url).database
    with admin(database_url) as sql:
        sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        assert is_calm(shop, "/read")
        assert is_calm(shop, "/write")
        sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert shop.get("/read").text == "白领驿站"


@pytest.mark.postgresql
def test_a_row_that_somebody_else_holds_is_not_waited_for_long(shop: FlaskClient, engine: Engine) -> None:
    with engine.begin() as other:
        other.execute(text("UPDATE station SET name = name"))
        assert is_calm(shop, "/write")
        assert shop.get("/read").text == "白领驿站"
    assert shop.get("/write").text == "written"


@pytest.mark.postgresql
def test_the_cause_of_a_503_is_logged(shop: FlaskClient, engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    @shop.application.get("/long")
    def long() -> str:
        db.session.execute(text("SET LOCAL statement_timeout = 50"))
        return str(db.session.scalar(text("SELECT pg_sleep(5)")))

    assert is_calm(shop, "/long")
    with engine.begin() as other:
        other.execute(text("UPDATE station SET name = name"))
        assert is_calm(shop, "/write")
    assert caplog.messages == [
        "database busy or gone at long: QueryCanceled",
        "database busy or gone at write: LockNotAvailable",
    ]


@pytest.mark.sqlite
def test_a_file_that_somebody_else_writes_is_not_waited_for_long(shop: FlaskClient, database_url: str) -> None:
    other = sqlite3.connect(make_url(database_url).database or "", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert is_calm(shop, "/write")
    assert shop.get("/read").text == "白领驿站"
    other.execute("ROLLBACK")
    other.close()
    assert shop.get("/write").text == "written"
