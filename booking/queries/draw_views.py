"""Draws as they are shown: what is public of one, and one person's own entries."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from booking import draws
from booking.draws.balls import Held, explained
from booking.model import Draw, DrawEntry, Person, Slot
from booking.queries.card_draws import phase
from booking.queries.waiting_odds import Odds

SHOWN = 60  # past draws in a station's list


class DrawView(NamedTuple):
    """A draw, its slots (cancelled ones too), how many have entered, and what the clock says of it.

    `phase` is soon, gathering, sealed, drawn or void.
    """

    draw: Draw
    slots: Sequence[Slot]
    entered: int
    phase: str

    @property
    def seats(self) -> int:
        """The seats that were drawn, or that will be."""
        if self.draw.seats:
            return sum(self.draw.seats.values())
        return sum(slot.capacity for slot in self.slots if slot.state != "cancelled")

    @property
    def result_at(self) -> datetime:
        return draws.result_at(self.draw)

    def titled(self, slot_id: int | str) -> Slot | None:
        """One of its slots; None for one that was removed."""
        return next((slot for slot in self.slots if slot.id == int(slot_id)), None)


class Awaited(NamedTuple):
    """The draw of one slot whose seats are not drawn: how many `people` have the slot among their wishes, and the phase
    as in `DrawView`."""

    draw: Draw
    people: int
    phase: str

    @property
    def result_at(self) -> datetime:
        return draws.result_at(self.draw)


class OwnEntry(NamedTuple):
    """One person's entry in a draw, and their balls in it; with who enters together with them, the partner's entry and
    name. `odds` are those of where they wait now, if they lost; `held` is why they have so many balls, where that is
    known."""

    view: DrawView
    entry: DrawEntry | None
    balls: int
    other: DrawEntry | None = None
    partner: str = ""
    held: Held | None = None
    odds: Odds | None = None

    @property
    def listed(self) -> DrawEntry | None:
        """The entry that stands in the list: of two who enter together, the older."""
        found = [entry for entry in (self.entry, self.other) if entry]
        return min(found, key=lambda entry: entry.id, default=None)

    @property
    def wishes(self) -> list[Slot]:
        found = [self.view.titled(slot_id) for slot_id in self.entry.wishes] if self.entry else []
        return [slot for slot in found if slot]


def of_station(session: Session, station_id: int, now: datetime) -> list[DrawView]:
    """The draws of a station, the newest first."""
    newest = select(Draw).where(Draw.station_id == station_id).order_by(Draw.closes_at.desc(), Draw.id.desc())
    return _views(session, station_id, session.scalars(newest.limit(SHOWN)).all(), now)


def view(session: Session, draw: Draw, now: datetime) -> DrawView:
    return _views(session, draw.station_id, [draw], now)[0]


def _views(session: Session, station_id: int, several: Sequence[Draw], now: datetime) -> list[DrawView]:
    """Of draws of one station."""
    ids, days = [draw.id for draw in several], {draw.date for draw in several}
    theirs = (Slot.station_id == station_id, Slot.date.in_(days), Slot.draw_id.in_(ids))
    whole = (joinedload(Slot.activity), joinedload(Slot.zone))
    slots = defaultdict(list)
    for slot in session.scalars(select(Slot).where(*theirs).options(*whole).order_by(Slot.starts_at, Slot.id)):
        slots[slot.draw_id].append(slot)
    entered = draws.entered(session, ids)
    return [DrawView(draw, slots[draw.id], entered.get(draw.id, 0), phase(draw, now)) for draw in several]


def of_slot(session: Session, slot_id: int, person_id: int | None, now: datetime) -> OwnEntry | None:
    """The draw of a slot, as this reader (None: nobody signed in) sees it; None where there is none."""
    draw = session.scalar(select(Draw).join(Slot, Slot.draw_id == Draw.id).where(Slot.id == slot_id))
    return own(session, draw, person_id, now) if draw else None


def of_slots(session: Session, slots: Sequence[Slot]) -> dict[int, Draw]:
    """By slot, the draws of these."""
    ids = {slot.draw_id for slot in slots if slot.draw_id}
    found = {draw.id: draw for draw in session.scalars(select(Draw).where(Draw.id.in_(ids)))} if ids else {}
    return {slot.id: found[slot.draw_id] for slot in slots if slot.draw_id}


def awaited(session: Session, slots: Sequence[Slot], now: datetime) -> dict[int, Awaited]:
    """By slot, the draws of those of these that are not drawn, and have not started."""
    found = of_slots(session, [slot for slot in slots if slot.awaits_draw and now < slot.starts_at])
    if not found:
        return {}
    ids = {draw.id for draw in found.values()}
    live = select(DrawEntry.wishes).where(DrawEntry.draw_id.in_(ids), DrawEntry.left_at.is_(None))
    people = Counter(slot_id for wishes in session.scalars(live) for slot_id in wishes)
    return {slot_id: Awaited(draw, people[slot_id], phase(draw, now)) for slot_id, draw in found.items()}


def own(session: Session, draw: Draw, person_id: int | None, now: datetime) -> OwnEntry:
    mine = select(DrawEntry).where(
        DrawEntry.draw_id == draw.id, DrawEntry.person_id == person_id, DrawEntry.left_at.is_(None)
    )
    entry = session.scalar(mine) if person_id else None
    return _own(session, view(session, draw, now), entry, person_id, now)


def ahead(session: Session, person_id: int, now: datetime) -> list[OwnEntry]:
    """The person's entries in draws that are not decided, or became void just now."""
    theirs = (
        select(DrawEntry)
        .join(Draw, DrawEntry.draw_id == Draw.id)
        .where(DrawEntry.person_id == person_id, DrawEntry.left_at.is_(None), Draw.state != "drawn")
        .where(Draw.closes_at > now - timedelta(days=2))
        .order_by(Draw.closes_at, Draw.id)
        .options(joinedload(DrawEntry.draw).joinedload(Draw.station))
    )
    found = session.scalars(theirs).all()
    return [_own(session, view(session, entry.draw, now), entry, person_id, now) for entry in found]


def facts(own: OwnEntry | None) -> tuple[Any, ...]:
    """All of it that a page shows, for its entity tag."""
    if own is None:
        return ()
    seen, entry = own.view, own.entry
    mine = (entry.id, entry.wishes, entry.result, entry.rank, entry.code, own.partner) if entry else None
    when = (seen.phase, seen.draw.closes_at, seen.result_at)
    return seen.draw.id, *when, seen.entered, seen.seats, mine, own.balls, own.held, own.odds


def _own(session: Session, view: DrawView, entry: DrawEntry | None, person_id: int | None, now: datetime) -> OwnEntry:
    """Balls as they are now: for the coming draw, the fewer of two people, or for the next one after it."""
    other = session.get(DrawEntry, entry.partner_id) if entry and entry.partner_id else None
    with_them = session.get(Person, other.person_id) if other and other.person_id else None
    if with_them is None or with_them.deleted_at:
        other = None
    own = OwnEntry(view, entry, 0, other, with_them.name if with_them and other else "")
    if person_id is None:
        return own
    coming = view.phase != "drawn"
    people = [person_id, *([with_them.id] if with_them and other and coming else [])]
    held = explained(session, view.draw.station, people, now)
    count = min(one.balls for one in held.values())
    if coming and own.listed and own.listed.balls:
        count = own.listed.balls
    return own._replace(balls=count, held=held[person_id] if held[person_id].balls == count else None)
