"""Wishes of a station: by how many people want each, without any name; their answers, merging, and the export."""

from datetime import timedelta

from flask import abort, render_template, url_for
from flask_babel import gettext

from booking import clock, services
from booking.extensions import db
from booking.model import ActivityWish
from booking.queries import manager, wish_list
from booking.web.downloads import sent
from booking.web.forms.activity_wish import STATES, WishAnswerForm, WishHeldForm, WishMergeForm, WishWhyForm, about
from booking.web.forms.fields import Form
from booking.web.i18n.formatting import station_date
from booking.web.manager import tables
from booking.web.manager.blueprint import Answer, actor, done, heard, pages, shown
from booking.web.security.permissions import managed, managed_station

# Which slots can be named: those of lately, and those that are planned.
BEFORE, AHEAD = timedelta(days=14), timedelta(days=28)


@pages.get("/<code>/wishes")
def wishes(code: str) -> Answer:
    station, session = managed_station(code), db.session()
    return render_template(
        "manager/wishes.html",
        station=station,
        waiting=wish_list.wanted(session, station.id),
        ended=wish_list.ended(session, station.id),
        about=about,
        states=STATES,
    )


@pages.get("/<code>/wishes/export")
def export_wishes(code: str) -> Answer:
    station = managed_station(code)
    table = tables.of_wishes(wish_list.every(db.session(), station.id), station)
    return sent([table], f"{code}-wishes-{station_date(clock.now(), station)}")


@pages.get("/<code>/wishes/<int:wish_id>")
def wish(code: str, wish_id: int) -> Answer:
    return _shown(_readable(code, wish_id))


@pages.post("/<code>/wishes/<int:wish_id>/plan")
def plan_wish(code: str, wish_id: int) -> Answer:
    one, form = _readable(code, wish_id), WishAnswerForm()
    if form.validate_on_submit():
        with heard(form, one.station):
            services.plan_wish(db.session, wish_id, form.answer.data, clock.now(), actor())
            return done(gettext("答复了：会开。"), url_for(".wishes", code=code))
    return _shown(one, plan=form)


@pages.post("/<code>/wishes/<int:wish_id>/hold")
def hold_wish(code: str, wish_id: int) -> Answer:
    """It takes place: who wanted it is told in the next digest."""
    one = _readable(code, wish_id)
    form = _held_form(one, WishHeldForm())
    if form.validate_on_submit():
        with heard(form, one.station):
            services.hold_wish(db.session, wish_id, form.slot_id.data, form.answer.data, clock.now(), actor())
            return done(gettext("答复了：已开。想要的人下一封日报里看得到。"), url_for(".wishes", code=code))
    return _shown(one, hold=form)


@pages.post("/<code>/wishes/<int:wish_id>/decline")
def decline_wish(code: str, wish_id: int) -> Answer:
    one, form = _readable(code, wish_id), WishWhyForm()
    if form.validate_on_submit():
        with heard(form, one.station):
            services.decline_wish(db.session, wish_id, form.answer.data, clock.now(), actor())
            return done(gettext("答复了：暂时开不了。"), url_for(".wishes", code=code))
    return _shown(one, decline=form)


@pages.post("/<code>/wishes/<int:wish_id>/merge")
def merge_wish(code: str, wish_id: int) -> Answer:
    one = _readable(code, wish_id)
    form = _merge_form(one, WishMergeForm())
    if form.validate_on_submit():
        with heard(form, one.station):
            services.merge_wish(db.session, wish_id, form.into_id.data, clock.now(), actor())
            return done(gettext("合并了，两边都想要的人只算一次。"), url_for(".wishes", code=code))
    return _shown(one, merge=form)


@pages.post("/<code>/wishes/<int:wish_id>/remove")
def remove_wish(code: str, wish_id: int) -> Answer:
    one, form = _readable(code, wish_id), WishWhyForm()
    if form.validate_on_submit():
        with heard(form, one.station):
            services.remove_wish(db.session, wish_id, form.answer.data, clock.now(), actor())
            return done(gettext("移除了，页面上看不到它了。"), url_for(".wishes", code=code))
    return _shown(one, remove=form)


def _readable(code: str, wish_id: int) -> ActivityWish:
    """A wish of the station; one that its person has withdrawn has no words any more."""
    one = managed(code, ActivityWish, wish_id)
    return abort(404) if one.state == "withdrawn" else one


def _held_form(one: ActivityWish, form: WishHeldForm) -> WishHeldForm:
    """With the slots to choose from: those to come first, then those of before, the last first."""
    now = clock.now()
    today = station_date(now, one.station)
    found = manager.slots_between(db.session(), one.station_id, today - BEFORE, today + AHEAD)
    slots = [slot for slot in found if slot.state != "cancelled"]
    coming, past = ([slot for slot in slots if (slot.starts_at > now) is later] for later in (True, False))
    return form.offer([*coming, *reversed(past)], one.station)


def _merge_form(one: ActivityWish, form: WishMergeForm) -> WishMergeForm:
    others = [row.wish for row in wish_list.wanted(db.session(), one.station_id)]
    return form.offer(other for other in others if other.id != one.id)


def _shown(one: ActivityWish, **given: Form) -> Answer:
    forms: dict[str, Form] = {
        "plan": WishAnswerForm(formdata=None),
        "hold": _held_form(one, WishHeldForm(formdata=None)),
        "decline": WishWhyForm(formdata=None),
        "merge": _merge_form(one, WishMergeForm(formdata=None)),
        "remove": WishWhyForm(formdata=None),
        **given,
    }
    wrong = next(iter(given.values()), forms["plan"])
    people = wish_list.people_of(db.session(), one.id)
    told = {"station": one.station, "wish": one, "people": people, "about": about, "states": STATES}
    return shown("manager/wish.html", wrong, **told, **forms)
