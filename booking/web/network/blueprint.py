"""Blueprint of the network pages, for organisers, readers and admins; others get a 404."""

from flask import Blueprint, make_response, render_template
from werkzeug.wrappers import Response

from booking.web import job_status
from booking.web.forms.network import LEVEL_WORDS
from booking.web.forms.rules import Form

pages = Blueprint("network", __name__, url_prefix="/net")
pages.context_processor(lambda: {"late_since": job_status.late_since, "level_words": LEVEL_WORDS})


def show(template: str, wrong: Form | None = None, **words: object) -> Response:
    """A page; 422 when something in its form is wrong."""
    return make_response(render_template(template, **words), 422 if wrong and wrong.errors else 200)
