"""Fast path: answers a booking from a card of the day before Flask does: at the opening every request is one.

Rules, texts and markup are those of `acts.book`. Unusual requests are passed to the app, which starts again from the
beginning; texts not cached yet are made by the app, and cached.
"""

import gzip
import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple

from flask import Flask, g
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
from booking.telemetry import context
from booking.web import rate_limit
from booking.web.cache import placeholders, store
from booking.web.cache.gzip_parts import Headers, Packed, entity_headers, sent
from booking.web.cache.lru import weight
from booking.web.cache.store import Cache
from booking.web.i18n import formatting
from booking.web.middleware import BOOKING, without_turn
from booking.web.security.session import CurrentUser
from booking.web.wire import Environ, Posted, Wire
from booking.web.worker import acts, card_cache, early_press, results, tried
from booking.web.worker.calendar import is_wechat
from booking.web.worker.card_cache import Said
from booking.web.worker.results import Outcome
from booking.web.worker.spoken import Spoken

FIELDS = {"csrf_token", "key", "back"}
STATUS = {status: f"{status} {HTTPStatus(status).phrase.upper()}" for status in (200, 409)}
# Placeholders of per-request values, as tags: no text can look like one, since texts are escaped.
OWN = {"csrf": "<csrf>", "key": "<key>"}
OWNS = re.compile("<(csrf|key)>")
CARD = 12_000  # bytes of a card's markup, plain and compressed, without its texts
PLACE = placeholders.number(9)  # stands for a waiting-list position in the cached texts

Start = Any
Body = Iterable[bytes]
Ask = Callable[[Environ, Start], Body]


class BookingRequest(NamedTuple):
    """One booking request, and what was read for it."""

    environ: Environ
    posted: Posted
    press: seats.Asked
    token: str
    signed_in: SignedIn

    @property
    def now(self) -> datetime:
        return self.press.now


class Told:
    """The cached texts of an answer about a slot, whatever its counters are."""

    __slots__ = ("_last", "about", "said", "weight")

    def __init__(self, about: tuple[Any, ...], said: Said) -> None:
        self.about, self.said = about, said
        self.weight = weight(about) + 5 * weight(said) + CARD  # its texts, and those in both forms of the last card
        self._last: tuple[Hashable, Packed | None] = None, None

    def to_who_has_nothing(self, card: Card) -> Packed | None:
        """The card of a refusal; reused while it is the same, since refusals are many. None as for `again`."""
        looks = card.state, card.line_open, card.slot.capacity, card.slot.taken, card.slot.waiting
        last, pieces = self._last
        if last != looks or pieces is None:
            html = card_cache.again(card, self.said, None, OWN)
            pieces = Packed(OWNS.split(html)) if html is not None else None
            self._last = looks, pieces
        return pieces


class Telling(NamedTuple):
    """What to answer: the card, the key of its texts (`kind`), its result, and the app's whole answer."""

    card: Card
    kind: Hashable
    outcome: Callable[[int], Outcome]
    whole: Callable[[], Response]


