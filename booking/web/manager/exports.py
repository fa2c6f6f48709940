"""Exports: rosters and bookings as files."""

from booking import clock
from booking.extensions import db
from booking.queries import disclosure, manager
from booking.web.downloads import sent
from booking.web.i18n.formatting import station_date
from booking.web.manager import tables
from booking.web.manager.blueprint import Answer, pages
from booking.web.manager.numbers import asked_span
from booking.web.security.permissions import managed_slot, managed_station


@pages.get("/<code>/slots/<int:slot_id>/export")
def export_roster(code: str, slot_id: int) -> Answer:
    slot = managed_slot(code, slot_id)
    roster = manager.roster(db.session(), slot)
    about = disclosure.to_staff(db.session(), slot.station, roster.people)
    table = tables.of_roster(slot, roster, about)
    return sent([table], f"{code}-roster-{slot.date}-{slot_id}")


@pages.get("/<code>/bookings/export")
def export_bookings(code: str) -> Answer:
    station = managed_station(code)
    span = asked_span(station_date(clock.now(), station))
    found = manager.bookings_between(db.session(), station.id, span.first, span.last)
    about = disclosure.to_staff(db.session(), station, [booking.person for booking in found])
    return sent([tables.of_bookings(found, station, about)], f"{code}-bookings-{span.first}-{span.last}")
