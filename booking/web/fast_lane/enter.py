"""Enter: answers a press on the card of a slot whose seats are drawn before Flask does: it enters the draw.

The press is that of a booking. Which slots are drawn is learnt from the first refusal of each.
"""

import gzip
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import cast

from flask import Flask
from markupsafe import escape
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from booking import clock, draws, people, seats
from booking.db import pool
from booking.errors import RuleViolation
from booking.queries import card_draws, slot_cards
from booking.queries.card_draws import CardDraw, Wishes
from booking.queries.slot_cards import Card
from booking.telemetry import request_context
from booking.web import rate_limit
from booking.web.cache import placeholders
from booking.web.cache.lru import weight
from booking.web.fast_lane.book import PLACE, Ask, BookingRequest, CardReply, FastBooking, FastReply
from booking.web.fast_lane.request import Posted
from booking.web.middleware import Turns
from booking.web.worker import acts, attempt_buffer, card_cache, draw_entry
from booking.web.worker.results import Outcome

KEPT = 1.0  # seconds for which a draw's numbers are kept; who enters here meanwhile is counted


@dataclass
class DrawCounts:
    """The draws of a station's day by slot, as read at an instant, and how many entered here since."""

    draws: dict[int, CardDraw]
    read_at: float
    since: Counter[int] = field(default_factory=Counter)

    @property
    def weight(self) -> int:
        return 1_000 + weight(self.draws)

    def of(self, slot_id: int) -> CardDraw | None:
        found = self.draws.get(slot_id)
        return found._replace(entered=found.entered + self.since[found.id]) if found else None


class FastEntering(FastBooking):
    """The same, and entering draws."""

    def _answer(self, form: Posted, slot_id: int) -> Ask | None:
        if not self._cache.texts.get(("drawn", slot_id)):
            return super()._answer(form, slot_id)
        token = form.request.session.get("_user_id", "")
        now, ahead = clock.now(), clock.Offset.ahead
        asked = seats.Asked(slot_id, now, token_hash=people.hash_token(token), ahead=ahead)
        try:
            rate_limit.press(token, self._app.config)
            entered = draws.press_entry(self._engine, asked)
        except (SQLAlchemyError, TooManyRequests):
            return None
        seen = entered.seen
        if seen is None or seen.signed_in is None or not seen.run.awaits_draw:
            self._cache.texts["drawn", slot_id] = False
            return None
        request_context.identify(seen.signed_in.person_id)
        request_context.answered("worker.book", "fast")
        return self._entered(BookingRequest(form, asked, seen.signed_in), seen.run, entered)

    def _refused(self, asked: BookingRequest, no: RuleViolation) -> Ask:
        if not draw_entry.is_wanted(no) or not isinstance(no.seen, seats.SlotSnapshot):
            return super()._refused(asked, no)
        self._cache.texts["drawn", asked.press.slot_id] = True
        try:
            entered = draws.press_entry(self._engine, asked.press)
        except SQLAlchemyError:
            entered = draws.Entered(None)  # it is tried again alone, which says what is wrong
        return self._entered(asked, no.seen, entered)

    def _entered(self, asked: BookingRequest, run: seats.SlotSnapshot, entered: draws.Entered) -> Ask:
        person_id, now = asked.signed_in.person_id, asked.press.now
        draw = self._draw(run, is_new=entered.is_new) if entered.entry_id else None
        if draw is None or entered.seen is None:
            alone = partial(draw_entry.outcome_of, run.id, person_id, now, run)
            return self._in_turn(lambda: self._by_the_app(asked, lambda: acts.answer(alone())))
        request_context.decided("entered")
        wishes = Wishes(entered.entry_id, entered.wishes)
        (card,) = slot_cards.cards([run], entered.seen.who, {}, now, {run.id: draw}, (wishes,))
        by_the_app = partial(_answer, card, wishes)
        return self._from_texts(asked, card, wishes, by_the_app) or self._by_the_app(asked, by_the_app)

    def _draw(self, run: seats.SlotSnapshot, *, is_new: bool) -> CardDraw | None:
        """What cards say of the draw of a slot."""
        key = "draws", run.station_id, run.date
        kept: DrawCounts | None = self._cache.texts.get(key)
        if kept and run.id in kept.draws and monotonic() - kept.read_at < KEPT:
            kept.since[kept.draws[run.id].id] += is_new
            return kept.of(run.id)
        began = monotonic()
        found = pool.read(
            self._engine, lambda connection: card_draws.between(connection, run.station_id, run.date, run.date)
        )
        kept = self._cache.texts[key] = DrawCounts(found, began)
        return kept.of(run.id)

    def _from_texts(
        self, asked: BookingRequest, card: Card, wishes: Wishes, by_the_app: Callable[[], Response]
    ) -> FastReply | None:
        """The answer from cached texts, in which the number of people is a placeholder."""
        if card.draw is None or (headers := self._cache.headers.get(200)) is None:
            return None
        draw = card.draw._replace(entered=PLACE)
        counted = card._replace(draw=draw)
        reply = CardReply(counted, ("entered", draw, card.wish, card.wishes), lambda _: _said(card, wishes), by_the_app)
        said = self._texts(asked, reply).said
        own = {"csrf": str(escape(asked.posted.form.get("csrf_token", ""))), "key": placeholders.random_key()}
        own["draws"] = said.words["draws"].replace(str(PLACE), str(card.draw.entered))
        html = card_cache.again(card, said, wishes.entry_id, own)
        if html is None:
            return None
        body = html.encode()
        return FastReply(200, headers, lambda: body, lambda: gzip.compress(body, 6, mtime=0))


def _said(card: Card, wishes: Wishes) -> Outcome:
    if card.draw is None:
        raise ValueError("a card without a draw")
    return draw_entry.said(card.slot.id, wishes.entry_id, card.wish, card.draw, card.slot.station)


def _answer(card: Card, wishes: Wishes) -> Response:
    return acts.answer(_said(card, wishes), card)


def register(app: Flask) -> None:
    attempt_buffer.register(app)
    app.wsgi_app = FastEntering(cast("Turns", app.wsgi_app), app)  # type: ignore[assignment,method-assign]
