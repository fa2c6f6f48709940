"""Person lookup: the people whom staff may find, by name and by what else they may see of them, and by nothing else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from booking import sanitise
from booking.model import Booking, Person, Slot
from booking.queries import disclosure, name_order
from booking.queries.folding import fold
from booking.queries.name_search import matches

# Of a bigger network the newest accounts are found by their pinyin; by a part of their names all are.
MOST_READ = 50_000
_IDEOGRAPHS = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")
_NUMBER = re.compile("[+0-9][0-9 ().-]*")
_CHINA = ("", "86", "+86", "0086")


@dataclass(frozen=True)
class Matches:
    """Ids in the order of the names: of people who are called so, and of others of that company, phone or address."""

    by_name: Sequence[int] = ()
    by_details: Sequence[int] = ()

    @property
    def ids(self) -> list[int]:
        return [*self.by_name, *self.by_details]


def at_station(session: Session, station_id: int, sought: str, email: str = "", *where: ColumnElement[bool]) -> Matches:
    """People who were at the station; `email` is the address that was typed, if it was one."""
    known = (
        select(Person.id, Person.name, Person.company, Person.phone, Person.email)
        .distinct()
        .join(Booking, Booking.person_id == Person.id)
        .join(Slot, Booking.slot_id == Slot.id)  # this join uses the indexes, from a station to its bookings
        .where(Slot.station_id == station_id, disclosure.was_here(), *where)
        .order_by(Person.id)
    )
    called, others = [], []
    for row in session.execute(known):
        if matches(row.name, sought):
            called.append(row)
        elif _has(row, sought, email):
            others.append(row)
    accounts = {row.id for row in others if row.email}
    reserved = accounts - disclosure.acted(session, station_id, accounts)
    return Matches(_ids(called), _ids([row for row in others if row.id not in reserved]))


def in_network(session: Session, sought: str, *where: ColumnElement[bool]) -> list[int]:
    """People by name, at any station or none."""
    theirs = [Person.name.contains(character) for character in set(_IDEOGRAPHS.findall(sought))]
    named = select(Person.id, Person.name).where(*where, *theirs).order_by(Person.id.desc()).limit(MOST_READ)
    return [row.id for row in session.execute(named) if matches(row.name, sought)]


def _has(row: Any, sought: str, email: str) -> bool:
    """Whether it is the person's company, phone or address.

    Only what the pages show is compared: whoever may not read the middle of a number, or an address, cannot find it out by
    searching for one digit or letter after the other.
    """
    if (email and row.email == email) or _is_phone(row.phone, sought):
        return True
    return bool(row.company) and len(fold(sought)) > 1 and matches(row.company, sought)


def _is_phone(phone: str, sought: str) -> bool:
    """Whether it is the number, or its last four digits."""
    typed = sanitise.plain(sought)
    if not phone or not _NUMBER.fullmatch(typed):
        return False
    digits = re.sub("[ ().-]", "", typed)
    shown = disclosure.mask_phone(phone)
    if len(digits) == 4:
        return shown.endswith(digits)
    national = next(digits.removeprefix(code) for code in reversed(_CHINA) if digits.startswith(code))
    whole = {digits, *(code + national for code in _CHINA)}
    return any(len(one) == len(phone) >= 8 and disclosure.mask_phone(one) == shown for one in whole)


def _ids(rows: list[Any]) -> list[int]:
    return [row.id for row in name_order.by_name(rows, lambda row: row.name)]
