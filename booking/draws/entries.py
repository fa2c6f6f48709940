"""Entries: enter a draw, with wishes in order; change them, or leave. An entry is not a booking."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from booking import policy
from booking.db import transactions
from booking.db.transactions import retried
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Draw, DrawEntry, Slot
from booking.seats.eligibility import eligibility, personal

# Without digits and letters that are read for one another.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@retried
def enter(session: Session, person_id: int, slot_id: int, now: datetime) -> DrawEntry:
    """Make the slot the next wish of the person in its draw. Entering again changes nothing.

    Raises `draw_not_open`, `draw_closed`, `wishes_full`, or what keeps the person from a seat there.
    """
    slot = session.get(Slot, slot_id)
    if slot is None or slot.draw_id is None or slot.station.closed_at:
        raise RuleViolation("no_such_slot")
    draw = open_draw(session, slot.draw_id, now)
    transactions.lock(session, people={person_id})
    session.refresh(slot)
    if slot.state == "cancelled":
        raise RuleViolation("cancelled", why=slot.cancel_reason)
    if slot.draw_id != draw.id:
        raise RuleViolation("draw_closed")
    if no := personal(slot, eligibility(session, person_id, slot.station, slot.date, now)):
        raise no
    entry = hold_entry(session, draw.id, person_id)
    wishes = entry.wishes if entry and entry.left_at is None else []
    if entry and slot_id in wishes:
        return entry
    most = policy.read(slot.station.policy).wishes
    if len(wishes) >= most:
        raise RuleViolation("wishes_full", limit=most)
    if entry is None:
        entry = DrawEntry(draw_id=draw.id, person_id=person_id, tag=new_tag(session, draw.id), entered_at=now)
        session.add(entry)
    entry.left_at = None
    _set_wishes(session, draw, entry, [*wishes, slot_id], now)
    return entry


@retried
def change_wishes(session: Session, entry_id: int, wishes: Sequence[int], now: datetime) -> DrawEntry:
    """Put the wishes into another order, or drop some. Without any, the person leaves the draw."""
    entry = session.get(DrawEntry, entry_id)
    if entry is None or entry.person_id is None:
        raise RuleViolation("no_such_entry")
    draw = open_draw(session, entry.draw_id, now)
    transactions.lock(session, people={entry.person_id})
    hold_entry(session, draw.id, entry.person_id)
    if entry.left_at:
        raise RuleViolation("no_such_entry")
    if len(set(wishes)) < len(wishes) or not set(wishes) <= set(entry.wishes):
        raise RuleViolation("no_such_wish")
    if not wishes:
        _leave(session, draw, entry, now)
    elif list(wishes) != entry.wishes:
        _set_wishes(session, draw, entry, list(wishes), now)
    return entry


def hold_draw(session: Session, draw_id: int) -> Draw:
    """The draw, which is neither frozen nor drawn until this transaction ends: many may hold it at once."""
    found = select(Draw).where(Draw.id == draw_id).with_for_update(read=True)
    return session.scalars(found.execution_options(populate_existing=True)).one()


def open_draw(session: Session, draw_id: int, now: datetime) -> Draw:
    """The draw, held, which people can still enter or leave."""
    draw = hold_draw(session, draw_id)
    if now < draw.opens_at:
        raise RuleViolation("draw_not_open", opens_at=draw.opens_at)
    if draw.state != "gathering" or now >= draw.closes_at:
        raise RuleViolation("draw_closed")
    return draw


def open_draws_of(session: Session, person_id: int, now: datetime) -> Sequence[Draw]:
    """The draws that this person is in and can still leave, held as by `hold_draw`, by id."""
    entered = select(DrawEntry.draw_id).where(DrawEntry.person_id == person_id, DrawEntry.left_at.is_(None))
    found = select(Draw).where(Draw.id.in_(entered), Draw.state == "gathering", Draw.closes_at > now)
    return session.scalars(found.order_by(Draw.id).with_for_update(read=True)).all()


def leave(session: Session, held: Sequence[Draw], person_id: int, now: datetime, reason: str) -> None:
    """Take a locked person out of these draws. Whoever had entered together with them stays, alone."""
    for draw in held:
        entry = hold_entry(session, draw.id, person_id)
        if entry and entry.left_at is None:
            _leave(session, draw, entry, now, reason)


def hold_entry(session: Session, draw_id: int, person_id: int) -> DrawEntry | None:
    """The entry of a locked person. It is locked, and the one together with it."""
    of_draw = (DrawEntry.draw_id == draw_id, DrawEntry.person_id == person_id)
    partner = select(DrawEntry.partner_id).where(*of_draw).scalar_subquery()
    entries = hold_entries(session, draw_id, DrawEntry.person_id == person_id, DrawEntry.id == partner)
    return next((entry for entry in entries if entry.person_id == person_id), None)


def hold_entries(session: Session, draw_id: int, *either: ColumnElement[bool]) -> Sequence[DrawEntry]:
    """The entries of a draw for which one of the conditions holds, locked, the older first."""
    found = select(DrawEntry).where(DrawEntry.draw_id == draw_id, or_(*either)).order_by(DrawEntry.id).with_for_update()
    return session.scalars(found.execution_options(populate_existing=True)).all()


def new_tag(session: Session, draw_id: int) -> str:
    """Five characters that no other entry of the draw has."""
    while True:
        tag = random_tag()
        if session.scalar(select(DrawEntry.id).where(DrawEntry.draw_id == draw_id, DrawEntry.tag == tag)) is None:
            return tag


def random_tag() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(5))


def _set_wishes(session: Session, draw: Draw, entry: DrawEntry, wishes: list[int], now: datetime) -> None:
    """Of both who enter together."""
    entry.wishes = wishes
    if entry.partner_id:
        session.get_one(DrawEntry, entry.partner_id).wishes = wishes
    session.flush()
    record(session, "entered", now, actor_id=entry.person_id, **about(draw, entry), wishes=wishes)


def _leave(session: Session, draw: Draw, entry: DrawEntry, now: datetime, reason: str | None = None) -> None:
    _part(session, draw, entry, now)
    entry.left_at, entry.code = now, None
    record(session, "left", now, actor_id=entry.person_id, reason=reason, **about(draw, entry))


def _part(session: Session, draw: Draw, entry: DrawEntry, now: datetime) -> None:
    """End what two people had entered together."""
    if entry.partner_id:
        other = session.get_one(DrawEntry, entry.partner_id)
        entry.partner_id = other.partner_id = None
        record(session, "parted", now, **about(draw, other))


def about(draw: Draw, entry: DrawEntry) -> dict[str, Any]:
    """What each event of an entry says."""
    return {"station_id": draw.station_id, "person_id": entry.person_id, "draw": draw.id}
