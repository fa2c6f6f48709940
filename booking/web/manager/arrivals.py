"""Arrivals: those who left their name on the door screen: checked in with one tap, or seen to otherwise."""

from flask import url_for
from flask_babel import gettext

from booking import clock, services
from booking.errors import RuleViolation
from booking.extensions import db
from booking.web.manager.blueprint import Answer, actor, done, labels, pages
from booking.web.manager.roster import show_slot
from booking.web.security.permissions import checkin_arrival, checkin_booking, checkin_slot


@pages.post("/<code>/arrivals/<int:arrival_id>/check-in/<int:booking_id>")
def check_in_named(code: str, arrival_id: int, booking_id: int) -> Answer:
    """Check in the booking of whoever it was."""
    arrival, booking = checkin_arrival(code, arrival_id), checkin_booking(code, booking_id)
    slot = booking.slot
    try:
        services.check_in_named(db.session, arrival.id, booking_id, clock.now(), actor())
    except RuleViolation as no:
        return show_slot(slot, no), 409
    name = labels(slot.station, [booking.person], slot)
    return done(gettext("%(name)s 已签到。", name=name), url_for(".slot", code=code, slot_id=slot.id))


@pages.post("/<code>/slots/<int:slot_id>/arrivals/<int:arrival_id>/settle")
def settle_arrival(code: str, slot_id: int, arrival_id: int) -> Answer:
    """Whoever it was has been seen to; back to the roster on which that was said."""
    slot, arrival = checkin_slot(code, slot_id), checkin_arrival(code, arrival_id)
    services.settle(db.session, arrival.id, clock.now(), actor())
    return done(gettext("好的，从名单上拿掉了。"), url_for(".slot", code=code, slot_id=slot.id))
