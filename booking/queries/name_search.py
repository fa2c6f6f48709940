"""Name search: people by a part of their name, its pinyin (zhouming), or its initials (zm)."""

import os
from functools import lru_cache

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from booking.model import Booking, Person, Slot
from booking.queries import disclosure

# No name is longer, and trying the readings of a longer text would take long.
LONGEST_NAME, LONGEST_SOUGHT, MOST_FOUND = 6, 24, 500


def called(session: Session, station_id: int, sought: str) -> ColumnElement[bool]:
    """Condition: a person of the station whose name matches `sought`."""
    by_part = Person.name.icontains(sought, autoescape=True)
    letters = "".join(sought.split()).casefold()
    if not (letters.isascii() and letters.isalpha() and len(letters) <= LONGEST_SOUGHT):
        return by_part
    known = (
        select(Person.id, Person.name)
        .distinct()
        .join(Booking, Booking.person_id == Person.id)
        .join(Slot, Booking.slot_id == Slot.id)
        .where(Slot.station_id == station_id, disclosure.was_here())
        .order_by(Person.id)
    )
    found = [row.id for row in session.execute(known) if sounds_like(row.name, letters)]
    return by_part | Person.id.in_(found[:MOST_FOUND])


def sounds_like(name: str, letters: str) -> bool:
    """Whether `letters` are the pinyin of some of the name's characters, each in full or by its first letter."""
    readings = _readings(name[:LONGEST_NAME])
    return any(_fits(readings[start:], letters) for start in range(len(readings)))


def _fits(readings: tuple[tuple[str, ...], ...], letters: str) -> bool:
    if not letters:
        return True
    if not readings:
        return False
    for reading in readings[0]:
        if reading.startswith(letters):
            return True
        if letters.startswith(reading) and _fits(readings[1:], letters[len(reading) :]):
            return True
    first = any(reading[0] == letters[0] for reading in readings[0])
    return first and _fits(readings[1:], letters[1:])


@lru_cache(maxsize=20_000)
def _readings(name: str) -> tuple[tuple[str, ...], ...]:
    """The readings of each Chinese character; other characters are found by their letters as they are."""
    found = _pinyin(name, "NORMAL", heteronym=True)
    return tuple(
        tuple(reading.replace("ü", "v") for reading in readings if reading) for readings in found if any(readings)
    )


@lru_cache(maxsize=10_000)
def reading(character: str) -> str:
    """The most common reading of a Chinese character, with its tone: wang2. Empty for any other character."""
    found = _pinyin(character, "TONE3")
    return found[0][0] if found else ""


def _pinyin(text: str, style: str, *, heteronym: bool = False) -> list[list[str]]:
    # The table of readings is loaded only where names are searched; the one of phrases, four times as large, is not
    # needed.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    from pypinyin import Style, pinyin  # noqa: PLC0415

    return pinyin(text, style=getattr(Style, style), heteronym=heteronym, errors="ignore")
