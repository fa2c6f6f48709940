"""Read for booking: what the rules need of a slot and of one person, in one compiled statement."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Engine, Select, String, and_, cast, func, join, or_, select
from sqlalchemy.orm import aliased

from booking import policy
from booking.lines import ask
from booking.model import LIVE, SIGNED_IN, Booking, Person, SignedIn, SignIn, Slot, Station, Strike
from booking.seats import strike_ledger
from booking.seats.eligibility import Eligibility, Entry, entry_columns
from booking.seats.snapshot import DECIDES, RUN, SlotSnapshot, refresh, snapshot, snapshots
from booking.swift import Line, Row, Statement, given

# As long as any strike can count: the longest window that a policy allows plus the longest pause.
STRIKES_COUNT = timedelta(days=policy.BOUNDS["strike_days"][1] + policy.BOUNDS["pause_days"][1])


class Look(NamedTuple):
    """A slot and a person at one instant. `version` is the optimistic lock: a write requires it to be unchanged.

    `signed_in` is the person's sign-in, where it was read.
    """

    run: SlotSnapshot
    who: Eligibility
    version: int
    pressed_before: bool
    signed_in: SignedIn | None = None


def look(line: Line, person_id: int, slot_id: int, now: datetime, key: str | None) -> Look | None:
    """Read by person id. None when there is no such slot, or no such person."""
    rows = _LOOK.run(line, person=person_id, **_about(slot_id, now, key))
    return _seen(snapshot(rows[0]), [row[len(RUN) :] for row in rows], person_id, now) if rows else None


def look_through(
    engine: Engine, token_hash: str, slot_id: int, now: datetime, key: str | None, known: SlotSnapshot | None = None
) -> Look | None:
    """Read by the hash of a sign-in token; None also when the sign-in is no longer valid.

    `known` is a recent snapshot of the slot whose texts are still current: they are not read again.
    """
    statement, width = (_LOOK_AGAIN, len(DECIDES)) if known else (_LOOK_THROUGH, len(RUN))
    rows = ask(engine, statement, token_hash=token_hash, now=now, **_about(slot_id, now, key))
    if not rows:
        return None
    signed_in = SignedIn(*rows[0][-len(SIGNED_IN) :])
    slot = refresh(rows[0], known) if known else snapshot(rows[0])
    person = [row[width : -len(SIGNED_IN)] for row in rows]
    return _seen(slot, person, signed_in.person_id, now, signed_in)


def _about(slot_id: int, now: datetime, key: str | None) -> dict[str, Any]:
    since, first = now - STRIKES_COUNT, now.date() - timedelta(days=1)
    return {"slot": slot_id, "key": key, "since": since, "first": first}


def _seen(
    slot: SlotSnapshot, person: Sequence[Row], person_id: int, now: datetime, signed_in: SignedIn | None = None
) -> Look:
    """Build a `Look` from the columns of `_PERSON` and of the person's entries."""
    version, gone, strikes, before = person[0][: len(_PERSON)]
    entries = tuple(Entry._make(row[len(_PERSON) :]) for row in person if row[len(_PERSON)] is not None)
    until = strike_ledger.pause_now(_instants(strikes), policy.read(slot.station.policy), now) if strikes else None
    return Look(slot, Eligibility(person_id, bool(gone), until, entries), version, before is not None, signed_in)


_beside = aliased(Slot)
_PERSON = [
    Person.version,
    or_(Person.deleted_at.is_not(None), Person.disabled_at.is_not(None)),
    select(func.aggregate_strings(cast(Strike.at, String), ","))
    .correlate(Person, Slot)
    .where(
        Strike.person_id == Person.id,
        Strike.station_id == Slot.station_id,
        Strike.forgiven_at.is_(None),
        Strike.at > given("since"),
    )
    .scalar_subquery(),
    select(Booking.id)
    .correlate(Person)
    .where(Booking.person_id == Person.id, Booking.key == given("key"))
    .scalar_subquery(),
]
_mine = and_(Booking.person_id == Person.id, Booking.state.in_(LIVE), _beside.date >= given("first"))
_ENTRIES: Any = join(Booking, _beside, Booking.slot_id == _beside.id)


def _of_person(slots: Select[Any]) -> Select[Any]:
    return slots.add_columns(*_PERSON, *entry_columns(_beside)).where(Slot.id == given("slot"))


def _through(slots: Select[Any]) -> Statement:
    return Statement(
        _of_person(slots)
        .add_columns(*SIGNED_IN)
        .join(SignIn, SignIn.token_hash == given("token_hash"))
        .join(Person, Person.id == SignIn.person_id)
        .outerjoin(_ENTRIES, _mine)
        .where(SignIn.lets_in(given("now")))
    )


_LOOK = Statement(_of_person(snapshots()).join(Person, Person.id == given("person")).outerjoin(_ENTRIES, _mine))
_LOOK_THROUGH = _through(snapshots())
_LOOK_AGAIN = _through(select(*DECIDES).join_from(Slot, Station, Slot.station_id == Station.id))


def _instants(text: str) -> list[datetime]:
    """The strikes' times in UTC, oldest first; SQLite stores them without their zone."""
    found = (datetime.fromisoformat(each) for each in text.split(","))
    return sorted(each.replace(tzinfo=UTC) if each.tzinfo is None else each.astimezone(UTC) for each in found)
