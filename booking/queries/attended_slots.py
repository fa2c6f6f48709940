"""Attended slots: what a person attended on some days, and the proof of attendance that a code stands for."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from booking.model import AttendanceProof, Booking, Person, Slot


def attended(session: Session, person_id: int, first: date, last: date) -> Sequence[Slot]:
    """The slots at which they were checked in, by date."""
    came = select(Slot).join(Booking, Booking.slot_id == Slot.id)
    theirs = came.where(Booking.person_id == person_id, Booking.state == "attended", Slot.date.between(first, last))
    load = (joinedload(Slot.activity), joinedload(Slot.station))
    return session.scalars(theirs.options(*load).order_by(Slot.starts_at, Slot.id)).unique().all()


def proofs(session: Session, person_id: int) -> Sequence[AttendanceProof]:
    """Those that the person has given out and not ended, the newest first."""
    mine = select(AttendanceProof).where(AttendanceProof.person_id == person_id)
    return session.scalars(mine.order_by(AttendanceProof.id.desc())).all()


def proof_of(session: Session, code: str) -> AttendanceProof | None:
    """The proof with this code, of an account that still is one."""
    found = select(AttendanceProof).join(AttendanceProof.person).where(AttendanceProof.code == code)
    return session.scalar(found.where(Person.deleted_at.is_(None)))
