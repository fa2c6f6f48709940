"""Accounts of the network: find one, disable it, enable it again."""

from flask import flash, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock, people
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Person
from booking.queries import admin
from booking.web import htmx
from booking.web.admin.blueprint import pages, show, sought, the_person
from booking.web.forms.admin import AdminReasonForm
from booking.web.i18n import formatting as words_for


@pages.get("/people")
def everybody() -> Response:
    words, number = sought()
    page = admin.people(db.session(), words, number)
    return show("admin/people.html", page=page, q=words, oversight=admin.oversight(db.session(), page.items))


@pages.route("/people/<int:person_id>", methods=["GET"])
def somebody(person_id: int) -> Response:
    return _page(the_person(person_id), AdminReasonForm(formdata=None))


@pages.post("/people/<int:person_id>/disable")
def disable(person_id: int) -> Response:
    person, form = the_person(person_id), AdminReasonForm()
    if not form.validate_on_submit():
        return _page(person, form)
    try:
        people.disable(db.session, person.id, clock.now(), current_user.person_id, form.reason.data)
        flash(_("已停用，所有登录都已退出。"), "good")
    except RuleViolation as no:
        flash(words_for.reason(no), "no")
    return htmx.go(url_for("admin.somebody", person_id=person_id))


@pages.post("/people/<int:person_id>/enable")
def enable(person_id: int) -> Response:
    person = the_person(person_id)
    people.enable(db.session, person.id, clock.now(), current_user.person_id)
    flash(_("已恢复。"), "good")
    return htmx.go(url_for("admin.somebody", person_id=person_id))


def _page(person: Person, form: AdminReasonForm) -> Response:
    factor = people.second_factor_of(db.session, person.id)
    oversees = admin.oversight(db.session(), [person])[person.id]
    return show("admin/person.html", form, person=person, form=form, factor=factor, oversees=oversees)
