"""Replay, I6 for the past, and I7: each slot's history, replayed, gives its state, and nobody was passed over."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.history import replay
from booking.model import Booking, Event, Slot

BATCH = 500
# The events by which an entry on standby gets a seat.
AT_THE_DOOR = ("walked_in", "came_late")
LINE = (
    Event.id, Event.at, Event.slot_id, Event.booking_id, Event.kind, Event.actor_id,
    Event.before, Event.after, Event.details,
)  # fmt: skip


def replays(session: Session, _now: datetime) -> Iterator[str]:
    """Slot by slot, a few hundred at a time, however many there are."""
    last = session.scalar(select(func.max(Slot.id))) or 0
    for first in range(1, last + 1, BATCH):
        among = (first, first + BATCH - 1)
        events = session.execute(select(*LINE).where(Event.slot_id.between(*among)).order_by(Event.slot_id, Event.id))
        told = {slot_id: list(lines) for slot_id, lines in groupby(events, key=lambda line: line.slot_id)}
        states: dict[int, dict[int, str]] = {}
        bookings = select(Booking.slot_id, Booking.id, Booking.state).where(Booking.slot_id.between(*among))
        for slot_id, booking_id, state in session.execute(bookings):
            states.setdefault(slot_id, {})[booking_id] = state
        columns = (Slot.id, Slot.state, Slot.capacity)
        for slot in session.execute(select(*columns).where(Slot.id.between(*among)).order_by(Slot.id)):
            yield from _differences(slot, states.get(slot.id, {}), told.get(slot.id, []))
            yield from _passed(slot.id, told.get(slot.id, []))


def _differences(slot: Any, states: dict[int, str], lines: Sequence[Any]) -> Iterator[str]:
    told = replay(lines)
    for event_id in told.jumps:
        yield f"I7 slot {slot.id}: event {event_id} does not follow the one before it"
    if told.state != slot.state:
        yield f"I7 slot {slot.id}: it is {slot.state}, its history says {told.state or 'nothing'}"
    if told.capacity != slot.capacity:
        yield f"I7 slot {slot.id}: capacity {slot.capacity}, its history says {told.capacity}"
    for booking_id in sorted(states.keys() | told.bookings.keys()):
        is_now, was_told = states.get(booking_id), told.bookings.get(booking_id)
        if is_now != was_told:
            yield f"I7 booking {booking_id} of slot {slot.id}: {is_now}, its history says {was_told or 'nothing'}"


def _passed(slot_id: int, lines: Sequence[Any]) -> Iterator[str]:
    queue = Queue()
    for line in lines:
        for earlier in queue.follow(line):
            yield f"I6 slot {slot_id}: booking {line.booking_id} was seated past booking {earlier} (event {line.id})"


class Queue:
    """The waiting list of one slot as its events form it: in the order of joining, with demoted people in front.

    An entry that returns to its place stands where it stood before.
    """

    def __init__(self) -> None:
        self.waits: set[int] = set()
        self.number: dict[int, tuple[int, int]] = {}
        self.came: dict[int, datetime] = {}
        self.skipped: set[int] = set()
        self._groups = self._in_group = 0
        self._moved_at: datetime | None = None

    def follow(self, line: Any) -> list[int]:
        """Apply one event; returns who was passed over by it."""
        passed: list[int] = []
        if line.kind == "skipped":
            self.skipped.add(line.booking_id)
        elif line.kind == "standby":
            self.came.setdefault(line.booking_id, line.at)
        elif line.kind == "standby_undone" and line.before is None:
            self.came.pop(line.booking_id, None)
        elif line.after == "waiting":
            self._join(line)
        elif line.before == "waiting":
            passed = self._passed(line)
            self.waits.discard(line.booking_id)
            self.skipped.discard(line.booking_id)
        if line.kind != "moved_down":
            self._moved_at = None
        return passed

    def _join(self, line: Any) -> None:
        self.waits.add(line.booking_id)
        if line.kind != "moved_down":
            self.number.setdefault(line.booking_id, (0, len(self.number)))
            return
        # People demoted together keep their order among themselves.
        if self._moved_at != line.at:
            self._groups, self._in_group, self._moved_at = self._groups + 1, 0, line.at
        self._in_group += 1
        self.number[line.booking_id] = (-self._groups, self._in_group)

    def _passed(self, line: Any) -> list[int]:
        waits = self.waits - self.skipped
        if line.kind == "promoted" and line.booking_id in self.number:
            return [other for other in waits if self.number[other] < self.number[line.booking_id]]
        if line.kind in AT_THE_DOOR and line.actor_id is None and line.booking_id in self.came:
            came = self.came[line.booking_id]
            return [other for other in waits if other in self.came and self.came[other] < came]
        return []
