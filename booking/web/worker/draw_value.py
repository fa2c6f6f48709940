"""Draw value: whoever entered a draw, and the station's staff, type its public value on its page."""

from flask import abort, flash, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from booking import clock, draws
from booking.draws import public_value
from booking.errors import RuleViolation
from booking.extensions import db
from booking.web import htmx
from booking.web.forms.draw_value import ValueForm
from booking.web.i18n import formatting
from booking.web.security import permissions
from booking.web.worker import draw_proof
from booking.web.worker.blueprint import pages


@pages.post("/draws/<int:draw_id>/value")
def type_value(draw_id: int) -> Response | tuple[str, int]:
    """The next version of the value, or the draw's page again with what was typed and what is wrong with it."""
    person = permissions.worker(url_for("worker.draw", draw_id=draw_id))
    found = draw_proof.draw_of(draw_id)
    if found.value_kind == "none":
        abort(404)
    if public_value.role_in(db.session(), found, person.id) is None:
        permissions.not_for_you(draw=draw_id)
    form = ValueForm()
    if form.validate_on_submit():
        try:
            draws.type_value(db.session, draw_id, person.id, form.value.data, form.again.data, clock.now())
        except RuleViolation as no:
            form.blame(no, _sentence(no, found.station))
        else:
            flash(gettext("记下了。%(n)s 分钟内没有人更正，就用它来抽。", n=draw_proof.CORRECTION_MINUTES), "good")
            return htmx.go(url_for("worker.draw", draw_id=draw_id))
    return draw_proof.page(found, form), 422


@pages.get("/draws/<int:draw_id>/value")
def after_lost_value(draw_id: int) -> Response:
    return htmx.go(url_for("worker.draw", draw_id=draw_id))


def _sentence(no: RuleViolation, station: formatting.HasZoneName) -> str:
    """`too_early` is about the check-in elsewhere."""
    if no.reason == "too_early":
        return gettext(
            "还没有到时候，%(time)s 以后才能填。", time=formatting.clock_time(no.details["opens_at"], station)
        )
    return formatting.reason(no, station)
