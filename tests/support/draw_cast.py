"""The cast of a draw: a station whose Tuesday slots are given by draw; entries from Monday 10:00 to 12:00."""

from collections.abc import Callable, Sequence
from datetime import time
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import draws, policy, slots
from booking.db import transactions
from booking.draws import order
from booking.errors import RuleViolation
from booking.model import Activity, Booking, Draw, DrawEntry, Event, Plan, Slot, Station, Zone
from tests.support.lunch_hour import LONG_BEFORE, NAMES, TUESDAY, at, make_manager, make_people

KEY = "a secret key that is long enough for a chain"


class DrawDay:
    """A day whose seats are drawn: yoga and crafts at 12:10, tea at 12:20. Verbs answer in a word."""

    def __init__(
        self, session: Session, *, capacity: int = 2, names: Sequence[str] = NAMES, share: int = 100, **numbers: Any
    ) -> None:
        self.session, self.share = session, share
        with transactions.transaction(session):
            station = Station(code="cbd", name="国贸白领驿站", policy=policy.write(policy.Policy(**numbers)))
            session.add(station)
            session.flush()
            self.station_id = station.id
            self.people = make_people(session, names)
            self.manager_id = make_manager(session, station.id, "店长")
            self.plans = [self._plan(title, time(12, minute), capacity) for title, minute in
                          (("瑜伽", 10), ("书法", 10), ("茶艺", 20))]  # fmt: skip
        self.plan(LONG_BEFORE)
        found = select(Slot.id).where(Slot.date == TUESDAY, Slot.station_id == self.station_id).order_by(Slot.plan_id)
        self.yoga, self.crafts, self.tea = session.scalars(found).all()
        self.slot_id = self.yoga
        self.draw_id = session.scalars(select(Draw.id).where(Draw.date == TUESDAY)).one()

    def _plan(self, title: str, starts: time, capacity: int) -> int:
        zone = Zone(station_id=self.station_id, name=f"{title}室", capacity=1000)
        activity = Activity(station_id=self.station_id, kind="yoga", title=title)
        self.session.add_all((zone, activity))
        self.session.flush()
        plan = Plan(
            station_id=self.station_id,
            activity_id=activity.id,
            zone_id=zone.id,
            weekdays="12345",
            starts=starts,
            minutes=30,
            capacity=capacity,
            valid_from=TUESDAY,
            valid_until=TUESDAY,
            allocation="draw",
            draw_share=self.share,
        )
        self.session.add(plan)
        self.session.flush()
        return plan.id

    def plan(self, now: Any) -> None:
        slots.plan_ahead(self.session, self.station_id, now)

    # The verbs

    def enter(self, who: str, clock: str, *wishes: int) -> str:
        def one() -> str:
            for slot_id in wishes or (self.yoga,):
                entry = draws.enter(self.session, self.people[who], slot_id, at(clock))
            return f"{len(entry.wishes)} wishes"

        return self._word(one)

    def change(self, who: str, clock: str, *wishes: int) -> str:
        entry_id = self.entry(who).id
        return self._word(lambda: str(draws.change_wishes(self.session, entry_id, wishes, at(clock)).wishes))

    def leave(self, who: str, clock: str) -> str:
        entry_id = self.entry(who).id
        return self._word(
            lambda: "left" if draws.change_wishes(self.session, entry_id, (), at(clock)).left_at else "still in"
        )

    def pair(self, one: str, other: str, clock: str, *wishes: int) -> str:
        """Enter together: one for these wishes, the other by the code."""
        self.enter(one, clock, *wishes)
        return self.join(other, clock, self.invite(one, clock))

    def invite(self, who: str, clock: str) -> str:
        entry_id = self.entry(who).id
        return self._word(lambda: draws.invite(self.session, entry_id, at(clock)).code or "")

    def join(self, who: str, clock: str, code: str) -> str:
        person_id = self.people[who]
        return self._word(
            lambda: f"{len(draws.join(self.session, person_id, self.draw_id, code, at(clock)).wishes)} wishes"
        )

    def tick(self, clock: str, key: str = KEY) -> None:
        """What the jobs of draws do at that instant."""
        now = at(clock)
        for draw_id in draws.to_commit(self.session, now):
            draws.commit(self.session, draw_id, key, now)
        draws.freeze(self.session, draws.to_freeze(self.session, now), now)
        draws.draw(self.session, draws.to_draw(self.session, now), key, now)

    def draw_all(self) -> None:
        """The whole morning, after the entries."""
        self.tick("Mon 09:00")
        self.tick("Mon 12:00")
        self.tick("Mon 12:01")

    @staticmethod
    def _word(act: Callable[[], str]) -> str:
        try:
            return act()
        except RuleViolation as no:
            return f"no: {no.reason}"

    def apart(self, names: Sequence[str]) -> int:
        """The tea is drawn apart from the rest, at the same instant, with these people. Returns the draw."""
        with transactions.transaction(self.session) as rows:
            times = {"opens_at": at("Mon 09:30"), "closes_at": at("Mon 12:00")}
            other = Draw(station_id=self.station_id, date=TUESDAY, version=order.VERSION, **times)
            rows.add(other)
            rows.flush()
            rows.get_one(Slot, self.tea).draw_id = other.id
            rows.flush()
            for name in names:
                draws.enter.inside(rows, self.people[name], self.tea, at("Mon 10:05"))
            return other.id

    # The questions

    def draw(self) -> Draw:
        self.session.rollback()
        return self.session.get_one(Draw, self.draw_id)

    def entry(self, who: str) -> DrawEntry:
        self.session.rollback()
        mine = select(DrawEntry).where(DrawEntry.draw_id == self.draw_id, DrawEntry.person_id == self.people[who])
        return self.session.scalars(mine).one()

    def entries(self) -> list[DrawEntry]:
        """By rank, where they have one."""
        self.session.rollback()
        own = select(DrawEntry).where(DrawEntry.draw_id == self.draw_id).order_by(DrawEntry.rank, DrawEntry.no)
        return list(self.session.scalars(own))

    def bookings(self, slot_id: int, state: str) -> list[int]:
        """The people with a booking in that state, in their order."""
        self.session.rollback()
        found = select(Booking.person_id).where(Booking.slot_id == slot_id, Booking.state == state)
        return list(self.session.scalars(found.order_by(Booking.waitlist_position, Booking.id)))

    def told(self, *kinds: str) -> list[Event]:
        self.session.rollback()
        return list(self.session.scalars(select(Event).where(Event.kind.in_(kinds)).order_by(Event.id)))
