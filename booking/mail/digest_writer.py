"""Digest writer: writes any number of digests with their letters in a few statements.

The unique key of the letter makes it one digest per person, kind and date, whatever other writers do.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, cast, insert, literal, select
from sqlalchemy.orm import Session

from booking.db import upsert
from booking.db.arrays import unnest
from booking.db.transactions import transactional
from booking.enqueue import RandomHex
from booking.mail import digests, night_draws
from booking.mail.digests import Noted
from booking.mail.subscriptions import reads
from booking.model import Digest, Letter, Person

Claimed = tuple[ColumnElement[int], ColumnElement[int]]


@transactional
def write(session: Session, noted: Sequence[Noted], now: datetime) -> int:
    """Write these digests with their letters. Returns how many; those that another writer has written are skipped."""
    by_date = attrgetter("date")
    taken = night_draws.take(session, [result[0] for one in noted for result in one.details.get("draws", ())])
    still = [one for one in (_with_draws(one, taken) for one in noted) if digests.has_news(one.kind, one.details)]
    days = groupby(sorted(still, key=by_date), key=by_date)
    count = sum(_write(session, day, list(some), now) for day, some in days)
    night_draws.give_back(session, taken, [f"{_key(one)}{one.person_id}" for one in still if "draws" in one.details])
    return count


def _with_draws(one: Noted, taken: Collection[int]) -> Noted:
    """The digest with those of its draws whose letters were withdrawn."""
    if "draws" not in one.details:
        return one
    left = [result for result in one.details["draws"] if result[0] in taken]
    rest = {name: value for name, value in one.details.items() if name != "draws"}
    return one._replace(details=rest | {"draws": left} if left else rest)


def _key(one: Noted) -> str:
    """The key of its letter, but for the person's id."""
    return f"digest:{one.kind}:{one.date}:"


def _write(session: Session, day: date, noted: Sequence[Noted], now: datetime) -> int:
    claimed = _claim(session, _key(noted[0]), noted, now)
    said = {"kind": literal(noted[0].kind), "date": literal(day), "written_at": literal(now, Digest.written_at.type)}
    columns: dict[str, Any] = {"person_id": claimed[0], "letter_id": claimed[1], **said}
    rows = insert(Digest).from_select(list(columns), select(*columns.values()), include_defaults=False)
    return session.connection().execute(rows, execution_options={"preserve_rowcount": True}).rowcount


def _claim(session: Session, key: str, noted: Sequence[Noted], now: datetime) -> Claimed:
    """Insert the letters that do not exist yet. One of another writer, even uncommitted, wins."""
    rows = unnest([[one.person_id, _details(one)] for one in noted])
    moment = literal(now, Letter.created_at.type)
    columns: dict[str, Any] = {
        "kind": literal(f"{noted[0].kind}_digest"),
        "key": literal(key) + cast(Person.id, Text),
        "person_id": Person.id,
        "language": Person.language,
        "details": rows[1],
        "message_id": RandomHex(),
        "created_at": moment,
        "next_try_at": moment,
    }
    found = select(*columns.values()).where(Person.id == rows[0].as_integer(), reads(f"{noted[0].kind}_digest"))
    return _mine(session.connection(), list(columns), found)


def _mine(connection: Connection, columns: list[str], found: Select[Any]) -> Claimed:
    """Person and id of each letter inserted here: on PostgreSQL by a CTE of the calling statement, on SQLite before it."""
    fuses = connection.dialect.name == "postgresql"
    claim = upsert.insert(connection, Letter).from_select(columns, found)
    mine = claim.on_conflict_do_nothing(index_elements=["key"]).returning(Letter.person_id, Letter.id)
    if fuses:
        written = mine.cte("mine")
        return written.c.person_id, written.c.id
    pair = unnest([list(row) for row in connection.execute(mine) if row.person_id])
    return pair[0].as_integer(), pair[1].as_integer()


def _details(one: Noted) -> dict[str, Any]:
    return {"date": one.date.isoformat(), **one.details}
