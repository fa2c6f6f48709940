"""Activities of a station: list, new, edit, archive."""

from flask import render_template, url_for
from flask_babel import gettext

from booking import clock, slots
from booking.db import transactions
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Activity
from booking.queries import manager
from booking.web.forms.programme import KIND_WORDS, ActivityForm
from booking.web.manager.blueprint import Answer, actor, done, heard, pages, refused_words, shown
from booking.web.security.permissions import managed, managed_station


@pages.get("/<code>/activities")
def activities(code: str) -> Answer:
    station = managed_station(code)
    found = manager.activities(db.session(), station.id)
    return render_template("manager/activities.html", station=station, activities=found, kinds=KIND_WORDS)


@pages.route("/<code>/activities/new", methods=["GET", "POST"])
def add_activity(code: str) -> Answer:
    station = managed_station(code)
    form = ActivityForm()
    if form.validate_on_submit():
        with heard(form, station):
            with transactions.transaction(db.session) as session:
                added = form.fill(Activity(station_id=station.id))
                slots.save_activity(session, added, clock.now(), actor())
            return done(gettext("活动加上了。"), url_for(".activities", code=code))
    return shown("manager/activity.html", form, station=station, activity=None)


@pages.route("/<code>/activities/<int:activity_id>", methods=["GET", "POST"])
def activity(code: str, activity_id: int) -> Answer:
    found = managed(code, Activity, activity_id)
    station = managed_station(code)
    form = ActivityForm(obj=found)
    if form.validate_on_submit():
        with heard(form, station):
            with transactions.transaction(db.session) as session:
                slots.save_activity(session, form.fill(found), clock.now(), actor())
            return done(gettext("已保存。"), url_for(".activities", code=code))
    using = manager.using(db.session(), found, clock.now())
    return shown("manager/activity.html", form, station=station, activity=found, **using)


@pages.post("/<code>/activities/<int:activity_id>/retire")
def retire_activity(code: str, activity_id: int) -> Answer:
    found = managed(code, Activity, activity_id)
    form = ActivityForm(formdata=None, obj=found)
    try:
        with transactions.transaction(db.session) as session:
            slots.retire_activity(session, found, clock.now(), actor())
    except RuleViolation as no:
        station = managed_station(code)
        context = {"no": no, "sentence": refused_words(no, station), "form": form}
        context |= manager.using(db.session(), found, clock.now())
        return render_template("manager/activity.html", station=station, activity=found, **context), 409
    return done(gettext("活动收起来了。"), url_for(".activities", code=code))
