"""Current notices: what a station shows: its own and those of the nodes above it, the newest first; and the lists of who
writes them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Engine, literal, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from booking import clock
from booking.db import pool
from booking.db.arrays import is_in_array
from booking.db.batch import EngineQueues
from booking.db.statements import CompiledStatement, DriverConnection, param, wrap
from booking.model import Node, Notice, Station

PAST = 20  # the newest of those that are over


class NoticeText(NamedTuple):
    """A notice as a station shows it. `node` and `node_en` are the name of the node that it comes from, empty for its own."""

    id: int
    title: str
    text: str
    picture: str
    first: date
    last: date
    created_at: datetime
    node: str
    node_en: str

    @property
    def weight(self) -> int:
        """Bytes: an upper bound."""
        return 1_000 + 4 * (len(self.title) + len(self.text) + len(self.node) + len(self.node_en))


def find(engine: Engine, station_id: int, now: datetime) -> Sequence[NoticeText]:
    """Those of a station that are not over, also the coming ones; asked for all who wait at once."""
    return _boards.ask(engine, (station_id, _yesterday(now)))


def of_stations(session: Session, station_ids: Collection[int], now: datetime) -> Mapping[int, Sequence[NoticeText]]:
    """The same, by station."""
    return _read(wrap(session.connection()), station_ids, _yesterday(now))


def of_station(session: Session, station: Station, now: datetime) -> list[NoticeText]:
    """What the station shows today."""
    today = clock.at_station(now, station.zone_name).date()
    return shown_on(of_stations(session, [station.id], now)[station.id], today)


def shown_on(notices: Iterable[NoticeText], day: date) -> list[NoticeText]:
    """Those that are shown on this day, the newest first."""
    return sorted((one for one in notices if one.first <= day <= one.last), key=lambda one: (one.first, one.id))[::-1]


def written(session: Session, place: Station | Node, today: date) -> dict[str, Sequence[Notice]]:
    """The notices of a station or node: `current` are shown now or later, `past` are over, the newest first."""
    column = Notice.station_id if isinstance(place, Station) else Notice.node_id
    mine = select(Notice).where(column == place.id).order_by(Notice.first.desc(), Notice.id.desc())
    current = mine.where(Notice.ended_at.is_(None), Notice.last >= today)
    past = mine.where(or_(Notice.ended_at.is_not(None), Notice.last < today)).limit(PAST)
    return {"current": session.scalars(current).all(), "past": session.scalars(past).all()}


def _yesterday(now: datetime) -> date:
    """A station may be a day behind UTC."""
    return (now - timedelta(days=1)).date()


def _find(engine: Engine, wanted: Sequence[tuple[int, date]]) -> list[Sequence[NoticeText]]:
    stations, since = {station_id for station_id, _ in wanted}, min(day for _, day in wanted)
    found = pool.read(engine, partial(_read, station_ids=stations, since=since))
    return [found[station_id] for station_id, _ in wanted]


def _read(connection: DriverConnection, station_ids: Collection[int], since: date) -> dict[int, Sequence[NoticeText]]:
    found: dict[int, list[NoticeText]] = {station_id: [] for station_id in station_ids}
    for station_id, *row in _NOTICES.run(connection, stations=list(station_ids), since=since):
        found[station_id].append(NoticeText._make(row))
    return {station_id: tuple(notices) for station_id, notices in found.items()}


_boards = EngineQueues(_find)
_columns: tuple[Any, ...] = tuple(getattr(Notice, name) for name in NoticeText._fields[:-2])
_is_left = (Notice.ended_at.is_(None), Notice.last >= param("since"))
_centre, _district = aliased(Node), aliased(Node)
_here = is_in_array(Station.id, "stations")
_at_centre = select(Station.id.label("station_id"), Station.centre_id.label("node_id")).where(_here)
_below_centre = select(Station.id, _centre.parent_id).join(_centre, Station.centre_id == _centre.id)
_below_district = (
    select(Station.id, _district.parent_id)
    .join(_centre, Station.centre_id == _centre.id)
    .join(_district, _centre.parent_id == _district.id)
)
# Each station with the nodes above it: the levels are three, and an index finds each.
_above = union_all(_at_centre, _below_centre.where(_here), _below_district.where(_here)).subquery()
_NOTICES = CompiledStatement(
    union_all(
        select(Notice.station_id, *_columns, literal(""), literal("")).where(
            is_in_array(Notice.station_id, "stations"), *_is_left
        ),
        select(_above.c.station_id, *_columns, Node.name, Node.name_en)
        .select_from(_above)
        .join(Notice, Notice.node_id == _above.c.node_id)
        .join(Node, Node.id == Notice.node_id)
        .where(*_is_left),
    )
)
