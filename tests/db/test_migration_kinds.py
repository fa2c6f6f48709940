"""Expand, then contract: every migration says which it is, and one that only expands does nothing that old code minds."""

import re

import pytest
from alembic.script import Script, ScriptDirectory
from sqlalchemy import select

from booking.db.migrating import COMPATIBILITY
from tests.support import databases
from tests.support.statements import heard

STEPS: list[Script] = list(ScriptDirectory.from_config(databases.alembic_config(None)).walk_revisions())[::-1]
CONTRACTS = [step for step in STEPS if getattr(step.module, "kind", "") == "contract"]
# Of before anybody upgraded under traffic: they lock their table while they build an index.
LOCKING = {"0003", "0008", "0009", "0010", "0012"}

MADE = re.compile(r'CREATE TABLE "?(\w+)')
TABLE = re.compile(r'(?:ALTER TABLE|DROP TABLE|\sON) "?(\w+)')
BREAKS = re.compile(
    r"DROP TABLE|DROP COLUMN|RENAME|ADD CONSTRAINT|SET NOT NULL|DROP DEFAULT|ALTER COLUMN \S+ (SET DATA )?TYPE"
    r"|CREATE UNIQUE INDEX|ADD COLUMN (?!.*DEFAULT).*NOT NULL"
)
LOCKS = re.compile(r"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)")


def is_new(statement: str, made: set[str]) -> bool:
    """Whether it is about a table that the same step makes."""
    found = TABLE.search(statement)
    return bool(found and found[1] in made)


CASES = [
    ("ALTER TABLE slot ADD COLUMN note VARCHAR(40)", False, False),
    ("ALTER TABLE slot ADD COLUMN note VARCHAR(40) DEFAULT '' NOT NULL", False, False),
    ("ALTER TABLE slot ADD COLUMN note VARCHAR(40) NOT NULL", True, False),
    ("ALTER TABLE slot DROP COLUMN note", True, False),
    ("ALTER TABLE slot ALTER COLUMN note TYPE VARCHAR(80)", True, False),
    ("ALTER TABLE slot ALTER COLUMN note SET NOT NULL", True, False),
    ("ALTER TABLE slot ALTER COLUMN note DROP DEFAULT", True, False),
    ("ALTER TABLE slot ALTER COLUMN note DROP NOT NULL", False, False),
    ("ALTER TABLE slot RENAME note TO words", True, False),
    ("ALTER TABLE slot ADD CONSTRAINT ck_slot_note CHECK (note <> '')", True, False),
    ("DROP TABLE slot", True, False),
    ("CREATE UNIQUE INDEX CONCURRENTLY ix_slot_note ON slot (note)", True, False),
    ("CREATE INDEX ix_slot_note ON slot (note)", False, True),
    ("CREATE INDEX CONCURRENTLY ix_slot_note ON slot (note)", False, False),
    ("DROP INDEX ix_slot_note", False, False),
]


@pytest.mark.parametrize(("statement", "breaks", "locks"), CASES)
def test_what_old_code_minds(statement: str, breaks: bool, locks: bool) -> None:
    assert (bool(BREAKS.search(statement)), bool(LOCKS.search(statement))) == (breaks, locks)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.revision)
def test_every_migration_says_which_it_is(step: Script) -> None:
    assert getattr(step.module, "kind", None) in ("expand", "contract"), f"{step.path} needs a kind"
    oldest = getattr(step.module, "oldest_revision", step.revision)
    assert oldest in {one.revision for one in STEPS}
    assert oldest == step.revision or (step in CONTRACTS and oldest < step.revision)


@pytest.mark.postgresql
def test_a_migration_that_expands_does_nothing_that_old_code_minds(empty_url: str) -> None:
    engine = databases.connect_engine(empty_url)
    for step in STEPS:
        with heard(engine) as sent:
            databases.upgrade(engine, step.revision)
        statements = [" ".join(one.text.split()) for one in sent]
        made = {name for one in statements for name in MADE.findall(one)}
        old = [one for one in statements if not is_new(one, made)]
        if step not in CONTRACTS:
            assert [one for one in old if BREAKS.search(one)] == [], f"{step.revision} is a contract"
        if step.revision not in LOCKING:
            assert [one for one in old if LOCKS.search(one)] == [], f"{step.revision}: see booking/db/online_ddl.py"
    with engine.connect() as connection:
        told = connection.scalars(select(COMPATIBILITY.c.oldest_revision)).all()
    assert told == [max(getattr(step.module, "oldest_revision", step.revision) for step in CONTRACTS)]
    engine.dispose()
