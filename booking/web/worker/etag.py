"""ETag: a hash of what a part of a page shows, so that a reader is sent only what has changed."""

from hashlib import sha256
from typing import Any

from booking.queries.slot_cards import Card
from booking.seats import can_undo

SHORT = 6  # hexadecimal digits: a change goes unnoticed once in 16 million


def of(*facts: Any) -> str:
    return sha256(repr(facts).encode()).hexdigest()[:20]


def short(*facts: Any) -> str:
    """The tag of a part."""
    return sha256(repr(facts).encode()).hexdigest()[:SHORT]


def facts(card: Card) -> tuple[Any, ...]:
    """All of a slot that a card shows, and the phase that its texts depend on."""
    slot, own, no, now = card.slot, card.mine, card.refusal, card.seen_at
    seats = (
        slot.id,
        card.state,
        card.act,
        card.at_opening,
        slot.capacity,
        slot.door_seats,
        slot.taken,
        slot.waiting,
        slot.cancel_reason,
        card.is_counted,
        card.door,
        card.missed and card.missed.reason,
    )
    mine = own and (own.id, own.state, own.standby_at), card.place, no and (no.reason, no.details)
    drops = [(entry.id, entry.starts_at) for entry in card.drops]
    words = slot.starts_at, slot.ends_at, slot.activity, slot.zone, slot.host
    phases = [now < at for at in (slot.free_until, slot.waitlist_until, slot.checkin_from, slot.starts_at)]
    instead = card.instead and (card.instead.id, card.is_late)
    draw = card.draw, card.phase, card.wish, card.wishes
    return seats, mine, words, phases, drops, instead, draw, own is not None and can_undo(own, now)
