"""Policy: the numbers of the station's rules, and the rules as workers read them."""

from flask import url_for

from booking import clock, policy, slots, tree
from booking.extensions import db
from booking.inheritance import lines_of
from booking.model import Station
from booking.policy import BOUNDS
from booking.queries import station_day
from booking.web.forms.station import InheritingForm, PolicyForm, shown_number
from booking.web.manager.blueprint import Answer, actor, done, heard, pages, planned_words, shown
from booking.web.security.permissions import managed_station


@pages.route("/<code>/policy", methods=["GET", "POST"])
def rules(code: str) -> Answer:
    station = managed_station(code)
    numbers, form = policy.read(station.policy), _form(station)
    if form.validate_on_submit():
        with heard(form, station):
            wanted, own = form.numbers(numbers), form.own()
            did = slots.set_policy(db.session, station, wanted, clock.now(), actor(), own=own)
            return done(planned_words(did), url_for(".rules", code=code))
    return shown(
        "manager/policy.html",
        form,
        station=station,
        rules=numbers,
        bounds=BOUNDS,
        number=shown_number,
        has_draws=station_day.has_coming_draws(db.session(), station.id, clock.now()),
    )


def _form(station: Station) -> PolicyForm:
    """In a network a number can be left to the nodes above."""
    if above := tree.nodes_above(db.session(), station):
        return InheritingForm.below(lines_of(above), station.own_policy or {})
    return PolicyForm.showing(policy.read(station.policy))
