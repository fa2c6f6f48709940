"""Managers of a station: appointed, or invited where their address has no account, and dismissed."""

from flask import flash, request
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock, people
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Person
from booking.web.admin.blueprint import pages, the_person, the_station
from booking.web.admin.stations import back, station_page
from booking.web.forms.admin import ManagerForm
from booking.web.forms.rules import say
from booking.web.i18n import formatting
from booking.web.security.session import language


@pages.post("/stations/<code>/managers")
def appoint(code: str) -> Response:
    station, form = the_station(code), ManagerForm()
    if form.validate_on_submit():
        told = (form.email.data, language(), clock.now(), current_user.person_id)
        try:
            _flash(people.invite_manager(db.session, station.id, *told))
            return back(code)
        except RuleViolation as no:
            say(form.email, no)
    return station_page(station, manager=form)


@pages.post("/stations/<code>/invitations/<int:invitation_id>/resend")
def resend_invitation(code: str, invitation_id: int) -> Response:
    station = the_station(code)
    told = (language(), clock.now(), current_user.person_id)
    try:
        _flash(people.resend_invitation(db.session, station.id, invitation_id, *told))
    except RuleViolation as no:
        flash(formatting.reason(no), "no")
    return back(code)


@pages.post("/stations/<code>/invitations/<int:invitation_id>/withdraw")
def withdraw_invitation(code: str, invitation_id: int) -> Response:
    station = the_station(code)
    try:
        people.withdraw_invitation(db.session, station.id, invitation_id, clock.now(), current_user.person_id)
        flash(_("邀请撤回了，链接已经失效。"), "good")
    except RuleViolation as no:
        flash(formatting.reason(no), "no")
    return back(code)


@pages.post("/stations/<code>/managers/<int:person_id>/dismiss")
def dismiss(code: str, person_id: int) -> Response:
    station, person = the_station(code), the_person(person_id)
    confirmed = bool(request.form.get("confirmed"))
    try:
        was = people.dismiss(
            db.session, person.id, station.id, clock.now(), current_user.person_id, confirmed=confirmed
        )
    except RuleViolation as no:
        return station_page(station, last=(person, station, no))
    words = _("%(name)s 不再管理这里。", name=person.name) if was else _("之前已经撤下了，这次什么也没有改变。")
    flash(words, "good")
    return back(code)


def _flash(appointed: Person | None) -> None:
    if appointed:
        flash(_("已任命 %(name)s。", name=appointed.name), "good")
    else:
        days = people.INVITATION_LASTS.days
        flash(ngettext("邀请发出了，%(num)s 天内有效。", "邀请发出了，%(num)s 天内有效。", days), "good")
