"""Book: answers a booking from a card of the day before Flask does: at the opening every request is one.

Rules, texts and markup are those of `acts.book`. What is not cached yet is made by the app within a request, and cached.
Only that needs a turn: a booking that waits for its batch, and whose answer is cached, works for a fraction of a
millisecond.
"""

import gzip
import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from threading import Lock
from time import perf_counter
from typing import Any, NamedTuple

from flask import Flask
from markupsafe import escape
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from booking import clock, people, seats
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import SignedIn
from booking.queries import slot_cards
from booking.queries.slot_cards import Card
from booking.telemetry import request_context
from booking.web import rate_limit
from booking.web.cache import placeholders, store
from booking.web.cache.gzip_parts import Headers, Packed, entity_headers, sent
from booking.web.cache.lru import weight
from booking.web.cache.store import Cache
from booking.web.fast_lane.request import Environ, Posted, posted
from booking.web.i18n import formatting
from booking.web.i18n.locale_context import LocaleContexts
from booking.web.middleware import BOOKING, Turns
from booking.web.security.session import SIGNED_IN
from booking.web.worker import acts, card_cache, draw_entry, early_press, results
from booking.web.worker.attempt_buffer import AttemptBuffer
from booking.web.worker.calendar import is_wechat
from booking.web.worker.card_cache import CardTexts
from booking.web.worker.results import Outcome

STATUS = {status: f"{status} {HTTPStatus(status).phrase.upper()}" for status in (200, 409)}
# Placeholders of per-request values, as tags: no text can look like one, since texts are escaped.
OWN = {"csrf": "<csrf>", "key": "<key>"}
OWNS = re.compile("<(csrf|key)>")
CARD = 12_000  # bytes of a refusal's card, plain and compressed, without its texts
PLACE = placeholders.number(9)  # stands for a waiting-list position in the cached texts

Start = Any
Ask = Callable[[Environ, Start], Iterable[bytes]]


class BookingRequest(NamedTuple):
    """One booking request, and whose it is."""

    posted: Posted
    press: seats.Asked
    signed_in: SignedIn


@dataclass(slots=True)
class FastReply:
    """An answer as a WSGI app, without Flask."""

    status: int
    headers: Headers
    plain: Callable[[], bytes]
    packed: Callable[[], bytes]

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        headers, body = sent(self.headers, environ, self.plain, self.packed)
        start(STATUS[self.status], headers)
        return [body]


class CardReply(NamedTuple):
    """What to answer: the card, what its texts depend on, its result, and the same made by the app."""

    card: Card
    kind: Hashable
    outcome: Callable[[int], Outcome]
    by_the_app: Callable[[], Response]


class ReplyTexts:
    """The cached texts of an answer about a slot, whatever its counters are."""

    __slots__ = ("_last", "about", "said", "weight")

    def __init__(self, about: tuple[Any, ...], said: CardTexts, *, keeps_card: bool) -> None:
        self.about, self.said = about, said
        texts = weight(said)
        self.weight = weight(about) + texts + (4 * texts + CARD if keeps_card else 0)  # in both forms of the last card
        self._last: tuple[Hashable, Packed | None] = None, None

    def without_booking(self, card: Card) -> Packed | None:
        """The card of a refusal; reused while it is the same, since refusals are many. None as for `card_cache.again`."""
        counters = card.state, card.line_open, card.slot.capacity, card.slot.taken, card.slot.waiting
        last, pieces = self._last
        if last != counters or pieces is None:
            html = card_cache.again(card, self.said, None, OWN)
            pieces = Packed(OWNS.split(html)) if html is not None else None
            self._last = counters, pieces
        return pieces


