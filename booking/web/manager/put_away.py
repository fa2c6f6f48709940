"""What was put away can be taken up again: zones, activities, plans. Nobody was told of it, so nobody need be."""

from flask import render_template, url_for
from flask_babel import gettext

from booking import clock, slots, store
from booking.extensions import db
from booking.model import Activity, Plan, Zone
from booking.refusals import Refused
from booking.rosters import desk
from booking.web.access import managed, managed_station
from booking.web.manager.frame import Answer, actor, done, pages, planned_words, refused_words


@pages.get("/<code>/put-away")
def put_away(code: str) -> Answer:
    return _page(code), 200


@pages.post("/<code>/zones/<int:zone_id>/reopen")
def reopen_zone(code: str, zone_id: int) -> Answer:
    zone = managed(code, Zone, zone_id)
    with store.transaction(db.session) as session:
        slots.reopen_zone(session, zone, clock.now(), actor())
    return done(gettext("场地重新启用了。"), url_for(".zones", code=code))


@pages.post("/<code>/activities/<int:activity_id>/offer-again")
def offer_again(code: str, activity_id: int) -> Answer:
    activity = managed(code, Activity, activity_id)
    with store.transaction(db.session) as session:
        slots.offer_again(session, activity, clock.now(), actor())
    return done(gettext("活动拿出来了。"), url_for(".activities", code=code))


@pages.post("/<code>/plans/<int:plan_id>/resume")
def resume_plan(code: str, plan_id: int) -> Answer:
    """Refused where its zone or its hour belongs to something else by now."""
    plan = managed(code, Plan, plan_id)
    try:
        with store.transaction(db.session) as session:
            did = slots.resume_plan(session, plan, clock.now(), actor())
    except Refused as no:
        return _page(code, no), 409
    return done(planned_words(did), url_for(".plans", code=code))


def _page(code: str, no: Refused | None = None) -> str:
    station = managed_station(code)
    sentence = refused_words(no, station) if no else ""
    things = desk.put_away(db.session(), station.id)
    return render_template("manager/put_away.html", station=station, no=no, sentence=sentence, **things)
