"""Unsubscribe: ends a daily letter without signing in (RFC 8058), or resumes it."""

from flask import Blueprint, abort, render_template

from booking import clock
from booking.extensions import db
from booking.mail import digests, links
from booking.web.security.csrf import csrf

pages = Blueprint("letters", __name__)


@pages.get("/letters/stop/<token>")
def stop(token: str) -> str:
    """Opening the link only asks: mail scanners open every link."""
    _person_id, kind = links.read_stop(token) or abort(404)
    return render_template("letters/stop.html", kind=kind, token=token, wanted=None)


@pages.post("/letters/stop/<token>")
def stopped(token: str) -> str:
    return _want(token, wanted=False)


@pages.post("/letters/again/<token>")
def again(token: str) -> str:
    return _want(token, wanted=True)


def _want(token: str, *, wanted: bool) -> str:
    person_id, kind = links.read_stop(token) or abort(404)
    digests.want(db.session, person_id, kind, clock.now(), wanted=wanted)
    return render_template("letters/stop.html", kind=kind, token=token, wanted=wanted)


# Mail programs send these POSTs without cookie or page, so without a CSRF token; the token in the address is signed.
csrf.exempt(stopped)
csrf.exempt(again)
