"""Blueprint of the account pages, and their shared helpers."""

from flask import Blueprint, current_app, make_response, render_template, request
from werkzeug.wrappers import Response

from booking.web.forms.rules import Form

pages = Blueprint("account", __name__)


def show(template: str, form: Form, status: int = 200, **words: object) -> Response:
    """The page of a form; 422 when something in it is wrong."""
    return make_response(render_template(template, form=form, **words), 422 if form.errors else status)


def per_address() -> int:
    """How many failed sign-ins an hour a network address is allowed."""
    return int(current_app.config["SIGN_IN_PER_ADDRESS"])


def agent() -> str:
    return request.user_agent.string


def hashes_an_hour() -> str:
    """Limit of forms that cost a slow hash before any lookup, for one network client and this process."""
    return f"{max(1, 2 * per_address() // current_app.config['WEB_WORKERS'])} per hour"