class Rush:
    """WSGI middleware around the app."""

    def __init__(self, ask: Ask, app: Flask) -> None:
        self._ask, self._app, self._wire = ask, app, Wire(app)
        self._tried: tried.Tried = app.extensions["tried"]
        self._spoken = Spoken(app)
        with app.app_context():
            self._engine = db.engine

    @property
    def _cache(self) -> Cache:
        found: Cache = self._app.extensions["cache"]
        return found

    def __call__(self, environ: Environ, start: Start) -> Body:
        found = environ["REQUEST_METHOD"] == "POST" and BOOKING(environ["PATH_INFO"])
        posted = self._wire.read(environ) if found else None
        if not found or posted is None or posted.form.get("back") != "day" or not posted.form.keys() <= FIELDS:
            return self._ask(environ, start)
        answer = self._answer(environ, posted, int(found[1]))
        return answer(environ, start) if answer else self._ask(environ, start)

    def _answer(self, environ: Environ, posted: Posted, slot_id: int) -> Ask | None:
        """The answer; None when nothing was done, so that the app may start again."""
        token, key, now = posted.session.get("_user_id", ""), posted.form.get("key", "")[:64] or None, clock.now()
        asked = seats.Asked(slot_id, now, key, token_hash=people.hash_token(token))
        try:
            rate_limit.press(token, self._app.config)
            with without_turn(environ):
                pressed = seats.press(self._engine, asked)
        except (SQLAlchemyError, TooManyRequests):
            return None
        if pressed.seen is None or pressed.seen.signed_in is None:
            return None
        context.identify(pressed.seen.signed_in.person_id)
        context.answered("worker.book", "fast")
        return self._decided(BookingRequest(environ, posted, asked, token, pressed.seen.signed_in), pressed)

    def _decided(self, asked: BookingRequest, pressed: seats.Pressed) -> Ask:
        if pressed.refusal:
            return self._refused(asked, pressed.refusal)
        result = pressed.result
        if result and (result.place or result.booking.state != "waiting"):
            return self._pressed(asked, result, slot_cards.of_press(result, result.place, asked.now))
        try:
            with Session(self._engine) as session:
                result = result or seats.book_single(session, asked.signed_in.person_id, *asked.press[:3])
                card = slot_cards.of_press(result, slot_cards.place_of(session, result), asked.now)
        except RuleViolation as no:
            return self._refused(asked, no)
        except SQLAlchemyError as error:
            return self._by_the_app(asked, partial(self._trouble, error))
        return self._pressed(asked, result, card)

    def _pressed(self, asked: BookingRequest, press: seats.BookingResult, card: Card) -> Ask:
        telling = Telling(
            card,
            (press.booking.state, press.again, results.undoable(press) is None),
            lambda place: results.of_press(card.slot, press, place),
            lambda: acts.pressed(press, asked.now),
        )
        context.decided(results.kind(press))
        plain = not press.withdrawn and press.booking.state in ("booked", "waiting")
        answer = self._again(asked, telling, 200, press.booking.id) if plain else None
        return answer or self._by_the_app(asked, telling.whole)

    def _refused(self, asked: BookingRequest, no: RuleViolation) -> Ask:
        context.decided(no.reason)

        def whole() -> Response:
            return acts.refused(no, asked.signed_in.person_id, asked.press.slot_id, asked.press.key, asked.now)

        card = slot_cards.of_refusal(no, asked.now)
        if card is None or early_press.is_early(no, asked.now):
            return self._by_the_app(asked, whole)
        kind = (no.reason, *no.details.values())
        telling = Telling(card, kind, lambda _place: results.refused(card.slot, no), whole)
        if answer := self._again(asked, telling, 409):
            self._tried.remember(asked.signed_in.person_id, asked.press.slot_id, no, asked.now)
            return answer
        return self._by_the_app(asked, whole)

    def _again(self, asked: BookingRequest, telling: Telling, status: int, booking_id: int | None = None) -> Ask | None:
        """The answer without a Flask request; None when no such answer has been cached yet."""
        if (headers := self._cache.headers.get(status)) is None:
            return None
        card, told = telling.card, self._told(asked, telling)
        own = {"csrf": str(escape(asked.posted.form.get("csrf_token", ""))), "key": placeholders.random_key()}
        if card.mine is None:
            pieces = told.to_who_has_nothing(card)
            if pieces is None:
                return None
            return _answer(status, headers, partial(pieces.plain, own), partial(pieces.packed, own))
        if card.place:
            own["said"] = told.said.words["said"].replace(str(PLACE), str(card.place))
        html = card_cache.again(card, told.said, booking_id, own)
        if html is None:
            return None
        body = html.encode()
        return _answer(status, headers, lambda: body, lambda: gzip.compress(body, 6, mtime=0))

    def _told(self, asked: BookingRequest, telling: Telling) -> Told:
        """The cached texts, by all that they depend on, for as long as the slot is the same but for its counters."""
        slot = telling.card.slot
        wechat = is_wechat(asked.environ.get("HTTP_USER_AGENT", ""))
        today = formatting.station_date(asked.now, slot.station)
        name = (slot.id, asked.signed_in.language, wechat, today, telling.kind)
        told: Told | None = self._cache.texts.get(name)
        if told is None or told.about != slot.words:
            said = self._spoken.say(
                asked.signed_in.language,
                lambda: card_cache.say(telling.card, telling.outcome(PLACE), signed_in=True, no_files=wechat),
            )
            told = self._cache.texts[name] = Told(slot.words, said)
        return told

    def _by_the_app(self, asked: BookingRequest, make: Callable[[], Response]) -> Ask:
        """An answer made within a Flask request. Its headers are reused for all answers of its status."""
        with self._request(asked):
            try:
                made = make()
            except Exception as error:  # noqa: BLE001 - as Flask does
                made = self._trouble(error)
            response = self._app.finalize_request(made)
        if response.status_code in (200, 409) and not _sets_a_session(response):
            self._cache.headers[response.status_code] = entity_headers(response.headers.items())
        return response

    @contextmanager
    def _request(self, asked: BookingRequest) -> Iterator[None]:
        with self._app.request_context(asked.environ):
            g._login_user = CurrentUser(asked.token, asked.signed_in)  # noqa: SLF001 - where Flask-Login looks first
            yield

    def _trouble(self, error: Exception) -> Response:
        try:
            return self._app.make_response(self._app.handle_user_exception(error))
        except Exception as unknown:  # noqa: BLE001 - as Flask does
            return self._app.handle_exception(unknown)


def register(app: Flask) -> None:
    tried.register(app)
    app.wsgi_app = Rush(app.wsgi_app, app)  # type: ignore[assignment,method-assign]


def _answer(status: int, headers: Headers, plain: Callable[[], bytes], packed: Callable[[], bytes]) -> Ask:
    def answer(environ: Environ, start: Start) -> Body:
        all_headers, body = sent(headers, environ, plain, packed)
        start(STATUS[status], all_headers)
        return [body]

    return answer


def _sets_a_session(response: Response) -> bool:
    return any(not cookie.startswith(f"{store.JUST_ACTED}=") for cookie in response.headers.getlist("Set-Cookie"))
