"""Policy: the numbers of the station's rules, and the rules as workers read them."""

from flask import url_for

from booking import clock, policy, slots
from booking.extensions import db
from booking.policy import BOUNDS
from booking.queries import station_day
from booking.web.forms.station import PolicyForm
from booking.web.manager.blueprint import Answer, actor, done, heard, pages, planned_words, shown
from booking.web.security.permissions import managed_station


@pages.route("/<code>/policy", methods=["GET", "POST"])
def rules(code: str) -> Answer:
    station = managed_station(code)
    numbers = policy.read(station.policy)
    form = PolicyForm.showing(numbers)
    if form.validate_on_submit():
        with heard(form, station):
            did = slots.set_policy(db.session, station, form.numbers(numbers), clock.now(), actor())
            return done(planned_words(did), url_for(".rules", code=code))
    has_draws = station_day.has_coming_draws(db.session(), station.id, clock.now())
    return shown("manager/policy.html", form, station=station, rules=numbers, bounds=BOUNDS, has_draws=has_draws)
