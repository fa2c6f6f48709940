"""Arrivals: the demo's check-ins: who comes, who does not, who gets the seats left, which strikes are forgiven."""

import random
from datetime import date, datetime, timedelta
from functools import partial

from sqlalchemy.orm import Session

from booking import people
from booking.demo import content
from booking.demo.agenda import Agenda
from booking.demo.books import Books, Claim, Mark
from booking.demo.crowd import forgetfulness
from booking.demo.noon import DemoSlot
from booking.demo.stage import DemoData


class Door:
    """Check-in at the station. `idle` holds, by date, the people without bookings that day."""

    def __init__(self, session: Session, stage: DemoData, agenda: Agenda, books: Books, luck: random.Random) -> None:
        self.session, self.stage, self.agenda, self.books, self.luck = session, stage, agenda, books, luck
        self.idle: dict[date, list[int]] = {}

    def foresee(self, noon: DemoSlot) -> None:
        self.agenda.at(noon.slot.starts_at, noon.start)
        self.agenda.at(noon.slot.release_at, partial(self.release, noon))
        self.agenda.at(noon.slot.ends_at, partial(self.finish, noon))

    def forgets(self, person_id: int) -> bool:
        return self.luck.random() < forgetfulness(person_id)

    def expect(self, noon: DemoSlot, claim: Claim, *, forgets: bool) -> None:
        """Schedule an arrival: mostly in the ten minutes before the start, sometimes just after it."""
        if not forgets:
            when = noon.slot.starts_at + timedelta(minutes=self.luck.triangular(-13, 4, -4))
            self.agenda.at(when, partial(self.turn_up, noon, claim))

    def turn_up(self, noon: DemoSlot, claim: Claim, moment: datetime) -> None:
        by_manager = self.luck.random() < 0.6
        noon.check_in(claim, moment, self.stage.manager_id if by_manager else claim.person_id)
        if claim.state == "waiting" and self.luck.random() < 0.4:
            noon.stand_by(claim, moment)

    def release(self, noon: DemoSlot, moment: datetime) -> None:
        noon.release(moment)
        wanted = content.demand_for(self.stage, noon.slot.activity_id)
        for _seat in range(noon.slot.free):
            if self.luck.random() < wanted * 0.35:
                when = moment + timedelta(minutes=self.luck.uniform(0.3, 8))
                self.agenda.at(when, partial(self.walk_in, noon))

    def walk_in(self, noon: DemoSlot, moment: datetime) -> None:
        if noon.slot.state == "running" and noon.slot.free and (who := self._passer_by(noon, moment)):
            noon.walk_in(who, moment, self.stage.manager_id)

    def finish(self, noon: DemoSlot, moment: datetime) -> None:
        """Close the slot; the next morning the manager forgives some strikes."""
        noon.finish(moment)
        for mark in self.books.marks[-noon.slot.capacity :]:
            struck_here = mark.claim in noon.claims and mark.claim.person_id != self.stage.worker_id
            if struck_here and self.luck.random() < 0.12:
                next_morning = moment + timedelta(hours=self.luck.uniform(19, 22))
                self.agenda.at(next_morning, partial(self.forgive, noon, mark))

    def forgive(self, noon: DemoSlot, mark: Mark, moment: datetime) -> None:
        reason = self.luck.choice(content.read("station")["forgiven"])
        mark.forgiven_at, mark.forgiven_by, mark.forgive_reason = moment, self.stage.manager_id, reason
        self.books.note(noon.slot, "forgiven", moment, mark.claim, actor_id=self.stage.manager_id, reason=reason)

    def call_off(self, noon: DemoSlot, moment: datetime) -> None:
        noon.call_off(self.luck.choice(content.read("station")["cancelled"]), moment, self.stage.manager_id)

    def _passer_by(self, noon: DemoSlot, moment: datetime) -> int | None:
        """A walk-in: somebody of the crowd, or now and then a guest without an account."""
        if self.luck.random() < 0.06:
            name = self.luck.choice(content.read("people")["walk_ins"])
            return people.guest.inside(self.session, name, moment, self.stage.manager_id).id
        deck = self.idle.get(noon.slot.date)
        return deck.pop() if deck else None
