"""Manager queries: the week, a slot's roster, the people, the history, the days."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from booking import clock, workdays
from booking.model import LIVE, Activity, Booking, Draw, Event, Person, Plan, PlanException, Slot, Station, Strike, Zone
from booking.queries import disclosure, name_order, person_lookup
from booking.queries.deduplicate import one_a_person
from booking.queries.newest_first import newest_first


@dataclass(frozen=True)
class Roster:
    """Everybody on a slot: seats by name, the waiting list by position, standby by time of arrival, and who left.

    `unrecorded` had seats at a slot where nobody took attendance.
    """

    slot: Slot
    seats: list[Booking] = field(default_factory=list)
    line: list[Booking] = field(default_factory=list)
    standby: list[Booking] = field(default_factory=list)
    gone: list[Booking] = field(default_factory=list)
    unrecorded: list[Booking] = field(default_factory=list)

    @property
    def people(self) -> list[Person]:
        return [booking.person for booking in (*self.seats, *self.unrecorded, *self.line, *self.standby, *self.gone)]

    @property
    def absent(self) -> set[int]:
        """The people who were on the slot and are not any more."""
        return {booking.person_id for booking in self.gone}

    @property
    def arrived(self) -> int:
        return sum(booking.state == "attended" for booking in self.seats)


@dataclass(frozen=True)
class Regular:
    """A person with their bookings and strikes at a station."""

    person: Person
    visits: int
    no_shows: int
    strikes: int


def roster(session: Session, slot: Slot) -> Roster:
    """Everybody who is or was on a slot."""
    found = select(Booking).where(Booking.slot_id == slot.id).options(joinedload(Booking.person)).order_by(Booking.id)
    told = Roster(slot)
    for booking in one_a_person(session.scalars(found)):
        _shelf(told, booking).append(booking)
    for shelf in (told.seats, told.unrecorded, told.gone):
        shelf[:] = name_order.by_name(shelf, lambda booking: booking.person.name)
    told.line.sort(key=lambda b: b.waitlist_position or 0)
    told.standby.sort(key=lambda b: (b.standby_at or b.created_at, b.waitlist_position or 0))
    return told


def week(session: Session, station_id: int, monday: date) -> Sequence[Slot]:
    """The slots of the seven days from `monday`, by date, time and zone."""
    return slots_between(session, station_id, monday, monday + timedelta(days=6))


def slots_between(session: Session, station_id: int, first: date, last: date) -> Sequence[Slot]:
    found = select(Slot).where(Slot.station_id == station_id, Slot.date.between(first, last))
    load = (joinedload(Slot.activity), joinedload(Slot.zone))
    return session.scalars(found.options(*load).order_by(Slot.starts_at, Slot.zone_id, Slot.id)).all()


def calendar_days(session: Session, station_id: int, first: date, last: date) -> list[workdays.Day]:
    calendar = workdays.load(session, station_id, first, last)
    return [calendar.day(first + timedelta(days=n)) for n in range((last - first).days + 1)]


def zones(session: Session, station_id: int) -> Sequence[Zone]:
    """The zones in use, by name."""
    return session.scalars(
        select(Zone).where(Zone.station_id == station_id, Zone.closed_at.is_(None)).order_by(Zone.id)
    ).all()


def activities(session: Session, station_id: int) -> Sequence[Activity]:
    """The activities on offer, by title."""
    return session.scalars(
        select(Activity)
        .where(Activity.station_id == station_id, Activity.retired_at.is_(None))
        .order_by(Activity.title, Activity.id)
    ).all()


def plans(session: Session, station_id: int) -> Sequence[Plan]:
    """The running plans, by start."""
    found = select(Plan).where(Plan.station_id == station_id, Plan.stopped_at.is_(None))
    load = (joinedload(Plan.activity), joinedload(Plan.zone))
    return session.scalars(found.options(*load).order_by(Plan.starts, Plan.id)).all()


def put_away(session: Session, station_id: int) -> dict[str, Sequence[Plan] | Sequence[Activity] | Sequence[Zone]]:
    """The archive: stopped plans, archived activities, closed zones, the latest first."""
    plans = select(Plan).where(Plan.station_id == station_id, Plan.stopped_at.is_not(None))
    activities = select(Activity).where(Activity.station_id == station_id, Activity.retired_at.is_not(None))
    zones = select(Zone).where(Zone.station_id == station_id, Zone.closed_at.is_not(None))
    load = (joinedload(Plan.activity), joinedload(Plan.zone))
    return {
        "plans": session.scalars(plans.options(*load).order_by(Plan.stopped_at.desc()).limit(50)).all(),
        "activities": session.scalars(activities.order_by(Activity.retired_at.desc()).limit(50)).all(),
        "zones": session.scalars(zones.order_by(Zone.closed_at.desc()).limit(50)).all(),
    }


def strikes_of_slot(session: Session, slot_id: int) -> Sequence[Strike]:
    return session.scalars(select(Strike).where(Strike.slot_id == slot_id).order_by(Strike.id)).all()


def regulars(session: Session, station_id: int, sought: str = "", email: str = "", limit: int = 50) -> list[Regular]:
    """People who were on a slot of the station, most visits first; if `sought`, those found by their names before all."""
    visits = func.count(Booking.id).filter(Booking.state == "attended")
    no_shows = func.count(Booking.id).filter(Booking.state == "released")
    found = (
        select(Person, visits, no_shows)
        .join(Booking, Booking.person_id == Person.id)
        .join(Slot, Booking.slot_id == Slot.id)  # this join uses the indexes, from a station to its bookings
        .where(Slot.station_id == station_id, Person.deleted_at.is_(None), disclosure.was_here())
        .group_by(Person.id)
        .order_by(visits.desc(), Person.id)
        .limit(limit)
    )
    ids: list[int] = []
    if sought:
        matches = person_lookup.at_station(session, station_id, sought, email, Person.deleted_at.is_(None))
        ids = matches.first(limit, lambda person: (-person.visits, name_order.sort_key(person.name)))
        found = found.where(Person.id.in_(ids))
    rows = session.execute(found).all()
    counted = _strike_counts(session, station_id, [row[0].id for row in rows])
    found_ = [Regular(person, seen, missed, counted.get(person.id, 0)) for person, seen, missed in rows]
    if sought:
        return sorted(found_, key=lambda one: ids.index(one.person.id))
    return sorted(found_, key=lambda one: (-one.visits, name_order.sort_key(one.person.name)))


def history(
    session: Session,
    station: Station,
    *,
    slot_id: int | None = None,
    person_id: int | None = None,
    day: date | None = None,
    limit: int = 200,
) -> Sequence[Event]:
    """The station's history, newest first: of a slot, of what was done to or by a person, of a local day."""
    found: Select[Event] = select(Event).where(Event.station_id == station.id)
    if slot_id is not None:
        found = found.where(Event.slot_id == slot_id)
    if person_id is not None:
        found = found.where(or_(Event.person_id == person_id, Event.actor_id == person_id))
    if day is not None:
        begin, end = (clock.instant(day + timedelta(days=n), time(0), station.zone_name) for n in (0, 1))
        found = found.where(Event.at >= begin, Event.at < end)
    slot = session.get(Slot, slot_id) if slot_id else None
    if slot is None or slot.draw_id is None or person_id is not None or day is not None:
        return newest_first(session, found, limit)
    return newest_first(session, found, limit, _of_draw(session, station.id, slot))


