"""Migrations of a grown database: filled at revision 0002, upgraded, it is like a fresh one and nothing breaks."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from booking import invariants
from booking.model import Booking, Person, Slot
from tests.support import databases
from tests.support.lunch_hour import at

ROWS = Path(__file__).with_name("grown_0002.sql")
MADE = {
    "sqlite": "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'",
    "postgresql": """
        SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'
        UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
          FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conname NOT LIKE 'alembic%'
        UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default)
          FROM information_schema.columns WHERE table_schema = 'public'
    """,
}


@pytest.fixture
def grown(empty_url: str) -> Iterator[Engine]:
    engine = databases.connect_engine(empty_url)
    databases.upgrade(engine, "0002")
    with engine.begin() as connection:
        for statement in ROWS.read_text().rstrip(";\n").split(";\n"):
            connection.exec_driver_sql(statement)
    databases.upgrade(engine)
    yield engine
    engine.dispose()


def made(engine: Engine) -> set[str]:
    """The definitions of tables, columns, CHECKs, keys, indexes and triggers, as the database says them."""
    with engine.connect() as connection:
        found = connection.scalars(text(MADE[engine.dialect.name])).all()
    return {" ".join(re.sub(r'["\s]+', " ", sql).split()) for sql in found}


def test_it_has_no_breach_and_kept_its_rows(grown: Engine) -> None:
    with Session(grown) as session:
        assert invariants.breaches(session, at("12:20")) == []
        states = Counter(session.scalars(select(Booking.state)))
        assert states == {"attended": 1, "booked": 2, "cancelled": 1, "expired": 2, "released": 1, "waiting": 1}


def test_renamed_columns_keep_their_values(grown: Engine) -> None:
    with Session(grown) as session:
        slot, waiting = session.get_one(Slot, 1), Booking.state == "waiting"
        assert (slot.waitlist_until, slot.waitlist_seq) == (at("11:40"), 3)
        assert session.scalars(select(Booking.waitlist_position).where(waiting)).all() == [1]
        assert session.get_one(Person, 2).version == 2


def test_it_is_made_like_a_fresh_one(grown: Engine, engine: Engine) -> None:
    assert made(grown) == made(engine)
