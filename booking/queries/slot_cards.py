"""Slot cards: what a worker sees of a slot, and what booking it would answer."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session, scoped_session

from booking import policy, seats
from booking.db.statements import wrap
from booking.errors import RuleViolation
from booking.model import LIVE, Booking, Slot
from booking.queries import card_draws
from booking.queries.card_draws import CardDraw, Wishes
from booking.seats.eligibility import at_door, personal


class Card(NamedTuple):
    """One slot as one reader sees it. `mine` is their live booking, `place` their waiting-list position (from 1).

    `refusal` is why booking would be refused; None when it would not, or for somebody not signed in. `replaces` are the
    reader's waiting-list places that a seat here would end. `at_opening` is the `act` that a planned slot will offer.
    `instead` is the reader's seat that can be given up for one here, and `is_late` whether that is a late cancel; `missed`
    why a press lets nobody in whose seat was released: all on the page of one slot only. `draw` is what will give its
    seats, where they wait for their draw, and `entry` the reader's wishes in that. `sits_elsewhere`: another seat of
    theirs keeps them from the door.
    """

    slot: seats.SlotSnapshot
    state: str
    seen_at: datetime
    mine: seats.Entry | None = None
    place: int | None = None
    refusal: RuleViolation | None = None
    replaces: tuple[seats.Entry, ...] = ()
    at_opening: str | None = None
    instead: seats.Entry | None = None
    is_late: bool = False
    draw: CardDraw | None = None
    entry: Wishes | None = None
    sits_elsewhere: bool = False
    missed: RuleViolation | None = None

    @property
    def left(self) -> int:
        """Seats that can be booked now: while the waiting list is open, a free seat belongs to it."""
        return 0 if self.slot.waiting and self.line_open else self.slot.free

    @property
    def is_counted(self) -> bool:
        """Whether it is over and known how many came: attendance was recorded."""
        return self.state == "done" and self.slot.state == "done" and self.slot.taken > 0

    @property
    def by_draw(self) -> bool:
        """Whether its seats will be drawn, and are not yet."""
        return self.state == "planned" and self.slot.awaits_draw

    @property
    def allocation(self) -> str:
        """How its seats will be given: `first` come, by `draw`, or `mixed`, with some for the door."""
        return ("mixed" if self.slot.door_seats else "draw") if self.by_draw else "first"

    @property
    def phase(self) -> str:
        """That of its draw; empty where no seat waits for one."""
        return self.draw.phase(self.seen_at) if self.draw and self.by_draw else ""

    @property
    def wishes(self) -> int:
        """How many wishes the reader has in its draw."""
        return len(self.entry.slots) if self.entry else 0

    @property
    def wish(self) -> int:
        """Which of the reader's wishes it is, from 1; 0 for none."""
        return self.entry.slots.index(self.slot.id) + 1 if self.entry and self.slot.id in self.entry.slots else 0

    @property
    def line_open(self) -> bool:
        """Whether a seat that becomes free still goes to the waiting list by itself."""
        return self.seen_at < self.slot.waitlist_until

    @property
    def act(self) -> str | None:
        """The one action that the card offers: "take", "wait", "enter" a draw, or None."""
        if self.refusal:
            return None
        if self.by_draw:
            return "enter"
        return "take" if self.left else "wait"

    @property
    def door(self) -> str:
        """What there is to do at the door now: "ticket", "enter" (a seat is free there), "standby", or empty."""
        mine, is_open = self.mine, self.slot.checkin_from <= self.seen_at < self.slot.ends_at
        if not is_open or self.state == "cancelled" or self.act or self.sits_elsewhere:
            return ""
        if mine and mine.state == "booked":
            return "ticket"
        if mine and (mine.state != "waiting" or mine.at_door):
            return ""
        if self.left and self.slot.first_come_from <= self.seen_at < self.slot.starts_at:
            return ""  # nobody stands by beside a free seat, also who may not take it
        return "enter" if self.left and self.state == "running" else "standby"

    @property
    def drops(self) -> tuple[seats.Entry, ...]:
        """The waiting-list places that the card's action ends, by start."""
        return self.replaces if self.act == "take" else ()


def cards(
    slots: Sequence[seats.SlotSnapshot],
    who: seats.Eligibility | None,
    places: Mapping[int, int],
    now: datetime,
    draws: Mapping[int, CardDraw],
    wishes: Sequence[Wishes],
) -> list[Card]:
    """These slots as a reader sees them; `who` is None for nobody signed in, `places` their waiting-list positions by
    the booking's id, `draws` those that the seats wait for by slot, `wishes` the reader's in them."""
    cards = (_card(slot, who, places, now) for slot in slots)
    return [_by_draw(card, who, draws, wishes) if card.slot.id in draws else card for card in cards]


