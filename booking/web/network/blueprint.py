"""Blueprint of the network pages, for organisers, readers and admins; others get a 404."""

from flask import Blueprint, current_app, flash, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from booking.web import htmx, job_status
from booking.web.forms.network import LEVEL_WORDS
from booking.web.forms.rules import Form

pages = Blueprint("network", __name__, url_prefix="/net")
pages.context_processor(lambda: {"late_since": job_status.late_since, "level_words": LEVEL_WORDS})

UPLOADS = ("network.import_stations", "network.import_transfers")


@pages.url_value_preprocessor
def _allow_uploads(endpoint: str | None, _values: object) -> None:
    """A sheet may be larger than other requests; this runs before anything reads the form."""
    if endpoint in UPLOADS:
        request.max_content_length = request.max_form_memory_size = current_app.config["MAX_UPLOAD_LENGTH"]


def show(template: str, wrong: Form | None = None, **words: object) -> Response:
    """A page; 422 when something in its form is wrong."""
    return make_response(render_template(template, **words), 422 if wrong and wrong.errors else 200)


def done(sentence: str, endpoint: str, code: str) -> Response:
    """Redirect to a page of the node after a committed change, with the sentence on it."""
    flash(sentence, "good")
    return htmx.go(url_for(f"network.{endpoint}", code=code))
