"""Fixtures: each rule gets its own lunch hour, on both databases.

All of them share one database of each kind and one engine, whose statements stay compiled; it is emptied after each
test.
"""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from booking.model import Base
from tests.support import databases
from tests.support.lunch_hour import LunchHour


@pytest.fixture(scope="package")
def kept_sqlite(sqlite_copies: databases.SqliteCopies) -> Iterator[Engine]:
    yield from kept(sqlite_copies)


@pytest.fixture(scope="package")
def kept_postgresql(postgres_clones: databases.PostgresClones) -> Iterator[Engine]:
    yield from kept(postgres_clones)


def kept(copies: databases.SqliteCopies | databases.PostgresClones) -> Iterator[Engine]:
    with copies.fresh() as url:
        engine = databases.connect_engine(url)
        yield engine
        engine.dispose()


@pytest.fixture
def engine(backend: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    engine: Engine = request.getfixturevalue(f"kept_{backend}")
    yield engine
    tables = [table.name for table in reversed(Base.metadata.sorted_tables)]
    with engine.begin() as connection:
        if backend == "postgresql":
            connection.execute(text(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY"))
        else:
            for table in tables:
                connection.execute(text(f"DELETE FROM {table}"))


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as session:
        yield session


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Two seats on Tuesday at 12:10; they open on Monday at 10:00."""
    return LunchHour(session)


@pytest.fixture
def lunch_with(session: Session) -> Callable[..., LunchHour]:
    """The same with other numbers: `lunch_with(capacity=1, seats_a_day=2)`."""
    return lambda **options: LunchHour(session, **options)
