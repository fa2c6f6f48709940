"""Snapshot: the read model of a slot, in one row and without the ORM: what the rules need, and the card's texts."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, select

from booking.model import Activity, Slot, Station, Zone
from booking.model.programme import SlotProperties


class StationInfo(NamedTuple):
    """What is shown of a station."""

    id: int
    code: str
    name: str
    name_en: str
    zone_name: str
    policy: dict[str, Any]
    closed_at: datetime | None


class ZoneInfo(NamedTuple):
    """What is shown of a zone."""

    name: str
    name_en: str


class ActivityInfo(NamedTuple):
    """What is shown of an activity."""

    kind: str
    title: str
    title_en: str
    host: str
    host_en: str
    bring: str
    bring_en: str
    picture: str


class _SnapshotRow(NamedTuple):
    id: int
    station_id: int
    plan_id: int | None
    date: date
    opens_at: datetime
    free_until: datetime
    waitlist_until: datetime
    checkin_from: datetime
    starts_at: datetime
    release_at: datetime
    ends_at: datetime
    capacity: int
    taken: int
    waiting: int
    waitlist_seq: int
    door_seats: int
    state: str
    host: str | None
    cancel_reason: str | None
    draw_id: int | None
    station: StationInfo
    zone: ZoneInfo
    activity: ActivityInfo


class SlotSnapshot(SlotProperties, _SnapshotRow):
    """A slot as it was read: its row, and the texts that belong to it."""

    __slots__ = ()

    @property
    def words(self) -> tuple[Any, ...]:
        """All texts of the slot, without its counters."""
        times = (self.date, self.opens_at, self.waitlist_until, self.starts_at, self.ends_at)
        return self.station, self.zone, self.activity, self.host, self.cancel_reason, times

    def now(self, row: Sequence[Any]) -> "SlotSnapshot":
        """The same slot with its columns (`OWN`) read again."""
        return SlotSnapshot._make((*row, self.station, self.zone, self.activity))

    def counting(self, capacity: int, taken: int, waiting: int, waitlist_seq: int) -> "SlotSnapshot":
        """The same slot with other counters."""
        return self._replace(capacity=capacity, taken=taken, waiting=waiting, waitlist_seq=waitlist_seq)


OWN = [getattr(Slot, name) for name in _SnapshotRow._fields if name not in ("station", "zone", "activity")]
PLACE, ROOM, OFFER = (
    [getattr(table, name) for name in shown._fields]
    for table, shown in ((Station, StationInfo), (Zone, ZoneInfo), (Activity, ActivityInfo))
)
RUN = [*OWN, *PLACE, *ROOM, *OFFER]


def snapshots() -> Select[Any]:
    """The columns of `RUN`, for every slot."""
    return (
        select(*RUN)
        .join_from(Slot, Station, Slot.station_id == Station.id)
        .join(Zone, Slot.zone_id == Zone.id)
        .join(Activity, Slot.activity_id == Activity.id)
    )


def snapshot(row: Sequence[Any]) -> SlotSnapshot:
    """A slot from the columns of `RUN`."""
    place = len(OWN)
    room = place + len(PLACE)
    offer = room + len(ROOM)
    words = (
        StationInfo._make(row[place:room]),
        ZoneInfo._make(row[room:offer]),
        ActivityInfo._make(row[offer : len(RUN)]),
    )
    return SlotSnapshot._make((*row[:place], *words))
