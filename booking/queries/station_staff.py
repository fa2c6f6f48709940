"""Station staff besides the managers, for these: the door helpers of today, and those of the last month, to be renewed."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from booking import clock
from booking.model import DoorHelper, Person, Station


@dataclass(frozen=True)
class Helper:
    """One person's role: the last day on which they help, and whether it has ended."""

    person: Person
    last_day: date
    ended: bool


def helpers(session: Session, station: Station, now: datetime) -> list[Helper]:
    """Those who help now first, then the latest."""
    theirs = select(DoorHelper).where(DoorHelper.station_id == station.id).options(joinedload(DoorHelper.person))
    rows = session.scalars(theirs.order_by(DoorHelper.until.desc(), DoorHelper.person_id))
    return [Helper(row.person, last_day(row, station), row.until <= now) for row in rows]


def last_day(role: DoorHelper, station: Station) -> date:
    """The day whose midnight ends the role."""
    return clock.at_station(role.until - timedelta(seconds=1), station.zone_name).date()
