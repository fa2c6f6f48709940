"""Entering: enters draws in batches (`db/batch`): everybody who enters at one moment is written together.

An entry is a row of its own: no counter is shared, and the draw is only held open. What is unusual is left to
`entries.enter`, alone: a refusal, which is said there, and who has entered together with somebody.
"""

import json
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine, Text, null, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.exc import DBAPIError

from booking import policy
from booking.db import pool, transactions
from booking.db.arrays import insert_rows, is_in_array, to_text, unnest_param, update_rows
from booking.db.batch import DEFERRED, Deferred, EngineQueues
from booking.db.statements import CompiledStatement, DriverConnection, Row
from booking.draws.entries import random_tag
from booking.model import Draw, DrawEntry, Event, Person, Slot
from booking.seats.eligibility import personal
from booking.seats.look import Asked, Look, look

log = logging.getLogger(__name__)


class Entered(NamedTuple):
    """What became of an entry that was asked for: its wishes, and whether the draw has one entry more by it.

    Without `entry_id` nothing was done: it is to be entered alone. Without `seen` there is no such slot, person or sign-in.
    """

    seen: Look | None
    entry_id: int = 0
    wishes: tuple[int, ...] = ()
    is_new: bool = False


class _Wish(NamedTuple):
    """A further wish of somebody at a draw that is open: `entry` is what they have so far."""

    n: int
    person_id: int
    slot_id: int
    draw_id: int
    station_id: int
    now: datetime
    entry: Row | None
    wishes: tuple[int, ...]


def press(engine: Engine, asked: Asked) -> Entered:
    """Make the slot the next wish of the person together with all who enter now in this process. Needs no session."""
    return _entering.ask(engine, asked)


def _enter_batch(engine: Engine, batch: Sequence[Asked]) -> list[Entered | Deferred]:
    """When a batch cannot be written nothing was done, and each is left to its own thread."""
    seen = pool.read(engine, lambda connection: look(connection, batch))
    batch = [asked.by_the_offset() for asked in batch]  # as measured by this look
    answers: list[Entered | Deferred] = [Entered(its) for its in seen]
    open_: dict[int, Look] = {}
    people = set()
    for n, (asked, its) in enumerate(zip(batch, seen, strict=True)):
        if its and its.who.person_id in people:
            answers[n] = DEFERRED
        elif its and _may_enter(its, asked.now):
            people.add(its.who.person_id)
            open_[n] = its
    for n, answer in (_written(engine, batch, open_) if open_ else {}).items():
        answers[n] = answer
    return answers


_entering = EngineQueues(_enter_batch)


def _may_enter(seen: Look, now: datetime) -> bool:
    run = seen.run
    waits = run.awaits_draw and now < run.opens_at and not run.station.closed_at
    return waits and personal(run, seen.who) is None


def _written(engine: Engine, batch: Sequence[Asked], open_: dict[int, Look]) -> dict[int, Entered]:
    try:
        with pool.connection(engine) as connection, transactions.on_connection(connection):
            return _write(connection, batch, open_)
    except DBAPIError as error:
        log.warning("a batch of %s entries was not written: %s", len(open_), type(error.orig).__name__)
        return {}


def _write(connection: DriverConnection, batch: Sequence[Asked], open_: dict[int, Look]) -> dict[int, Entered]:
    """Hold the draws open, lock the people and their entries, decide by what is true then, and write."""
    draws = {row[0]: row[1:] for row in _DRAWS.run(connection, slots=list({batch[n].slot_id for n in open_}))}
    people = [its.who.person_id for its in open_.values()]
    versions: dict[int, int] = dict(_PEOPLE.run(connection, people=people))
    found = _ENTRIES.run(connection, people=people, draws=list({row[0] for row in draws.values()}))
    entries = {(row[1], row[2]): row for row in found}
    wishes = []
    for n, its in open_.items():
        draw, person_id = draws.get(batch[n].slot_id), its.who.person_id
        # Another version: did something else since the look.
        if draw and _is_open(draw, batch[n].now) and versions.get(person_id) == its.version:
            one = _next_wish(n, batch[n], its, draw[0], entries.get((draw[0], person_id)))
            wishes += [one] if one else []
    return _save(connection, wishes, open_)


def _is_open(draw: Row, now: datetime) -> bool:
    """By the columns of `_DRAWS` after the slot."""
    _id, state, opens_at, closes_at = draw
    return bool(state == "gathering" and opens_at <= now < closes_at)


