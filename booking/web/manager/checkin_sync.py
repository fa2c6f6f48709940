"""Check-in sync: receives roster taps from a phone, at once or when it is online again."""

from datetime import timedelta

from flask import abort, jsonify
from flask_babel import gettext
from werkzeug.wrappers import Response

from booking import checkin_sync, clock
from booking.checkin_sync import Tap
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Booking
from booking.web.forms.roster import TapForm
from booking.web.manager.blueprint import actor, labels, pages, refused_words
from booking.web.security.permissions import managed_booking, managed_station


@pages.post("/<code>/taps")
def tap(code: str) -> Response | tuple[Response, int]:
    """One tap, with its age in milliseconds: the phone's clock may be wrong, but it knows how long ago that was."""
    managed_station(code)
    form = TapForm()
    if not form.validate_on_submit():
        return jsonify(outcome="unreadable"), 422
    if form.owner.data not in (None, actor()):  # queued while another person was signed in, who must send it themselves
        return jsonify(outcome="somebody_else"), 409
    booking, now = managed_booking(code, form.booking.data), clock.now()
    at = now - timedelta(milliseconds=form.age.data)
    kept = Tap(form.nonce.data, booking.id, form.act.data == "in", at, form.after.data or "")
    try:
        outcome = checkin_sync.apply(db.session, kept, now, actor(), gettext("断网时已经签到"))
    except RuleViolation as no:
        if no.reason == "busy":
            abort(503)
        words = refused_words(no, booking.slot.station)
        return jsonify(outcome="refused", reason=no.reason, words=_named(booking, words))
    return jsonify(outcome=outcome, words=_words(outcome, booking))


def _words(outcome: str, booking: Booking) -> str:
    """Only what staff at check-in must know."""
    words = {
        "seated": gettext("座位释放过，已经重新入座，爽约免除了。"),
        "no_seat": gettext("座位已经释放给别人，没有空位了；爽约免除了。"),
        "older": gettext("别的手机后来改过，按后来的算。"),
    }
    return _named(booking, words[outcome]) if outcome in words else ""


def _named(booking: Booking, words: str) -> str:
    return gettext(
        "%(name)s：%(words)s", name=labels(booking.slot.station, [booking.person], booking.slot), words=words
    )
