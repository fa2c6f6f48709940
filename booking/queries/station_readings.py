"""Station readings: what is stored of a station so that a search can find it by SQL: its texts folded, and its name as read.

Where a character has several readings, the search must find it by each: 长椿街 by changchunjie, though 长 is zhang too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from booking.model import Station
from booking.queries.folding import fold
from booking.queries.name_search import spelling

# So many letters of what is typed are compared with a reading; the stored ones are at least so long, or end with the name.
LETTERS = 12
MOST_PINYIN, MOST_INITIALS = 400, 80  # the columns' lengths
MOST_SWAPS = 2  # characters read otherwise than usual in one name
TEXTS = (Station.code, Station.name, Station.name_en, Station.address, Station.address_en)


@dataclass(frozen=True)
class Readings:
    """What is stored: `folded` has one text a line; `pinyin` the readings from each character on, and `initials` those of
    the whole name, the usual ones first, separated by spaces."""

    folded: str
    pinyin: str
    initials: str


def readings_of(station: Station) -> Readings:
    """The readings of a station as it is named now."""
    keys = spelling(station.name)
    said = [_unique(one for one in key.whole if one.isascii()) for key in keys]
    first = [_unique(one[0] for one in readings) for readings in said]
    starts = (said[begin:] for begin in range(len(said)))
    # Those in which fewer characters are read otherwise stand first, for what does not fit is left out.
    pinyin = [text for _, text in sorted(chain(*map(_spellings, starts)), key=lambda spelt: spelt[0])]
    initials = [text for _, text in sorted(_combined(first), key=lambda spelt: spelt[0])]
    folded = "\n".join(["", *(fold(getattr(station, column.key)) for column in TEXTS), ""])
    return Readings(folded, f" {_fitting(pinyin, MOST_PINYIN - 1)}", _fitting(initials, MOST_INITIALS))


def store_readings(station: Station) -> None:
    """Set the columns that the search reads. Called wherever a name, an address or a code is set."""
    told = readings_of(station)
    station.folded, station.pinyin, station.initials = told.folded, told.pinyin, told.initials


def _spellings(said: Sequence[Sequence[str]]) -> Iterator[tuple[int, str]]:
    return _combined(said, LETTERS)


def _combined(said: Sequence[Sequence[str]], enough: int = MOST_INITIALS) -> Iterator[tuple[int, str]]:
    """Each way to read them one after the other until there are `enough` letters, with how many are read otherwise."""
    begun = [(0, "")]
    for readings in said:
        yield from (spelt for spelt in begun if len(spelt[1]) >= enough)
        begun = [
            (swaps + (place > 0), text + one)
            for swaps, text in begun
            if len(text) < enough
            for place, one in enumerate(readings)
            if swaps + (place > 0) <= MOST_SWAPS
        ]
    yield from begun


def _fitting(texts: Sequence[str], most: int) -> str:
    """As many of them as fit, in their order."""
    kept, left = [], most + 1
    for text in dict.fromkeys(filter(None, texts)):
        if len(text) + 1 <= left:
            kept.append(text)
            left -= len(text) + 1
    return " ".join(kept)


def _unique(texts: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(texts))
