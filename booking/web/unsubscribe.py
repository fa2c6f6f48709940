"""What a letter's reader does without signing in: ends a daily letter (RFC 8058), or has it back."""

from flask import Blueprint, abort, render_template

from booking import clock
from booking.db import transactions
from booking.extensions import csrf, db
from booking.mail import digests, links

pages = Blueprint("letters", __name__)


@pages.get("/letters/stop/<token>")
def stop(token: str) -> str:
    """Opening the link only asks: scanners of mail open every link."""
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
    with transactions.transaction(db.session) as session:
        digests.want(session, person_id, kind, clock.now(), wanted=wanted)
    return render_template("letters/stop.html", kind=kind, token=token, wanted=wanted)


# The mail program presses these, without cookie or page; the token is signed.
csrf.exempt(stopped)
csrf.exempt(again)
