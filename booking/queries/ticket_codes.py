"""Ticket codes: which booking a ticket is of, however it was typed; the six digits under it, which change every minute.

Six digits are few, so they are looked up only among the bookings of the slots that admit people now at one station.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

import pyotp
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import clock
from booking.model import LIVE, Booking, Slot, Station
from booking.queries import checkin, my_bookings
from booking.sanitise import plain

STEP = 60  # seconds that a code is shown; the previous one is valid too, for slow typing
# What a Chinese input method makes of what a scanner types.
OTHER_KEYS = str.maketrans({"、": "/", "／": "/", "。": ".", "·": "/"})
ADDRESS = re.compile(r"/manage/([^/?#]+)/tickets/([0-9a-z_-]{8,40})(?![0-9a-z_-])", re.IGNORECASE)
ALONE = re.compile(r"[0-9A-Za-z_-]{16,40}")


def code_of(booking: Booking, now: datetime) -> str:
    """The six digits under a ticket at `now`. A new door secret of the station changes them all."""
    return _codes(booking.slot.station, booking.ticket).at(now)


def by_code(session: Session, station: Station, code: str, now: datetime) -> Sequence[Booking]:
    """The bookings whose ticket shows these digits, or did just before: hardly ever more than one."""
    slots = [slot.id for slot in checkin.doors_open(session, station.id, now)]
    found = select(Booking).where(Booking.slot_id.in_(slots), Booking.state.in_((*LIVE, "released")))
    lately = (now, now - timedelta(seconds=STEP))
    shown = [(one, _codes(station, one.ticket)) for one in session.scalars(found.order_by(Booking.id))]
    return [one for one, codes in shown if any(hmac.compare_digest(codes.at(then), code) for then in lately)]


def read(typed: str) -> tuple[str, str]:
    """The station's code and the ticket in what a scanner typed, the last one; either may be empty."""
    text = plain(typed.replace("——", "_").translate(OTHER_KEYS)).replace(" ", "")
    if found := ADDRESS.findall(text):
        station, ticket = found[-1]
        return station.lower(), ticket
    return "", text if ALONE.fullmatch(text) else ""


def by_ticket(session: Session, station: Station, ticket: str, now: datetime) -> Booking | None:
    """The booking of a ticket of this station, with capitals as printed, exchanged (Caps Lock), or, today, lost."""
    for typed in (ticket, ticket.swapcase()):
        if booking := my_bookings.by_ticket(session, station.id, typed):
            return booking
    today = clock.at_station(now, station.zone_name).date()
    slots = select(Slot.id).where(Slot.station_id == station.id, Slot.date == today)
    alike = (Booking.slot_id.in_(slots), func.lower(Booking.ticket) == ticket.lower())
    found = session.scalars(select(Booking).where(*alike).limit(2)).all()
    return found[0] if len(found) == 1 else None


def _codes(station: Station, ticket: str) -> pyotp.TOTP:
    secret = hmac.digest(station.door_secret.encode(), ticket.encode(), hashlib.sha256)
    return pyotp.TOTP(base64.b32encode(secret).decode(), interval=STEP)
