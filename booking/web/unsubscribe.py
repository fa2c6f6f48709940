"""Unsubscribe: ends a kind of letter (RFC 8058), or the news of an activity, without signing in; or resumes it."""

from flask import Blueprint, abort, render_template

from booking import clock, people
from booking.errors import RuleViolation
from booking.extensions import db
from booking.mail import links, subscriptions
from booking.model import Activity
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


@pages.get("/letters/unfollow/<token>")
def unfollow(token: str) -> str:
    """Opening the link only asks, as in `stop`."""
    return _show_followed(token, None)


@pages.post("/letters/unfollow/<token>")
def unfollowed(token: str) -> str:
    people.unfollow(db.session, *_followed(token), clock.now())
    return _show_followed(token, False)


@pages.post("/letters/follow/<token>")
def follow_again(token: str) -> str:
    try:
        people.follow(db.session, *_followed(token), clock.now())
    except RuleViolation as no:
        return _show_followed(token, None, no)
    return _show_followed(token, True)


def _followed(token: str) -> tuple[int, int]:
    return links.read_unfollow(token) or abort(404)


def _show_followed(token: str, wanted: bool | None, no: RuleViolation | None = None) -> str:
    activity = db.session.get(Activity, _followed(token)[1]) or abort(404)
    return render_template("letters/unfollow.html", token=token, activity=activity, wanted=wanted, no=no)


def _want(token: str, *, wanted: bool) -> str:
    person_id, kind = links.read_stop(token) or abort(404)
    subscriptions.want(db.session, person_id, kind, clock.now(), wanted=wanted)
    return render_template("letters/stop.html", kind=kind, token=token, wanted=wanted)


# Mail programs send these POSTs without cookie or page, so without a CSRF token; the token in the address is signed.
for view in (stopped, again, unfollowed, follow_again):
    csrf.exempt(view)
