"""The cast of the rules: one station, one slot on Tuesday at 12:10, eight people and a manager.

Verbs answer in a word: the state that the booking has now, or `no: <reason>`.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import policy, seats, slots
from booking.db import transactions
from booking.errors import RuleViolation
from booking.model import Activity, Booking, Event, Letter, Manages, Person, Slot, Station, Strike, Zone
from tests.support.snapshots import make_cast

SHANGHAI = ZoneInfo("Asia/Shanghai")
TUESDAY = date(2026, 11, 24)
LONG_BEFORE = datetime(2026, 11, 16, 9, 0, tzinfo=SHANGHAI)
WEEK = {name: TUESDAY + timedelta(days=n) for n, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri"), start=-1)}
NAMES = ("周明", "李静", "王磊", "陈晨", "刘洋", "赵敏", "孙悦", "吴桐")


def at(clock: str) -> datetime:
    """`11:10`, `11:09:59.999999` or `Mon 10:00`: an instant of the week; Tuesday unless said."""
    day, _, wall = clock.rpartition(" ")
    return datetime.combine(WEEK[day or "Tue"], time.fromisoformat(wall), SHANGHAI)


class LunchHour:
    """A lunch hour that a test lives through; every verb is one transaction."""

    def __init__(self, session: Session, *, capacity: int = 2, people: int = 8, **numbers: Any) -> None:
        self.session = session
        key = ("lunch hour", capacity, people, *sorted(numbers.items()))
        made = make_cast(session, key, lambda: self._make(capacity, people, numbers))
        self.station_id, self.people, self.manager_id, self.slot_id = made[0], dict(made[1]), *made[2:]

    def _make(self, capacity: int, people: int, numbers: dict[str, Any]) -> tuple[int, dict[str, int], int, int]:
        station_id = make_station(self.session, "cbd", **numbers)
        crowd = make_people(self.session, NAMES[:people])
        manager_id = make_manager(self.session, station_id, "林经理")
        return station_id, crowd, manager_id, self._slot("12:10", capacity, station_id)

    def slot(
        self, starts: str = "12:10", capacity: int = 2, *, station_id: int | None = None, minutes: int = 50
    ) -> int:
        """One more slot, in a zone of its own."""
        with transactions.transaction(self.session):
            return self._slot(starts, capacity, station_id or self.station_id, minutes)

    def other_station(self, code: str = "west", **numbers: Any) -> int:
        with transactions.transaction(self.session):
            return make_station(self.session, code, **numbers)

    def _slot(self, starts: str, capacity: int, station_id: int | None = None, minutes: int = 50) -> int:
        moment = at(starts)
        station = self.session.get_one(Station, station_id or self.station_id)
        return make_slot(self.session, station, moment.date(), moment.time(), capacity, minutes)

    # The verbs

    def book(self, who: str, clock: str, slot_id: int | None = None, key: str | None = None) -> str:
        """The press as a worker makes it, which is a transaction of its own."""
        try:
            return seats.book(self.session, self.people[who], slot_id or self.slot_id, at(clock), key).booking.state
        except RuleViolation as no:
            return f"no: {no.reason}"

    def take(self, who: str, clock: str, slot_id: int | None = None) -> str:
        """The same within a longer transaction."""
        return self.do(
            lambda s: seats.book_in_transaction(s, self.people[who], slot_id or self.slot_id, at(clock)).booking.state
        )

    def give_up(self, who: str, clock: str, slot_id: int | None = None) -> str:
        return self.do(lambda s: seats.give_up(s, self.latest(who, slot_id).id, at(clock)).state)

    def check_in(self, who: str, clock: str, slot_id: int | None = None) -> str:
        return self.do(lambda s: seats.check_in(s, self.latest(who, slot_id).id, at(clock), self.manager_id).state)

    def undo(self, who: str, clock: str, slot_id: int | None = None) -> str:
        return self.do(lambda s: seats.undo_check_in(s, self.latest(who, slot_id).id, at(clock), self.manager_id).state)

    def roll_call(self, clock: str, slot_id: int | None = None) -> None:
        roll_call(self.session, slot_id or self.slot_id, at(clock), None if slot_id else self.manager_id)

    def stand_by(self, who: str, clock: str, slot_id: int | None = None) -> str:
        return self.do(lambda s: seats.stand_by(s, self.people[who], slot_id or self.slot_id, at(clock)).state)

    def not_here(self, who: str, clock: str) -> str:
        return self.do(lambda s: seats.undo_stand_by(s, self.latest(who).id, at(clock), self.manager_id).state)

    def walk_in(self, who: str, clock: str, slot_id: int | None = None) -> str:
        person, slot = self.people[who], slot_id or self.slot_id
        return self.do(lambda s: seats.walk_in(s, slot, person, at(clock), self.manager_id).state)

    def resize(self, capacity: int, clock: str, *, move_newest: bool = False) -> str:
        def resize(session: Session) -> str:
            slots.set_capacity(session, self.slot_id, capacity, at(clock), self.manager_id, move_newest=move_newest)
            return "resized"

        return self.do(resize)

    def cancel(self, clock: str, reason: str = "停电") -> str:
        return self.do(lambda s: f"{len(slots.cancel(s, self.slot_id, reason, at(clock), self.manager_id))} told")

    def tick(self, clock: str) -> None:
        """What the scheduler does at that instant."""
        tick(self.session, at(clock))

    def do(self, act: Callable[[Session], str]) -> str:
        try:
            with transactions.transaction(self.session) as session:
                return act(session)
        except RuleViolation as no:
            return f"no: {no.reason}"

    # The questions

    def latest(self, who: str, slot_id: int | None = None) -> Booking:
        """The person's newest booking of the slot, whatever became of it."""
        found = select(Booking).where(
            Booking.person_id == self.people[who], Booking.slot_id == (slot_id or self.slot_id)
        )
        booking = self.session.scalars(found.order_by(Booking.id.desc()).limit(1)).one_or_none()
        if booking is None:
            raise RuleViolation("no_such_booking")
        return booking

    def state(self, who: str, slot_id: int | None = None) -> str:
        self.session.rollback()
        return self.latest(who, slot_id).state

    def states(self, *names: str, slot_id: int | None = None) -> list[str]:
        return [self.state(name, slot_id) for name in names]

    def now(self, slot_id: int | None = None) -> Slot:
        self.session.rollback()
        return self.session.get_one(Slot, slot_id or self.slot_id)

    def letters(self, who: str) -> list[str]:
        """The kinds of letters that the person got, in order."""
        mine = select(Letter.kind).where(Letter.person_id == self.people[who])
        return list(self.session.scalars(mine.order_by(Letter.id)))

    def strikes(self, who: str) -> list[str]:
        mine = select(Strike.reason).where(Strike.person_id == self.people[who], Strike.forgiven_at.is_(None))
        return list(self.session.scalars(mine.order_by(Strike.id)))

    def events(self, *kinds: str) -> list[tuple[str, str]]:
        """(kind, name of whom it is about) of the slot's history, in order."""
        names = {person_id: name for name, person_id in self.people.items()}
        return [(line.kind, names.get(line.person_id or 0, "")) for line in self.lines(*kinds)]

    def lines(self, *kinds: str) -> Sequence[Event]:
        """The slot's history, or those kinds of it, in order."""
        found = select(Event).where(Event.slot_id == self.slot_id).order_by(Event.id)
        return self.session.scalars(found.where(Event.kind.in_(kinds)) if kinds else found).all()


