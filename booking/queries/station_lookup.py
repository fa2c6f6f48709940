"""Station lookup: open stations by name, address, code, district or distance."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session

from booking import tree
from booking.db.arrays import in_array
from booking.model import Manages, Node, Slot, Station
from booking.queries.folding import fold, words
from booking.queries.name_search import matches
from booking.queries.pagination import ResultPage, place
from booking.queries.station_readings import LETTERS, TEXTS

EARTH = 6371.0  # km
DETOUR, WALK = 1.3, 80  # streets are longer than the way through the air; metres a minute
PER_PAGE = 20
FEW_LETTERS = 2
MOST_SPELLED = 500  # names that Python compares letter by letter


@dataclass(frozen=True)
class FoundStations(ResultPage):
    """The stations found. `districts` are theirs, by the ids of their centres."""

    districts: dict[int, Node]


def station(session: Session, code: str) -> Station | None:
    """The open station with that code."""
    return session.scalar(select(Station).where(Station.code == code, Station.closed_at.is_(None)))


def stations(session: Session, sought: str = "", limit: int = 50) -> Sequence[Station]:
    """Open stations, by name or address if `sought`."""
    found = select(Station).where(Station.closed_at.is_(None))
    if sought:
        found = found.where(Station.id.in_(in_array(matching(session, sought))))
    return session.scalars(found.order_by(Station.id).limit(limit)).all()


def page(session: Session, sought: str = "", district: Node | None = None, number: int = 1) -> FoundStations:
    """One page of the open stations, of a district if given, the best matches of `sought` first."""
    where = [Station.closed_at.is_(None), *([tree.stations_below(district)] if district else [])]
    if sought:
        ids = matching(session, sought, *where)
        total = len(ids)
    else:
        total = session.scalar(select(func.count(Station.id)).where(*where)) or 0
    number, pages, first = place(total, number, PER_PAGE)
    if sought:
        shown = ids[first : first + PER_PAGE]
        rows = {one.id: one for one in session.scalars(select(Station).where(Station.id.in_(shown)))}
        items: Sequence[Station] = [rows[one] for one in shown]
    else:
        items = session.scalars(select(Station).where(*where).order_by(Station.id).offset(first).limit(PER_PAGE)).all()
    return FoundStations(items, number, pages, total, tree.districts_of(session, items))


def only_one(session: Session, now: datetime) -> str:
    """The code of the only open station, or of the only one that still has slots to come; else empty."""
    coming = exists().where(Slot.station_id == Station.id, Slot.ends_at > now, Slot.state != "cancelled")
    found = select(Station.code).where(Station.closed_at.is_(None)).order_by(Station.id).limit(2)
    for among in (found, found.where(coming)):
        if len(codes := session.scalars(among).all()) == 1:
            return codes[0]
    return ""


def matching(session: Session, sought: str, *where: ColumnElement[bool]) -> list[int]:
    """Stations, closed ones too, with `sought` in a text, called so in pinyin, or in such a district; the best first.

    Where there are none, those with each of its words somewhere; then those whose name is spelled so in a mixture of
    pinyin and first letters.
    """
    typed = list(dict.fromkeys(map(fold, words(sought))))
    if found := _ids(session, sought, [fold(sought)], where):
        return found
    return (_ids(session, sought, typed, where) if len(typed) > 1 else []) or _spelled(session, sought, where)


def _ids(session: Session, sought: str, typed: Sequence[str], where: Sequence[ColumnElement[bool]]) -> list[int]:
    """Those that each of the folded texts is about; of those whose readings are not stored yet, Python decides."""
    texts = and_(*map(_is_told, typed))
    anywhere = and_(*(or_(_is_told(one), _is_in(session, one)) for one in typed))
    begins = or_(
        Station.folded.contains(f"\n{typed[0]}", autoescape=True),
        Station.pinyin.startswith(f" {typed[0]}", autoescape=True),
        Station.initials.startswith(typed[0], autoescape=True),
    )
    rank: Any = case((Station.code == sought.strip().lower(), 0), (begins, 1), (texts, 2), else_=3)
    rows = session.execute(
        select(Station.id, Station.folded == "")
        .where(*where, or_(anywhere, Station.folded == ""))
        .order_by(rank, Station.id)
    ).all()
    unread = _unread(session, [row[0] for row in rows if row[1]], sought, typed)
    return [row[0] for row in rows if not row[1] or row[0] in unread]


def _is_told(folded: str) -> ColumnElement[bool]:
    """Whether the station's texts have it, or its name is read so from one of its characters on."""
    told = [Station.folded.contains(f"\n{folded}" if _is_short(folded) else folded, autoescape=True)]
    if folded.isascii() and folded.isalnum():
        told += [Station.pinyin.contains(f" {folded[:LETTERS]}"), Station.initials.contains(folded)]
    return or_(*told)


