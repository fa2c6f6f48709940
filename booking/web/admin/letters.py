"""Letter previews: every letter as its readers get it, with made-up people; and the letters that a restore holds."""

from flask import Response as Plain
from flask import abort, flash, url_for
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock
from booking.extensions import db
from booking.mail import held, rendering, samples
from booking.mail.wording import LETTERS
from booking.web import htmx
from booking.web.admin.blueprint import pages, show

TONGUES = {"zh": "zh_Hans_CN", "en": "en"}


@pages.get("/letters")
def all_letters() -> Response:
    subjects = {(kind, tongue): _sample(kind, tongue).subject for kind in LETTERS for tongue in TONGUES}
    tongues = {"zh": "中文", "en": "English"}
    return show(
        "admin/letters.html", names=LETTERS, subjects=subjects, tongues=tongues, held=held.by_kind(db.session())
    )


@pages.post("/letters/held/let-go")
def let_go() -> Response:
    """Send the letters that a restore holds."""
    count = held.let_go(db.session, clock.now(), current_user.person_id)
    flash(ngettext("%(num)s 封邮件马上发出。", "%(num)s 封邮件马上发出。", count), "good")
    return htmx.go(url_for("admin.all_letters"))


@pages.post("/letters/held/discard")
def discard() -> Response:
    """Never send the letters that a restore holds."""
    count = held.discard(db.session, clock.now(), current_user.person_id)
    flash(ngettext("丢弃了 %(num)s 封邮件。", "丢弃了 %(num)s 封邮件。", count), "good")
    return htmx.go(url_for("admin.all_letters"))


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
