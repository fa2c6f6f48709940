"""The demo's past: who wanted what on which day, who cancelled, and which slot was cancelled."""

import random
from datetime import date, datetime, timedelta
from functools import partial
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import clock, slots, workdays
from booking.demo import content, rush
from booking.demo.agenda import Agenda
from booking.demo.books import Books, Claim
from booking.demo.door import Door
from booking.demo.noon import DemoSlot
from booking.demo.stage import DemoData
from booking.model import Slot

# Workdays counted back from the last one: when the demo's worker came, when the worker did not come,
# and when a slot was cancelled.
WORKER_CAME = (2, 5, 7, 13, 16, 21, 26, 30, 37, 41)
WORKER_FORGOT = 10
CALLED_OFF = (18, 35)
# How often planning runs in the past: often enough, since nothing opens earlier than eight workdays before.
EVERY = timedelta(days=2)


def workdays_until(session: Session, station_id: int, today: date, number: int) -> list[date]:
    """The last `number` workdays with plans, today included; nothing is planned on a worked weekend."""
    first = today - timedelta(days=number * 2 + 30)
    calendar = workdays.load(session, station_id, first, today)
    days = [first + timedelta(days=n) for n in range((today - first).days + 1)]
    return [day for day in days if calendar.is_workday(day) and day.isoweekday() <= 5][-number:]


class Past:
    """One simulation of the days from the first of `days` to `now`."""

    def __init__(self, session: Session, stage: DemoData, days: list[date], zone: str, now: datetime) -> None:
        self.session, self.stage, self.days, self.zone, self.now = session, stage, days, zone, now
        self.luck = random.Random(1210)  # noqa: S311 - the demo is the same each time
        self.agenda, self.books = Agenda(now), Books()
        self.door = Door(session, stage, self.agenda, self.books, self.luck)
        self.last_slot = 0

    def live(self) -> None:
        """Simulate the days, then write them."""
        self.wake(clock.instant(self.days[0], content.DAWN, self.zone))
        self.agenda.live()
        self.session.flush()
        self.books.write(self.session)

    def wake(self, moment: datetime) -> None:
        """Plan ahead, and schedule what follows from it."""
        slots.plan_ahead.inside(self.session, self.stage.station_id, moment)
        added = select(Slot).where(Slot.station_id == self.stage.station_id, Slot.id > self.last_slot)
        for when, group in groupby(self.session.scalars(added.order_by(Slot.date, Slot.id)), key=lambda s: s.date):
            self._foresee(when, [DemoSlot(slot, self.books) for slot in group], moment)
        later = clock.at_station(moment, self.zone).date() + EVERY
        self.agenda.at(clock.instant(later, content.DAWN, self.zone), self.wake)

    def _foresee(self, when: date, noons: list[DemoSlot], moment: datetime) -> None:
        for noon in noons:
            self.last_slot = max(self.last_slot, noon.slot.id)
            self.agenda.at(max(noon.slot.opens_at, moment), partial(self.open, noon))
            self.door.foresee(noon)
        back = self._workdays_back(when)
        if back in (*WORKER_CAME, WORKER_FORGOT):
            noon = noons[back % len(noons)]
            first = max(noon.slot.opens_at, moment) + timedelta(milliseconds=300)
            self.agenda.at(first, partial(self.send_worker, noon, forgets=back == WORKER_FORGOT))
        if back in CALLED_OFF:
            last = noons[-1]
            self.agenda.at(last.slot.starts_at - timedelta(hours=3), partial(self.door.call_off, last))

    def open(self, noon: DemoSlot, moment: datetime) -> None:
        noon.open(moment)
        slot = noon.slot
        deck = self._deck(slot.date)
        for when, person_id in rush.presses(
            slot, content.demand_for(self.stage, slot.activity_id), deck, moment, self.luck
        ):
            self.agenda.at(when, partial(self.press, noon, person_id))

    def press(self, noon: DemoSlot, person_id: int, moment: datetime) -> None:
        if claim := noon.take(person_id, moment):
            self.door.expect(noon, claim, forgets=self.door.forgets(person_id))
            self._waver(noon, claim, moment)

    def send_worker(self, noon: DemoSlot, moment: datetime, *, forgets: bool) -> None:
        if claim := noon.take(self.stage.worker_id, moment):
            self.door.expect(noon, claim, forgets=forgets)

    def give_up(self, noon: DemoSlot, claim: Claim, moment: datetime) -> None:
        """Cancel; close to the start, somebody waiting may book the seat first."""
        line_is_over = noon.slot.waitlist_until <= moment
        if noon.give_up(claim, moment) and line_is_over and noon.slot.waiting and self.luck.random() < 0.7:
            quick = self.luck.choice([c for c in noon.claims if c.state == "waiting"])
            tap = moment + timedelta(seconds=self.luck.uniform(15, 90))
            self.agenda.at(tap, partial(self._tap, noon, quick.person_id))

    def _deck(self, when: date) -> list[int]:
        idle = self.door.idle
        if when not in idle:
            idle[when] = rush.deck(self.stage.crowd, self.luck)
        return idle[when]

    def _tap(self, noon: DemoSlot, person_id: int, moment: datetime) -> None:
        noon.take(person_id, moment)

    def _waver(self, noon: DemoSlot, claim: Claim, moment: datetime) -> None:
        if self.luck.random() >= (0.2 if claim.state == "waiting" else 0.1):
            return
        slot = noon.slot
        early = self.luck.random() < 0.72 and moment < slot.free_until
        start, end = (moment, slot.free_until) if early else (max(moment, slot.free_until), slot.starts_at)
        when = start + (end - start) * self.luck.uniform(0.05, 0.95)
        self.agenda.at(when, partial(self.give_up, noon, claim))

    def _workdays_back(self, when: date) -> int | None:
        return len(self.days) - 1 - self.days.index(when) if when in self.days else None
