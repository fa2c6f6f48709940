"""Draws of the night: the morning's digest tells who lost, and withdraws the letter that would have told it.

The letter waits until after the digest's hour (`draws/letters`). It is withdrawn in the transaction that writes the
digest, and only while nobody has tried to send it: each is told once, by the one or by the other.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from booking.db.arrays import in_array
from booking.db.transactions import NO_SYNC
from booking.draws.letters import WAITS
from booking.model import HOLDING, Letter, Slot
from booking.queries import waiting_odds

IN_DIGEST = "told in the digest"
_unsent = (Letter.kind == "draw_result", Letter.state == "queued", Letter.tries == 0)


def news(stations: Select[int], due_at: datetime) -> Select[int | None, int]:
    """The people whose result of the night waits for a digest of that hour, and the stations."""
    return _waiting(due_at).with_only_columns(Letter.person_id, Slot.station_id).where(Slot.station_id.in_(stations))


def add(
    session: Session, told: dict[int, dict[str, Any]], stations: Select[int], due_at: datetime, ids: Collection[int]
) -> None:
    """Add the results, with the id of each letter, its slot and its details, to what these people's digests tell."""
    columns = (Letter.person_id, Slot.station_id, Letter.id, Letter.slot_id, Letter.details)
    theirs = _waiting(due_at).where(Slot.station_id.in_(stations), Letter.person_id.in_(in_array(ids)))
    for person_id, station_id, *result in session.execute(theirs.with_only_columns(*columns).order_by(Letter.id)):
        nothing = {"stations": [station_id], "seats": (), "waits": (), "opens": (), "strikes": []}
        told.setdefault(person_id or 0, nothing).setdefault("draws", []).append(list(result))


def take(session: Session, wanted: Sequence[int]) -> set[int]:
    """Withdraw these letters; those that a digest may tell now. A sender claims by the same kind of UPDATE."""
    if not wanted:
        return set()
    gone = update(Letter).where(Letter.id.in_(in_array(wanted)), *_unsent).values(state="dropped", error=IN_DIGEST)
    return set(session.scalars(gone.returning(Letter.id), execution_options=NO_SYNC))


def give_back(session: Session, taken: Collection[int], keys: Collection[str]) -> None:
    """Queue those again that none of the digests with these keys tells: another writer was faster."""
    if not taken:
        return
    written = session.scalars(select(Letter.details).where(Letter.key.in_(keys)))
    told = {one[0] for details in written for one in details.get("draws", ())}
    if back := set(taken) - told:
        again = update(Letter).where(Letter.id.in_(in_array(back)))
        session.execute(again.values(state="queued", error=""), execution_options=NO_SYNC)


def results(session: Session, draws: Iterable[Any], mine: Mapping[int, str], now: datetime) -> list[dict[str, Any]]:
    """What the words about such results need, of those still true; `mine` is the state of the reader's live booking
    by slot."""
    found = [(session.get(Slot, slot_id), told) for _letter_id, slot_id, told in draws]
    return [result(session, slot, told, mine, now) for slot, told in found if slot and is_true(slot, told, mine, now)]


def is_true(slot: Slot, told: Mapping[str, Any], mine: Mapping[int, str], now: datetime) -> bool:
    """Whether it may be told: not of a slot that is over, nor to who has a seat there; of one that is off, only that
    all were."""
    off = slot.state == "cancelled" and told["what"] != "cancelled"
    return slot.ends_at > now and not off and mine.get(slot.id) not in HOLDING


def result(
    session: Session, slot: Slot, told: Mapping[str, Any], mine: Mapping[int, str], now: datetime
) -> dict[str, Any]:
    """The same of one result: the details of its letter; the place, while they wait, and its odds."""
    place = told.get("place") if mine.get(slot.id) == "waiting" else None
    odds = waiting_odds.at_place(session, slot.id, place, now) if place else None
    return {**told, "slot": slot, "place": place, "odds": odds}


def _waiting(due_at: datetime) -> Select[Any]:
    hours = Letter.next_try_at.between(due_at, due_at + WAITS)
    return select(Letter.id).join(Slot, Letter.slot_id == Slot.id).where(*_unsent, hours, Letter.created_at < due_at)