def _of_draw(session: Session, station_id: int, slot: Slot) -> Sequence[Event]:
    """What was recorded of a slot's draw as a whole; of its entries, each person's own history tells.

    Between the slot's own events before the closing and at its start, by which the index finds them.
    """
    draw, own = session.get_one(Draw, slot.draw_id), select(func.max(Event.id)).where(Event.slot_id == slot.id)
    since = session.scalar(own.where(Event.at < draw.closes_at)) or 0
    until = session.scalar(own.where(Event.kind == "started"))
    of_station = select(Event).where(Event.station_id == station_id, Event.id > since, Event.slot_id.is_(None))
    found = of_station.where(Event.kind.in_(("frozen", "drawn", "draw_void")))
    found = found.where(Event.id < until) if until else found
    return [event for event in session.scalars(found) if event.details.get("draw") == draw.id]


def regular(session: Session, station_id: int, person_id: int) -> Regular | None:
    """One person of the station; None if they were never on a slot of it."""
    visits = func.count(Booking.id).filter(Booking.state == "attended")
    no_shows = func.count(Booking.id).filter(Booking.state == "released")
    counted = select(visits, no_shows).where(Booking.station_id == station_id, Booking.person_id == person_id)
    person = session.get(Person, person_id)
    if person is None or person.deleted_at or not disclosure.knows(session, station_id, person_id):
        return None
    seen, missed = session.execute(counted).one()
    return Regular(person, seen, missed, _strike_counts(session, station_id, [person_id]).get(person_id, 0))


