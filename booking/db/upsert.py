"""Upsert: the INSERT of the database that is asked, for its ON CONFLICT, which SQLAlchemy has for each dialect apart."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.dialects import postgresql, sqlite

InsertInto = Callable[[Any], postgresql.Insert | sqlite.Insert]
INSERTS: dict[str, InsertInto] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


def insert(bind: Engine | Connection, table: Any) -> postgresql.Insert | sqlite.Insert:
    return INSERTS[bind.dialect.name](table)
