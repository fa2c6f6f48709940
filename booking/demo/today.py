"""The demo's present: always something to book, something full with a waiting list, something that opens soon.

`refresh` is safe to repeat: it checks first, and adds only what is missing.
"""

import random
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime, timedelta
from itertools import count, islice

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session

from booking import clock, seats, slots, workdays
from booking.db.transactions import transactional
from booking.demo import content, neighbours, rush, stage
from booking.demo.specials import Specials
from booking.errors import RuleViolation
from booking.model import HOLDING, LIVE, Booking, Letter, Slot

AN_HOUR = timedelta(hours=1)
# What is shown must stay for a while, since a visitor looks around first.
LASTS = timedelta(minutes=30)
# How long before its start a special is added, and how long ago it then has opened.
LEAD = timedelta(minutes=75)
OPENED = timedelta(minutes=40)
# Which special of the list is for what.
FULL, ROOMY, SOON, LATER = range(4)


@transactional
def refresh(session: Session, now: datetime) -> bool:
    """Update the demo station to this hour. False, and nothing done, in a database that is not the demo's."""
    found = stage.recall(session)
    if found is None:
        return False
    told = session.scalar(select(func.max(Letter.id))) or 0
    slots.plan_ahead.inside(session, found.station_id, now)
    Today(session, found, now).prepare()
    neighbours.catch_up(session, found, now)
    slots.open_due(session, now)
    stage.keep_letters_in(session, found, after=told)
    return True


