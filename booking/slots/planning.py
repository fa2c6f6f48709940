"""Planning: makes the slots of a station's plans for the coming days, and keeps them in step with the calendar.

Slots with bookings or waiting people are never changed here: they are listed for the manager to decide (`stranded` in
`slots.catalogue`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, selectinload

from booking import clock, draws, policy, workdays
from booking.db import transactions
from booking.db.transactions import transactional
from booking.history import record, times_before
from booking.model import Booking, Plan, PlanException, Slot, Station, Zone
from booking.policy import Policy
from booking.slots import deadlines
from booking.workdays import ONE_DAY, Calendar

Key = tuple[int, date]
Wish = dict[str, Any]

# Why planning cancelled a slot that had bookings once; only such a slot may be restored by planning.
REPLANNED = "replanned"


@dataclass(frozen=True)
class Due:
    """One date on which one plan runs."""

    plan: Plan
    date: date
    said: PlanException | None


@dataclass
class Planned:
    """What one planning run did."""

    added: int = 0
    moved: int = 0
    withdrawn: int = 0
    clashes: int = 0


@transactional
def plan_ahead(session: Session, station_id: int, now: datetime) -> Planned:
    """Make, change and remove the untouched slots of a station so that they match its plans."""
    # A manager's change and the job may plan at once: the second would add the first one's slots again.
    transactions.advisory_lock(session, f"plan {station_id}")
    station = session.get_one(Station, station_id)
    numbers = policy.read(station.policy)
    first = clock.at_station(now, station.zone_name).date()
    last = first + timedelta(days=numbers.days_ahead)
    calendar = workdays.load(session, station_id, first, last)
    due = {(one.plan.id, one.date): one for one in due_dates(session, station_id, first, last, calendar)}
    zones = _zones(session, station_id)
    wishes = {
        key: _wish(one, deadlines.of_plan(one.plan, one.date, numbers, calendar, one.said), zones)
        for key, one in due.items()
    }
    present = _present(session, station_id, first)
    entered = draws.opened(session, station_id, first, now)
    free = {key: slot for key, slot in present.items() if slot.draw_id not in entered}
    by_draw = {
        key: one.plan
        for key, one in due.items()
        if one.plan.allocation == "draw" and (key in free or key not in present)
    }
    _draw(session, station_id, by_draw, wishes, numbers, now)
    for wish in wishes.values():
        share = wish.pop("draw_share")
        if wish["draw_id"]:
            wish["capacity"], wish["door_seats"] = draws.share(wish["capacity"], share)
    stale = _lock_stale(session, free, wishes, now)
    done = Planned()
    for key, slot in stale.items():
        if key not in wishes:
            done.withdrawn += _withdraw(session, slot, now)
    for key, wish in wishes.items():
        if key in stale or (key not in present and wish["starts_at"] > now):
            _fulfil(session, key, wish, stale.get(key), now, done)
    return done


def _draw(
    session: Session,
    station_id: int,
    by_draw: Mapping[Key, Plan],
    wishes: Mapping[Key, Wish],
    numbers: Policy,
    now: datetime,
) -> None:
    """Give these seats by draw: people enter from the opening on, and nobody can book before it is drawn."""
    openings: dict[Key, tuple[date, datetime]] = {}
    terms: dict[tuple[date, datetime], draws.Terms] = {}
    for key, plan in by_draw.items():
        opens_at, until = wishes[key]["opens_at"], wishes[key]["waitlist_until"]
        closes_at = draws.closing(opens_at, until, numbers)
        if closes_at > max(opens_at, now):  # else it is too late to enter: the first who books gets the seat
            openings[key] = opening = (key[1], opens_at)
            terms[opening] = draws.Terms(closes_at, until, draws.value_of(plan)).joined(terms.get(opening))
    found = {opening: draws.draw_for(session, station_id, *opening, all_of, now) for opening, all_of in terms.items()}
    for key, opening in openings.items():
        if draw_id := found[opening]:
            wishes[key].update(draw_id=draw_id, opens_at=wishes[key]["starts_at"])


def due_dates(session: Session, station_id: int, first: date, last: date, calendar: Calendar) -> Iterator[Due]:
    """Every date from `first` to `last` on which a plan of the station runs."""
    plans = session.scalars(
        select(Plan)
        .where(Plan.station_id == station_id, Plan.stopped_at.is_(None))
        .options(selectinload(Plan.exceptions))
        .order_by(Plan.id)
    ).all()
    days = [calendar.day(first + ONE_DAY * n) for n in range((last - first).days + 1)]
    for plan in plans:
        said = {exception.date: exception for exception in plan.exceptions}
        for day in days:
            if deadlines.runs_on(plan, day, said.get(day.date)):
                yield Due(plan, day.date, said.get(day.date))


def runs(session: Session, plan: Plan, when: date) -> bool:
    """Whether the plan makes a slot on that day, by its weekly rule and the calendar."""
    day = workdays.load(session, plan.station_id, when, when).day(when)
    return deadlines.runs_on(plan, day, None)


def blocked(session: Session, station: Station, now: datetime) -> list[tuple[Due, Slot]]:
    """Coming dates of plans that made no slot, each with the slot that occupies their zone at that time."""
    numbers = policy.read(station.policy)
    first = clock.at_station(now, station.zone_name).date()
    last = first + timedelta(days=numbers.days_ahead)
    calendar = workdays.load(session, station.id, first, last)
    present, zones = _present(session, station.id, first), _zones(session, station.id)
    found = []
    for due in due_dates(session, station.id, first, last, calendar):
        wish = _wish(due, deadlines.of_plan(due.plan, due.date, numbers, calendar, due.said), zones)
        if (due.plan.id, due.date) in present or wish["starts_at"] <= now:
            continue
        if there := clash(session, wish["zone_id"], wish["starts_at"], wish["ends_at"]):
            found.append((due, there))
    return found


def _zones(session: Session, station_id: int) -> dict[int, Zone]:
    """The zones of a station by id, closed ones too."""
    return {zone.id: zone for zone in session.scalars(select(Zone).where(Zone.station_id == station_id))}


def zone_on(plan: Plan, said: PlanException | None, zone: Callable[[int], Zone]) -> int:
    """The id of the zone in which a plan runs on a date. One closed after the exception named it counts no more."""
    other = zone(said.zone_id) if said and said.zone_id else None
    return other.id if other and not other.closed_at else plan.zone_id


def untouched(slot: Slot, now: datetime) -> bool:
    """Whether a slot has no bookings and has not started, so that it may be changed freely."""
    return slot.state in ("planned", "open") and now < slot.starts_at and not slot.taken and not slot.waiting


def clash(
    session: Session, zone_id: int, starts_at: datetime, ends_at: datetime, but: int | None = None
) -> Slot | None:
    """A slot that already has that zone at that time."""
    taken = select(Slot).where(
        Slot.zone_id == zone_id, Slot.state != "cancelled", Slot.starts_at < ends_at, Slot.ends_at > starts_at
    )
    return session.scalar(taken.where(Slot.id != but).limit(1) if but else taken.limit(1))


def _wish(due: Due, table: deadlines.Timetable, zones: Mapping[int, Zone]) -> Wish:
    """Every column of a slot that its plan decides. Of the plan's seats it has what its zone holds."""
    plan, said = due.plan, due.said
    zone_id = zone_on(plan, said, zones.__getitem__)
    return {
        **table,
        "station_id": plan.station_id,
        "activity_id": plan.activity_id,
        "zone_id": zone_id,
        "capacity": min((said and said.capacity) or plan.capacity, zones[zone_id].capacity),
        "host": said.host if said else None,
        "draw_share": plan.draw_share,
        "door_seats": 0,
        "draw_id": None,
    }