def _is_in(session: Session, folded: str) -> ColumnElement[bool]:
    """Whether it is in a district or centre of that name; a single letter names none."""
    nodes = tree.below_cities(session) if len(folded) > 1 or not folded.isascii() else []
    named = {node.id for node in nodes if _is_called(node, folded)}
    centres = [node.id for node in nodes if node.level == "centre" and named.intersection(tree.ids_in(node.path))]
    return Station.centre_id.in_(in_array(centres)) if centres else Station.id.is_(None)


def _is_called(node: Row[int, str, str, str, str, str], folded: str) -> bool:
    return _has((node.name, node.name_en, node.code), folded) or (folded.isascii() and matches(node.name, folded))


def _unread(session: Session, ids: Sequence[int], sought: str, typed: Sequence[str]) -> set[int]:
    rows = session.execute(select(Station.id, Station.name, *TEXTS).where(Station.id.in_(in_array(ids)))) if ids else ()
    whole = len(typed) == 1
    return {row.id for row in rows if all(_has(row[2:], one) for one in typed) or (whole and matches(row.name, sought))}


def _spelled(session: Session, sought: str, where: Sequence[ColumnElement[bool]]) -> list[int]:
    """By a mixture such as gmao or guomyz, whose letters all stand in the pinyin, in their order."""
    letters = fold(sought)
    if not (1 < len(letters) <= LETTERS and letters.isascii() and letters.isalnum()):
        return []
    could = select(Station.id, Station.name).where(*where, Station.pinyin.like(f"%{'%'.join(letters)}%"))
    rows = session.execute(could.order_by(Station.id).limit(MOST_SPELLED))
    return [row.id for row in rows if matches(row.name, sought)]


def _has(texts: Iterable[str], folded: str) -> bool:
    if _is_short(folded):
        return any(fold(text).startswith(folded) for text in texts)
    return bool(folded) and any(folded in fold(text) for text in texts)


def _is_short(folded: str) -> bool:
    """Whether these are first letters, which stand by chance in the middle of many words: gm in Fuxingmen."""
    return len(folded) <= FEW_LETTERS and folded.isascii() and folded.isalpha()


def nearest(session: Session, latitude: float, longitude: float, limit: int = 20) -> list[tuple[Station, float]]:
    """Open stations around a position in degrees, the nearest first, with their distance in km."""
    # On a plane that touches the Earth here: accurate enough to sort the stations of a city.
    narrow = math.cos(math.radians(latitude))
    north, east = Station.latitude - latitude, (Station.longitude - longitude) * narrow
    known = select(Station).where(Station.closed_at.is_(None), Station.latitude.is_not(None))
    found = session.scalars(known.order_by(north * north + east * east, Station.id).limit(limit))
    return [(station, _km(station, latitude, longitude)) for station in found]


def walk_minutes(km: float) -> int:
    """How long a walk takes over that distance through the air."""
    return max(1, math.ceil(km * 1000 * DETOUR / WALK))


def _km(station: Station, latitude: float, longitude: float) -> float:
    here, there = math.radians(latitude), math.radians(station.latitude or 0)
    around = math.radians((station.longitude or 0) - longitude)
    half = math.sin((there - here) / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(around / 2) ** 2
    return 2 * EARTH * math.asin(math.sqrt(half))


def managed_stations(session: Session, person_id: int) -> Sequence[Station]:
    """The stations that a person manages."""
    mine = select(Station).join(Manages, Manages.station_id == Station.id).where(Manages.person_id == person_id)
    return session.scalars(mine.order_by(Station.id)).all()
