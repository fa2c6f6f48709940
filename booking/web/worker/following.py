"""Following: follow an activity, or stop. Who has to sign in first follows it right after that."""

from flask import flash, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from booking import clock, people
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Person
from booking.web import htmx
from booking.web.i18n import formatting
from booking.web.security import pending_booking, permissions
from booking.web.worker.blueprint import pages


@pages.post("/activities/<int:activity_id>/follow")
def follow(activity_id: int) -> Response:
    person, back = permissions.reader(), permissions.safe_path(request.form.get("next"))
    if person is None:
        pending_booking.remember_follow(activity_id)
        permissions.ask_to_sign_in(url_for("worker.follow_after_sign_in", activity_id=activity_id, next=back))
    return _follow(person, activity_id, back)


@pages.get("/activities/<int:activity_id>/follow")
def follow_after_sign_in(activity_id: int) -> Response:
    """What was pressed in this browser before signing in. Without that it only leads on."""
    person, back = permissions.worker(), permissions.safe_path(request.args.get("next"))
    return _follow(person, activity_id, back) if pending_booking.take_follow() == activity_id else htmx.go(back)


@pages.post("/activities/<int:activity_id>/unfollow")
def unfollow(activity_id: int) -> Response:
    back = permissions.safe_path(request.form.get("next"))
    people.unfollow(db.session, permissions.worker(back).id, activity_id, clock.now())
    flash(_("不再关注了。"), "good")
    return htmx.go(back)


def _follow(person: Person, activity_id: int, back: str) -> Response:
    try:
        people.follow(db.session, person.id, activity_id, clock.now())
    except RuleViolation as no:
        flash(formatting.reason(no), "no")
        return htmx.go(back)
    flash(_("已关注：排出新的场次、当天放号，都写进早上 8:30 的日报。"), "good")
    return htmx.go(back)