class Today:
    """The hours from `now` on. `day` is the day that is shown: late in the evening it is tomorrow."""

    def __init__(self, session: Session, found: stage.DemoData, now: datetime) -> None:
        self.session, self.stage, self.now = session, found, now
        self.specials = Specials(session, found, now)
        self.day = self.specials.day(LEAD)
        self.luck = random.Random(self.day.toordinal())  # noqa: S311 - the demo is the same each time

    def prepare(self) -> None:
        self._fill()
        if not self.full() or self._worker_is_free():
            self._add_full()
        if not self.bookable():
            self._add_bookable()
        self._seat_worker()
        for place, soonest, latest in ((SOON, 5, 60), (LATER, 60, 240)):
            if not self.opening(soonest, latest) and (place == SOON or self._by_day()):
                self._add_opening(place, soonest)

    def bookable(self) -> list[Slot]:
        """Slots of the day with seats that can be booked."""
        room = (Slot.capacity - Slot.taken >= 2) & ((Slot.waiting == 0) | (Slot.waitlist_until <= self.now))
        return self._slots(Slot.date == self.day, self._open(), room, Slot.starts_at > self.now + LASTS)

    def full(self) -> list[Slot]:
        """Full slots of the day whose waiting list is open."""
        line = (Slot.taken == Slot.capacity) & (Slot.waiting > 0)
        return self._slots(Slot.date == self.day, self._open(), line, Slot.waitlist_until > self.now + LASTS)

    def opening(self, soonest: int, latest: int) -> list[Slot]:
        """Slots that open in `soonest` to `latest` minutes."""
        first, last = (self.now + timedelta(minutes=minutes) for minutes in (soonest, latest))
        return self._slots(Slot.opens_at.between(first, last), Slot.state == "planned")

    def _fill(self) -> None:
        """Let the crowd book what has opened while the demo was not running."""
        empty = ~exists().where(Booking.slot_id == Slot.id)
        decks: dict[date, list[int]] = {}
        for slot in self._slots(self._open(), empty, Slot.plan_id.is_not(None), Slot.starts_at > self.now):
            if slot.date not in decks:
                decks[slot.date] = rush.deck(self.stage.crowd, self.luck)
            wanted = content.demand_for(self.stage, slot.activity_id)
            since = max(slot.opens_at, self.now - AN_HOUR)
            self._press(slot, rush.presses(slot, wanted, decks[slot.date], since, self.luck))

    def _add_full(self) -> None:
        """Add a full special, with the demo's worker second on its waiting list."""
        slot = self._special(FULL)
        if slot is None:
            return
        people = iter(self._free_people(slot.date))
        moments = (slot.opens_at + timedelta(seconds=0.8 * n) for n in count(1))
        for person_id in people:
            # One at a time: strikes may refuse somebody, and the worker is to be second.
            self._press(slot, [(next(moments), person_id)])
            if slot.taken == slot.capacity and slot.waiting:
                break
        for person_id in (self.stage.worker_id, *islice(people, 3)):
            self._press(slot, [(next(moments), person_id)])

    def _add_bookable(self) -> None:
        if slot := self._special(ROOMY):
            some = self._free_people(slot.date)[: round(slot.capacity * 0.6)]
            step = OPENED / (len(some) + 1)
            self._press(slot, [(slot.opens_at + step * n, who) for n, who in enumerate(some)])

    def _add_opening(self, place: int, soonest: int) -> None:
        """Add a special that opens at a quarter of an hour, well before it starts."""
        quarter = timedelta(minutes=15)
        opens_at = self.now + timedelta(minutes=soonest + 5)
        opens_at += -(opens_at - datetime.min.replace(tzinfo=opens_at.tzinfo)) % quarter
        self.specials.add(self.day, place, opens_at, opens_at + AN_HOUR)

    def _seat_worker(self) -> None:
        """A seat for the demo's worker on another day: the day shown stays free for a first booking."""
        if self._worker_has(*HOLDING):
            return
        room = (Slot.taken < Slot.capacity) & (Slot.waiting == 0)
        found = self._slots(self._open(), room, Slot.date != self.day, Slot.starts_at > self.now + AN_HOUR)
        slot = next(iter(found), None) or self._special(ROOMY, self.day + workdays.ONE_DAY)
        if slot:
            self._press(slot, [(self.now, self.stage.worker_id)])

    def _special(self, place: int, when: date | None = None) -> Slot | None:
        return self.specials.add(when or self.day, place, self.now - OPENED, self.now + LEAD)

    def _press(self, slot: Slot, presses: Iterable[tuple[datetime, int]]) -> None:
        for moment, person_id in presses:
            if moment <= self.now:
                with suppress(RuleViolation):  # the person's day is full, or a visitor filled the slot
                    seats.book_in_transaction(self.session, person_id, slot.id, moment)

    def _free_people(self, when: date) -> list[int]:
        """The crowd without those who have a booking that day, the keenest first."""
        busy = select(Booking.person_id).join(Booking.slot).where(Slot.date == when, Booking.state.in_(LIVE))
        on_books = set(self.session.scalars(busy))
        return [who for who in reversed(rush.deck(self.stage.crowd, self.luck)) if who not in on_books]

    def _worker_is_free(self) -> bool:
        """Whether the demo's worker waits nowhere and could wait on the day."""
        seated = self._worker_bookings(*HOLDING).where(Slot.date == self.day)
        return not self._worker_has("waiting") and self.session.scalar(seated) is None

    def _worker_has(self, *states: str) -> bool:
        return self.session.scalar(self._worker_bookings(*states).where(Slot.starts_at > self.now)) is not None

    def _worker_bookings(self, *states: str) -> Select[int]:
        mine = select(Booking.id).join(Booking.slot).limit(1)
        return mine.where(Booking.person_id == self.stage.worker_id, Booking.state.in_(states))

    def _by_day(self) -> bool:
        return 7 <= clock.at_station(self.now, self.specials.zone).hour < 20

    def _open(self) -> ColumnElement[bool]:
        return (Slot.opens_at <= self.now) & Slot.state.in_(("planned", "open"))

    def _slots(self, *conditions: ColumnElement[bool]) -> list[Slot]:
        mine = select(Slot).where(Slot.station_id == self.stage.station_id, *conditions)
        return list(self.session.scalars(mine.order_by(Slot.starts_at, Slot.id)))
