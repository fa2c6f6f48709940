"""Account deletion: seats go to the waiting lists, draws are left, sign-ins end, the name goes, the history stays."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, delete, exists, select, update
from sqlalchemy.orm import Session, scoped_session

from booking import draws, seats
from booking.db.transactions import NO_SYNC, transactional
from booking.errors import RuleViolation
from booking.history import forget_person, record
from booking.model import (
    FORGOTTEN_REQUEST,
    ActivityWish,
    AttendanceProof,
    Booking,
    Bounce,
    Code,
    Consent,
    DoorHelper,
    Event,
    Feed,
    Follow,
    Letter,
    Manages,
    Oversees,
    Person,
    Rating,
    ServiceRequest,
    StaffTransfer,
    Suppression,
    Try,
    WatchOpen,
    WishVote,
)
from booking.people import codes
from booking.people.accounts import alive, hold_admins, is_last_admin
from booking.people.door_helpers import end_door
from booking.people.invitations import forget_invitations_to
from booking.people.second_factor import remove
from booking.people.sign_ins import Attempt, confirm, end_sign_ins

ROUNDS = 5


@transactional
def delete_account(session: Session, person_id: int, now: datetime, actor_id: int | None = None) -> None:
    """Delete an account for good, all in this one transaction. Nothing of it becomes a strike."""
    codes.alone(session, person_id)
    hold_admins(session, person_id)
    entered = draws.open_draws_of(session, person_id, now)
    held = _hold_everything(session, person_id, now)
    person = alive(session, person_id)
    if is_last_admin(session, person):
        raise RuleViolation("last_admin")
    end_sign_ins.inside(session, person_id, now, actor_id=actor_id or person_id)
    _leave_stations(session, person, now, actor_id or person_id)
    draws.leave(session, entered, person_id, now, "gone")
    for booking in live_bookings(session, person_id):
        seats.leave(session, held.slots[booking.slot_id], booking, now, "account_deleted", actor_id or person_id)
        booking.late = False
    _wipe(session, person, now)
    record(session, "account_deleted", now, actor_id=actor_id or person_id, person_id=person_id)
    session.flush()
    for slot in held.slots.values():
        seats.fill_free_seats(session, slot, now, held.people)
    seats.count_days_of(session, held.slots.values())


@transactional
def delete_own_account(session: Session, tried: Attempt, now: datetime) -> None:
    """Delete the account whose password was just confirmed."""
    # Locked before the person; `delete_account` asks for both again: a draw may have been entered in between.
    if tried.person_id is not None:
        codes.alone(session, tried.person_id)
        hold_admins(session, tried.person_id)
        draws.open_draws_of(session, tried.person_id, now)
    delete_account.inside(session, confirm(session, tried).id, now)


def live_bookings(session: Session | scoped_session[Any], person_id: int) -> Sequence[Booking]:
    """The bookings that a deletion cancels: seats not yet used, and waiting-list places."""
    theirs = select(Booking).where(Booking.person_id == person_id, Booking.state.in_(("booked", "waiting")))
    return session.scalars(theirs.order_by(Booking.id).execution_options(populate_existing=True)).all()


def _hold_everything(session: Session, person_id: int, now: datetime) -> seats.LockedSlots:
    """Lock the person with all their slots; again from the start when a concurrent booking has added one."""
    for _round in range(ROUNDS):
        wanted = {booking.slot_id for booking in live_bookings(session, person_id)}
        locks = session.begin_nested()
        held = seats.lock_slots(session, wanted, now, {person_id})
        if {booking.slot_id for booking in live_bookings(session, person_id)} <= held.slots.keys():
            locks.commit()
            return held
        locks.rollback()
    raise RuleViolation("busy")


def _leave_stations(session: Session, person: Person, now: datetime, actor_id: int) -> None:
    gone = delete(Manages).where(Manages.person_id == person.id).returning(Manages.station_id)
    for station_id in session.scalars(gone).all():
        record(session, "dismissed", now, actor_id=actor_id, person_id=person.id, station_id=station_id)
    for role in session.scalars(select(Oversees).where(Oversees.person_id == person.id)).all():
        about: dict[str, Any] = {"node": role.node_id, "name": role.node.name, "role": role.role}
        record(session, "overseer_ended", now, actor_id=actor_id, person_id=person.id, **about)
        session.delete(role)
    pending = (
        StaffTransfer.person_id == person.id,
        StaffTransfer.done_at.is_(None),
        StaffTransfer.withdrawn_at.is_(None),
    )
    session.execute(update(StaffTransfer).where(*pending).values(withdrawn_at=now))
    helped = select(DoorHelper.station_id).where(DoorHelper.person_id == person.id)
    for station_id in session.scalars(helped).all():
        end_door.inside(session, station_id, person.id, now, actor_id)
    person.is_admin = False


def _wipe(session: Session, person: Person, now: datetime) -> None:
    unsent = case((Letter.state == "queued", "dropped"), else_=Letter.state)
    # One after the other, for the index of people: the table is large.
    for theirs in (Letter.person_id == person.id, and_(Letter.person_id.is_(None), Letter.to == person.email)):
        session.execute(update(Letter).where(theirs).values(to=None, details={}, error="", state=unsent))
    session.execute(delete(Try).where(Try.person_id == person.id))
    remove(session, person.id)
    _forget_requests(session, person.id, now)
    session.execute(update(WatchOpen).where(WatchOpen.person_id == person.id).values(person_id=None))
    _forget_wishes(session, person.id, now)
    _forget_lines(session, person.id)
    for table in (AttendanceProof, Consent, Feed, Follow, Bounce, Suppression):
        session.execute(delete(table).where(table.person_id == person.id))
    if person.email:
        session.execute(delete(Code).where(Code.email == person.email))
        forget_invitations_to(session, person.email)
    person.email = person.password_hash = None
    person.name = person.phone = person.company = ""
    person.wants_digest = person.wants_manager_digest = person.wants_reminder = False
    person.deleted_at = now


def _forget_requests(session: Session, person_id: int, now: datetime) -> None:
    """Withdraw the open ones; of all others only the count stays."""
    mine = update(ServiceRequest).where(ServiceRequest.person_id == person_id)
    session.execute(mine.where(ServiceRequest.ended_at.is_(None)).values(state="withdrawn", ended_at=now))
    session.execute(mine.values(**FORGOTTEN_REQUEST, forgotten_at=now))
    forget_person(session, Event.person_id == person_id, Event.kind.startswith("request_", autoescape=True))


def _forget_wishes(session: Session, person_id: int, now: datetime) -> None:
    """Take their votes back. Those of wishes that have ended still count; an open one that nobody else wants is withdrawn."""
    theirs = select(WishVote.wish_id).where(WishVote.person_id == person_id)
    held = select(ActivityWish.id).where(ActivityWish.id.in_(theirs)).order_by(ActivityWish.id)
    ids = session.scalars(held.with_for_update(key_share=True)).all()
    session.execute(delete(WishVote).where(WishVote.person_id == person_id))
    wishes = update(ActivityWish).where(ActivityWish.id.in_(ids))
    over = wishes.where(ActivityWish.ended_at.is_not(None))
    session.execute(over.values(past_votes=ActivityWish.past_votes + 1), execution_options=NO_SYNC)
    others = exists().where(WishVote.wish_id == ActivityWish.id)
    unwanted = wishes.where(ActivityWish.state == "open", ~others)
    gone = {"state": "withdrawn", "ended_at": now, "text": "", "text_key": ""}
    session.execute(unwanted.values(gone), execution_options=NO_SYNC)
    made = update(ActivityWish).where(ActivityWish.person_id == person_id)
    session.execute(made.values(person_id=None), execution_options=NO_SYNC)


def _forget_lines(session: Session, person_id: int) -> None:
    """Remove what they wrote about their visits; the faces, which were never shown with a name, still count."""
    theirs = select(Booking.id).where(Booking.person_id == person_id)
    session.execute(update(Rating).where(Rating.booking_id.in_(theirs), Rating.line != "").values(line=""))
