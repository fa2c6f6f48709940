"""Followed activities: whether a person follows one, and all that they follow."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from booking.model import Activity, Follow, Slot, Station


class Followed(NamedTuple):
    """An activity that somebody follows, and its next slot: id and start; None where none is planned."""

    activity: Activity
    station: Station
    next_slot: tuple[int, datetime] | None


def is_followed(session: Session, person_id: int, activity_id: int) -> bool:
    one = exists().where(Follow.person_id == person_id, Follow.activity_id == activity_id)
    return bool(session.scalar(select(one)))


def followed(session: Session, person_id: int, now: datetime) -> Sequence[Followed]:
    """The activities that a person follows, archived ones too, by station and title."""
    mine = (
        select(Activity, Station)
        .join(Follow, Follow.activity_id == Activity.id)
        .join(Station, Station.id == Activity.station_id)
        .where(Follow.person_id == person_id)
    )
    found = session.execute(mine.order_by(Station.name, Activity.title, Activity.id)).all()
    coming = _coming(session, person_id, now) if found else {}
    return [Followed(activity, station, coming.get(activity.id)) for activity, station in found]


def _coming(session: Session, person_id: int, now: datetime) -> dict[int, tuple[int, datetime]]:
    """The next slot of each of these activities at an open station."""
    slots = (
        select(Slot.activity_id, Slot.id, Slot.starts_at)
        .join(Activity, (Activity.id == Slot.activity_id) & (Activity.station_id == Slot.station_id))
        .join(Follow, (Follow.activity_id == Activity.id) & (Follow.person_id == person_id))
        .join(Station, (Station.id == Slot.station_id) & Station.closed_at.is_(None))
        .where(Slot.state.in_(("planned", "open")), Slot.starts_at > now)
        .order_by(Slot.starts_at.desc(), Slot.id.desc())
    )
    return {activity_id: (slot_id, starts_at) for activity_id, slot_id, starts_at in session.execute(slots)}