class FastBooking:
    """WSGI middleware around the app and its turns."""

    def __init__(self, turns: Turns, app: Flask) -> None:
        self._turns, self._app, self._contexts = turns, app, LocaleContexts(app)
        self._attempts: AttemptBuffer = app.extensions["attempt_buffer"]
        self._making = Lock()
        with app.app_context():
            self._engine = db.engine

    @property
    def _cache(self) -> Cache:
        found: Cache = self._app.extensions["cache"]
        return found

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        found = environ["REQUEST_METHOD"] == "POST" and BOOKING(environ["PATH_INFO"])
        form = posted(self._app, environ) if found and not environ.get("SCRIPT_NAME") else None
        if not found or form is None or form.form.get("back") != "day" or "instead" in form.form:
            return self._turns(environ, start)
        slot_id, turns, began = int(found[1]), self._turns.for_bookings, perf_counter()
        if not turns.wait_aside():
            return self._turns.busy(environ, start)
        request_context.waited("turn", began)
        try:
            answer = self._answer(form, slot_id)
        finally:
            turns.leave_aside()
        return (answer or self._turns)(environ, start)

    def _in_turn(self, make: Callable[[], Ask]) -> Ask:
        """An answer that is made once there is a turn for it."""

        def ask(environ: Environ, start: Start) -> Iterable[bytes]:
            return make()(environ, start)

        return partial(self._turns.run, ask, turns=self._turns.for_bookings)

    def _answer(self, form: Posted, slot_id: int) -> Ask | None:
        """The answer; None when nothing was done, so that the app may start again."""
        token, key = form.request.session.get("_user_id", ""), form.form.get("key", "")[:64] or None
        now, ahead = clock.now(), clock.Offset.ahead
        asked = seats.Asked(slot_id, now, key, token_hash=people.hash_token(token), ahead=ahead)
        try:
            rate_limit.press(token, self._app.config)
            pressed = seats.press(self._engine, asked)
        except (SQLAlchemyError, TooManyRequests):
            return None
        if pressed.seen is None or pressed.seen.signed_in is None:
            return None
        request_context.identify(pressed.seen.signed_in.person_id)
        request_context.answered("worker.book", "fast")
        booking = BookingRequest(form, asked, pressed.seen.signed_in)
        return self._refused(booking, pressed.refusal) if pressed.refusal else self._decided(booking, pressed.result)

    def _decided(self, asked: BookingRequest, result: seats.BookingResult | None) -> Ask:
        if result and (result.place or result.booking.state != "waiting"):
            return self._pressed(asked, result, slot_cards.of_press(result, result.place, asked.press.now))
        alone = partial(self._decided_alone, asked, result)
        return alone() if result else self._in_turn(alone)  # nobody is told that we are busy once they are booked

    def _decided_alone(self, asked: BookingRequest, result: seats.BookingResult | None) -> Ask:
        """The same where the database must be asked once more."""
        try:
            with Session(self._engine) as session:
                result = result or seats.book_single(session, asked.signed_in.person_id, *asked.press[:3])
                card = slot_cards.of_press(result, slot_cards.place_of(session, result), asked.press.now)
        except RuleViolation as no:
            return self._refused(asked, no)
        except SQLAlchemyError as error:
            return self._by_the_app(asked, partial(self._trouble, error))
        return self._pressed(asked, result, card)

    def _pressed(self, asked: BookingRequest, press: seats.BookingResult, card: Card) -> Ask:
        reply = CardReply(
            card,
            (press.booking.state, press.again, results.undoable(press) is None),
            lambda place: results.of_press(card.slot, press, place),
            lambda: acts.pressed(press, asked.press.now),
        )
        request_context.decided(results.kind(press))
        if press.withdrawn or press.booking.state not in ("booked", "waiting"):
            return self._by_the_app(asked, reply.by_the_app)
        return self._made_once(asked, reply, 200, press.booking.id)

    def _refused(self, asked: BookingRequest, no: RuleViolation) -> Ask:
        request_context.decided(no.reason)
        person_id, (slot_id, now, key, *_) = asked.signed_in.person_id, asked.press
        alone = early_press.is_early(no, now) or draw_entry.is_wanted(no)
        card = None if alone else slot_cards.of_refusal(no, now)
        by_the_app = partial(acts.refused, no, person_id, slot_id, key, now)
        if card is None:
            return self._by_the_app(asked, by_the_app)
        reply = CardReply(card, formatting.printed(no), lambda _place: results.refused(card.slot, no), by_the_app)
        answer = self._made_once(asked, reply, 409)
        if isinstance(answer, FastReply):
            self._attempts.remember(person_id, slot_id, no, now)
        return answer

    def _made_once(self, asked: BookingRequest, reply: CardReply, status: int, booking_id: int | None = None) -> Ask:
        """The answer without a Flask request, where one like it is cached; else by the app, one at a time.

        At the opening of a new process all the first presses need the same.
        """
        answer = self._without_app(asked, reply, status, booking_id)
        if answer is None:
            with self._making:
                answer = self._without_app(asked, reply, status, booking_id)
                return answer or self._by_the_app(asked, reply.by_the_app)
        return answer

    def _without_app(
        self, asked: BookingRequest, reply: CardReply, status: int, booking_id: int | None = None
    ) -> FastReply | None:
        """The answer without a Flask request; None when no such answer has been cached yet."""
        if (headers := self._cache.headers.get(status)) is None:
            return None
        card, texts = reply.card, self._texts(asked, reply)
        own = {"csrf": str(escape(asked.posted.form.get("csrf_token", ""))), "key": placeholders.random_key()}
        if card.mine is None:
            pieces = texts.without_booking(card)
            return (
                FastReply(status, headers, partial(pieces.plain, own), partial(pieces.packed, own)) if pieces else None
            )
        if card.place:
            own["said"] = texts.said.words["said"].replace(str(PLACE), str(card.place))
        html = card_cache.again(card, texts.said, booking_id, own)
        if html is None:
            return None
        body = html.encode()
        return FastReply(status, headers, lambda: body, lambda: gzip.compress(body, 6, mtime=0))

    def _texts(self, asked: BookingRequest, reply: CardReply) -> ReplyTexts:
        """The cached texts, by all that they depend on, for as long as the slot is the same but for its counters."""
        slot, language = reply.card.slot, asked.signed_in.language
        no_files = is_wechat(asked.posted.request.environ.get("HTTP_USER_AGENT", ""))
        name = slot.id, language, no_files, formatting.station_date(asked.press.now, slot.station), reply.kind
        texts: ReplyTexts | None = self._cache.texts.get(name)
        if texts is None or texts.about != slot.words:
            said = self._contexts.in_locale(
                language, lambda: card_cache.say(reply.card, reply.outcome(PLACE), signed_in=True, no_files=no_files)
            )
            texts = self._cache.texts[name] = ReplyTexts(slot.words, said, keeps_card=reply.card.mine is None)
        return texts

    def _by_the_app(self, asked: BookingRequest, make: Callable[[], Response]) -> Ask:
        """An answer made within a Flask request. Its headers are reused for all answers of its status."""
        environ = asked.posted.request.environ
        environ[SIGNED_IN] = asked.signed_in
        with self._app.request_context(environ):
            try:
                made = make()
            except Exception as error:  # noqa: BLE001 - as Flask does
                made = self._trouble(error)
            response = self._app.finalize_request(made)
        if response.status_code in STATUS and not _sets_a_session(response):
            self._cache.headers[response.status_code] = entity_headers(response.headers.items())
        return response

    def _trouble(self, error: Exception) -> Response:
        try:
            return self._app.make_response(self._app.handle_user_exception(error))
        except Exception as unknown:  # noqa: BLE001 - as Flask does
            return self._app.handle_exception(unknown)


def _sets_a_session(response: Response) -> bool:
    return any(not cookie.startswith(f"{store.JUST_ACTED}=") for cookie in response.headers.getlist("Set-Cookie"))
