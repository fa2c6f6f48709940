"""Coming days of a station as one reader sees them: what the search and the month view show."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from flask import abort, request
from flask_login import current_user

from booking import clock
from booking.db import pool
from booking.extensions import db
from booking.queries import card_draws, coming_slots
from booking.queries.slot_cards import Card
from booking.web.cache import store
from booking.web.worker.day_view import DayPage
from booking.web.worker.filters import ALL

SHOWN = ("planned", "open")


class ComingDays(NamedTuple):
    """The strip of the day page with its reader, and the cards of all its days by date and start."""

    page: DayPage
    cards: Sequence[Card]


def read(code: str) -> ComingDays:
    """The coming days of an open station for the reader of this request; 404 when there is none with this code."""
    cache, now = store.look(request), clock.now()
    known = cache.known(current_user.token, code, now) if current_user.person_id else None
    day = cache.day(code, None, now) or abort(404)
    page = DayPage(day, known.reader if known else None, now, ALL)
    last = day.days[-1].day.date
    slots = coming_slots.find(db.engine, page.station.id, page.today, last)
    asked = partial(card_draws.between, station_id=page.station.id, first=page.today, last=last)
    draws = pool.read(db.engine, asked) if any(slot.awaits_draw for slot in slots) else {}
    cards = page.cards_of(slots, draws)
    # The clock may be ahead of the job that starts them.
    return ComingDays(page, [card for card in cards if card.state in SHOWN])
