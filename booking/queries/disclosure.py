"""Disclosure: what the staff of a station may see of a person, and what distinguishes two people of the same name.

A person discloses company and phone to a station by acting there themselves: booking or scanning, and never by being
checked in by its staff. A person seated and removed again by staff counts as never having been here.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, ScalarSelect, or_, select
from sqlalchemy.orm import Session

from booking import clock
from booking.db.arrays import in_array
from booking.model import LIVE, Booking, Event, Person, Station
from booking.queries.folding import fold


@dataclass(frozen=True)
class Disclosure:
    """`hidden` are those whose name is masked too, `reserved` those who disclosed their name only."""

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
        """What distinguishes this person from the others of that name; empty where there are none."""
        return self.hints.get(person.id, "")

    def label(self, person: Person) -> str:
        return f"{self.name(person)} {self.hint(person)}".strip()


def was_here() -> ColumnElement[bool]:
    """Condition: a booking that makes its person known to the station: not one made at check-in that has ended."""
    return or_(Booking.state.in_(LIVE), Booking.via != "door")


def knows(session: Session, station_id: int, person_id: int) -> bool:
    """Whether a station's staff may find this person by name."""
    theirs = select(Booking.id).where(Booking.station_id == station_id, Booking.person_id == person_id, was_here())
    return session.scalar(theirs.limit(1)) is not None


def acted(session: Session, station_id: int, person_ids: Collection[int]) -> set[int]:
    """Those who did something about a booking of their own at the station."""
    if not person_ids:
        return set()
    theirs = (Event.person_id.in_(in_array(person_ids)), Event.actor_id == Event.person_id)
    here = (Event.station_id == station_id, Event.booking_id.is_not(None))
    return set(session.scalars(select(Event.person_id).where(*theirs, *here).distinct()))


def may_call(session: Session, station_id: int, person_id: int) -> bool:
    """Whether a station's staff may read this person's phone number."""
    return bool(acted(session, station_id, {person_id}))


def to_staff(session: Session, station: Station, people: Iterable[Person], strangers: Iterable[int] = ()) -> Disclosure:
    """What the staff of a station may see of these people. `strangers` were found by their e-mail address only."""
    found = {person.id: person for person in people}
    # A guest without an account is a name that the staff entered themselves.
    accounts = {person.id for person in found.values() if person.email}
    theirs = acted(session, station.id, accounts)
    booked = select(Person.id, _first(station.id), _first(station.id, was_here()))
    rows = session.execute(booked.where(Person.id.in_(in_array(accounts - theirs))))
    hidden = {person_id for person_id, any_, known in rows if any_ and not known} | set(strangers)
    reserved = accounts - theirs
    hints = _hints([person for person in found.values() if person.id not in hidden], reserved, station.zone_name)
    return Disclosure(hidden, reserved, hints)


def people_on(session: Session, slot_id: int) -> Sequence[Person]:
    """Everybody who is or was on a slot."""
    theirs = select(Booking.person_id).where(Booking.slot_id == slot_id)
    return session.scalars(select(Person).where(Person.id.in_(theirs))).all()


def _first(station_id: int, *which: ColumnElement[bool]) -> ScalarSelect[int]:
    """One booking of the person at the station, looked up by index for each person."""
    theirs = select(Booking.id).where(Booking.person_id == Person.id, Booking.station_id == station_id, *which)
    return theirs.limit(1).scalar_subquery()


def _hints(people: Iterable[Person], reserved: Collection[int], zone_name: str) -> dict[int, str]:
    """By person, for people who share their name with another one."""
    namesakes: dict[str, list[Person]] = defaultdict(list)
    for person in people:
        if person.name:
            namesakes[fold(person.name)].append(person)
    hints: dict[int, str] = {}
    for group in namesakes.values():
        if len(group) > 1:
            said = {person.id: _hint(person, person.id in reserved, zone_name) for person in group}
            times = Counter(said.values())
            hints |= {who: hint if times[hint] == 1 else f"{hint} #{who}" for who, hint in said.items()}
    return hints


def _hint(person: Person, is_reserved: bool, zone_name: str) -> str:
    """The end of the phone number, else the masked e-mail address, else when the guest was entered."""
    if len(person.phone) >= 8 and not is_reserved:
        return person.phone[-4:]
    if person.email:
        return mask_email(person.email)
    return f"{clock.at_station(person.created_at, zone_name):%m-%d %H:%M}"


def mask_phone(number: str) -> str:
    """`13812345678` as `138****5678`."""
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 8 else "****"


def mask_email(address: str) -> str:
    """`worker@example.com` as `w***r@example.com`."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***{local[-1:] if len(local) > 3 else ''}@{domain}"
