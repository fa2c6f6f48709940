"""Missed slot: a booking of the demo's worker that came too late, so that the page about missed slots has one."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.demo.stage import DemoData
from booking.errors import RuleViolation
from booking.model import Booking, Event, Slot
from booking.seats import failed_attempts

LATE = timedelta(minutes=5)


def press_too_late(session: Session, stage: DemoData) -> None:
    """On the newest past slot with a waiting list, of a day on which the worker was on none."""
    queued = select(Event.slot_id).where(Event.kind == "waiting", Event.station_id == stage.station_id)
    days = select(Slot.date).join(Booking, Booking.slot_id == Slot.id).where(Booking.person_id == stage.worker_id)
    full = select(Slot).where(Slot.state == "done", Slot.id.in_(queued), Slot.date.not_in(days))
    if slot := session.scalar(full.order_by(Slot.starts_at.desc(), Slot.id).limit(1)):
        failed_attempts.remember.inside(
            session, [(stage.worker_id, slot.id, RuleViolation("line_closed"), slot.waitlist_until + LATE)]
        )
