"""Writing digests: any number of them in two statements.

A digest is claimed by the key of its letter: one per person, kind and date, whoever else is writing.
"""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import insert, literal, select, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from booking.each import each
from booking.mail.digests import Noted
from booking.model import Digest, Letter
from booking.notices import RandomHex


def write(session: Session, noted: Sequence[Noted], now: datetime) -> int:
    """Write these digests with their letters. Returns how many: a digest that somebody else has written stays theirs."""
    by_date = attrgetter("date")
    return sum(_write(session, day, list(some), now) for day, some in groupby(sorted(noted, key=by_date), key=by_date))


def _write(session: Session, day: date, noted: Sequence[Noted], now: datetime) -> int:
    letters = _claim(session, f"digest:{noted[0].kind}:{day}:", noted, now)
    if letters:
        pair = each(letters)
        said = {
            "kind": literal(noted[0].kind),
            "date": literal(day),
            "written_at": literal(now, Digest.written_at.type),
        }
        columns: dict[str, Any] = {"person_id": pair[0].as_integer(), "letter_id": pair[1].as_integer(), **said}
        session.execute(insert(Digest).from_select(list(columns), select(*columns.values())))
    return len(letters)


def _claim(session: Session, key: str, noted: Sequence[Noted], now: datetime) -> list[tuple[int, int]]:
    """Write the letters that nobody has written: [person, letter]. Somebody else's, even one not committed yet, wins."""
    dialect = {"sqlite": sqlite, "postgresql": postgresql}[session.get_bind().dialect.name]
    one = each([[o.person_id, o.language, _details(o)] for o in noted])
    moment = literal(now, Letter.created_at.type)
    columns: dict[str, Any] = {
        "kind": literal(f"{noted[0].kind}_digest"),
        "key": literal(key) + one[0].as_string(),
        "person_id": one[0].as_integer(),
        "language": one[1].as_string(),
        "details": one[2],
        "message_id": RandomHex(),
        "created_at": moment,
        "next_try_at": moment,
    }
    # SQLite takes ON CONFLICT for a part of the join when there is no WHERE.
    rows = select(*columns.values()).where(true())
    claim = dialect.insert(Letter).from_select(list(columns), rows)
    mine = claim.on_conflict_do_nothing(index_elements=["key"]).returning(Letter.person_id, Letter.id)
    return [(row.person_id, row.id) for row in session.execute(mine) if row.person_id]


def _details(one: Noted) -> dict[str, Any]:
    return {"date": one.date.isoformat(), **one.details}
