"""History page: who did what, newest first: of the station, a slot, a person, a day."""

from collections.abc import Sequence
from datetime import date
from functools import partial

from flask import render_template, request

from booking.extensions import db
from booking.model import Event, Person, Slot, Station
from booking.queries import disclosure, manager
from booking.queries.newest_first import page_of
from booking.web.errors import read_id
from booking.web.forms.fields import DayField
from booking.web.history_texts import said
from booking.web.manager.blueprint import Answer, pages
from booking.web.security.permissions import managed_station, not_for_you, of_station


@pages.get("/<code>/history")
def events(code: str) -> Answer:
    """The query may name `slot` and `person` by id, `day` as 2026-11-24, and the `page`, from 1."""
    station = managed_station(code)
    slot, person, day = _asked_slot(station), _asked_person(station.id), _asked_day()
    slot_id, person_id = slot.id if slot else None, person.id if person else None
    read = partial(manager.history, db.session(), station, slot_id=slot_id, person_id=person_id, day=day)
    found, older = page_of(lambda limit: read(limit=limit), read_id(request.args.get("page", "")) or 1)
    return render_template(
        "manager/history.html",
        station=station,
        slot=slot,
        person=person,
        day=day,
        events=found,
        older=older,
        slots=manager.slots_by_id(db.session(), {event.slot_id for event in found}),
        names=_names(station, found),
        said=said,
    )


def _asked_slot(station: Station) -> Slot | None:
    slot_id = read_id(request.args.get("slot", ""))
    return of_station(station, Slot, slot_id) if slot_id else None


def _asked_person(station_id: int) -> Person | None:
    """A person whom the station knows; others are treated as missing."""
    person_id = read_id(request.args.get("person", ""))
    if not person_id:
        return None
    regular = manager.regular(db.session(), station_id, person_id) or not_for_you(station=station_id, wanted=person_id)
    return regular.person


def _asked_day() -> date | None:
    return DayField.read(request.args.get("day", ""))


def _names(station: Station, found: Sequence[Event]) -> dict[int, str]:
    session = db.session()
    people = manager.people(session, {who for event in found for who in (event.actor_id, event.person_id) if who})
    about = disclosure.to_staff(session, station, people)
    return {person.id: about.name(person) for person in people}
