"""Upsert: the INSERT of the database that is asked, for its ON CONFLICT, which SQLAlchemy has for each dialect apart."""

from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.dialects import postgresql, sqlite


def insert(bind: Engine | Connection, table: Any) -> postgresql.Insert | sqlite.Insert:
    if bind.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
