"""Blueprint of the account pages, and their shared helpers."""

from flask import Blueprint, current_app, make_response, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock
from booking.extensions import db
from booking.queries import slot_cards
from booking.web.forms.rules import Form
from booking.web.security import pending_booking

pages = Blueprint("account", __name__)


def show(template: str, form: Form, status: int = 200, **words: object) -> Response:
    """The page of a form; 422 when something in it is wrong. While nobody is signed in, it shows what signing in books."""
    page = render_template(template, form=form, pending=_pending(), **words)
    return make_response(page, 422 if form.errors else status)


def _pending() -> slot_cards.Card | None:
    """The slot of this browser's pending booking."""
    kept = None if current_user.is_authenticated else pending_booking.remembered()
    return slot_cards.card(db.session(), kept.slot_id, None, clock.now()) if kept else None


def per_address() -> int:
    """How many failed sign-ins an hour a network address is allowed."""
    return int(current_app.config["SIGN_IN_PER_ADDRESS"])


def agent() -> str:
    return request.user_agent.string


def hashes_an_hour() -> str:
    """Limit of forms that cost a slow hash before any lookup, for one network client and this process."""
    return f"{max(1, 2 * per_address() // current_app.config['WEB_WORKERS'])} per hour"
