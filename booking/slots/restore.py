"""Taking back what a manager put away by mistake: a slot while nobody has heard of it; a zone, an activity, a plan ever."""

from datetime import datetime

from sqlalchemy.orm import Session

from booking import seats
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Activity, Event, Plan, Slot, Zone
from booking.seats import Reinstated
from booking.slots.catalogue import save_activity, save_plan, save_zone
from booking.slots.moving import fits
from booking.slots.planning import REPLANNED, Planned, clash


def bring_back(session: Session, slot_id: int, now: datetime, actor_id: int | None = None) -> Reinstated:
    """The slot as it was, with everybody who was on it and has nothing else by now. Twice is once.

    The letters about its end are called back; refused once one of them has left. Until the start people may give up
    freely: they may have seen on the page that it was off.
    """
    found = seats.find_slot(session, slot_id)
    ended = may_bring_back(session, found, now)
    if ended is None:
        return Reinstated()
    mine = {was.booking.person_id for was in seats.called_off(session, found, ended.at)}
    held = seats.lock_slots(session, {slot_id}, now, mine)
    slot = held.slots[slot_id]
    if may_bring_back(session, slot, now) is not ended:
        return Reinstated()
    before = ended.before or "planned"
    record(session, "brought_back", now, actor_id=actor_id, slot=slot, before="cancelled", after=before)
    slot.state, slot.cancel_reason = before, None
    back = seats.reinstate(session, slot, ended.at, now, held.people, actor_id)
    if back.again:
        slot.free_until = slot.starts_at
    return back


def may_bring_back(session: Session, slot: Slot, now: datetime) -> Event | None:
    """What would be undone; None where nothing is to undo. Asked for the page, and again inside the lock."""
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


def reopen_zone(session: Session, zone: Zone, now: datetime, actor_id: int | None = None) -> None:
    """A zone that was closed is there again. Its name was kept for it."""
    zone.closed_at = None
    save_zone(session, zone, now, actor_id)


def offer_again(session: Session, activity: Activity, now: datetime, actor_id: int | None = None) -> None:
    """An activity that was put away can be planned again."""
    activity.retired_at = None
    save_activity(session, activity, now, actor_id)


def resume_plan(session: Session, plan: Plan, now: datetime, actor_id: int | None = None) -> Planned:
    """A plan that was stopped makes slots again; refused where another one has its place by now."""
    plan.stopped_at = None
    return save_plan(session, plan, now, actor_id)
