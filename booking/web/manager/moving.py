"""Moving one slot to another hour or zone: the page shows who is on it and what they will be told."""

from flask import request, url_for

from booking import clock, slots
from booking.extensions import db
from booking.model import Slot
from booking.queries import disclosure, draw_views, manager
from booking.web.forms.programme import MoveForm
from booking.web.manager.blueprint import Answer, actor, changed_words, done, heard, pages, shown
from booking.web.security.permissions import managed_slot


@pages.route("/<code>/slots/<int:slot_id>/move", methods=["GET", "POST"])
def move(code: str, slot_id: int) -> Answer:
    slot, now = managed_slot(code, slot_id), clock.now()
    form = _form(slot)
    if form.validate_on_submit():
        with heard(form, slot.station):
            if request.form.get("sure") == "y" or not (slot.taken or slot.waiting):
                told = slots.move(db.session, slot_id, form.wish(), now, actor())
                return done(changed_words(told), url_for(".slot", code=code, slot_id=slot_id))
            slots.may_move(db.session(), slot, form.wish(), now)  # somebody booked it since the page was shown
    roster = manager.roster(db.session(), slot)
    about = disclosure.to_staff(db.session(), slot.station, roster.people)
    draw = draw_views.awaited(db.session(), [slot], now).get(slot_id)
    return shown("manager/move.html", form, station=slot.station, slot=slot, roster=roster, about=about, draw=draw)


def _form(slot: Slot) -> MoveForm:
    zones = manager.zones(db.session(), slot.station_id)
    start = clock.at_station(slot.starts_at, slot.station.zone_name).time()
    form = MoveForm.of(zones, data={"starts": start, "zone_id": slot.zone_id})
    form.minutes = slot.minutes
    return form