def _next_wish(n: int, asked: Asked, seen: Look, draw_id: int, entry: Row | None) -> _Wish | None:
    """None for who must be entered alone: is refused, or has entered together with somebody."""
    present: tuple[int, ...] = ()
    if entry:
        *_, wishes, left_at, partner_id = entry
        present = () if left_at else tuple(json.loads(wishes))
        if partner_id:
            return None
    if asked.slot_id not in present:
        if len(present) >= policy.read(seen.run.station.policy).wishes:
            return None
        present = (*present, asked.slot_id)
    about = (n, seen.who.person_id, asked.slot_id, draw_id, seen.run.station_id, asked.now)
    return _Wish(*about, entry, present)


def _save(connection: DriverConnection, wishes: Sequence[_Wish], open_: dict[int, Look]) -> dict[int, Entered]:
    made = _insert(connection, sorted((one for one in wishes if one.entry is None), key=lambda one: one.person_id))
    changed = [one for one in wishes if one.entry and _changes(one.entry, one.wishes)]
    if changed:
        rows = [[one.entry[0] if one.entry else 0, list(one.wishes)] for one in changed]
        _CHANGED.run(connection, rows=rows, ids=[row[0] for row in rows])
    ids = {one.n: one.entry[0] if one.entry else made.get((one.draw_id, one.person_id)) for one in wishes}
    written = [one for one in wishes if ids[one.n] and (one.entry is None or one in changed)]
    if written:
        _EVENTS.run(connection, rows=[_event(one) for one in written])
    new = {one.n for one in written if one.entry is None or one.entry[4] is not None}
    return {one.n: Entered(open_[one.n], ids[one.n] or 0, one.wishes, one.n in new) for one in wishes if ids[one.n]}


def _changes(entry: Row, wishes: tuple[int, ...]) -> bool:
    return entry[4] is not None or json.loads(entry[3]) != list(wishes)


def _insert(connection: DriverConnection, new: Sequence[_Wish]) -> dict[tuple[int, int], int]:
    """Returns the ids by draw and person. A tag that is in use already is left out."""
    if not new:
        return {}
    tags = {(one.draw_id, random_tag()): one for one in new}
    used = {tuple(row) for row in _TAGS.run(connection, tags=[list(key) for key in tags])}
    rows = [
        [one.draw_id, one.person_id, tag, list(one.wishes), to_text(one.now)]
        for (draw_id, tag), one in tags.items()
        if (draw_id, tag) not in used
    ]
    return {(draw_id, person_id): entry_id for draw_id, person_id, entry_id in _INSERT.run(connection, rows=rows)}


def _event(one: _Wish) -> list[Any]:
    details = {"draw": one.draw_id, "wishes": list(one.wishes)}
    return [one.station_id, one.person_id, one.person_id, to_text(one.now), details]


# Held open: many may hold a draw at once, and it is not frozen until they have ended.
_DRAWS = CompiledStatement(
    select(Slot.id, Draw.id, Draw.state, Draw.opens_at, Draw.closes_at)
    .join_from(Slot, Draw, Draw.id == Slot.draw_id)
    .where(is_in_array(Slot.id, "slots"), Slot.state == "planned")
    .order_by(Draw.id)
    .with_for_update(read=True, of=Draw)
)
_PEOPLE = CompiledStatement(
    select(Person.id, Person.version)
    .where(is_in_array(Person.id, "people"))
    .order_by(Person.id)
    .with_for_update(key_share=True)
)
_ENTRIES = CompiledStatement(
    select(
        DrawEntry.id,
        DrawEntry.draw_id,
        DrawEntry.person_id,
        sql_cast(DrawEntry.wishes, Text),
        DrawEntry.left_at,
        DrawEntry.partner_id,
    )
    .where(is_in_array(DrawEntry.draw_id, "draws"), is_in_array(DrawEntry.person_id, "people"))
    .order_by(DrawEntry.id)
    .with_for_update(key_share=True)
)
_tag = unnest_param("tags")
_TAGS = CompiledStatement(
    select(DrawEntry.draw_id, DrawEntry.tag)
    .select_from(_tag.table)
    .join(DrawEntry, (DrawEntry.draw_id == _tag[0].as_integer()) & (DrawEntry.tag == _tag[1].as_string()))
)
_INSERT = CompiledStatement(
    insert_rows(DrawEntry, ("draw_id", "person_id", "tag", "wishes", "entered_at"), passed_over={}).returning(
        DrawEntry.draw_id, DrawEntry.person_id, DrawEntry.id
    )
)
_CHANGED = CompiledStatement(update_rows(DrawEntry, ("wishes",), left_at=null()))
_EVENT = ("station_id", "person_id", "actor_id", "at", "details")
_EVENTS = CompiledStatement(insert_rows(Event, _EVENT, kind="entered"))
