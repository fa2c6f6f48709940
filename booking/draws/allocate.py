"""Allocate: draws a frozen draw: seats in the order of the lots, then the waiting lists in the same order."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, exists, or_, select, update
from sqlalchemy.orm import Session, aliased
from sqlalchemy.orm.attributes import set_committed_value

from booking.db import statements, transactions
from booking.db.arrays import in_array, insert_rows, is_in_array, to_text, update_rows
from booking.db.statements import CompiledStatement, param
from booking.db.transactions import NO_SYNC, transactional
from booking.draws import letters, order, public_value
from booking.draws.chain import secret_of
from booking.draws.freeze import CLAIMED, as_published, grouped, live_entries, slots_of
from booking.draws.planning import SEALED_FOR
from booking.history import record, record_all
from booking.model import Booking, Draw, DrawEntry, Event, Slot
from booking.seats.claim import WAITING, ClaimRow, EventKinds, claim, lock_people
from booking.seats.eligibility import Eligibility, clashing, personal, places_left
from booking.seats.look import eligibilities
from booking.seats.transitions import withdraw

DRAWN: EventKinds = (("drawn", "booked"),)
# The columns of an entry that the draw writes.
RESULT = ("rank", "result", "got_slot_id", "passed_over")


class Drawing(NamedTuple):
    """What a draw decides on: its locked slots by id, its entries in the order of their lots, and their people.

    Two entries that stand in the list as one are a group, as is any other alone.
    """

    draw: Draw
    slots: dict[int, Slot]
    groups: list[list[DrawEntry]]
    people: Mapping[int, Eligibility]
    now: datetime

    @property
    def ordered(self) -> list[DrawEntry]:
        """Everybody's entry: of a group one stands behind the other."""
        return [entry for group in self.groups for entry in group]

    def person(self, entry: DrawEntry) -> Eligibility:
        return self.people[entry.person_id or 0]


def to_draw(session: Session, now: datetime) -> Sequence[int]:
    """Frozen draws whose result is due, and those that became void: too late, or without a slot or a public value.

    None is drawn while one with an earlier link of the same chain still gathers, or waits for its public value: its
    secret tells the other's.
    """
    earlier = aliased(Draw)
    waits = or_(earlier.state == "gathering", and_(earlier.state == "frozen", earlier.value_kind != "none"))
    gathers = exists().where(earlier.chain_id == Draw.chain_id, earlier.link_no < Draw.link_no, waits)
    ready = (Draw.state == "frozen", Draw.closes_at <= now - SEALED_FOR, public_value.is_settled(now))
    due = select(Draw.id).where(*ready, ~gathers)
    return session.scalars(due.order_by(Draw.closes_at, Draw.id)).all()


@transactional
def draw(session: Session, draw_id: int, secret_key: str, now: datetime) -> int:
    """Draw, once: the seats, the waiting lists, and everything that others need to recompute it.

    Late, it is drawn as long as the waiting list can be served; after that it is void and its seats are given at the
    door.
    """
    transactions.plan_by_index(session)
    mine = update(Draw).where(Draw.id == draw_id, Draw.state == "frozen", Draw.closes_at <= now - SEALED_FOR)
    one = session.scalar(mine.values(drawn_at=now).returning(Draw), execution_options=CLAIMED)
    if one is None:
        return 0
    slots = slots_of(session, one)
    if why := _why_void(slots, now) or ("no_value" if public_value.is_missing(session, one, now) else None):
        _void(session, one, why, now)
        return 1
    if (value := public_value.standing(session, one, now)) is None:
        one.drawn_at = None
        return 0
    secret = secret_of(session, one, secret_key)
    groups = {both[0].no: both for both in grouped(live_entries(session, one.id))}
    seed = order.make_seed(one.id, one.list_sha256 or "", secret, value)
    ordered = order.in_order(seed, as_published([both[0] for both in groups.values()]))
    drawing = _lock(session, one, slots, [groups[row[0]] for row in ordered], now)
    if why := _why_void(list(drawing.slots.values()), now):
        _void(session, one, why, now)
        return 1
    seats = {slot.id: slot.free for slot in drawing.slots.values()}
    refused = _refused(drawing)
    results = order.give_out(ordered, seats, *_out(drawing, refused))
    one.state, one.secret, one.seed, one.value = "drawn", secret, seed, value or None
    one.seats = {str(slot_id): number for slot_id, number in seats.items()}
    session.flush()
    _open(session, drawing)
    _write_results(session, drawing, results, refused)
    places = _give(session, drawing)
    told = [
        letters.Told(entry, *places.get(entry.person_id or 0, (entry.wishes[0], None)))
        for entry in drawing.ordered
        if entry.result != "seat"
    ]
    letters.tell(session, one, told, len(drawing.ordered), now)
    given = sum(entry.result == "seat" for entry in drawing.ordered)
    about: dict[str, Any] = {"station_id": one.station_id, "draw": one.id}
    record(session, "drawn", now, **about, entries=len(ordered), given=given)
    return 1


