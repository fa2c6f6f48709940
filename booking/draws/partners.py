"""Partners: two people enter a draw together: one shows a code of six digits, the other types it before the closing."""

import secrets
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.db.transactions import retried
from booking.draws.entries import about, hold_entries, hold_entry, new_tag, open_draw
from booking.errors import RuleViolation
from booking.history import record
from booking.model import DrawEntry, Person, Slot
from booking.seats.eligibility import eligibility, personal

DIGITS = 6


@retried
def invite(session: Session, entry_id: int, now: datetime) -> DrawEntry:
    """Give the entry its code, which stays the same. Raises `no_such_entry`, `draw_not_open`, `draw_closed`."""
    entry = session.get(DrawEntry, entry_id)
    if entry is None or entry.person_id is None:
        raise RuleViolation("no_such_entry")
    transactions.advisory_lock(session, f"codes of draw {entry.draw_id}")
    draw = open_draw(session, entry.draw_id, now)
    transactions.lock(session, people={entry.person_id})
    hold_entry(session, draw.id, entry.person_id)
    if entry.left_at:
        raise RuleViolation("no_such_entry")
    entry.code = entry.code or _new_code(session, draw.id)
    session.flush()
    return entry


@retried
def join(session: Session, person_id: int, draw_id: int, code: str, now: datetime) -> DrawEntry:
    """Enter together with whoever shows the code, for the same wishes. Joining again changes nothing.

    Raises `partner_unknown`, `own_code`, `partner_entered` when the person has an entry already, `partner_taken` when
    two have entered by this code, what refuses an entry, or what keeps the person from a seat at each of the wishes.
    """
    draw = open_draw(session, draw_id, now)
    transactions.lock(session, people={person_id})
    both = hold_entries(session, draw.id, DrawEntry.person_id == person_id, DrawEntry.code == code)
    mine = next((entry for entry in both if entry.person_id == person_id), None)
    inviter = next((entry for entry in both if entry.code == code and entry.left_at is None), None)
    if inviter is None:
        raise RuleViolation("partner_unknown")
    if inviter is mine:
        raise RuleViolation("own_code")
    if mine and mine.left_at is None:
        if mine.partner_id == inviter.id:
            return mine
        raise RuleViolation("partner_entered")
    if inviter.partner_id:
        raise RuleViolation("partner_taken")
    _ask(session, person_id, inviter, now)
    if mine is None:
        mine = DrawEntry(draw_id=draw.id, person_id=person_id, tag=new_tag(session, draw.id), entered_at=now)
        session.add(mine)
    mine.wishes, mine.left_at, mine.partner_id = inviter.wishes, None, inviter.id
    session.flush()
    inviter.partner_id = mine.id
    session.flush()
    record(session, "entered", now, actor_id=person_id, **about(draw, mine), wishes=mine.wishes)
    for entry in (mine, inviter):
        record(session, "paired", now, **about(draw, entry))
    return mine


def is_invited(session: Session, draw_id: int, code: str) -> bool:
    """Whether somebody shows this code, in this draw."""
    return session.scalar(select(DrawEntry.id).where(*_showing(draw_id, code)).limit(1)) is not None


def _showing(draw_id: int, code: str) -> tuple[ColumnElement[bool], ...]:
    return DrawEntry.draw_id == draw_id, DrawEntry.code == code, DrawEntry.left_at.is_(None)


def _ask(session: Session, person_id: int, inviter: DrawEntry, now: datetime) -> None:
    """Raise why the person may not take a seat, when it is so at each wish, or the inviter's account is gone."""
    owner = session.get(Person, inviter.person_id)
    if owner is None or owner.deleted_at:
        raise RuleViolation("partner_unknown")
    slots = session.scalars(select(Slot).where(Slot.id.in_(inviter.wishes)).order_by(Slot.id)).all()
    noes = [personal(slot, eligibility(session, person_id, slot.station, slot.date, now)) for slot in slots]
    if noes and all(noes):
        raise next(no for no in noes if no)


def _new_code(session: Session, draw_id: int) -> str:
    while True:
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        if not is_invited(session, draw_id, code):
            return code
