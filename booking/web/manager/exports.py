"""Rosters and bookings as files."""

from booking import clock
from booking.extensions import db
from booking.rosters import desk, disclosure
from booking.web.access import managed_slot, managed_station
from booking.web.manager import tables
from booking.web.manager.frame import Answer, pages
from booking.web.manager.numbers import asked_span
from booking.web.show import station_date


@pages.get("/<code>/slots/<int:slot_id>/export")
def export_roster(code: str, slot_id: int) -> Answer:
    slot = managed_slot(code, slot_id)
    roster = desk.roster(db.session(), slot)
    about = disclosure.to_staff(db.session(), slot.station, roster.people)
    table = tables.of_roster(slot, roster, about)
    return tables.sent([table], f"{code}-roster-{slot.date}-{slot_id}")


@pages.get("/<code>/bookings/export")
def export_bookings(code: str) -> Answer:
    station = managed_station(code)
    span = asked_span(station_date(clock.now(), station))
    found = desk.bookings_between(db.session(), station.id, span.first, span.last)
    about = disclosure.to_staff(db.session(), station, [booking.person for booking in found])
    return tables.sent([tables.of_bookings(found, station, about)], f"{code}-bookings-{span.first}-{span.last}")