def roll_call(session: Session, slot_id: int, now: datetime, manager_id: int | None) -> None:
    """Somebody takes attendance, and finds nobody: a name ticked by mistake, and taken back."""
    booked = select(Booking.id).where(Booking.slot_id == slot_id, Booking.state == "booked").order_by(Booking.id)
    with transactions.transaction(session):
        first = session.scalars(booked.limit(1)).one()
        seats.check_in(session, first, now, manager_id)
        seats.undo_check_in(session, first, now, manager_id)


def tick(session: Session, now: datetime) -> None:
    """Everything that is due at a slot, once, as the jobs do it."""
    with transactions.transaction(session):
        slots.open_due(session, now)
    for due, verb in (
        (slots.to_start, seats.start),
        (slots.to_release, seats.release),
        (slots.to_finish, seats.finish),
    ):
        if found := due(session, now):
            with transactions.transaction(session):
                verb(session, found, now)
    for slot_id in slots.to_promote(session, now):
        with transactions.transaction(session):
            seats.promote(session, slot_id, now)


def make_station(session: Session, code: str, **numbers: Any) -> int:
    """A station with one activity; `numbers` are its own numbers of the policy."""
    kept = policy.write(policy.Policy(**numbers))
    station = Station(code=code, name=f"{code} 白领驿站", policy=kept)
    session.add(station)
    session.flush()
    session.add(Activity(station_id=station.id, kind="yoga", title="白领瑜伽课堂"))
    session.flush()
    return station.id


def make_people(session: Session, names: Iterable[str]) -> dict[str, int]:
    cast = {name: Person(name=name, email=f"{name}@example.com", created_at=LONG_BEFORE) for name in names}
    session.add_all(cast.values())
    session.flush()
    return {name: person.id for name, person in cast.items()}


def make_manager(session: Session, station_id: int, name: str) -> int:
    person_id = make_people(session, [name])[name]
    session.add(Manages(person_id=person_id, station_id=station_id, since=LONG_BEFORE))
    return person_id


def make_slot(
    session: Session, station: Station, day: date, starts: time, capacity: int, minutes: int = 50, room: int = 1000
) -> int:
    """A one-off in a new zone; it opens at 10:00 on the workday before."""
    number = session.scalar(select(func.count(Zone.id)))
    zone = Zone(station_id=station.id, name=f"场地 {number}", capacity=room)
    session.add(zone)
    session.flush()
    activity = session.scalars(select(Activity).where(Activity.station_id == station.id).limit(1)).one()
    wish = slots.OneOff(activity.id, zone.id, day, starts, minutes, capacity)
    return slots.add(session, station.id, wish, LONG_BEFORE).id
