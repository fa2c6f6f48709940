"""Schedule, I4 and I8: nothing opens twice or early, nobody is released before the deadline."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from booking import clock, draws, policy, workdays
from booking.db.arrays import in_array
from booking.model import Booking, Draw, Event, Slot, Station, Strike
from booking.seats import BOOKS_OPEN
from booking.slots import deadlines
from booking.slots.planning import clash, due_dates

# A job that runs every few seconds has handled what is older than this.
PATIENCE = timedelta(seconds=60)


def openings(session: Session, now: datetime) -> Iterator[str]:
    """I4: each plan opens each of its dates exactly once, and not before the hour; a slot whose draw is over is open."""
    twice = select(Slot.plan_id, Slot.date, func.count(Slot.id)).where(Slot.plan_id.is_not(None))
    for plan_id, day, count in session.execute(
        twice.group_by(Slot.plan_id, Slot.date).having(func.count(Slot.id) > 1).order_by(Slot.plan_id, Slot.date)
    ):
        yield f"I4 plan {plan_id}: {count} slots on {day}"
    again = select(Event.slot_id).where(Event.kind == "opened", Event.slot_id.is_not(None))
    for slot_id in session.scalars(again.group_by(Event.slot_id).having(func.count(Event.id) > 1)):
        yield f"I4 slot {slot_id}: opened more than once"
    yield from _early(session)
    yield from _shut(session)
    for station in session.scalars(select(Station).where(Station.closed_at.is_(None)).order_by(Station.id)):
        yield from _missing(session, station, now)


def _early(session: Session) -> Iterator[str]:
    early = select(Slot.id).join(Event, Event.slot_id == Slot.id).where(Event.at < Slot.opens_at)
    for slot_id in session.scalars(early.where(Event.kind == "opened").order_by(Slot.id)):
        yield f"I4 slot {slot_id}: opened before its hour"
    pressed = select(Booking.id, Slot.id).join(Slot, Booking.slot_id == Slot.id)
    older = session.execute(pressed.where(Booking.created_at < Slot.opens_at).order_by(Booking.id)).all()
    by_a_manager_or_at_the_door = select(Event.booking_id).where(
        Event.kind.in_(("reserved", "standby", "walked_in")), Event.booking_id.in_(in_array([n for n, _ in older]))
    )
    allowed = set(session.scalars(by_a_manager_or_at_the_door)) if older else set()
    for booking_id, slot_id in (row for row in older if row[0] not in allowed):
        yield f"I4 slot {slot_id}: booking {booking_id} is older than the opening"


def _shut(session: Session) -> Iterator[str]:
    """Slots that wait for a draw in which they were not."""
    waits = select(Slot.id, Draw).join(Draw, Slot.draw_id == Draw.id).where(Slot.state == "planned")
    for slot_id, draw in session.execute(waits.order_by(Slot.id)):
        if draws.opens_slots(draw):
            yield f"I4 slot {slot_id}: draw {draw.id} is over, and it has not opened"


def _missing(session: Session, station: Station, now: datetime) -> Iterator[str]:
    """Dates of a plan that should have opened by now, and have no slot."""
    numbers = policy.read(station.policy)
    first = clock.at_station(now, station.zone_name).date()
    last = first + timedelta(days=numbers.days_ahead)
    calendar = workdays.load(session, station.id, first, last)
    planned = select(Slot.plan_id, Slot.date).where(Slot.station_id == station.id, Slot.date >= first)
    present = {(plan_id, day) for plan_id, day in session.execute(planned)}
    for due in due_dates(session, station.id, first, last, calendar):
        if (due.plan.id, due.date) in present:
            continue
        table = deadlines.of_plan(due.plan, due.date, numbers, calendar, due.said)
        zone_id = (due.said and due.said.zone_id) or due.plan.zone_id
        late = table["opens_at"] <= now - PATIENCE and table["starts_at"] > now
        if late and not clash(session, zone_id, table["starts_at"], table["ends_at"]):
            yield f"I4 plan {due.plan.id}: nothing opened for {due.date}"


def releases(session: Session, _now: datetime) -> Iterator[str]:
    """I8: no release before the deadline, none of a checked-in person but by an undo; nothing is live in a done slot."""
    bookings = select(Booking.id, Slot.id).join(Slot, Booking.slot_id == Slot.id)
    early = bookings.where(Booking.state == "released", Booking.ended_at < Slot.release_at)
    for booking_id, slot_id in session.execute(early.order_by(Booking.id)):
        yield f"I8 slot {slot_id}: booking {booking_id} was released before the deadline"
    here = select(Event.slot_id, Event.booking_id).where(Event.after == "released", Event.before == "attended")
    for event_slot, event_booking in session.execute(here.where(Event.kind != "undone")):
        yield f"I8 slot {event_slot}: booking {event_booking} was released after its check-in"
    struck = select(Strike.id, Booking.id).join(Booking, Strike.booking_id == Booking.id)
    counts = (Strike.reason == "no_show", Strike.forgiven_at.is_(None))
    wrong = or_(Booking.state == "attended", Booking.checked_in_at.is_not(None))
    for strike_id, booking_id in session.execute(struck.where(*counts, wrong)):
        yield f"I8 booking {booking_id}: strike {strike_id} for somebody who was there"
    yield from _without_attendance(session)
    left = bookings.where(Booking.state.in_(("booked", "waiting")), Slot.state == "done")
    for booking_id, slot_id in session.execute(left.order_by(Booking.id)):
        yield f"I8 slot {slot_id}: it is done, but booking {booking_id} is still live"


def _without_attendance(session: Session) -> Iterator[str]:
    """Without attendance only a manager's decision releases; a booking is unrecorded only after the slot is closed."""
    word = select(Event.id).where(Event.slot_id == Slot.id, Event.kind.in_(("release_ordered", "all_came"))).exists()
    alone = select(Slot.id).where(Slot.unattended, Slot.released_at.is_not(None), ~word)
    for slot_id in session.scalars(alone.order_by(Slot.id)):
        yield f"I8 slot {slot_id}: released though nobody took attendance"
    unrecorded = select(Booking.id, Slot.id, Slot.unattended, Booking.ended_at, Slot.ends_at, Strike.id)
    found = unrecorded.join(Slot, Booking.slot_id == Slot.id).outerjoin(Strike, Strike.booking_id == Booking.id)
    for booking_id, slot_id, unattended, at, ends_at, strike_id in session.execute(
        found.where(Booking.state == "unrecorded").order_by(Booking.id)
    ):
        if not unattended or at is None or at < ends_at + BOOKS_OPEN:
            yield f"I8 slot {slot_id}: booking {booking_id} is unrecorded though the manager could still say"
        if strike_id:
            yield f"I8 booking {booking_id}: strike {strike_id} for an unrecorded booking"
