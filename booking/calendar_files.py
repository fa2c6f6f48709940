"""Calendar files (iCalendar): a seat as an event that calendars keep up to date, in letters and in the feed alike.

A waiting-list place is never an event. An event that was published once is never left out later: it is sent as
cancelled, or calendars would keep it for ever.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, vCalAddress, vDuration, vText
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import sanitise
from booking.model import HOLDING, Booking
from booking.model import Event as Line

PRODUCT = "-//lunch hour//slots//ZH"
REFRESH = timedelta(hours=1)


@dataclass(frozen=True)
class Revision:
    """How often a booking has changed since it was made, and when it last did."""

    sequence: int
    changed_at: datetime


@dataclass(frozen=True)
class CalendarEntry:
    """One seat as text. `place` is where to go, `notes` what to know, `url` the page of the slot."""

    booking_id: int
    revision: Revision
    starts_at: datetime
    ends_at: datetime
    zone_name: str
    title: str
    place: str
    notes: str
    url: str
    cancelled: bool = False


def has_event(booking: Booking) -> bool:
    """Whether the booking may be in a calendar: it has, or once had, a seat."""
    return booking.seated_at is not None


def is_cancelled(booking: Booking) -> bool:
    """Whether its event is cancelled: also for a person who was moved back to the waiting list."""
    return booking.state not in (*HOLDING, "released", "unrecorded")


def revisions(session: Session, bookings: Collection[Booking]) -> dict[int, Revision]:
    """By booking. The number only grows: every change of a booking writes one event of history."""
    ids, slots = [b.id for b in bookings], {b.slot_id for b in bookings}
    counted = select(Line.booking_id, func.count(Line.id), func.max(Line.at)).where(
        Line.slot_id.in_(slots), Line.booking_id.in_(ids)
    )
    known = {row[0]: Revision(row[1], row[2]) for row in session.execute(counted.group_by(Line.booking_id))}
    return {b.id: known.get(b.id) or Revision(0, b.created_at) for b in bookings}


def event(entry: CalendarEntry, host: str, organizer: str = "") -> Event:
    """The event of one seat; `host` is our site's host name, which makes the UID unique."""
    zone, made = ZoneInfo(entry.zone_name), Event()
    made.add("uid", f"booking-{entry.booking_id}@{host}")
    made.add("sequence", entry.revision.sequence)
    for name in ("dtstamp", "last-modified"):
        made.add(name, entry.revision.changed_at)
    made.add("dtstart", entry.starts_at.astimezone(zone))
    made.add("dtend", entry.ends_at.astimezone(zone))
    made.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    made.add("transp", "TRANSPARENT" if entry.cancelled else "OPAQUE")
    for name, words in (("summary", entry.title), ("location", entry.place), ("description", entry.notes)):
        made.add(name, vText(_seen(words)))
    made.add("url", entry.url)
    if organizer:
        made.add("organizer", vCalAddress(f"mailto:{organizer}"))
    return made


def calendar(
    entries: Iterable[CalendarEntry], host: str, *, name: str = "", method: str = "PUBLISH", organizer: str = ""
) -> bytes:
    """A whole file. `name` is the title of a subscription, `organizer` the address that mails it (RFC 5546).

    Deterministic: the same entries give the same bytes.
    """
    entries, made = list(entries), Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("method", method)
    if name:
        for title in ("name", "x-wr-calname"):
            made.add(title, vText(sanitise.one_line(name)))
        made.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
        made.add("x-published-ttl", vDuration(REFRESH))
    for zone in _zones(entries):
        made.add_component(zone)
    for entry in entries:
        made.add_component(event(entry, host, organizer))
    return bytes(made.to_ical())


def _zones(entries: Sequence[CalendarEntry]) -> list[Timezone]:
    """The zones' UTC offsets around the events: some calendars know no zone by its name."""
    years = [entry.starts_at.year for entry in entries]
    return [_zone(name, min(years), max(years)) for name in sorted({entry.zone_name for entry in entries})]


@lru_cache(100)
def _zone(name: str, first: int, last: int) -> Timezone:
    """One year more on each side, for an event at New Year in another zone."""
    return Timezone.from_tzinfo(ZoneInfo(name), name, date(first - 1, 1, 1), date(last + 2, 1, 1))


def _seen(words: str) -> str:
    """The text without the control characters that a calendar file cannot hold; line breaks stay, escaped."""
    return sanitise.lines(words)
