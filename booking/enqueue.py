"""Enqueue: writes one letter to the outbox in the verb's transaction; the mail job sends it after the commit."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Insert, Select, and_, cast, exists, insert, literal, or_, select, update
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import String

from booking import identifiers
from booking.db import upsert
from booking.db.statements import defaults, param
from booking.model import Booking, Letter, Slot

# How long letters about a manager's change wait, so that a mistake can be undone before anybody reads of it.
UNDO_WINDOW = timedelta(minutes=1)
# Close to the start a letter is urgent, so the undo window is shorter.
NO_TIME = timedelta(minutes=30)
# The kinds of letters that put a seat into its reader's calendar, and that take it out again.
INVITATIONS = ("confirmed", "promoted", "slot_moved")
CANCELLATIONS = ("moved_down", "booking_cancelled", "booking_removed")
# A letter that was sent, or may have been: one that was tried cannot be withdrawn.
ATTEMPTED = or_(
    Letter.state.in_(("sending", "sent", "failed")),
    and_(Letter.state == "queued", Letter.tries > 0),
    Letter.held_at.is_not(None),
)


def enqueue(
    session: Session,
    kind: str,
    now: datetime,
    *,
    person_id: int | None = None,
    to: str | None = None,
    language: str | None = None,
    slot_id: int | None = None,
    booking_id: int | None = None,
    once: str | None = None,
    wait: timedelta = timedelta(0),
    **details: Any,
) -> None:
    """Queue one letter to a person, or to a bare address, to be sent after `wait`.

    Idempotency: a second letter with the same `once` is not written.
    """
    if once and session.scalar(select(exists().where(Letter.key == once))):
        return
    session.add(
        Letter(
            kind=kind,
            key=once,
            person_id=person_id,
            to=to,
            language=language,
            slot_id=slot_id,
            booking_id=booking_id,
            details=details,
            message_id=identifiers.message_id(now),
            created_at=now,
            next_try_at=now + wait,
        )
    )


def undo_window(slot: Slot, now: datetime) -> timedelta:
    """How long to hold back the letters about a manager's change of a slot."""
    return UNDO_WINDOW if slot.starts_at - now > NO_TIME else timedelta(0)


class TakenBack(NamedTuple):
    """What a withdrawn letter was about."""

    booking_id: int | None
    details: dict[str, Any]


def withdraw_letters(
    session: Session, kind: str, slot_id: int, why: str, *which: ColumnElement[bool]
) -> Sequence[TakenBack]:
    """Withdraw the unsent letters of a kind about a slot. Senders claim by the same kind of UPDATE: only one gets a
    row."""
    unsent = (Letter.kind == kind, Letter.slot_id == slot_id, Letter.state == "queued", Letter.tries == 0)
    gone = update(Letter).where(*unsent, *which).values(state="dropped", key=None, error=why)
    return [TakenBack(*row) for row in session.execute(gone.returning(Letter.booking_id, Letter.details))]


def is_invited(session: Session, booking: Booking, but: int | None = None) -> bool:
    """Whether letters have put the booking's seat into its person's calendar; `but` is a letter that does not count."""
    about = (Letter.person_id == booking.person_id, Letter.booking_id == booking.id, Letter.id.is_distinct_from(but))
    kinds = Letter.kind.in_(INVITATIONS + CANCELLATIONS)
    left = select(Letter.kind).where(*about, kinds, ATTEMPTED, Letter.state != "failed")
    return session.scalar(left.order_by(Letter.id.desc()).limit(1)) in INVITATIONS


def letters_to(kind: str, bookings: Select[int], details: ColumnElement[Any], due: str = "now") -> Insert:
    """Insert one letter to each person of these bookings, about its slot, created at the bound `now`.

    It is sent at the bound instant `due`.
    """
    columns = _letter(kind, details, due)
    rows = select(*columns.values()).where(Booking.id.in_(bookings)).order_by(Booking.id)
    return insert(Letter).from_select(list(columns), rows, include_defaults=False)


def letters_once(kind: str, bookings: Select[int], details: ColumnElement[Any], due: str) -> Insert:
    """`letters_to`, but only to whoever has no letter of this kind about the slot yet."""
    key = literal(f"{kind}:") + cast(Booking.slot_id, String) + literal(":") + cast(Booking.person_id, String)
    columns = {**_letter(kind, details, due), "key": key}
    rows = select(*columns.values()).where(Booking.id.in_(bookings), ~exists().where(Letter.key == key))
    return insert(Letter).from_select(list(columns), rows.order_by(Booking.id), include_defaults=False)


def _letter(kind: str, details: ColumnElement[Any], due: str) -> dict[str, Any]:
    """The columns of a letter to the person of a booking."""
    constant = {name: literal(value) for name, value in defaults(Letter).items()}
    about = {"person_id": Booking.person_id, "slot_id": Booking.slot_id, "kind": literal(kind), "details": details}
    now, next_try_at = (param(name, Letter.created_at.type) for name in ("now", due))
    return {**constant, **about, "message_id": RandomHex(), "created_at": now, "next_try_at": next_try_at}


def enqueue_once(session: Session, kind: str, key: ColumnElement[str], bookings: Select[int], now: datetime) -> int:
    """Queue a letter to the person of each of these bookings, about its slot. Returns how many.

    Idempotency: one whose unique `key` there is already, even uncommitted, is not written.
    """
    moment = literal(now, Letter.created_at.type)
    about = {"person_id": Booking.person_id, "slot_id": Booking.slot_id, "booking_id": Booking.id}
    said = {"kind": literal(kind), "key": key, "message_id": RandomHex(), "created_at": moment, "next_try_at": moment}
    columns: dict[str, Any] = {**about, **said}
    connection = session.connection()
    rows = upsert.insert(connection, Letter).from_select(list(columns), bookings.with_only_columns(*columns.values()))
    return len(connection.execute(rows.on_conflict_do_nothing(index_elements=["key"]).returning(Letter.id)).all())


class RandomHex(FunctionElement[str]):
    """32 random hex digits drawn by the database, different in each row."""

    type = String()
    inherit_cache = True


@compiles(RandomHex, "postgresql")
def _by_postgresql(*_: Any, **__: Any) -> str:
    return "replace(gen_random_uuid()::text, '-', '')"


@compiles(RandomHex, "sqlite")
def _by_sqlite(*_: Any, **__: Any) -> str:
    return "lower(hex(randomblob(16)))"
