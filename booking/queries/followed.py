"""Followed activities: whether a person follows one, and all that they follow."""

from collections.abc import Sequence

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from booking.model import Activity, Follow, Station


def is_followed(session: Session, person_id: int, activity_id: int) -> bool:
    one = exists().where(Follow.person_id == person_id, Follow.activity_id == activity_id)
    return bool(session.scalar(select(one)))


def followed(session: Session, person_id: int) -> Sequence[tuple[Activity, Station]]:
    """The activities that a person follows, archived ones too, each with its station; by station and title."""
    mine = (
        select(Activity, Station)
        .join(Follow, Follow.activity_id == Activity.id)
        .join(Station, Station.id == Activity.station_id)
        .where(Follow.person_id == person_id)
    )
    return [(activity, station) for activity, station in session.execute(mine.order_by(Station.name, Activity.title))]
