"""Retention: deletes what is no longer needed: expired failures and codes, old sign-ins, taps, names left at
the door, door helpers, bounces, failed attempts, invitations and transfers, and the numbers of single days."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_
from sqlalchemy.orm import Session

from booking.db.transactions import transactional
from booking.model import (
    Bounce,
    Code,
    DoorArrival,
    DoorHelper,
    DoorTap,
    Failure,
    ManagerInvitation,
    SignIn,
    StaffTransfer,
    StationDayTotals,
    Try,
)

# Each from when it ended, was used up, or was written.
CODES = timedelta(days=1)
SIGN_INS = timedelta(days=30)
TAPS = timedelta(days=30)
DOOR_HELPERS = timedelta(days=30)
BOUNCES = timedelta(days=30)
INVITATIONS = timedelta(days=30)
TRIES = timedelta(days=60)
STATION_DAYS = timedelta(days=400)
TRANSFERS = timedelta(days=60)


@transactional
def forget(session: Session, now: datetime) -> int:
    """Delete what is past its retention time. Returns how many rows. Safe to repeat."""
    ended, counted = now - SIGN_INS, (now - STATION_DAYS).date()
    old = (
        delete(Failure).where(Failure.at <= now - CODES).returning(Failure.id),
        delete(Code).where(Code.created_at <= now - CODES).returning(Code.id),
        delete(SignIn).where(or_(SignIn.ended_at <= ended, SignIn.expires_at <= ended)).returning(SignIn.id),
        delete(DoorTap).where(DoorTap.received_at <= now - TAPS).returning(DoorTap.nonce),
        delete(DoorArrival).where(DoorArrival.until <= now).returning(DoorArrival.id),
        delete(DoorHelper).where(DoorHelper.until <= now - DOOR_HELPERS).returning(DoorHelper.person_id),
        delete(Bounce).where(Bounce.at <= now - BOUNCES).returning(Bounce.key),
        delete(ManagerInvitation).where(_is_over(now - INVITATIONS)).returning(ManagerInvitation.id),
        delete(StationDayTotals).where(StationDayTotals.date <= counted).returning(StationDayTotals.station_id),
        delete(StaffTransfer).where(_was_moved(now - TRANSFERS)).returning(StaffTransfer.id),
        delete(Try).where(Try.at <= now - TRIES).returning(Try.slot_id),
    )
    return sum(len(session.scalars(statement).all()) for statement in old)


def _is_over(since: datetime) -> ColumnElement[bool]:
    """Condition: an invitation that was accepted, was withdrawn or has expired since then, or before."""
    ends = (ManagerInvitation.accepted_at, ManagerInvitation.withdrawn_at, ManagerInvitation.expires_at)
    return or_(*(end <= since for end in ends))


def _was_moved(since: datetime) -> ColumnElement[bool]:
    return or_(StaffTransfer.done_at <= since, StaffTransfer.withdrawn_at <= since)
