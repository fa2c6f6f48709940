"""People of a station: their visits and strikes, who helps at the door, and forgiving a strike with a reason."""

from flask import url_for
from flask_babel import gettext

from booking import clock, people
from booking.extensions import db
from booking.model import Station, Strike
from booking.people import phone_access
from booking.queries import disclosure, manager, station_staff
from booking.web.forms.roster import DoorHelperForm, ReasonForm
from booking.web.manager.blueprint import Answer, actor, done, heard, pages, shown, sought, sought_email
from booking.web.security.permissions import managed_station, not_for_you, of_station


@pages.get("/<code>/people")
def regulars(code: str) -> Answer:
    return show_people(managed_station(code), DoorHelperForm(formdata=None))


def show_people(station: Station, form: DoorHelperForm) -> Answer:
    """Who comes, and who helps at the door."""
    session = db.session()
    found = manager.regulars(session, station.id, sought(), sought_email())
    about = disclosure.to_staff(session, station, [one.person for one in found])
    helpers = station_staff.helpers(session, station, clock.now())
    return shown(
        "manager/people.html", form, station=station, people=found, about=about, sought=sought(), helpers=helpers
    )


@pages.get("/<code>/people/<int:person_id>")
def regular(code: str, person_id: int) -> Answer:
    return _shown(managed_station(code), person_id, ReasonForm(formdata=None))


@pages.post("/<code>/strikes/<int:strike_id>/forgive")
def forgive(code: str, strike_id: int) -> Answer:
    station = managed_station(code)
    person_id = of_station(station, Strike, strike_id).person_id
    form = ReasonForm()
    if form.validate_on_submit():
        with heard(form, station):
            people.forgive(db.session, strike_id, clock.now(), actor(), form.reason.data)
            return done(gettext("这次爽约免除了。"), url_for(".regular", code=code, person_id=person_id))
    return _shown(station, person_id, form, strike_id)


@pages.post("/<code>/people/<int:person_id>/phone")
def phone(code: str, person_id: int) -> Answer:
    """The whole number, on this page only; the history records who asked."""
    station = managed_station(code)
    regular, may_call = manager.regular(db.session(), station.id, person_id), disclosure.may_call
    if regular is None or not may_call(db.session(), station.id, person_id):
        not_for_you(station=station.id, wanted=person_id)
    number = phone_access.show_phone(db.session, person_id, station.id, clock.now(), actor())
    return _shown(station, person_id, ReasonForm(formdata=None), number=number)


def _shown(
    station: Station, person_id: int, form: ReasonForm, strike_id: int | None = None, number: str = ""
) -> Answer:
    """One person as this station knows them; somebody who was never here is treated as missing."""
    session = db.session()
    found = manager.regular(session, station.id, person_id) or not_for_you(station=station.id, wanted=person_id)
    strikes = manager.strikes_of(session, station.id, person_id)
    return shown(
        "manager/person.html",
        form,
        station=station,
        regular=found,
        about=disclosure.to_staff(session, station, [found.person]),
        strikes=strikes,
        bookings=manager.bookings_of(session, station.id, person_id),
        names=manager.names(session, {strike.forgiven_by for strike in strikes}),
        asked=strike_id,
        number=number,
    )
