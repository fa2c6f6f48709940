"""The blueprint that the account's pages hang on, and what they all need."""

from collections.abc import Callable

from flask import Blueprint, current_app, make_response, render_template, request
from flask_babel import get_locale
from werkzeug.wrappers import Response

from booking.web.forms.asked import Form

pages = Blueprint("account", __name__)


def show(template: str, form: Form, status: int = 200, **words: object) -> Response:
    """The page of a form; 422 when something on it is wrong."""
    return make_response(render_template(template, form=form, **words), 422 if form.errors else status)


def address() -> str:
    """The network address that tries are counted by."""
    return (request.remote_addr or "unknown")[:64]  # as much as is kept: behind a proxy it may be any text


def per_address() -> int:
    """How many failures an hour an address has."""
    return int(current_app.config["SIGN_IN_PER_ADDRESS"])


def agent() -> str:
    return request.user_agent.string


def language() -> str:
    return "en" if str(get_locale()).startswith("en") else "zh_Hans_CN"


def hourly(times: int) -> Callable[[], str]:
    """A limit on acts that cost mail or work, in multiples of what an address has in failures."""
    return lambda: f"{per_address() * times} per hour"
