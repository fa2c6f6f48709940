"""Schema: I9, every index, CHECK, key and trigger that the migrations make is in the database.

A migration that rebuilds a table on SQLite loses triggers and the WHERE of partial indexes without a word.
"""

import re
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from booking.model import Base

# What the model cannot say: two slots never overlap in a zone.
ZONE_OVERLAP = {"sqlite": {"zone_overlap_insert", "zone_overlap_update"}, "postgresql": {"zone_overlap"}}
THERE = {
    "sqlite": "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL",
    "postgresql": """
        SELECT pg_get_indexdef(indexrelid) FROM pg_index
        UNION ALL SELECT 'CONSTRAINT ' || conname FROM pg_constraint
    """,
}
NAMES = re.compile(r'(?:INDEX|CONSTRAINT|TRIGGER)(?: IF NOT EXISTS)?\s+"?(\w+)')
PARTIAL = re.compile(r'INDEX "?(\w+).*\sWHERE\s', re.DOTALL)


# By name: those of the model, and of an index whether it is a partial one.
EVERY = Base.metadata.sorted_tables
CONSTRAINTS = {str(one.name) for table in EVERY for one in table.constraints}
INDEXES = {
    str(one.name): one.dialect_options["sqlite"]["where"] is not None for table in EVERY for one in table.indexes
}


def schema(session: Session, _now: datetime) -> Iterator[str]:
    dialect = session.get_bind().dialect.name
    made = session.scalars(text(THERE[dialect])).all()
    there = {name for sql in made for name in NAMES.findall(sql)}
    for name in sorted((CONSTRAINTS | INDEXES.keys() | ZONE_OVERLAP[dialect]) - there):
        yield f"I9 the database lacks {name}"
    narrowed = {name for sql in made for name in PARTIAL.findall(sql)}
    for name, partial in sorted(INDEXES.items()):
        if name in there and partial != (name in narrowed):
            yield f"I9 the index {name} has {'lost its' if partial else 'a'} WHERE"
