"""Visit rating: how a visit was: by a press on one's own pages, or by the link of a letter, without signing in."""

from flask import abort, flash, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from booking import clock, services
from booking.errors import RuleViolation
from booking.extensions import db
from booking.mail import links
from booking.model import Booking, Rating
from booking.web import htmx
from booking.web.forms.rules import heard
from booking.web.forms.visit_rating import FACES, ICONS, VisitLineForm, VisitRatingForm
from booking.web.i18n import formatting
from booking.web.security import permissions
from booking.web.security.csrf import csrf
from booking.web.worker.blueprint import pages

Answer = tuple[str, int] | Response


@pages.post("/bookings/<int:booking_id>/rate")
def rate(booking_id: int) -> Answer:
    person, form = permissions.worker(), VisitRatingForm()
    booking = permissions.own_booking(booking_id, person)
    if not form.validate_on_submit():
        return _shown(booking, 422, form=form, act=url_for("worker.rate", booking_id=booking_id))
    try:
        services.rate_visit(db.session, booking_id, person.id, form.face.data, form.line.data or "", clock.now())
    except RuleViolation as no:
        flash(formatting.reason(no), "no")
        return htmx.go(url_for("worker.me"))
    flash(_("谢谢，记下了。"), "good")
    return htmx.go(url_for("worker.rating", booking_id=booking_id))


@pages.route("/bookings/<int:booking_id>/rating", methods=["GET", "POST"])
def rating(booking_id: int) -> Answer:
    """What one said, and a line more."""
    person, form = permissions.worker(), VisitLineForm()
    booking = permissions.own_booking(booking_id, person)
    said = db.session.get(Rating, booking_id) or abort(404)
    if form.validate_on_submit():
        with heard(form):
            services.add_line(db.session, booking_id, person.id, form.line.data, clock.now())
            flash(_("谢谢，记下了。"), "good")
            return htmx.go(url_for("worker.me"))
    return _shown(booking, 422 if form.errors else 200, form=form, said=said)


@pages.get("/letters/rate/<token>")
def rate_by_link(token: str) -> Answer:
    """Opening the link only asks: mail scanners open every link."""
    asked = request.args.get("face", "")
    form = VisitRatingForm(formdata=None, data={"face": asked if asked in FACES else None}, meta={"csrf": False})
    try:
        booking = services.to_rate(db.session(), *_named(token), clock.now())
    except RuleViolation as no:
        return _refused(no)
    return _shown(booking, 200, form=form, act=url_for("worker.rate_by_link", token=token))


@pages.post("/letters/rate/<token>")
def rated_by_link(token: str) -> Answer:
    form, act = VisitRatingForm(meta={"csrf": False}), url_for("worker.rate_by_link", token=token)
    try:
        booking_id, person_id = _named(token)
        booking = services.to_rate(db.session(), booking_id, person_id, clock.now())
        if not form.validate_on_submit():
            return _shown(booking, 422, form=form, act=act)
        said = services.rate_visit(db.session, booking_id, person_id, form.face.data, form.line.data or "", clock.now())
    except RuleViolation as no:
        return _refused(no)
    return _shown(said.booking, 200, said=said)


# Mail programs open the page without a cookie, so without a CSRF token; the token in the address is signed.
csrf.exempt(rated_by_link)


def _named(token: str) -> tuple[int, int]:
    """Booking and person of a link; whoever is signed in as somebody else has got another's."""
    named = links.read_rate(token)
    if named is None:
        raise RuleViolation("rating_link_wrong")
    reader = permissions.reader()
    if reader and reader.id != named[1]:
        raise RuleViolation("not_your_visit")
    return named


def _refused(no: RuleViolation) -> Answer:
    status = {"rating_link_wrong": 404, "not_your_visit": 403}.get(no.reason, 409)
    return render_template("worker/visit_rating.html", booking=None, no=no), status


def _shown(
    booking: Booking,
    status: int,
    *,
    form: VisitRatingForm | VisitLineForm | None = None,
    act: str = "",
    said: Rating | None = None,
) -> Answer:
    about = {"booking": booking, "form": form, "act": act, "said": said, "no": None}
    return render_template("worker/visit_rating.html", **about, faces=FACES, icons=ICONS), status
