"""Early booking: one sent up to two seconds before the opening is retried at the opening, and no thread waits.

With JavaScript the client retries by itself; without, a page refreshes itself to the address of the retry.
"""

import math
import random
from datetime import datetime, timedelta

from flask import current_app, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from booking import clock, seats
from booking.errors import RuleViolation
from booking.extensions import db
from booking.queries import slot_cards
from booking.telemetry import request_context
from booking.web import htmx, rate_limit
from booking.web.cache import placeholders
from booking.web.middleware import without_turn
from booking.web.security import permissions
from booking.web.worker import attempt_buffer, draw_entry, results
from booking.web.worker.blueprint import pages

EARLY = timedelta(seconds=2)
SPREAD = 0.4  # seconds over which the retries of early clients are spread
LASTS = 30  # seconds that a deferred booking remains valid


def is_early(no: RuleViolation, now: datetime) -> bool:
    """Whether the booking was refused only because it came a moment too soon."""
    return no.reason == "not_open" and no.details["opens_at"] - now <= EARLY


def carry(person_id: int, slot_id: int, key: str | None, opens_at: datetime) -> Response:
    """425 with the milliseconds to wait for JavaScript; else a redirect to a page that refreshes itself."""
    wait = (opens_at - clock.now()).total_seconds() + 0.05 + random.random() * SPREAD  # noqa: S311 (no secret)
    if htmx.asked():
        answer = make_response('<p data-refusal="not_open"></p>', 425)
        answer.headers["X-Press-Again-In"] = str(math.ceil(wait * 1000))
        return answer
    press = _signer().dumps([person_id, slot_id, key or placeholders.random_key()])
    return redirect(url_for("worker.opening", slot_id=slot_id, press=press), code=303)


@pages.get("/slots/<int:slot_id>/opening")
def opening(slot_id: int) -> Response:
    """The deferred booking, made at its time. Its signed address is for one person, and expires soon."""
    back = url_for("worker.slot", slot_id=slot_id)
    person_id, now = permissions.worker_id(back), clock.now()
    key = _key_of(person_id, slot_id)
    if key is None:
        return redirect(back, code=303)
    rate_limit.press(current_user.token)
    if no := attempt(person_id, slot_id, key, now):
        return _wait(slot_id, (no.details["opens_at"] - now).total_seconds())
    return redirect(back, code=303)


def attempt(person_id: int, slot_id: int, key: str, now: datetime) -> RuleViolation | None:
    """Book, and keep the result for the next page. Returns the refusal of a booking that came a moment too soon."""
    try:
        with without_turn(request.environ):
            press = seats.book(db.session, person_id, slot_id, now, key)
    except RuleViolation as no:
        request_context.decided(no.reason)
        if draw_entry.is_wanted(no):
            results.keep(draw_entry.outcome_of(slot_id, person_id, now, no.seen))
            return None
        if is_early(no, now):
            return no
        attempt_buffer.of_this_process().remember(person_id, slot_id, no, now)
        results.keep(results.refused(permissions.seen_card(slot_id, person_id).slot, no))
        return None
    request_context.decided(results.kind(press))
    card = slot_cards.of_press(press, slot_cards.place_of(db.session(), press), now)
    results.keep(results.of_press(card.slot, press, card.place or 0))
    return None


def _wait(slot_id: int, seconds: float) -> Response:
    card = permissions.seen_card(slot_id, None)
    answer = make_response(render_template("worker/opening.html", card=card, station=card.slot.station))
    answer.headers["Refresh"] = f"{max(1, math.ceil(seconds))}; url={request.full_path}"
    return answer


def _key_of(person_id: int, slot_id: int) -> str | None:
    try:
        claim: object = _signer().loads(request.args.get("press", ""), max_age=LASTS)
    except BadSignature:
        return None
    return str(claim[2]) if isinstance(claim, list) and claim[:2] == [person_id, slot_id] else None


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="early press")
