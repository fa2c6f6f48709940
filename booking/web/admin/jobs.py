"""Jobs page of the whole network: scheduler and mail status, and retries of what failed."""

from flask import abort, current_app, flash, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from booking import clock, monitoring
from booking.extensions import db
from booking.mail import backoff, outbox
from booking.web import htmx, job_status, proxies
from booking.web.admin.blueprint import pages, show


@pages.get("/jobs")
def jobs() -> Response:
    return show(
        "admin/jobs.html", again=_again, resend=_resend, proxy_forgotten=_proxy_forgotten(), **job_status.running()
    )


@pages.post("/jobs/aside/<int:aside_id>/again")
def try_again(aside_id: int) -> Response:
    """Requeue a row that a job could not process."""
    monitoring.requeue(db.session, aside_id, clock.now()) or abort(404)
    flash(_("马上会再试一次。"), "good")
    return htmx.go(url_for("admin.jobs"))


@pages.post("/jobs/letters/<int:letter_id>/again")
def send_again(letter_id: int) -> Response:
    """Requeue a letter that a server refused, or that could not be rendered."""
    outbox.send_again(db.session, letter_id, clock.now()) or abort(404)
    flash(_("马上会再发一次。"), "good")
    return htmx.go(url_for("admin.jobs"))


@pages.post("/jobs/mail/again")
def try_mail() -> Response:
    """Resume mail at once, after the settings were corrected."""
    backoff.wake(db.session, clock.now())
    flash(_("马上会再试一次。"), "good")
    return htmx.go(url_for("admin.jobs"))


def _proxy_forgotten() -> bool:
    return proxies.is_forgotten(request.environ, current_app.config["TRUSTED_PROXIES"])


def _again(aside_id: int) -> str:
    return url_for("admin.try_again", aside_id=aside_id)


def _resend(letter_id: int) -> str:
    return url_for("admin.send_again", letter_id=letter_id)
