"""Plans: the weekly rules: the list, one of them, its exceptions, stopping it."""

from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from booking import clock, slots
from booking.extensions import db
from booking.model import Plan, PlanException, Station
from booking.queries import manager
from booking.slots import Planned
from booking.web.forms.fields import DayField
from booking.web.forms.programme import ExceptionForm, PlanForm
from booking.web.i18n.formatting import day_date, station_date
from booking.web.manager.blueprint import Answer, actor, done, heard, pages, planned_words, save, shown
from booking.web.security.permissions import managed, managed_station


@pages.get("/<code>/plans")
def plans(code: str) -> Answer:
    station = managed_station(code)
    found = manager.plans(db.session(), station.id)
    otherwise: dict[int, list[PlanException]] = {}
    for said in manager.exceptions(db.session(), station.id, station_date(clock.now(), station)):
        otherwise.setdefault(said.plan_id, []).append(said)
    return render_template("manager/plans.html", station=station, plans=found, otherwise=otherwise)


@pages.route("/<code>/plans/new", methods=["GET", "POST"])
def add_plan(code: str) -> Answer:
    station = managed_station(code)
    form = _plan_form(station, data={"valid_from": station_date(clock.now(), station), "minutes": 50})
    added = save(form, station, slots.save_plan, Plan(station_id=station.id), "")
    return added or shown("manager/plan.html", form, station=station, plan=None)


@pages.route("/<code>/plans/<int:plan_id>", methods=["GET", "POST"])
def plan(code: str, plan_id: int) -> Answer:
    found = managed(code, Plan, plan_id)
    form = _plan_form(found.station, obj=found)
    if saved := save(form, found.station, slots.save_plan, found, ""):
        return saved
    otherwise = manager.exceptions_of(db.session(), plan_id, station_date(clock.now(), found.station))
    return shown("manager/plan.html", form, station=found.station, plan=found, otherwise=otherwise)


@pages.route("/<code>/plans/<int:plan_id>/stop", methods=["GET", "POST"])
def stop_plan(code: str, plan_id: int) -> Answer:
    """A preview of what happens to its slots, then the stop."""
    found = managed(code, Plan, plan_id)
    if request.method == "POST":
        did = slots.stop_plan(db.session, found, clock.now(), actor())
        return done(planned_words(did), url_for(".plans", code=code))
    coming = manager.slots_of_plan(db.session(), plan_id, clock.now())
    kept = slots.kept(db.session(), found.station, coming, clock.now())
    gone = len(coming) - len(kept)
    return render_template("manager/plan_stop.html", station=found.station, plan=found, slots=kept, gone=gone)


@pages.route("/<code>/plans/<int:plan_id>/dates", methods=["GET", "POST"])
def say_otherwise(code: str, plan_id: int) -> Answer:
    """An exception: one date is changed or skipped."""
    found = managed(code, Plan, plan_id)
    form = _date_form(found)
    if form.validate_on_submit():
        with heard(form, found.station):
            said = form.exception(plan_id)
            did = slots.save_exception(db.session, said, clock.now(), actor())
            return done(_said_words(found, said, did), url_for(".plan", code=code, plan_id=plan_id))
    coming = manager.slots_of_plan(db.session(), plan_id, clock.now())
    return shown("manager/plan_date.html", form, station=found.station, plan=found, slots=coming)


@pages.post("/<code>/plans/<int:plan_id>/dates/<day>/take-back")
def take_back(code: str, plan_id: int, day: str) -> Answer:
    """Remove an exception: that date runs by the plan again."""
    found = managed(code, Plan, plan_id)
    said = next((said for said in found.exceptions if said.date.isoformat() == day), None)
    here = url_for(".plan", code=code, plan_id=plan_id)
    if said is None:
        return done(gettext("这一天本来就是照旧的。"), here)
    # Every column is set: a merge leaves unset ones as they were.
    nothing = dict.fromkeys(PlanException.CHANGES)
    as_ever = PlanException(plan_id=plan_id, date=said.date, skip=False, **nothing)
    did = slots.save_exception(db.session, as_ever, clock.now(), actor())
    return done(planned_words(did), here)


def _plan_form(station: Station, **values: Any) -> PlanForm:
    zones, offered = manager.zones(db.session(), station.id), manager.activities(db.session(), station.id)
    return PlanForm.of(zones, offered, **values)


def _date_form(plan: Plan) -> ExceptionForm:
    """Filled with the exception of the date in the link, if there is one."""
    asked, typed = (DayField.read(sent.get("date", "")) for sent in (request.args, request.form))
    known = {said.date: said for said in plan.exceptions if not said.is_empty}
    there = known.get(typed) if typed and typed != asked else None
    values: dict[str, Any] = {"formdata": _with_kept(there)} if there else {}
    zones = manager.zones(db.session(), plan.station_id)
    form = ExceptionForm.of(zones, obj=known.get(asked) if asked else None, data={"date": asked}, **values)
    form.first, form.minutes = station_date(clock.now(), plan.station), plan.minutes
    form.changes_known, form.overlaps = asked in known, there is not None
    return form


def _with_kept(there: PlanException) -> MultiDict[str, str]:
    """The form as it was sent, with what the date's exception says where a field was left empty."""
    sent = MultiDict(request.form)
    for name, text in ExceptionForm.typed(there).items():
        if sent.get(name, "").strip() in ("", "0"):
            sent[name] = text
    return sent


def _said_words(plan: Plan, said: PlanException, did: Planned) -> str:
    if said.skip or slots.runs(db.session(), plan, said.date):
        return planned_words(did)
    return gettext("已保存。可是照排期和日历，%(day)s本来就不开，不会有场次。", day=day_date(said.date))
