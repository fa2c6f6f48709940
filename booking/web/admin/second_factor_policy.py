"""Second factor of the staff: who must have one, who has none yet; and the reset for whoever lost theirs."""

from datetime import time

from flask import flash, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock, people
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import SecondFactorPolicy
from booking.web import htmx
from booking.web.admin.blueprint import pages, show, the_person
from booking.web.forms.admin import SecondFactorForm
from booking.web.forms.rules import say
from booking.web.i18n import formatting as words_for

SHOWN = 50  # people without a second factor


@pages.route("/second-factor", methods=["GET", "POST"])
def second_factor() -> Response:
    form = SecondFactorForm(data=_typed(people.second_factor_requirement(db.session)))
    if form.validate_on_submit() and _require(form):
        flash(_("已保存。"), "good")
        return htmx.go(url_for("admin.second_factor"))
    return show(
        "admin/second_factor.html",
        form,
        form=form,
        coverage=people.second_factor_coverage(db.session),
        without=people.staff_without_second_factor(db.session, SHOWN),
        has_it=people.second_factor_of(db.session, current_user.person_id) is not None,
    )


@pages.post("/people/<int:person_id>/second-factor/reset")
def reset_second_factor(person_id: int) -> Response:
    person = the_person(person_id)
    try:
        people.reset_second_factor(db.session, person.id, clock.now(), current_user.person_id)
        flash(_("两步验证已重置，所有登录都已退出，也写信告诉了本人。"), "good")
    except RuleViolation as no:
        flash(words_for.reason(no), "no")
    return htmx.go(url_for("admin.somebody", person_id=person_id))


def _typed(policy: SecondFactorPolicy | None) -> dict[str, object]:
    """The form's values: what is in force, or nobody."""
    if policy is None:
        return {"required_of": "nobody"}
    return {"required_of": policy.required_of, "since": clock.at_station(policy.since, clock.COUNTRY_ZONE).date()}


def _require(form: SecondFactorForm) -> bool:
    since = clock.instant(form.since.data, time(0), clock.COUNTRY_ZONE)
    try:
        people.require_second_factor(db.session, form.required_of.data, since, clock.now(), current_user.person_id)
    except RuleViolation as no:
        say(form.required_of, no)
        return False
    return True
