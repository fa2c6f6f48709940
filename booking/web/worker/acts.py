"""The worker's acts: book, give up, stand by at the door. Each answers in place, or by 303 where there is no script."""

from datetime import datetime

from flask import make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from booking import clock, seats, store
from booking.extensions import db
from booking.model import Booking, Slot
from booking.refusals import Refused
from booking.rosters import cards
from booking.web import access, htmx, pace
from booking.web.worker import early, mine, outcomes, shapes, tried
from booking.web.worker.outcomes import Outcome
from booking.web.worker.room import pages


@pages.post("/slots/<int:slot_id>/book")
def book(slot_id: int) -> Response:
    person_id = access.worker_id(url_for("worker.slot", slot_id=slot_id))
    pace.press(person_id)
    now, key = clock.now(), request.form.get("key", "")[:64] or None
    try:
        press = seats.press(db.session, person_id, slot_id, now, key)
    except Refused as no:
        return refused(no, person_id, slot_id, key, now)
    return pressed(press, now)


def pressed(press: seats.Press, now: datetime) -> Response:
    """The answer to a press that the rules let through."""
    card = cards.of_press(db.session(), press, now)
    outcome = outcomes.of_press(card.slot, press, card.place or 0)
    # Who has nothing there any more gets a button, and what it says depends on what else they have.
    return answer(outcome, card if card.mine else None)


def refused(no: Refused, person_id: int, slot_id: int, key: str | None, now: datetime) -> Response:
    """The answer to a press that they did not."""
    if early.is_early(no, now):
        return early.carry(person_id, slot_id, key, no.details["opens_at"])
    tried.of_this_process().remember(person_id, slot_id, no, now)
    card = cards.of_refusal(no, now) or access.seen_card(slot_id, person_id)
    return answer(outcomes.refused(card.slot, no), card)


@pages.post("/bookings/<int:booking_id>/give-up")
def give_up(booking_id: int) -> Response:
    person = access.worker(url_for("worker.me"))
    booking = access.own_booking(booking_id, person)
    slot, was, now = booking.slot, booking.state, clock.now()
    if question := _question(slot, booking, now):
        return answer(question)
    replaced = seats.replaced_by(db.session(), booking) if seats.can_undo(booking, now) else None
    try:
        gone = store.carry_out(db.session, lambda session: seats.give_up(session, booking_id, now))
    except Refused as no:
        return answer(outcomes.refused(slot, no))
    if replaced is None or was == gone.state:
        return answer(outcomes.of_give_up(slot, gone, was))
    place = cards.place_in_line(db.session(), gone) if gone.state == "waiting" else 0
    return answer(outcomes.of_undo(slot, gone, replaced, place))


def _question(slot: Slot, booking: Booking, now: datetime) -> Outcome | None:
    """What the reader must know first, where their page did not say it."""
    if request.form.get("warned") != "0" or now >= slot.starts_at:
        return None
    if seats.is_late(slot, booking, now):
        return outcomes.unwarned(slot, booking)
    if request.form.get("undo") and booking.state == "booked" and not seats.can_undo(booking, now):
        return outcomes.too_late_to_undo(slot, booking) if seats.replaced_by(db.session(), booking) else None
    return None


@pages.post("/slots/<int:slot_id>/standby")
def stand_by(slot_id: int) -> Response:
    person_id, now = access.worker(url_for("worker.slot", slot_id=slot_id)).id, clock.now()
    pace.press(person_id)
    slot = access.seen_card(slot_id, person_id).slot
    try:
        booking = store.carry_out(db.session, lambda session: seats.stand_by(session, person_id, slot_id, now))
    except Refused as no:
        return answer(outcomes.refused(slot, no))
    return answer(outcomes.of_standby(slot, booking))


@pages.get("/slots/<int:slot_id>/book")
@pages.get("/slots/<int:slot_id>/standby")
def after_lost_answer(slot_id: int) -> Response:
    """A browser whose press got no answer stays at its address, and some ask for it again without the form."""
    return htmx.go(url_for("worker.slot", slot_id=slot_id))


@pages.get("/bookings/<int:booking_id>/give-up")
def after_lost_give_up(**_booking_id: int) -> Response:
    return htmx.go(url_for("worker.me"))


def answer(outcome: Outcome, card: cards.Card | None = None) -> Response:
    """Where the press came from gets the answer: a card of the day, the slot's page, or one's own list."""
    back = request.form.get("back", "slot")
    card = card or access.seen_card(outcome.slot_id, access.signed_in_person().id)
    if not htmx.asked():
        outcomes.keep(outcome)
        return htmx.go(_address(back, card.slot))
    if back == "day":
        fragment: str = shapes.card(card, True, outcome)
    elif back == "me":
        fragment = mine.fragment(access.signed_in_person(), outcome)
    else:
        fragment = render_template("worker/_slot_act.html", card=card, person=True, outcome=outcome)
    return make_response(fragment, 409 if outcome.reason else 200)


def _address(back: str, slot: seats.Run) -> str:
    if back == "me":
        return url_for("worker.me")
    if back == "day":
        return url_for("worker.station", code=slot.station.code, day=slot.date, _anchor=f"slot-card-{slot.id}")
    return url_for("worker.slot", slot_id=slot.id)
