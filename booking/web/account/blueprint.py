"""The blueprint that the account's pages hang on, and what they all need."""

from flask import Blueprint, current_app, make_response, render_template, request
from flask_babel import get_locale
from werkzeug.wrappers import Response

from booking.web.forms.rules import Form

pages = Blueprint("account", __name__)


def show(template: str, form: Form, status: int = 200, **words: object) -> Response:
    """The page of a form; 422 when something on it is wrong."""
    return make_response(render_template(template, form=form, **words), 422 if form.errors else status)


def per_address() -> int:
    """How many failures an hour an address has."""
    return int(current_app.config["SIGN_IN_PER_ADDRESS"])


def agent() -> str:
    return request.user_agent.string


def language() -> str:
    return "en" if str(get_locale()).startswith("en") else "zh_Hans_CN"


def hashes_an_hour() -> str:
    """How many forms that cost a slow hash before anything is looked up a network client may send to this process."""
    return f"{max(1, 2 * per_address() // current_app.config['WEB_WORKERS'])} per hour"
