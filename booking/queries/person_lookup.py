"""Person lookup: the people whom staff may find, by name and by what else they may see of them, and by nothing else."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from booking import sanitise
from booking.model import Booking, Person, Slot
from booking.queries import disclosure
from booking.queries.folding import fold
from booking.queries.name_search import matches

# Of a bigger network the newest accounts are found by their pinyin; by a part of their names all are.
MOST_READ = 50_000
_IDEOGRAPHS = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")
_NUMBER = re.compile("[+0-9][0-9 ().-]*")
_CHINA = ("", "86", "+86", "0086")


class KnownPerson(Protocol):
    """A person who was at the station, and how often."""

    id: int
    name: str
    visits: int


@dataclass(frozen=True)
class Matches:
    """People who are called so, and others of that company, phone or address."""

    by_name: Sequence[KnownPerson]
    by_details: Sequence[KnownPerson]

    def first(self, limit: int, order: Callable[[KnownPerson], Any]) -> list[int]:
        """Ids in some order, those who are called so before the others."""
        return [person.id for group in (self.by_name, self.by_details) for person in sorted(group, key=order)][:limit]


def at_station(session: Session, station_id: int, sought: str, email: str = "", *where: ColumnElement[bool]) -> Matches:
    """People who were at the station; `email` is the address that was typed, if it was one."""
    visits = func.count(Booking.id).filter(Booking.state == "attended").label("visits")
    known = (
        select(Person.id, Person.name, Person.company, Person.phone, Person.email, visits)
        .join(Booking, Booking.person_id == Person.id)
        .join(Slot, Booking.slot_id == Slot.id)  # this join uses the indexes, from a station to its bookings
        .where(Slot.station_id == station_id, disclosure.was_here(), *where)
        .group_by(Person.id)
        .order_by(Person.id)
    )
    numbers, is_long = _numbers(sought), len(fold(sought)) > 1
    called: list[Any] = []
    others: list[Any] = []
    for row in session.execute(known):
        if matches(row.name, sought):
            called.append(row)
        elif (
            (email and row.email == email)
            or _is_phone(row.phone, numbers)
            or (is_long and matches(row.company, sought))
        ):
            others.append(row)
    accounts = {row.id for row in others if row.email}
    reserved = accounts - disclosure.acted(session, station_id, accounts)
    return Matches(called, [row for row in others if row.id not in reserved])


def in_network(session: Session, sought: str, *where: ColumnElement[bool]) -> list[int]:
    """People by name, at any station or none."""
    theirs = [Person.name.contains(character) for character in set(_IDEOGRAPHS.findall(sought))]
    named = select(Person.id, Person.name).where(*where, *theirs).order_by(Person.id.desc()).limit(MOST_READ)
    return [row.id for row in session.execute(named) if matches(row.name, sought)]


def _numbers(sought: str) -> set[str]:
    """The phone number that was typed, as it may be stored; or four digits, its end. No other part of a number counts."""
    typed = sanitise.plain(sought)
    digits = re.sub("[ ().-]", "", typed) if _NUMBER.fullmatch(typed) else ""
    if len(digits) == 4:
        return {digits}
    national = next(digits.removeprefix(code) for code in reversed(_CHINA) if digits.startswith(code))
    return {number for number in (digits, *(code + national for code in _CHINA)) if len(number) >= 8}


def _is_phone(phone: str, numbers: set[str]) -> bool:
    """Only the digits that the pages show are compared, so that nobody finds out the others by searching for each."""
    shown = disclosure.mask_phone(phone)
    for number in numbers:
        if shown.endswith(number) or (len(number) == len(phone) and disclosure.mask_phone(number) == shown):
            return True
    return False
