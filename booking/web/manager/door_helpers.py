"""Door helpers: who checks in today besides the managers: granted by e-mail address, renewed, ended."""

from flask import request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from booking import clock, people
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Station
from booking.queries import station_staff
from booking.web.forms.roster import DoorHelperForm
from booking.web.i18n.formatting import day_date
from booking.web.manager.blueprint import Answer, actor, done, heard, pages, refused_words
from booking.web.manager.people import show_people
from booking.web.security.permissions import managed_station


@pages.post("/<code>/door-helpers")
def grant_door(code: str) -> Answer:
    station, form = managed_station(code), DoorHelperForm()
    if form.validate_on_submit():
        with heard(form, station):
            helper = people.grant_door(db.session, station.id, form.email.data, clock.now(), actor())
            words = gettext("%(name)s 今天可以在门口签到了，登录后就看得到名单。", name=helper.name)
            return done(words, _list(station))
    return show_people(station, form)


@pages.post("/<code>/door-helpers/<int:person_id>/renew")
def renew_door_helper(code: str, person_id: int) -> Response:
    """Until the end of the next workday, or for today, as the button said."""
    station = managed_station(code)
    ahead = request.form.get("until") == "workday"
    try:
        helper = people.renew_door(db.session, station.id, person_id, clock.now(), actor(), ahead=ahead)
    except RuleViolation as no:
        return done(refused_words(no, station), _list(station))
    last = day_date(station_staff.last_day(helper, station))
    return done(gettext("续到了%(day)s午夜。", day=last), _list(station))


@pages.post("/<code>/door-helpers/<int:person_id>/end")
def end_door_helper(code: str, person_id: int) -> Response:
    station = managed_station(code)
    people.end_door(db.session, station.id, person_id, clock.now(), actor())
    return done(gettext("撤下了，现在就不能再签到。"), _list(station))


def _list(station: Station) -> str:
    return url_for(".regulars", code=station.code, _anchor="door-helpers")
