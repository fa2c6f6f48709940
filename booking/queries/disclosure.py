"""Disclosure: what the staff of a station may read of a person, and what tells two people of one name apart.

Somebody's company and phone are theirs to give: they gave them to a station by an act of their own there, a press or
a scan, and never by being let in by its staff. Who was let in and taken out again was never here.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from booking import clock
from booking.each import among
from booking.model import LIVE, Booking, Event, Person, Station


@dataclass(frozen=True)
class Disclosure:
    """`hidden` are those of whom not even the name is shown, `reserved` those who gave their name only."""

    hidden: Collection[int] = ()
    reserved: Collection[int] = ()
    hints: Mapping[int, str] = field(default_factory=dict)

    def name(self, person: Person) -> str:
        return f"{person.name[:1]}*" if person.id in self.hidden else person.name

    def company(self, person: Person) -> str:
        return "" if person.id in self.reserved else person.company

    def phone(self, person: Person) -> str:
        """The whole number, for the caller to mask."""
        return "" if person.id in self.reserved else person.phone

    def hint(self, person: Person) -> str:
        """What tells this person from the others of that name; empty where there are none."""
        return self.hints.get(person.id, "")

    def label(self, person: Person) -> str:
        return f"{self.name(person)} {self.hint(person)}".strip()


def was_here() -> ColumnElement[bool]:
    """The condition that a booking makes its person known to the station: not one made at the door and ended since."""
    return or_(Booking.state.in_(LIVE), Booking.via != "door")


def knows(session: Session, station_id: int, person_id: int) -> bool:
    """Whether a station's staff may find this person by name."""
    theirs = select(Booking.id).where(Booking.station_id == station_id, Booking.person_id == person_id, was_here())
    return session.scalar(theirs.limit(1)) is not None


def may_call(session: Session, station_id: int, person_id: int) -> bool:
    """Whether a station's staff may read this person's phone."""
    return bool(_acted(session, station_id, {person_id}))


def to_staff(session: Session, station: Station, people: Iterable[Person], strangers: Iterable[int] = ()) -> Disclosure:
    """What is shown of these people to the staff of a station. `strangers` were found by their address alone."""
    found = {person.id: person for person in people}
    # A guest of the door is a name that the staff wrote down.
    accounts = {person.id for person in found.values() if person.email}
    acted = _acted(session, station.id, accounts)
    known = func.count(Booking.id).filter(was_here())
    booked = select(Booking.person_id, known).where(Booking.station_id == station.id)
    rows = session.execute(booked.where(Booking.person_id.in_(among(accounts - acted))).group_by(Booking.person_id))
    hidden = {person_id for person_id, kept in rows if not kept} | set(strangers)
    reserved = accounts - acted
    hints = _hints([person for person in found.values() if person.id not in hidden], reserved, station.zone_name)
    return Disclosure(hidden, reserved, hints)


def _acted(session: Session, station_id: int, person_ids: Collection[int]) -> set[int]:
    """Who of these did something about a booking of their own at the station."""
    if not person_ids:
        return set()
    theirs = (Event.person_id.in_(among(person_ids)), Event.actor_id == Event.person_id)
    here = (Event.station_id == station_id, Event.booking_id.is_not(None))
    return set(session.scalars(select(Event.person_id).where(*theirs, *here).distinct()))


def _hints(people: Iterable[Person], reserved: Collection[int], zone_name: str) -> dict[int, str]:
    """For people whose name another one has too."""
    namesakes: dict[str, list[Person]] = defaultdict(list)
    for person in people:
        if person.name:
            namesakes["".join(person.name.split()).casefold()].append(person)
    hints: dict[int, str] = {}
    for group in namesakes.values():
        if len(group) > 1:
            said = {person.id: _hint(person, person.id in reserved, zone_name) for person in group}
            times = Counter(said.values())
            hints |= {who: hint if times[hint] == 1 else f"{hint} #{who}" for who, hint in said.items()}
    return hints


def _hint(person: Person, is_reserved: bool, zone_name: str) -> str:
    """The end of the phone, else the address without its middle, else when a guest was written down."""
    if len(person.phone) >= 8 and not is_reserved:
        return person.phone[-4:]
    if person.email:
        return mask_email(person.email)
    return f"{clock.at_station(person.created_at, zone_name):%m-%d %H:%M}"


def mask_email(address: str) -> str:
    """w***r@example.com"""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***{local[-1:] if len(local) > 3 else ''}@{domain}"
