"""Archive: restores archived zones, activities and plans. Nobody was told that they ended, so nobody is told now."""

from flask import render_template, url_for
from flask_babel import gettext

from booking import clock, slots
from booking.db import transactions
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Activity, Plan, Zone
from booking.queries import manager
from booking.web.manager.blueprint import Answer, actor, done, pages, planned_words, refused_words
from booking.web.security.permissions import managed, managed_station


@pages.get("/<code>/put-away")
def put_away(code: str) -> Answer:
    return _page(code), 200


@pages.post("/<code>/zones/<int:zone_id>/reopen")
def reopen_zone(code: str, zone_id: int) -> Answer:
    zone = managed(code, Zone, zone_id)
    with transactions.transaction(db.session) as session:
        slots.reopen_zone(session, zone, clock.now(), actor())
    return done(gettext("场地重新启用了。"), url_for(".zones", code=code))


@pages.post("/<code>/activities/<int:activity_id>/offer-again")
def offer_again(code: str, activity_id: int) -> Answer:
    activity = managed(code, Activity, activity_id)
    with transactions.transaction(db.session) as session:
        slots.offer_again(session, activity, clock.now(), actor())
    return done(gettext("活动拿出来了。"), url_for(".activities", code=code))


@pages.post("/<code>/plans/<int:plan_id>/resume")
def resume_plan(code: str, plan_id: int) -> Answer:
    """Refused where another plan occupies its zone and time by now."""
    plan = managed(code, Plan, plan_id)
    try:
        with transactions.transaction(db.session) as session:
            did = slots.resume_plan(session, plan, clock.now(), actor())
    except RuleViolation as no:
        return _page(code, no), 409
    return done(planned_words(did), url_for(".plans", code=code))


def _page(code: str, no: RuleViolation | None = None) -> str:
    station = managed_station(code)
    sentence = refused_words(no, station) if no else ""
    things = manager.put_away(db.session(), station.id)
    return render_template("manager/put_away.html", station=station, no=no, sentence=sentence, **things)