def bookings_of(session: Session, station_id: int, person_id: int, limit: int = 30) -> Sequence[Booking]:
    """A person's bookings at the station, newest first, one for each slot."""
    found = select(Booking).join(Booking.slot).where(Booking.station_id == station_id, Booking.person_id == person_id)
    load = joinedload(Booking.slot).joinedload(Slot.activity)
    newest = found.options(load).order_by(Slot.starts_at.desc(), Booking.id.desc()).limit(limit)
    return one_a_person(session.scalars(newest))


def bookings_between(session: Session, station_id: int, first: date, last: date) -> Sequence[Booking]:
    """The bookings of some days, by slot and name: one for each person and slot."""
    slot = joinedload(Booking.slot)
    found = select(Booking).join(Booking.slot).where(Slot.station_id == station_id, Slot.date.between(first, last))
    load = (slot.joinedload(Slot.activity), slot.joinedload(Slot.zone), joinedload(Booking.person))
    there = one_a_person(session.scalars(found.options(*load).order_by(Booking.id)))
    order = name_order.sort_key
    return sorted(there, key=lambda b: (b.slot.starts_at, b.slot_id, order(b.person.name)))


def strikes_of(session: Session, station_id: int, person_id: int) -> Sequence[Strike]:
    """A person's strikes at the station, newest first."""
    found = select(Strike).where(Strike.station_id == station_id, Strike.person_id == person_id)
    load = joinedload(Strike.slot).joinedload(Slot.activity)
    return session.scalars(found.options(load).order_by(Strike.at.desc(), Strike.id.desc())).all()


def exceptions(session: Session, station_id: int, first: date) -> Sequence[PlanException]:
    """The exceptions of the running plans, from `first` on."""
    found = select(PlanException).join(PlanException.plan)
    mine = found.where(Plan.station_id == station_id, Plan.stopped_at.is_(None), PlanException.date >= first)
    said = session.scalars(mine.order_by(PlanException.date, PlanException.plan_id)).all()
    return [one for one in said if not one.is_empty]


def exceptions_of(session: Session, plan_id: int, first: date) -> Sequence[PlanException]:
    """The exceptions of one plan, from `first` on, without those that were taken back."""
    found = select(PlanException).where(PlanException.plan_id == plan_id, PlanException.date >= first)
    said = session.scalars(found.order_by(PlanException.date)).all()
    return [one for one in said if not one.is_empty]


def slots_of_plan(session: Session, plan_id: int, now: datetime) -> Sequence[Slot]:
    """The coming slots of a plan."""
    found = select(Slot).where(Slot.plan_id == plan_id, Slot.starts_at > now, Slot.state != "cancelled")
    return session.scalars(found.order_by(Slot.starts_at)).all()


