"""Stations of the network: find, open, rename, close, and appoint managers."""

from flask import flash, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock, people, stations, workdays
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Station
from booking.queries import admin
from booking.web import htmx
from booking.web.admin.blueprint import pages, show, sought, the_person, the_station
from booking.web.forms.admin import AdminReasonForm, ManagerForm, NewStationForm, StationForm
from booking.web.forms.fields import country_today
from booking.web.forms.rules import Form, say


@pages.get("/")
def all_stations() -> Response:
    (words, number), today = sought(), country_today()
    known = workdays.known_until(db.session(), today)
    page = admin.stations(db.session(), words, number)
    return show("admin/stations.html", page=page, q=words, today=today, known_until=known)


@pages.route("/stations/new", methods=["GET", "POST"])
def new_station() -> Response:
    form = NewStationForm()
    if form.validate_on_submit() and _create(form):
        flash(_("驿站建好了，再任命管理员。"), "good")
        return htmx.go(url_for("admin.one_station", code=form.code.data))
    return show("admin/new_station.html", form, form=form)


@pages.route("/stations/<code>", methods=["GET", "POST"])
def one_station(code: str) -> Response:
    station = the_station(code)
    form = StationForm(obj=station)
    if form.validate_on_submit():
        stations.change_station(db.session, station.id, form.details(), clock.now(), current_user.person_id)
        flash(_("已保存。"), "good")
        return _back(code)
    return _page(station, form=form)


@pages.post("/stations/<code>/managers")
def appoint(code: str) -> Response:
    station, form = the_station(code), ManagerForm()
    if form.validate_on_submit():
        person = admin.by_email(db.session(), people.clean_email(form.email.data))
        if person:
            people.appoint(db.session, person.id, station.id, clock.now(), current_user.person_id)
            flash(_("已任命 %(name)s。", name=person.name), "good")
            return _back(code)
        say(form.email, RuleViolation("no_such_person"))
    return _page(station, manager=form)


@pages.post("/stations/<code>/managers/<int:person_id>/dismiss")
def dismiss(code: str, person_id: int) -> Response:
    station, person = the_station(code), the_person(person_id)
    people.dismiss(db.session, person.id, station.id, clock.now(), current_user.person_id)
    flash(_("%(name)s 不再管理这里。", name=person.name), "good")
    return _back(code)


@pages.post("/stations/<code>/close")
def close(code: str) -> Response:
    station, form = the_station(code), AdminReasonForm()
    if form.validate_on_submit():
        count = stations.close_station(db.session, station.id, form.reason.data, clock.now(), current_user.person_id)
        flash(_("驿站已关闭，取消了 %(count)s 场。", count=count), "good")
        return _back(code)
    return _page(station, reason=form)


@pages.post("/stations/<code>/reopen")
def reopen(code: str) -> Response:
    station = the_station(code)
    stations.reopen_station(db.session, station.id, clock.now(), current_user.person_id)
    flash(_("驿站重新开放了。"), "good")
    return _back(code)


def _create(form: NewStationForm) -> bool:
    try:
        stations.create_station(db.session, form.code.data, form.details(), clock.now(), current_user.person_id)
    except RuleViolation as no:
        say(form.code, no)
        return False
    return True


def _page(station: Station, **given: Form) -> Response:
    """The station's page with its three forms; the submitted one is given, with its errors."""
    forms = {
        "form": StationForm(formdata=None, obj=station),
        "manager": ManagerForm(formdata=None),
        "reason": AdminReasonForm(formdata=None),
        **given,
    }
    wrong = next(iter(given.values()), None)
    return show(
        "admin/station.html",
        wrong,
        station=station,
        managers=admin.managers(db.session(), station.id),
        **forms,
    )


def _back(code: str) -> Response:
    return htmx.go(url_for("admin.one_station", code=code))
