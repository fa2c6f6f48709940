"""Settle: makes a restored database safe to serve: nobody is signed in, and nobody gets a letter twice."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from booking import draws, people
from booking.db.transactions import transactional
from booking.history import record
from booking.mail import held
from booking.model import Code


@transactional
def settle(session: Session, now: datetime) -> int:
    """End all sign-ins and codes, and hold every letter that is not sent. Returns how many are held.

    Codes and sign-ins that were used up or ended since the backup would count again, and secrets of draws that have
    become known would be used again.
    """
    ended = people.end_everybodys_sign_ins(session, now)
    session.execute(delete(Code))
    draws.begin_anew(session, now)
    letters = held.hold(session, now)
    record(session, "restored", now, sign_ins=ended, letters=letters)
    return letters


@transactional
def hold_rest(session: Session, now: datetime) -> int:
    """Hold what the jobs have written by making up for the time since the backup: it was probably told then."""
    return held.hold(session, now)