def _why_void(slots: Sequence[Slot], now: datetime) -> str | None:
    if not slots:
        return "cancelled"
    return "late" if now >= min(slot.waitlist_until for slot in slots) else None


def _void(session: Session, one: Draw, why: str, now: datetime) -> None:
    """Nobody loses: its slots start as they are, and their seats are given at the door."""
    one.state, one.why_void, one.drawn_at = "void", why, now
    session.flush()
    about: dict[str, Any] = {"station_id": one.station_id, "draw": one.id}
    record(session, "draw_void", now, reason=why, **about)
    letters.tell_void(session, one, why, now)


def _lock(session: Session, one: Draw, slots: Sequence[Slot], groups: list[list[DrawEntry]], now: datetime) -> Drawing:
    """Lock everybody on the list, then the slots, and those where they wait: a seat may end their place there."""
    people = {entry.person_id for both in groups for entry in both if entry.person_id}
    connection = statements.wrap(session.connection())
    lock_people(connection, people)
    beside = {row[0] for row in _BESIDE.run(connection, people=list(people), now=now)}
    locked = transactions.lock(session, slots={*(slot.id for slot in slots), *beside})
    own = {slot.id: slot for slot in locked if slot.draw_id == one.id and slot.state == "planned"}
    found = eligibilities(session, slots[0].id, people, now)
    return Drawing(one, own, groups, found, now)


def _refused(drawing: Drawing) -> dict[tuple[int, int], str]:
    """The wishes that the rules do not allow by now, by the id of the entry and the slot, with the reason."""
    found = {}
    for entry in drawing.ordered:
        for slot_id in entry.wishes:
            if (slot := drawing.slots.get(slot_id)) and (no := personal(slot, drawing.person(entry))):
                found[entry.id, slot_id] = no.reason
    return found


def _out(drawing: Drawing, refused: Collection[tuple[int, int]]) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """By number and slot: where nobody of the entry may take a seat, and where one of two may not."""
    nobody: set[tuple[int, int]] = set()
    alone: set[tuple[int, int]] = set()
    for group in drawing.groups:
        for slot_id in group[0].wishes:
            out = sum((entry.id, slot_id) in refused for entry in group)
            if out:
                (nobody if out == len(group) else alone).add((group[0].no or 0, slot_id))
    return nobody, alone


def _open(session: Session, drawing: Drawing) -> None:
    """Open the slots: whoever comes later books what is left, or joins the waiting list behind the others."""
    record_all(session, "opened", drawing.now, Slot, list(drawing.slots), after="open", reason="drawn")
    opening = update(Slot).where(Slot.id.in_(in_array(drawing.slots))).values(state="open", opens_at=drawing.now)
    session.execute(opening, execution_options=NO_SYNC)
    for slot in drawing.slots.values():
        set_committed_value(slot, "state", "open")
        set_committed_value(slot, "opens_at", drawing.now)


