"""Invites: seats as calendar events in the reader's language, for letters and for the calendar feed of the pages."""

from collections.abc import Collection
from dataclasses import dataclass
from email.utils import parseaddr

from flask import current_app, render_template
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import calendar_files
from booking.calendar_files import CalendarEntry, Party, Scheduling
from booking.mail import links
from booking.mail.wording import plain_name
from booking.model import Booking, Letter, Person
from booking.queries import calendar_revisions
from booking.queries.calendar_feed import HAD_SEAT
from booking.queries.calendar_revisions import is_cancelled
from booking.sanitise import one_line

# The iTIP method of each kind of letter: a seat that the reader has, or has no longer. Google keeps for ever what it got
# as PUBLISH; what it got as REQUEST goes with the CANCEL.
METHODS = {
    "confirmed": "REQUEST",
    "promoted": "REQUEST",
    "slot_moved": "REQUEST",
    "moved_down": "CANCEL",
    "slot_cancelled": "CANCEL",
    "booking_cancelled": "CANCEL",
    "booking_removed": "CANCEL",
}
# A letter that was asked for: a file to open by hand, where a browser blocks downloads.
FILE = "calendar"
KINDS = (*METHODS, FILE)


@dataclass(frozen=True)
class Invite:
    """What a letter has for calendars: a message that they act on by themselves, and a file to open by hand."""

    method: str | None
    message: str
    file: bytes


def entries(session: Session, bookings: Collection[Booking]) -> list[CalendarEntry]:
    """The events of these bookings, which have or had a seat, in the current language."""
    domain = calendar_files.uid_domain(session)
    changes, times = calendar_revisions.revisions(session, bookings), calendar_revisions.times(session, bookings)
    return [_entry(booking, domain, changes[booking.id], times[booking.id]) for booking in bookings]


def with_letter(session: Session, letter: Letter, to: str, reader: Person | None) -> Invite | None:
    """The calendar part of a letter to this address; None for letters that change no seat."""
    booking = _seat(session, letter) if letter.kind in KINDS else None
    if booking is None:
        return None
    events = entries(session, [booking])
    method = METHODS.get(letter.kind)
    file = b"" if method == "CANCEL" else calendar_files.calendar(events)  # opened by hand, it would add the event
    if method is None:
        return Invite(None, "", file)
    name, address = parseaddr(current_app.config["MAIL_FROM"])
    attendee = Party(to, plain_name(reader.name) if reader else "")
    scheduling = Scheduling(method, Party(address, name), attendee)
    return Invite(method, calendar_files.calendar(events, scheduling=scheduling).decode(), file)


def _seat(session: Session, letter: Letter) -> Booking | None:
    """The booking of the letter that has or had a seat, if it is as the letter says.

    A waiting entry has no event to cancel, and a late letter must not bring a lost seat back.
    """
    theirs = select(Booking).where(Booking.slot_id == letter.slot_id, Booking.person_id == letter.person_id, HAD_SEAT)
    if letter.booking_id:
        theirs = theirs.where(Booking.id == letter.booking_id)
    booking = session.scalars(theirs.order_by(Booking.id.desc()).limit(1)).first()
    if booking is None or is_cancelled(booking) != (METHODS.get(letter.kind) == "CANCEL"):
        return None
    return booking


def _entry(
    booking: Booking, domain: str, revision: calendar_revisions.Revision, times: calendar_revisions.Times
) -> CalendarEntry:
    slot, cancelled = booking.slot, is_cancelled(booking)
    told = {"slot": slot, "link": links.public, "one_line": one_line, "cancelled": cancelled}
    title, place, notes = (
        render_template(f"mail/event/{part}.txt", **told).strip() for part in ("title", "place", "notes")
    )
    return CalendarEntry(
        calendar_files.uid(booking, domain),
        revision,
        *times,
        slot.station.zone_name,
        one_line(title),
        one_line(place),
        "\n".join(line for line in notes.splitlines() if line.strip()),
        links.public(f"/slots/{slot.id}"),
        cancelled,
    )
