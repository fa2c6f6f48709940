"""Calendar subscription: a secret address of one's own calendar, shown once, closed at any time."""

from flask import abort, flash, make_response, render_template, request, session, url_for
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import calendar_files, clock, people
from booking.extensions import db
from booking.mail import invites, links
from booking.queries import calendar_feed
from booking.web import htmx
from booking.web.account.blueprint import pages
from booking.web.security.permissions import sign_in_required


@pages.get("/account/calendar")
@sign_in_required
def feed() -> str:
    token = session.pop("feed", None)
    address = links.public(url_for("account.feed_file", token=token)) if token else None
    known = people.feed_of(db.session, current_user.person_id)
    return render_template("account/calendar.html", feed=known, address=address if known else None)


@pages.post("/account/calendar")
@sign_in_required
def open_feed() -> Response:
    """A new address; the one before it becomes invalid."""
    session["feed"] = people.open_feed(db.session, current_user.person_id, clock.now())
    return htmx.go(url_for("account.feed"))


@pages.post("/account/calendar/stop")
@sign_in_required
def close_feed() -> Response:
    people.close_feed(db.session, current_user.person_id, clock.now())
    flash(_("订阅地址已经停用。"), "good")
    return htmx.go(url_for("account.feed"))


@pages.get("/cal/<token>.ics")
def feed_file(token: str) -> Response:
    """For calendar programs: no cookie, the address is the key."""
    person = people.whose_feed(db.session, token) or abort(404)
    with force_locale(person.language):
        events = invites.entries(db.session(), calendar_feed.seats_ever(db.session(), person.id, clock.now()))
        answer = make_response(calendar_files.calendar(events, name=_("午间驿小时")))
    answer.mimetype = "text/calendar"
    # The calendar program may store it and must revalidate; nobody in between may.
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.add_etag()
    return answer.make_conditional(request)
