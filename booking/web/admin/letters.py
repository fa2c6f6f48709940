"""Letter previews: every letter as its readers get it, with made-up people, to check before sending."""

from flask import Response as Plain
from flask import abort, url_for
from werkzeug.wrappers import Response

from booking import clock
from booking.mail import rendering, samples
from booking.mail.wording import LETTERS
from booking.web.admin.blueprint import pages, show

TONGUES = {"zh": "zh_Hans_CN", "en": "en"}


@pages.get("/letters")
def all_letters() -> Response:
    subjects = {(kind, tongue): _sample(kind, tongue).subject for kind in LETTERS for tongue in TONGUES}
    return show("admin/letters.html", names=LETTERS, subjects=subjects, tongues={"zh": "中文", "en": "English"})


@pages.get("/letters/style.css")
def letter_style() -> Response:
    """CSS of the previews: the CSP allows no inline style, so the preview links to it."""
    return Plain(rendering.stylesheet(), mimetype="text/css")


@pages.get("/letters/<letter>/<tongue>/<form>")
def one_letter(letter: str, tongue: str, form: str) -> Response:
    """The HTML or the text part of a letter in one language."""
    if letter not in LETTERS or tongue not in TONGUES or form not in ("page", "text"):
        abort(404)
    said = _sample(letter, tongue)
    if form == "page":
        return Plain(said.page, mimetype="text/html")
    return Plain(f"{said.subject}\n\n{said.text}", mimetype="text/plain")


def _sample(kind: str, tongue: str) -> rendering.Rendered:
    context = samples.of(kind, clock.now()) | {"style": url_for("admin.letter_style")}
    return rendering.render(kind, context, TONGUES[tongue])
