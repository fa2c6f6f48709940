"""Stations of the network: the list where an admin lands; open, rename and close one."""

from typing import Any

from flask import flash, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock, people, stations, statistics, workdays
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Person, Station
from booking.queries import admin
from booking.web import htmx
from booking.web.admin.blueprint import pages, show, sought, the_station
from booking.web.forms.admin import AdminReasonForm, ManagerForm, NewStationForm, StationForm
from booking.web.forms.fields import country_today
from booking.web.forms.rules import Form, say

# The columns of the list, by the keys that sort it, and the states that it is filtered by.
COLUMNS: dict[str, Any] = {
    "name": lazy_gettext("驿站"),
    "manager": lazy_gettext("管理员"),
    "today": lazy_gettext("今天放号"),
    "fill": lazy_gettext("上座率"),
    "no_shows": lazy_gettext("爽约率"),
    "sign_in": lazy_gettext("上次登录"),
    "health": lazy_gettext("状况"),
}
STATES: dict[str, Any] = {
    "": lazy_gettext("全部"),
    "attention": lazy_gettext("要处理"),
    "opened": lazy_gettext("今天开放"),
    "closed": lazy_gettext("已关闭"),
}


@pages.get("/")
def all_stations() -> Response:
    (words, number), today = sought(), country_today()
    state, sort = request.args.get("state", ""), request.args.get("sort", "")
    state, sort = state if state in statistics.STATES else "", sort if sort.removeprefix("-") in statistics.KEYS else ""
    page = statistics.station_list(db.session(), clock.now(), words, state, sort, number)
    return show(
        "admin/stations.html",
        page=page,
        asked={"q": words, "state": state, "sort": sort},
        columns=COLUMNS,
        states=STATES,
        today=today,
        known_until=workdays.known_until(db.session(), today),
    )


@pages.route("/stations/new", methods=["GET", "POST"])
def new_station() -> Response:
    form = NewStationForm()
    if form.validate_on_submit() and _create(form):
        flash(_("驿站建好了，再添加管理员。"), "good")
        return htmx.go(url_for("admin.one_station", code=form.code.data))
    return show("admin/new_station.html", form, form=form)


@pages.route("/stations/<code>", methods=["GET", "POST"])
def one_station(code: str) -> Response:
    station = the_station(code)
    form = StationForm(obj=station)
    if form.validate_on_submit():
        stations.change_station(db.session, station.id, form.details(), clock.now(), current_user.person_id)
        flash(_("已保存。"), "good")
        return back(code)
    return station_page(station, form=form)


@pages.post("/stations/<code>/close")
def close(code: str) -> Response:
    station, form = the_station(code), AdminReasonForm()
    if form.validate_on_submit():
        count = stations.close_station(db.session, station.id, form.reason.data, clock.now(), current_user.person_id)
        flash(_("驿站已关闭，取消了 %(count)s 场。", count=count), "good")
        return back(code)
    return station_page(station, reason=form)


@pages.post("/stations/<code>/reopen")
def reopen(code: str) -> Response:
    station = the_station(code)
    stations.reopen_station(db.session, station.id, clock.now(), current_user.person_id)
    flash(_("驿站重新开放了。"), "good")
    return back(code)


def _create(form: NewStationForm) -> bool:
    try:
        stations.create_station(db.session, form.code.data, form.details(), clock.now(), current_user.person_id)
    except RuleViolation as no:
        say(form.code, no)
        return False
    return True


def station_page(
    station: Station, last: tuple[Person, Station, RuleViolation] | None = None, **given: Form
) -> Response:
    """The station's page with its three forms; the submitted one is given, with its errors. `last` is a manager who cannot
    be dismissed without a word."""
    forms = {
        "form": StationForm(formdata=None, obj=station),
        "manager": ManagerForm(formdata=None),
        "reason": AdminReasonForm(formdata=None),
        **given,
    }
    wrong = next(iter(given.values()), None)
    shown = show(
        "admin/station.html",
        wrong,
        station=station,
        managers=admin.managers(db.session(), station.id),
        invitations=people.open_invitations(db.session(), station.id),
        now=clock.now(),
        last=last,
        **forms,
    )
    shown.status_code = 422 if last else shown.status_code
    return shown


def back(code: str) -> Response:
    return htmx.go(url_for("admin.one_station", code=code))