def using(session: Session, thing: Zone | Activity, now: datetime) -> dict[str, Sequence[Plan] | Sequence[Slot]]:
    """Why a zone or an activity cannot be archived: its running `plans` and coming `slots`."""
    of_plan, of_slot = (Plan.zone_id, Slot.zone_id) if isinstance(thing, Zone) else (Plan.activity_id, Slot.activity_id)
    uses = of_plan == thing.id
    if isinstance(thing, Zone):
        on_a_date = (PlanException.zone_id == thing.id, PlanException.skip.is_(False), PlanException.date > now.date())
        uses = or_(uses, Plan.exceptions.any(and_(*on_a_date)))
    mine = (Plan.station_id == thing.station_id, uses, Plan.stopped_at.is_(None))
    # By date too, which the index of a station's slots needs.
    coming = (Slot.station_id == thing.station_id, Slot.date >= (now - timedelta(days=1)).date(), Slot.ends_at > now)
    plans = select(Plan).where(*mine).options(joinedload(Plan.activity))
    slots = select(Slot).where(*coming, of_slot == thing.id, Slot.state.not_in(("cancelled", "done")))
    return {
        "plans": session.scalars(plans.order_by(Plan.starts, Plan.id)).all(),
        "slots": session.scalars(slots.options(joinedload(Slot.activity)).order_by(Slot.starts_at)).all(),
    }


def people_on(session: Session, station_id: int, when: date) -> list[Person]:
    """Who has a seat or a waiting-list place at the station on a day, by name."""
    found = select(Person).join(Booking, Booking.person_id == Person.id).join(Booking.slot)
    there = found.where(Slot.station_id == station_id, Slot.date == when, Booking.state.in_(LIVE))
    return name_order.by_name(session.scalars(there.distinct().order_by(Person.id)), lambda person: person.name)


def slots_by_id(session: Session, slot_ids: set[int | None]) -> dict[int, Slot]:
    """Slots by id, for lists that hold ids only."""
    found = select(Slot).where(Slot.id.in_([i for i in slot_ids if i])).options(joinedload(Slot.activity))
    return {slot.id: slot for slot in session.scalars(found)}


def slots_a_day(session: Session, station_id: int, first: date, last: date) -> dict[date, tuple[int, int]]:
    """For each date how many slots it has, and how many people are on them."""
    found = (
        select(Slot.date, func.count(Slot.id), func.sum(Slot.taken + Slot.waiting))
        .where(Slot.station_id == station_id, Slot.date.between(first, last), Slot.state != "cancelled")
        .group_by(Slot.date)
    )
    return {when: (count, people) for when, count, people in session.execute(found)}


def known_until(session: Session, today: date) -> date | None:
    """The last date for which workdays have been announced."""
    return workdays.known_until(session, today)


def people(session: Session, person_ids: set[int]) -> list[Person]:
    """People by id, in the order of their names."""
    found = session.scalars(select(Person).where(Person.id.in_(person_ids)).order_by(Person.id))
    return name_order.by_name(found, lambda person: person.name)


def names(session: Session, person_ids: set[int | None]) -> dict[int, str]:
    """Names by id, for lists that hold ids only. A deleted person has none."""
    found = session.execute(select(Person.id, Person.name).where(Person.id.in_([i for i in person_ids if i])))
    return {row.id: row.name for row in found}


def with_address(session: Session, bookings: Sequence[Booking]) -> int:
    """How many of these people have an address to write to; guests who only left a name have none."""
    ids = {booking.person_id for booking in bookings}
    have = select(func.count(Person.id)).where(Person.id.in_(ids), Person.email.is_not(None))
    return (session.scalar(have) or 0) if ids else 0


def _shelf(told: Roster, booking: Booking) -> list[Booking]:
    if booking.state in ("booked", "attended"):
        return told.seats
    if booking.state == "waiting":
        return told.standby if booking.standby_at else told.line
    return told.unrecorded if booking.state == "unrecorded" else told.gone


def _strike_counts(session: Session, station_id: int, person_ids: list[int]) -> dict[int, int]:
    counted = (
        select(Strike.person_id, func.count(Strike.id))
        .where(Strike.station_id == station_id, Strike.person_id.in_(person_ids), Strike.forgiven_at.is_(None))
        .group_by(Strike.person_id)
    )
    return {row[0]: row[1] for row in session.execute(counted)}
