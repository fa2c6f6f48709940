"""Draws, I11 to I14: each draw follows from its sealed list and its secret, and everybody has what they drew."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from booking.draws import order, proof, public_value
from booking.draws.planning import CORRECTION
from booking.model import Booking, Draw, DrawChain, DrawEntry, Event, Slot

# Older draws were checked often enough, and their people are forgotten some day.
CHECKED = timedelta(days=60)


def draws(session: Session, now: datetime) -> Iterator[str]:
    """I11: list, seed and order. I12: one result for each entry, and the seat that it says. I13: the secret."""
    recent = (Draw.state.in_(("frozen", "drawn")), Draw.closes_at > now - CHECKED)
    for draw in session.scalars(select(Draw).where(*recent).order_by(Draw.id)):
        published = proof.published(session, draw)
        for wrong in order.differences(published) if draw.commitment else ():
            code = "I13" if wrong.startswith("the secret") else "I11"
            yield f"{code} draw {draw.id}: {wrong}"
        if draw.value_kind != "none":
            yield from _values(session, draw)
        if draw.state == "drawn":
            yield from _results(session, draw)
    yield from _chains(session)


def places(session: Session, now: datetime) -> Iterator[str]:
    """I14: nobody whom a draw put on a waiting list stands before somebody with a better rank."""
    places = (
        select(Booking.slot_id, DrawEntry.rank, Booking.id)
        .join(Slot, Slot.id == Booking.slot_id)
        .join(Draw, Draw.id == Slot.draw_id)
        .join(DrawEntry, and_(DrawEntry.draw_id == Draw.id, DrawEntry.person_id == Booking.person_id))
        .where(Booking.state == "waiting", Booking.via == "draw", Booking.created_at == Draw.drawn_at)
        .where(DrawEntry.rank.is_not(None), Draw.state == "drawn", Draw.closes_at > now - CHECKED)
        .order_by(Booking.slot_id, Booking.waitlist_position)
    )
    for slot_id, line in groupby(session.execute(places), lambda row: row[0]):
        best = 0
        for _, rank, booking_id in line:
            if (rank or 0) < best:
                yield f"I14 slot {slot_id}: booking {booking_id}, rank {rank}, waits behind rank {best}"
            best = max(best, rank or 0)


def _results(session: Session, draw: Draw) -> Iterator[str]:
    entries = session.scalars(select(DrawEntry).where(DrawEntry.draw_id == draw.id, DrawEntry.left_at.is_(None))).all()
    by_id = {entry.id: entry for entry in entries}
    first = [entry for entry in entries if entry.partner_id is None or entry.no is not None]
    ranks = sorted(entry.rank or 0 for entry in first)
    if ranks != list(range(1, len(first) + 1)):
        yield f"I12 draw {draw.id}: {len(first)} entries, and these ranks: {ranks[:3]} ..."
    for entry in entries:
        other = by_id.get(entry.partner_id or 0, entry)
        if {entry.partner_id, other.partner_id} not in ({None}, {entry.id, other.id}) or entry.rank != other.rank:
            yield f"I12 draw {draw.id}: entries {entry.id} and {entry.partner_id} are not of two people together"
        elif {entry.people, other.people} - {1} != ({2} if entry.partner_id else set()):
            yield f"I12 draw {draw.id}: entry {entry.id} is listed with another number of people"
    # By the history: a seat may have been moved to the waiting list and back since.
    given = select(Event.person_id, Event.slot_id).where(
        Event.kind == "drawn",
        Event.at == draw.drawn_at,
        Event.booking_id.is_not(None),
        Event.slot_id.in_([int(slot) for slot in draw.seats]),
    )
    seats = {tuple(row) for row in session.execute(given)}
    drawn = {(entry.person_id, entry.got_slot_id) for entry in entries if entry.result == "seat" and entry.person_id}
    for person_id, slot_id in sorted(drawn - seats):
        yield f"I12 draw {draw.id}: person {person_id} drew a seat at slot {slot_id} and has none"
    for holder, held in sorted(seats - drawn):
        yield f"I12 draw {draw.id}: person {holder} has a seat at slot {held} that was not drawn"


def _values(session: Session, draw: Draw) -> Iterator[str]:
    """I11: each version of the public value was typed in its time, and stands as it was typed."""
    typed = public_value.versions(session, draw.id)
    told = select(Event.details).where(
        Event.station_id == draw.station_id, Event.kind == "value_typed", Event.at >= draw.value_from
    )
    known = {(one["version"], one["value"]) for one in session.scalars(told) if one["draw"] == draw.id}
    if {(one.version, one.value) for one in typed} != known:
        yield f"I11 draw {draw.id}: the versions of its public value are not those that were typed"
    last = draw.drawn_at - CORRECTION if draw.drawn_at else draw.value_until
    for one in typed:
        if not (draw.value_from and last and draw.value_from <= one.typed_at <= last):
            yield f"I11 draw {draw.id}: version {one.version} of its public value was not typed in time"


def _chains(session: Session) -> Iterator[str]:
    """I13: each secret is a later link of the chain than the one before it."""
    revealed = (
        select(Draw.chain_id, Draw.link_no, Draw.secret, DrawChain.anchor)
        .join(DrawChain, Draw.chain_id == DrawChain.id)
        .where(Draw.secret.is_not(None))
        .order_by(Draw.chain_id, Draw.link_no)
    )
    for chain_id, links in groupby(session.execute(revealed), lambda row: row[0]):
        number, last = 0, ""
        for _, link_no, secret, anchor in links:
            if order.chain_back(secret or "", (link_no or 0) - number) != (last or anchor):
                yield f"I13 chain {chain_id}: link {link_no} does not lead to the one before"
            number, last = link_no or 0, secret or ""
