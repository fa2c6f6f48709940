"""Catalogue: the activities and zones of a station, listed, added, edited, archived; and whatever is restored.

Nobody is told when something is archived, so nobody need be when it is restored.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from flask import render_template, url_for
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _

from booking import clock, slots
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Activity, Plan, Station, Zone
from booking.queries import activity_ratings, manager
from booking.web.forms.fields import Form
from booking.web.forms.programme import KIND_WORDS, ActivityForm, ReadyMadeForm
from booking.web.forms.station import ZoneForm
from booking.web.manager.activity_form import activity_form, too_large_form
from booking.web.manager.blueprint import (
    Answer,
    actor,
    done,
    heard,
    list_of,
    pages,
    planned_words,
    refused_words,
    save,
    shown,
)
from booking.web.security.permissions import managed_station, of_station


class Section(NamedTuple):
    """One kind of thing: `one` names its template and endpoint, `archived` is said when one is."""

    one: str
    form: type[Form]
    save: Callable[..., Any]
    archive: Callable[..., Any]
    archived: Any


ACTIVITIES = Section("activity", ActivityForm, slots.save_activity, slots.retire_activity, _("活动收起来了。"))
ZONES = Section("zone", ZoneForm, slots.save_zone, slots.close_zone, _("场地停用了。"))


@pages.get("/<code>/activities")
def activities(code: str) -> Answer:
    station = managed_station(code)
    found = manager.activities(db.session(), station.id)
    return render_template("manager/activities.html", station=station, activities=found, kinds=KIND_WORDS)


@pages.route("/<code>/activities/new", methods=["GET", "POST"])
def add_activity(code: str) -> Answer:
    station = managed_station(code)
    form = activity_form(station)
    added = save(form, station, slots.save_activity, Activity(station_id=station.id), gettext("活动加上了。"))
    return added or shown("manager/activity.html", form, station=station, activity=None)


@pages.route("/<code>/activities/ready-made", methods=["GET", "POST"])
def ready_made(code: str) -> Answer:
    """Activities to take over as they are."""
    station, form = managed_station(code), ReadyMadeForm()
    if form.validate_on_submit():
        with heard(form, station):
            added = len(slots.take_over(db.session, station.id, form.keys.data, clock.now(), actor()))
            sentence = ngettext("加上了 %(num)s 个活动。", "加上了 %(num)s 个活动。", added)
            return done(sentence, url_for(".activities", code=code))
    has = {activity.title for activity in manager.activities(db.session(), station.id)}
    return shown("manager/ready_made.html", form, station=station, offers=slots.ready_made(), has=has)


@pages.route("/<code>/activities/<int:activity_id>", methods=["GET", "POST"])
def activity(code: str, activity_id: int) -> Answer:
    station = managed_station(code)
    item = of_station(station, Activity, activity_id)
    form = activity_form(station, item)
    section = ACTIVITIES._replace(save=partial(slots.save_activity, same_host=form.same_host.data))
    return _edit(section, station, item, form)


def picture_too_large(code: str, activity_id: int | None = None) -> Answer:
    """Answer a form whose picture is larger than we read."""
    station = managed_station(code)
    item = of_station(station, Activity, activity_id) if activity_id else None
    form = too_large_form(station, item)
    if item:
        return _one(ACTIVITIES, station, item, form)[0], 413
    return shown("manager/activity.html", form, station=station, activity=None)[0], 413


@pages.post("/<code>/activities/<int:activity_id>/retire")
def retire_activity(code: str, activity_id: int) -> Answer:
    return _archive(ACTIVITIES, code, Activity, activity_id)


@pages.post("/<code>/activities/<int:activity_id>/offer-again")
def offer_again(code: str, activity_id: int) -> Answer:
    return _restore(code, Activity, activity_id, slots.offer_again, gettext("活动拿出来了。"))


@pages.route("/<code>/zones", methods=["GET", "POST"])
def zones(code: str) -> Answer:
    """All of them, and a form for one more."""
    station, form = managed_station(code), ZoneForm()
    added = save(form, station, slots.save_zone, Zone(station_id=station.id), gettext("场地加上了。"))
    return added or shown("manager/zones.html", form, station=station, zones=manager.zones(db.session(), station.id))


@pages.route("/<code>/zones/<int:zone_id>", methods=["GET", "POST"])
def zone(code: str, zone_id: int) -> Answer:
    station = managed_station(code)
    item = of_station(station, Zone, zone_id)
    return _edit(ZONES, station, item, ZoneForm(obj=item))


@pages.post("/<code>/zones/<int:zone_id>/close")
def close_zone(code: str, zone_id: int) -> Answer:
    return _archive(ZONES, code, Zone, zone_id)


@pages.post("/<code>/zones/<int:zone_id>/reopen")
def reopen_zone(code: str, zone_id: int) -> Answer:
    return _restore(code, Zone, zone_id, slots.reopen_zone, gettext("场地重新启用了。"))


@pages.post("/<code>/plans/<int:plan_id>/resume")
def resume_plan(code: str, plan_id: int) -> Answer:
    """Refused where another plan occupies its zone and time by now."""
    return _restore(code, Plan, plan_id, slots.resume_plan, "")


@pages.get("/<code>/put-away")
def put_away(code: str) -> Answer:
    return _archived(managed_station(code))


def _edit(section: Section, station: Station, item: Any, form: Form) -> Answer:
    return save(form, station, section.save, item, gettext("已保存。")) or _one(section, station, item, form)


def _archive(section: Section, code: str, kind: type[Any], key: int) -> Answer:
    station = managed_station(code)
    item = of_station(station, kind, key)
    try:
        section.archive(db.session, item, clock.now(), actor())
    except RuleViolation as no:
        page, _status = _one(section, station, item, section.form(formdata=None, obj=item), **_why(no, station))
        return page, 409
    return done(str(section.archived), list_of(item, station))


def _restore(code: str, kind: type[Any], key: int, restore: Callable[..., Any], sentence: str) -> Answer:
    station = managed_station(code)
    item = of_station(station, kind, key)
    try:
        did = restore(db.session, item, clock.now(), actor())
    except RuleViolation as no:
        return _archived(station, **_why(no, station)), 409
    return done(planned_words(did) if did else sentence, list_of(item, station))


def _one(section: Section, station: Station, item: Any, form: Form, **refusal: Any) -> tuple[str, int]:
    context = {section.one: item, **manager.using(db.session(), item, clock.now())}
    if isinstance(item, Activity):
        context["answers"] = activity_ratings.of_activity(db.session(), item.id, clock.now())
    return shown(f"manager/{section.one}.html", form, station=station, **context, **refusal)


def _archived(station: Station, **refusal: Any) -> str:
    return render_template(
        "manager/put_away.html", station=station, **manager.put_away(db.session(), station.id), **refusal
    )


def _why(no: RuleViolation, station: Station) -> dict[str, Any]:
    return {"no": no, "sentence": refused_words(no, station)}
