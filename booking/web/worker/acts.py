"""Actions: book, cancel, and stand by at the station. Answered with a fragment for htmx, else with a 303 redirect."""

from datetime import datetime
from typing import NoReturn

from flask import make_response, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock, seats
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Booking, Slot
from booking.queries import slot_cards
from booking.telemetry import request_context
from booking.web import errors, htmx, rate_limit
from booking.web.cache import placeholders
from booking.web.i18n import formatting
from booking.web.middleware import without_turn
from booking.web.security import pending_booking, permissions
from booking.web.worker import attempt_buffer, card_cache, draw_entry, early_press, mine, results
from booking.web.worker.blueprint import pages
from booking.web.worker.results import Outcome


@pages.post("/slots/<int:slot_id>/book")
def book(slot_id: int) -> Response:
    now, key = clock.now(), request.form.get("key", "")[:64] or None
    person_id = current_user.person_id or _sign_in_first(slot_id, key)
    rate_limit.press(current_user.token)
    if request.form.get("instead"):
        return _swap(person_id, slot_id, key, now)
    try:
        with without_turn(request.environ):
            press = seats.book(db.session, person_id, slot_id, now, key)
    except RuleViolation as no:
        request_context.decided(no.reason)
        return refused(no, person_id, slot_id, key, now)
    request_context.decided(results.kind(press))
    return pressed(press, now)


def _sign_in_first(slot_id: int, key: str | None) -> NoReturn:
    """Keep the press while the person signs in or registers. A swap is not kept: it needs to know their bookings."""
    permissions.seen_card(slot_id, None)
    if "instead" not in request.form:
        pending_booking.remember(slot_id, key or placeholders.random_key(), request.form.get("back", "slot")[:8])
    permissions.ask_to_sign_in(url_for("worker.slot", slot_id=slot_id))


def _swap(person_id: int, slot_id: int, key: str | None, now: datetime) -> Response:
    held = permissions.own_booking(errors.read_id(request.form["instead"]), permissions.worker())
    if request.form.get("warned") == "0" and seats.is_late(held.slot, held, now):
        return answer(results.unwarned_swap(permissions.seen_card(slot_id, person_id).slot, held))
    at = formatting.clock_time(held.slot.starts_at, held.slot.station)
    try:
        press = seats.swap(db.session, person_id, slot_id, held.id, now, key)
    except RuleViolation as no:
        request_context.decided(no.reason)
        return answer(results.refused(permissions.seen_card(slot_id, person_id).slot, no))
    request_context.decided(results.kind(press))
    return answer(results.of_swap(press, at))


def pressed(press: seats.BookingResult, now: datetime) -> Response:
    """The answer to a booking that the rules allowed."""
    card = slot_cards.of_press(press, slot_cards.place_of(db.session(), press), now)
    outcome = results.of_press(card.slot, press, card.place or 0)
    # Without a booking any more the card has a button, whose label depends on the person's other bookings.
    return answer(outcome, card if card.mine else None)


def refused(no: RuleViolation, person_id: int, slot_id: int, key: str | None, now: datetime) -> Response:
    """The answer to a booking that the rules refused. Where the seats are drawn it enters the draw."""
    if draw_entry.is_wanted(no):
        return answer(draw_entry.outcome_of(slot_id, person_id, now, no.seen))
    if early_press.is_early(no, now):
        return early_press.carry(person_id, slot_id, key, no.details["opens_at"])
    attempt_buffer.of_this_process().remember(person_id, slot_id, no, now)
    card = slot_cards.of_refusal(no, now) or permissions.seen_card(slot_id, person_id)
    return answer(results.refused(card.slot, no), card)


@pages.post("/slots/<int:slot_id>/enter")
def enter(slot_id: int) -> Response:
    """Enter the draw of a slot, which becomes the next wish."""
    person_id = permissions.worker_id(url_for("worker.slot", slot_id=slot_id))
    rate_limit.press(current_user.token)
    slot = permissions.seen_card(slot_id, person_id).slot
    return answer(draw_entry.outcome_of(slot_id, person_id, clock.now(), slot))


@pages.post("/bookings/<int:booking_id>/give-up")
def give_up(booking_id: int) -> Response:
    person = permissions.worker(url_for("worker.me"))
    booking = permissions.own_booking(booking_id, person)
    slot, was, now = booking.slot, booking.state, clock.now()
    if question := _question(slot, booking, now):
        return answer(question)
    replaced = seats.replaced_by(db.session(), booking) if seats.can_undo(booking, now) else None
    try:
        gone = seats.give_up(db.session, booking_id, now)
    except RuleViolation as no:
        return answer(results.refused(slot, no))
    if replaced is None or was == gone.state:
        return answer(results.of_give_up(slot, gone, was))
    place = slot_cards.place_in_line(db.session(), gone) if gone.state == "waiting" else 0
    return answer(results.of_undo(slot, gone, replaced, place))


def _question(slot: Slot, booking: Booking, now: datetime) -> Outcome | None:
    """What the reader must confirm first, where their page did not say it."""
    if request.form.get("warned") != "0" or now >= slot.starts_at:
        return None
    if seats.is_late(slot, booking, now):
        return results.unwarned(slot, booking)
    if request.form.get("undo") and booking.state == "booked" and not seats.can_undo(booking, now):
        return results.too_late_to_undo(slot, booking) if seats.replaced_by(db.session(), booking) else None
    return None


@pages.post("/slots/<int:slot_id>/standby")
def stand_by(slot_id: int) -> Response:
    person_id, now = permissions.worker(url_for("worker.slot", slot_id=slot_id)).id, clock.now()
    rate_limit.press(current_user.token)
    slot = permissions.seen_card(slot_id, person_id).slot
    try:
        booking = seats.stand_by(db.session, person_id, slot_id, now, seen=False)
    except RuleViolation as no:
        return answer(results.refused(slot, no))
    return answer(results.of_standby(slot, booking, now))


@pages.get("/slots/<int:slot_id>/book")
@pages.get("/slots/<int:slot_id>/enter")
@pages.get("/slots/<int:slot_id>/standby")
def after_lost_answer(slot_id: int) -> Response:
    """After a lost answer the browser stays at the address of the POST, and some request it again as a GET."""
    return htmx.go(url_for("worker.slot", slot_id=slot_id))


@pages.get("/bookings/<int:booking_id>/give-up")
def after_lost_give_up(**_booking_id: int) -> Response:
    return htmx.go(url_for("worker.me"))


def answer(outcome: Outcome, card: slot_cards.Card | None = None) -> Response:
    """Answer in the page that sent the form: a card of the day, the slot's page, or one's own bookings."""
    back = request.form.get("back", "slot")
    card = card or permissions.seen_card(outcome.slot_id, permissions.worker().id)
    if not htmx.asked():
        results.keep(outcome)
        return htmx.go(address(back, card.slot))
    if back == "day":
        fragment: str = card_cache.card(card, True, outcome)
    elif back == "me":
        fragment = mine.fragment(permissions.worker(), outcome)
    else:
        own = draw_entry.own_draw(card, permissions.worker().id, clock.now())
        fragment = render_template("worker/_slot_act.html", card=card, person=True, outcome=outcome, own=own)
    return make_response(fragment, 409 if outcome.reason else 200)


def address(back: str, slot: seats.SlotSnapshot) -> str:
    """The page that sent a form, by the form's field `back`."""
    if back == "me":
        return url_for("worker.me")
    if back == "day":
        return url_for("worker.station", code=slot.station.code, day=slot.date, _anchor=f"slot-card-{slot.id}")
    return url_for("worker.slot", slot_id=slot.id)
