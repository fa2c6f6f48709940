"""Zones: the rooms and areas of a station."""

from flask import render_template, url_for
from flask_babel import gettext

from booking import clock, slots
from booking.db import transactions
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Zone
from booking.queries import manager
from booking.web.forms.station import ZoneForm
from booking.web.manager.blueprint import Answer, actor, done, heard, pages, refused_words, shown
from booking.web.security.permissions import managed, managed_station


@pages.route("/<code>/zones", methods=["GET", "POST"])
def zones(code: str) -> Answer:
    """All of them, and a form for one more."""
    station = managed_station(code)
    form = ZoneForm()
    if form.validate_on_submit():
        with heard(form, station):
            with transactions.transaction(db.session) as session:
                slots.save_zone(session, form.fill(Zone(station_id=station.id)), clock.now(), actor())
            return done(gettext("场地加上了。"), url_for(".zones", code=code))
    found = manager.zones(db.session(), station.id)
    return shown("manager/zones.html", form, station=station, zones=found)


@pages.route("/<code>/zones/<int:zone_id>", methods=["GET", "POST"])
def zone(code: str, zone_id: int) -> Answer:
    found = managed(code, Zone, zone_id)
    station = managed_station(code)
    form = ZoneForm(obj=found)
    if form.validate_on_submit():
        with heard(form, station):
            with transactions.transaction(db.session) as session:
                slots.save_zone(session, form.fill(found), clock.now(), actor())
            return done(gettext("已保存。"), url_for(".zones", code=code))
    return shown(
        "manager/zone.html", form, station=station, zone=found, **manager.using(db.session(), found, clock.now())
    )


@pages.post("/<code>/zones/<int:zone_id>/close")
def close_zone(code: str, zone_id: int) -> Answer:
    found = managed(code, Zone, zone_id)
    try:
        with transactions.transaction(db.session) as session:
            slots.close_zone(session, found, clock.now(), actor())
    except RuleViolation as no:
        station = managed_station(code)
        context = {"no": no, "sentence": refused_words(no, station), "form": ZoneForm(formdata=None, obj=found)}
        context |= manager.using(db.session(), found, clock.now())
        return render_template("manager/zone.html", station=station, zone=found, **context), 409
    return done(gettext("场地停用了。"), url_for(".zones", code=code))
