"""After a sign-in: makes the booking that was pressed before it, once, and shows the result where it was pressed."""

from flask import redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock
from booking.web import rate_limit
from booking.web.security import pending_booking, permissions
from booking.web.worker import acts, early_press
from booking.web.worker.blueprint import pages


@pages.get("/slots/<int:slot_id>/signed-in")
def book_pending(slot_id: int) -> Response:
    """Without a pending booking in the session this changes nothing: it leads on."""
    person_id, now = permissions.worker_id(url_for("worker.slot", slot_id=slot_id)), clock.now()
    onward, pending = permissions.safe_path(request.args.get("next"), ""), pending_booking.remembered()
    card = permissions.seen_card(slot_id, None)
    if pending is None or pending.slot_id != slot_id:
        return redirect(onward or acts.address("slot", card.slot), code=303)
    rate_limit.press(current_user.token)
    no = early_press.attempt(person_id, slot_id, pending.key, now)
    pending_booking.forget()
    if no:
        return early_press.carry(person_id, slot_id, pending.key, no.details["opens_at"])
    return redirect(onward or acts.address(pending.back, card.slot), code=303)


@pages.post("/slots/<int:slot_id>/signed-in/forget")
def forget_pending(slot_id: int) -> Response:
    """The person changed their mind on the sign-in page."""
    pending_booking.forget()
    return redirect(url_for("worker.slot", slot_id=slot_id), code=303)
