"""Calendar files: a booked seat for one's calendar, as a download, or by mail where a browser blocks downloads."""

from flask import abort, flash, make_response, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from booking import calendar_files, clock, people
from booking.errors import RuleViolation
from booking.extensions import db
from booking.mail import invites
from booking.model import Booking
from booking.web import htmx
from booking.web.i18n import formatting
from booking.web.security import permissions
from booking.web.worker.blueprint import pages


@pages.get("/bookings/<int:booking_id>/calendar.ics")
def calendar(booking_id: int) -> Response:
    booking = _seat(booking_id)
    answer = make_response(calendar_files.calendar(invites.entries(db.session(), [booking])))
    answer.mimetype = "text/calendar"
    answer.headers["Content-Disposition"] = f'attachment; filename="lunch-hour-{booking.slot.date}.ics"'
    return answer


@pages.post("/bookings/<int:booking_id>/calendar/mail")
def mail_calendar(booking_id: int) -> Response:
    """The same file by mail: WeChat's browser blocks downloads."""
    booking, now = _seat(booking_id), clock.now()
    if booking.state not in ("booked", "attended"):
        abort(404)
    try:
        people.mail_calendar(db.session, booking, now)
    except RuleViolation as no:
        flash(formatting.reason(no), "no")
        return htmx.go(url_for("worker.me"))
    flash(_("日历文件已经发到你的邮箱。"), "good")
    return htmx.go(url_for("worker.me"))


@pages.app_template_global()
def takes_no_files() -> bool:
    """Whether the reader's browser is WeChat's, where downloads and webcal: fail."""
    return is_wechat(request.user_agent.string)


def is_wechat(agent: str) -> bool:
    return "MicroMessenger" in agent


def _seat(booking_id: int) -> Booking:
    """The person's own booking that has or had a seat: a place on the waiting list is no event."""
    booking = permissions.own_booking(booking_id, permissions.worker(url_for("worker.me")))
    if not calendar_files.has_event(booking):
        abort(404)
    return booking
