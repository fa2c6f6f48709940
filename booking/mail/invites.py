"""Invites: seats as calendar events in the reader's language, for letters and for the calendar feed of the pages."""

from collections.abc import Collection
from dataclasses import dataclass
from email.utils import parseaddr

from flask import current_app, render_template
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import calendar_files
from booking.mail import links
from booking.model import Booking, Letter
from booking.sanitise import one_line

# The iTIP method of each kind of letter: a seat that the reader has, or has no longer.
METHODS = {
    "confirmed": "PUBLISH",
    "promoted": "PUBLISH",
    "calendar": "PUBLISH",
    "slot_moved": "PUBLISH",
    "moved_down": "CANCEL",
    "slot_cancelled": "CANCEL",
}


@dataclass(frozen=True)
class Invite:
    """A calendar file to go with a letter."""

    method: str
    content: str


def entries(session: Session, bookings: Collection[Booking]) -> list[calendar_files.CalendarEntry]:
    """The events of these bookings in the current language; waiting entries have none."""
    seats = [booking for booking in bookings if calendar_files.has_event(booking)]
    changes = calendar_files.revisions(session, seats)
    return [_entry(booking, changes[booking.id]) for booking in seats]


def with_letter(session: Session, letter: Letter) -> Invite | None:
    """The calendar file of a letter; None for letters that change no seat."""
    method = METHODS.get(letter.kind)
    booking = _seat(session, letter) if method else None
    if method is None or booking is None:
        return None
    _, sender = parseaddr(current_app.config["MAIL_FROM"])
    events = entries(session, [booking])
    content = calendar_files.calendar(events, links.host(), method=method, organizer=sender)
    return Invite(method, content.decode())


def _seat(session: Session, letter: Letter) -> Booking | None:
    """The newest booking of the letter's reader that had a seat in its slot: a waiting entry has no event to cancel."""
    theirs = select(Booking).where(
        Booking.slot_id == letter.slot_id, Booking.person_id == letter.person_id, Booking.seated_at.is_not(None)
    )
    booking = session.scalars(theirs.order_by(Booking.id.desc()).limit(1)).first()
    if booking is None or calendar_files.is_cancelled(booking) != (METHODS[letter.kind] == "CANCEL"):
        return None
    return booking


def _entry(booking: Booking, revision: calendar_files.Revision) -> calendar_files.CalendarEntry:
    slot = booking.slot
    told = {"slot": slot, "link": links.public, "one_line": one_line}
    title, place, notes = (
        render_template(f"mail/event/{part}.txt", **told).strip() for part in ("title", "place", "notes")
    )
    return calendar_files.CalendarEntry(
        booking.id,
        revision,
        slot.starts_at,
        slot.ends_at,
        slot.station.zone_name,
        one_line(title),
        one_line(place),
        "\n".join(line for line in notes.splitlines() if line.strip()),
        links.public(f"/slots/{slot.id}"),
        calendar_files.is_cancelled(booking),
    )