def card(session: Session, slot_id: int, person_id: int | None, now: datetime) -> Card | None:
    """One slot as this reader (None: nobody signed in) sees it; None when there is no such slot."""
    found = session.execute(seats.snapshots().where(Slot.id == slot_id)).one_or_none()
    if found is None:
        return None
    slot = seats.snapshot(found)
    who = seats.eligibility(session, person_id, slot.station, slot.date, now) if person_id else None
    mine = who.on(slot.id) if who else None
    places = {mine.id: place_in_line(session, mine)} if mine and mine.state == "waiting" else {}
    seen = _card(slot, who, places, now)
    if person_id and seen.door in ("enter", "standby") and seats.was_released(session, slot_id, person_id):
        return seen._replace(missed=RuleViolation("not_seen"))
    if seen.by_draw:
        connection = wrap(session.connection())
        draws = card_draws.between(connection, slot.station_id, slot.date, slot.date)
        own = select(card_draws.wishes_in_one_column(person_id, slot.station_id))
        return _by_draw(seen, who, draws, card_draws.wishes_of(session.scalar(own)) if person_id else ())
    instead = seats.held_instead(slot, who, now) if who else None
    if instead is None:
        return seen
    late = seats.is_late(session.get_one(Slot, instead.slot_id), instead, now)
    if late and seen.refusal and seen.refusal.reason in seats.COUNT_LATE:
        return seen
    return seen._replace(instead=instead, is_late=late)


def of_press(press: seats.BookingResult, place: int | None, now: datetime) -> Card:
    """The slot as the person sees it who has just booked, from the result of the booking without another read."""
    slot, mine = press.slot, press.booking if press.booking.state in LIVE else None
    no = RuleViolation("in_line" if place else "yours") if mine else None
    return Card(slot, slot.state_at(now), now, mine, place, no)


def place_of(session: Session | scoped_session[Any], press: seats.BookingResult) -> int | None:
    """The waiting-list position of a booking; counted only where the result does not know it."""
    return press.place or (place_in_line(session, press.booking) if press.booking.state == "waiting" else None)


def of_refusal(no: RuleViolation, now: datetime) -> Card | None:
    """The slot as a person without a booking sees it after a refusal; None when the refusal holds no snapshot."""
    if not isinstance(no.seen, seats.SlotSnapshot):
        return None
    return Card(no.seen, no.seen.state_at(now), now, refusal=no)


def place_in_line(session: Session | scoped_session[Any], entry: Booking | seats.Entry) -> int:
    """The position of a waiting entry on its waiting list, from 1."""
    before = select(func.count(Booking.id)).where(
        Booking.slot_id == entry.slot_id,
        Booking.state == "waiting",
        Booking.waitlist_position < entry.waitlist_position,
    )
    return (session.scalar(before) or 0) + 1


def _card(slot: seats.SlotSnapshot, who: seats.Eligibility | None, places: Mapping[int, int], now: datetime) -> Card:
    state = slot.state_at(now)
    known = who or seats.NOBODY
    mine, no = known.on(slot.id), seats.refusal(slot, known, now)
    place, elsewhere = places.get(mine.id) if mine else None, at_door(slot, known) is not None
    if state == "planned":
        at_opening = _at_opening(slot, known)
        return Card(slot, state, now, mine, place, no, at_opening=at_opening, sits_elsewhere=elsewhere)
    replaces = () if no else tuple(sorted(seats.clashing(slot, known), key=lambda entry: (entry.starts_at, entry.id)))
    return Card(slot, state, now, mine, place, no, replaces, sits_elsewhere=elsewhere)


def _by_draw(
    card: Card, who: seats.Eligibility | None, draws: Mapping[int, CardDraw], wishes: Sequence[Wishes]
) -> Card:
    """The card of a slot whose seats will be drawn: it offers to enter the draw."""
    if not card.by_draw or (draw := draws.get(card.slot.id)) is None:
        return card
    entry = card_draws.entered(wishes, draw, draws)
    seen = card._replace(draw=draw, entry=entry)
    return seen._replace(refusal=_no_entry(seen, draw, who or seats.NOBODY))


def _no_entry(card: Card, draw: CardDraw, who: seats.Eligibility) -> RuleViolation | None:
    """Why entering would be refused, or change nothing; None when it would not."""
    if card.phase == "soon":
        return RuleViolation("draw_not_open", opens_at=draw.opens_at)
    if card.phase != "gathering":
        return RuleViolation("draw_closed")
    if card.wish:
        return RuleViolation("entered")
    most = policy.read(card.slot.station.policy).wishes
    return personal(card.slot, who) or (RuleViolation("wishes_full", limit=most) if card.wishes >= most else None)


def _at_opening(slot: seats.SlotSnapshot, who: seats.Eligibility) -> str | None:
    """None where only the server can tell then, and where the seats are drawn."""
    if slot.awaits_draw:
        return None
    at = Card(slot, "open", slot.opens_at, refusal=seats.refusal(slot, who, slot.opens_at))
    return None if seats.clashing(slot, who) else at.act
