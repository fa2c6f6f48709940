"""Check-in sync: receives roster taps and scanned tickets from a phone, at once or when it is online again."""

from datetime import datetime, timedelta

from flask import abort, jsonify
from flask_babel import gettext
from werkzeug.wrappers import Response

from booking import checkin_sync, clock, seats
from booking.checkin_sync import Tap
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Booking, DoorTap, Station
from booking.web.forms.roster import TapForm
from booking.web.i18n.formatting import clock_range, local, next_step
from booking.web.manager import tickets
from booking.web.manager.blueprint import actor, labels, pages, refused_words
from booking.web.manager.tickets import Reply
from booking.web.security.permissions import checkin_booking, checkin_station, may_check_in

# Who stood at the door when the ticket was scanned may have left since.
STILL_THERE = timedelta(minutes=1)
# In which tone an outcome is told; the others are good.
OUTCOMES = {"no_seat": "no", "older": "wait", "seated": "wait"}


@pages.post("/<code>/taps")
def tap(code: str) -> Response | tuple[Response, int]:
    """One tap or scan, with its age in milliseconds: the phone's clock may be wrong, but it knows how long ago that was."""
    station = checkin_station(code)
    form = TapForm()
    if not form.validate_on_submit():
        return jsonify(outcome="unreadable"), 422
    if form.owner.data not in (None, actor()):  # queued while another person was signed in, who must send it themselves
        return jsonify(outcome="somebody_else"), 409
    if form.ticket.data:
        return jsonify(_scanned(station, form))
    booking, now = checkin_booking(code, form.booking.data), clock.now()
    try:
        outcome = checkin_sync.apply(db.session, _tap(form, booking, _tapped_at(form, now)), now, actor(), _excuse())
    except RuleViolation as no:
        words = _refused(no, booking)
        return jsonify(outcome="refused", reason=no.reason, words=_named(booking, words))
    return jsonify(outcome=outcome, words=_words(outcome, booking))


def _scanned(station: Station, form: TapForm) -> dict[str, object]:
    """What the scanner shows of a ticket; `words` is the same in one line, for a roster that sends it later."""
    booking = tickets.find(station, form.ticket.data)
    if booking is None:
        return _shown(None, tickets.unknown())
    now = clock.now()
    at = _tapped_at(form, now)
    if not may_check_in(booking.slot):
        return _shown(None, tickets.answer(booking, now))
    try:
        return _shown(booking, _used(booking, form, at, now))
    except RuleViolation as no:
        return _shown(booking, Reply("no", _refused(no, booking), next_step(no), code=no.reason))


def _used(booking: Booking, form: TapForm, at: datetime, now: datetime) -> Reply:
    """Check in who has a seat, or had it when the ticket was scanned; for everybody else say what may be done."""
    reply, slot = tickets.answer(booking, at), booking.slot
    if form.act.data == "admit":
        if now - at > STILL_THERE:
            return Reply("wait", gettext("隔得太久了，请再扫一次"), code="too_late")
        return tickets.answer(seats.admit(db.session, booking.id, now, actor()), now)
    if form.slot.data and form.slot.data != slot.id and reply.code == "welcome":
        return Reply("wait", gettext("这是另一场的票"), act="check_in", code="other_slot")
    if (
        reply.code != "welcome"
        and not checkin_sync.came_in_time(booking, at)
        and db.session.get(DoorTap, form.nonce.data) is None
    ):
        return reply
    outcome = checkin_sync.apply(db.session, _tap(form, booking, at), now, actor(), _excuse())
    title = {"no_seat": gettext("没有空位了"), "older": gettext("没有签到")}.get(outcome, gettext("签到了"))
    return Reply(OUTCOMES.get(outcome, "good"), title, _saying(outcome), code=outcome)


def _shown(booking: Booking | None, reply: Reply) -> dict[str, object]:
    one_line = " ".join(filter(None, (reply.title, reply.text)))
    told: dict[str, object] = {"outcome": reply.code, "reply": reply, "words": one_line}
    if booking is None:
        return told
    slot, station = booking.slot, booking.slot.station
    name = labels(station, [booking.person], slot)
    where = f"{clock_range(slot, station)} {local(slot.activity, 'title')} · {local(slot.zone, 'name')}"
    quiet = reply.code in ("in", "already_in")
    return told | {
        "booking": booking.id,
        "name": name,
        "slot": where,
        "words": "" if quiet else _named(booking, one_line),
    }


def _tapped_at(form: TapForm, now: datetime) -> datetime:
    return now - timedelta(milliseconds=form.age.data)


def _tap(form: TapForm, booking: Booking, at: datetime) -> Tap:
    return Tap(form.nonce.data, booking.id, form.act.data == "in", at, form.after.data or "")


def _excuse() -> str:
    return gettext("断网时已经签到")


def _refused(no: RuleViolation, booking: Booking) -> str:
    if no.reason == "busy":
        abort(503)
    return refused_words(no, booking.slot.station)


def _words(outcome: str, booking: Booking) -> str:
    """Only what staff at check-in must know."""
    words = _saying(outcome)
    return _named(booking, words) if words else ""


def _saying(outcome: str) -> str:
    words = {
        "seated": gettext("名额释放过，已经重新入座，爽约免除了。"),
        "no_seat": gettext("名额已经释放给别人，没有空位了；爽约免除了。"),
        "older": gettext("别的手机后来改过，按后来的算。"),
    }
    return words.get(outcome, "")


def _named(booking: Booking, words: str) -> str:
    return gettext(
        "%(name)s：%(words)s", name=labels(booking.slot.station, [booking.person], booking.slot), words=words
    )