def _write_results(
    session: Session,
    drawing: Drawing,
    results: Sequence[tuple[int, int | None, list[int]]],
    refused: Mapping[tuple[int, int], str],
) -> None:
    rows, events = [], []
    for rank, (group, (_no, got, _passed)) in enumerate(zip(drawing.groups, results, strict=True), 1):
        for entry in group:
            result, why = _result(drawing, entry, got, refused)
            rows.append([entry.id, rank, result, got if result == "seat" else None, why])
            for name, value in zip(RESULT, rows[-1][1:], strict=True):
                set_committed_value(entry, name, value)
            about = [drawing.draw.station_id, entry.person_id, to_text(drawing.now)]
            events += [[*about, reason, {"draw": drawing.draw.id, "slot": int(slot)}] for slot, reason in why.items()]
    connection = statements.wrap(session.connection())
    _RESULTS.run(connection, rows=rows, ids=[row[0] for row in rows])
    if events:
        _PASSED_OVER.run(connection, rows=events)


def _result(
    drawing: Drawing, entry: DrawEntry, got: int | None, refused: Mapping[tuple[int, int], str]
) -> tuple[str, dict[str, str]]:
    """A person's result where the entry got this slot, and why a wish was not for them when its turn came."""
    reached = entry.wishes[: entry.wishes.index(got) + 1] if got else entry.wishes
    why = {str(slot_id): refused[entry.id, slot_id] for slot_id in reached if (entry.id, slot_id) in refused}
    if got:
        return "passed_over" if str(got) in why else "seat", why
    could = [slot_id for slot_id in entry.wishes if slot_id in drawing.slots and str(slot_id) not in why]
    return "lost" if could else "passed_over", why


def _give(session: Session, drawing: Drawing) -> dict[int, tuple[int, int | None]]:
    """Write the seats, then the places on the waiting lists, each in the order of the draw; returns the first place of
    each person who waits, and its slot."""
    connection, now = statements.wrap(session.connection()), drawing.now
    seats = []
    for entry in drawing.ordered:
        if entry.got_slot_id:
            slot, who = drawing.slots[entry.got_slot_id], drawing.person(entry)
            row = ClaimRow(
                slot, "booked", who.person_id, now, None, DRAWN, via="draw", seated_at=now, letter="confirmed"
            )
            seats.append((row, clashing(slot, who)))
    places = _places(drawing)
    ids = claim(connection, [*(row for row, _ in seats), *places]) if seats or places else []
    for slot in drawing.slots.values():
        session.expire(slot, ["taken", "waiting", "waitlist_seq"])
    for booking_id, (_, dropped) in zip(ids, seats, strict=False):
        withdraw(session, dropped, now, booking_id)
    return {row.person_id: (row.slot.id, row.waitlist_position) for row in reversed(places)}


def _places(drawing: Drawing) -> list[ClaimRow[Slot]]:
    """The places on the waiting lists: of each person the first wishes, in their order."""
    last = {slot_id: slot.waitlist_seq for slot_id, slot in drawing.slots.items()}
    rows: list[ClaimRow[Slot]] = []
    for entry in drawing.ordered:
        for slot_id in _waits_for(drawing, entry) if entry.result == "lost" else []:
            last[slot_id] += 1
            slot, person_id, place = drawing.slots[slot_id], drawing.person(entry).person_id, last[slot_id]
            rows.append(
                ClaimRow(slot, "waiting", person_id, drawing.now, None, WAITING, via="draw", waitlist_position=place)
            )
    return rows


def _waits_for(drawing: Drawing, entry: DrawEntry) -> list[int]:
    """The first wishes that the person may wait for, as many as the rules allow beside where they wait already."""
    may = [slot_id for slot_id in entry.wishes if slot_id in drawing.slots and str(slot_id) not in entry.passed_over]
    return may[: places_left(drawing.draw.station, drawing.person(entry), drawing.now)]


_BESIDE = CompiledStatement(
    select(Booking.slot_id)
    .join(Slot, Booking.slot_id == Slot.id)
    .where(is_in_array(Booking.person_id, "people"), Booking.state.in_(("booked", "waiting")))
    .where(Slot.ends_at > param("now"))
)
_RESULTS = CompiledStatement(update_rows(DrawEntry, RESULT))
_PASSED_OVER = CompiledStatement(
    insert_rows(Event, ("station_id", "person_id", "at", "reason", "details"), kind="passed_over")
)