def _present(session: Session, station_id: int, first: date) -> dict[Key, Slot]:
    found = select(Slot).where(Slot.station_id == station_id, Slot.date >= first, Slot.plan_id.is_not(None))
    return {(slot.plan_id or 0, slot.date): slot for slot in session.scalars(found)}


def _lock_stale(session: Session, present: dict[Key, Slot], wishes: dict[Key, Wish], now: datetime) -> dict[Key, Slot]:
    """Lock the slots that planning must and may change; somebody may have booked one since they were read."""
    stale = {key: slot for key, slot in present.items() if _may_change(slot, now) and _differs(slot, wishes.get(key))}
    transactions.lock(session, slots=[slot.id for slot in stale.values()])
    return {key: slot for key, slot in stale.items() if _may_change(slot, now)}


def _may_change(slot: Slot, now: datetime) -> bool:
    return untouched(slot, now) or (slot.state == "cancelled" and slot.cancel_reason == REPLANNED)


def _differs(slot: Slot, wish: Wish | None) -> bool:
    if wish is None or slot.state == "cancelled":
        return (wish is None) != (slot.state == "cancelled")
    return any(getattr(slot, name) != value for name, value in _for(slot, wish).items())


def _for(slot: Slot, wish: Wish) -> Wish:
    """The wanted columns for this slot: what has opened stays open, only its hours may move."""
    if slot.state != "open":
        return wish
    return {**wish, "opens_at": min(slot.opens_at, wish["starts_at"]), "draw_id": slot.draw_id}


def _fulfil(session: Session, key: Key, wish: Wish, slot: Slot | None, now: datetime, done: Planned) -> None:
    if wish["starts_at"] <= now:
        return
    if clash(session, wish["zone_id"], wish["starts_at"], wish["ends_at"], slot.id if slot else None):
        done.clashes += 1
    elif slot is None:
        slot = Slot(plan_id=key[0], date=key[1], state="planned", **wish)
        session.add(slot)
        session.flush()
        record(session, "planned", now, slot=slot, after="planned", capacity=slot.capacity)
        done.added += 1
    else:
        _change(session, slot, wish, now)
        done.moved += 1


def _change(session: Session, slot: Slot, wish: Wish, now: datetime) -> None:
    before, again = slot.state, slot.state == "cancelled"
    times = times_before(slot.starts_at, slot.ends_at)
    if again:
        slot.state, slot.cancel_reason = "planned", None
    for name, value in _for(slot, wish).items():
        setattr(slot, name, value)
    session.flush()
    kind = "planned" if again else "moved"
    record(session, kind, now, slot=slot, before=before, after=slot.state, capacity=slot.capacity, **times)


def _withdraw(session: Session, slot: Slot, now: datetime) -> bool:
    """Remove a slot that no plan makes any more: deleted, or cancelled if it ever had a booking."""
    if session.scalar(select(exists().where(Booking.slot_id == slot.id))):
        record(session, "cancelled", now, slot=slot, before=slot.state, after="cancelled", reason=REPLANNED)
        slot.state, slot.cancel_reason = "cancelled", REPLANNED
        return True
    plan_id, station_id, when = slot.plan_id, slot.station_id, slot.date.isoformat()
    record(session, "withdrawn", now, station_id=station_id, plan_id=plan_id, date=when)
    session.delete(slot)
    session.flush()
    return True
