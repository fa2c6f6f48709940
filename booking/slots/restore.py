"""Restore: undoes a manager's cancellation until a letter about it is sent, and archiving at any time."""

from datetime import datetime

from sqlalchemy.orm import Session

from booking import draws, seats
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Activity, Event, Plan, Slot, Zone
from booking.seats import Reinstated
from booking.slots.catalogue import save_activity, save_plan, save_zone
from booking.slots.moving import fits
from booking.slots.planning import REPLANNED, Planned, clash


@transactional
def bring_back(session: Session, slot_id: int, now: datetime, actor_id: int | None = None) -> Reinstated:
    """Restore the slot with everybody who was on it and has no other booking by now. Idempotent.

    The letters about its cancellation are withdrawn; refused once one was sent. Until the start people may cancel
    without a strike: they may have seen on the page that it was cancelled. A slot whose draw was decided without it opens
    to everybody at once.
    """
    found = seats.find_slot(session, slot_id)
    ended = may_bring_back(session, found, now)
    if ended is None:
        return Reinstated()
    # Held, or the draw could be decided without the slot after we have looked.
    draw = draws.hold_draw(session, found.draw_id) if found.draw_id else None
    mine = {was.booking.person_id for was in seats.called_off(session, found, ended.at)}
    held = seats.lock_slots(session, {slot_id}, now, mine)
    slot = held.slots[slot_id]
    if may_bring_back(session, slot, now) is not ended:
        return Reinstated()
    before = ended.before or "planned"
    record(session, "brought_back", now, actor_id=actor_id, slot=slot, before="cancelled", after=before)
    slot.state, slot.cancel_reason = before, None
    if before == "planned" and draw and draws.opens_slots(draw):
        slot.state, slot.opens_at = "open", now
        record(session, "opened", now, actor_id=actor_id, slot=slot, before=before, after="open")
    back = seats.reinstate(session, slot, ended.at, now, held.people, actor_id)
    if back.again:
        slot.free_until = slot.starts_at
    return back


def may_bring_back(session: Session, slot: Slot, now: datetime) -> Event | None:
    """The cancellation that would be undone; None if there is none. Checked for the page, and again inside the lock."""
    ended = seats.last_cancel(session, slot) if slot.state == "cancelled" else None
    if ended is None or slot.cancel_reason == REPLANNED:
        return None
    if now >= slot.starts_at:
        raise RuleViolation("started")
    if slot.station.closed_at or slot.activity.retired_at:
        raise RuleViolation("no_such_activity")
    fits(slot, slot.zone)
    if there := clash(session, slot.zone_id, slot.starts_at, slot.ends_at, slot.id):
        raise RuleViolation("zone_taken", slot_id=there.id)
    if seats.anybody_told(session, slot, ended.at):
        raise RuleViolation("people_know")
    return ended


@transactional
def reopen_zone(session: Session, zone: Zone, now: datetime, actor_id: int | None = None) -> None:
    """Reopen a closed zone. Its name was reserved."""
    zone.closed_at = None
    save_zone.inside(session, zone, now, actor_id)


@transactional
def offer_again(session: Session, activity: Activity, now: datetime, actor_id: int | None = None) -> None:
    """Restore an archived activity, so that it can be planned again."""
    activity.retired_at = None
    save_activity.inside(session, activity, now, actor_id)


@transactional
def resume_plan(session: Session, plan: Plan, now: datetime, actor_id: int | None = None) -> Planned:
    """Restart a stopped plan; refused where another one occupies its zone and time by now."""
    plan.stopped_at = None
    return save_plan.inside(session, plan, now, actor_id)
