"""Proofs of attendance: a person gives out a check address for some days, and ends it."""

import secrets
from datetime import date, datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.model import AttendanceProof
from booking.people.accounts import alive
from booking.people.anonymise import nameless_before

MOST_PROOFS = 10
CODE_BYTES = 9  # 72 random bits, twelve characters


@transactional
def issue_proof(session: Session, person_id: int, first: date, last: date, now: datetime) -> AttendanceProof:
    """A check address for these days; the same days again are the first one. Raises `proof_too_old`, `proof_limit`."""
    alive(session, person_id)  # locked, so that two presses are one proof
    if first < nameless_before(now):
        raise RuleViolation("proof_too_old", since=nameless_before(now))
    mine = select(AttendanceProof).where(AttendanceProof.person_id == person_id)
    same = session.scalar(mine.where(AttendanceProof.first == first, AttendanceProof.last == last))
    if same:
        return same
    if (session.scalar(select(func.count()).select_from(mine.subquery())) or 0) >= MOST_PROOFS:
        raise RuleViolation("proof_limit", limit=MOST_PROOFS)
    proof = AttendanceProof(person_id=person_id, first=first, last=last, created_at=now)
    proof.code = secrets.token_urlsafe(CODE_BYTES)
    session.add(proof)
    session.flush()
    _note(session, "proof_issued", proof, now)
    return proof


@transactional
def end_proof(session: Session, proof: AttendanceProof, now: datetime) -> None:
    """End it: its check address leads nowhere from the next request on."""
    _note(session, "proof_ended", proof, now)
    session.delete(proof)


@transactional
def forget_proofs(session: Session, now: datetime) -> int:
    """Delete those of days whose bookings have lost their names. Returns how many. Safe to repeat."""
    old = delete(AttendanceProof).where(AttendanceProof.last < nameless_before(now))
    return len(session.scalars(old.returning(AttendanceProof.id)).all())


def _note(session: Session, kind: str, proof: AttendanceProof, now: datetime) -> None:
    first, last, whose = proof.first.isoformat(), proof.last.isoformat(), proof.person_id
    record(session, kind, now, actor_id=whose, person_id=whose, first=first, last=last)
