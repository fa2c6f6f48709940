"""Calendar files (iCalendar): a seat as an event that calendars keep up to date, in letters and in the feed alike.

A waiting-list place is never an event. An event that was published once is never left out later: it is sent as
cancelled, or calendars would keep it for ever.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from uuid import uuid4
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, vCalAddress, vDuration, vText
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import sanitise
from booking.db import upsert
from booking.db.transactions import transactional
from booking.model import Booking, CalendarDomain
from booking.queries.calendar_revisions import Revision

PRODUCT = "-//lunch hour//slots//ZH"
REFRESH = timedelta(hours=1)
# The attendee comes already, and is not asked.
COMES = {"ROLE": "REQ-PARTICIPANT", "PARTSTAT": "ACCEPTED", "RSVP": "FALSE"}


@dataclass(frozen=True)
class CalendarEntry:
    """One seat as text. `place` is where to go, `notes` what to know, `url` the page of the slot."""

    uid: str
    revision: Revision
    starts_at: datetime
    ends_at: datetime
    zone_name: str
    title: str
    place: str
    notes: str
    url: str
    cancelled: bool = False


@dataclass(frozen=True)
class Party:
    """Somebody with an e-mail address, and a name if it is known."""

    address: str
    name: str = ""


@dataclass(frozen=True)
class Scheduling:
    """What makes a file a message between calendars (iTIP, RFC 5546): REQUEST or CANCEL, from whom and to whom."""

    method: str
    organizer: Party
    attendee: Party


def has_event(booking: Booking) -> bool:
    """Whether the booking may be in a calendar: it has, or once had, a seat."""
    return booking.seated_at is not None


def uid_domain(session: Session) -> str:
    """What follows the @ in every UID, the same for ever. Drawn at random when it is first needed."""
    return session.scalar(select(CalendarDomain.name)) or draw_domain(session)


@transactional
def draw_domain(session: Session) -> str:
    """Store a domain for the UIDs, unless there is one."""
    drawn = upsert.insert(session.get_bind(), CalendarDomain).values(id=1, name=str(uuid4()))
    session.execute(drawn.on_conflict_do_nothing())
    return session.scalars(select(CalendarDomain.name)).one()


def uid(booking: Booking, domain: str) -> str:
    return f"booking-{booking.id}@{domain}"


def event(entry: CalendarEntry, scheduling: Scheduling | None = None) -> Event:
    """The event of one seat."""
    zone, made = ZoneInfo(entry.zone_name), Event()
    made.add("uid", entry.uid)
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
    if scheduling:
        made.add("organizer", _address(scheduling.organizer))
        made.add("attendee", _address(scheduling.attendee, **COMES))
    return made


def calendar(entries: Iterable[CalendarEntry], *, name: str = "", scheduling: Scheduling | None = None) -> bytes:
    """A whole file; `name` is the title of a subscription.

    Without `scheduling` it is a file to import or to subscribe to, which has no METHOD: programs take one that has for a
    message to answer. Deterministic: the same entries give the same bytes.
    """
    entries, made = list(entries), Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    if scheduling:
        made.add("method", scheduling.method)
    if name:
        for title in ("name", "x-wr-calname"):
            made.add(title, vText(sanitise.one_line(name)))
        made.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
        made.add("x-published-ttl", vDuration(REFRESH))
    for zone in _zones(entries):
        made.add_component(zone)
    for entry in entries:
        made.add_component(event(entry, scheduling))
    return bytes(made.to_ical())


def _address(party: Party, **parameters: str) -> vCalAddress:
    named = {"CN": sanitise.one_line(party.name)} if party.name else {}
    return vCalAddress(f"mailto:{party.address}", params={**named, **parameters})


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
