"""Activity ratings: what those who came said of an activity or a slot: as shares, from five answers on, and never who."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from booking.db.arrays import in_array
from booking.model import FACES, Activity, Booking, Rating

# Fewer answers than these say more about the people than about the activity.
ENOUGH = 5
# After its slot a visit can be rated for so long.
RATED_WITHIN = timedelta(days=14)
# An activity is judged by the slots of so many days: always the same ones, so that nobody finds one answer as the
# difference of two periods.
COUNTED_FOR = timedelta(days=180)


class Share(NamedTuple):
    """How many said good, fine and poor: at least `ENOUGH` people."""

    good: int
    fine: int
    poor: int

    @property
    def rated(self) -> int:
        return self.good + self.fine + self.poor

    @property
    def of_good(self) -> float:
        """The share of those who said that it was good."""
        return self.good / self.rated


class Answers(NamedTuple):
    """What was said of a slot or an activity. The lines stand by their words: their order says nothing about who."""

    share: Share
    lines: Sequence[str]


def shares_of_activities(session: Session, station_id: int, now: datetime) -> Mapping[int, Share]:
    """The shares of a station's activities, by activity; without those that have too few answers."""
    return _shares(session, Rating.activity_id, Rating.station_id == station_id, _counted(now))


def rated_activities(session: Session, station_id: int, now: datetime) -> list[tuple[Activity, Share]]:
    """The same with the activities, the most liked first."""
    shares = shares_of_activities(session, station_id, now)
    found = session.scalars(select(Activity).where(Activity.id.in_(in_array(shares)))) if shares else ()
    return sorted(((one, shares[one.id]) for one in found), key=lambda pair: (-pair[1].of_good, -pair[1].rated))


def share_of_activity(session: Session, activity_id: int, now: datetime) -> Share | None:
    """The share of one activity; None while it has too few answers."""
    return _shares(session, Rating.activity_id, Rating.activity_id == activity_id, _counted(now)).get(activity_id)


def share_of_station(session: Session, station_id: int, now: datetime) -> Share | None:
    """The share of all activities of a station; None while it has too few answers."""
    return _shares(session, Rating.station_id, Rating.station_id == station_id, _counted(now)).get(station_id)


def shares_of_slots(session: Session, station_id: int, first: date, last: date) -> Mapping[int, Share]:
    """The shares of a station's slots on these days, by slot; without those that have too few answers."""
    return _shares(session, Rating.slot_id, Rating.station_id == station_id, Rating.date.between(first, last))


def of_activity(session: Session, activity_id: int, now: datetime) -> Answers | None:
    """What was said of an activity; None while it has too few answers."""
    share = share_of_activity(session, activity_id, now)
    return Answers(share, _lines(session, Rating.activity_id == activity_id, _counted(now))) if share else None


def of_slot(session: Session, slot_id: int) -> Answers | None:
    """What was said of a slot; None while it has too few answers."""
    share = _shares(session, Rating.slot_id, Rating.slot_id == slot_id).get(slot_id)
    return Answers(share, _lines(session, Rating.slot_id == slot_id)) if share else None


def of_bookings(session: Session, bookings: Collection[Booking], now: datetime) -> Mapping[int, str | None]:
    """The face that a person gave, by booking, of those of their bookings that are or can still be rated: there None."""
    came = {one.id: None for one in bookings if one.state == "attended"}
    if not came:
        return {}
    asked = select(Rating.booking_id, Rating.face).where(Rating.booking_id.in_(in_array(came)))
    said = dict(session.execute(asked).all())
    return {one.id: said.get(one.id) for one in bookings if one.id in said or (one.id in came and is_open(one, now))}


def is_open(booking: Booking, now: datetime) -> bool:
    """Whether it is neither too early nor too late to rate a visit."""
    ends_at = booking.slot.ends_at
    return ends_at <= now < ends_at + RATED_WITHIN


def unrated() -> tuple[ColumnElement[bool], ...]:
    """Condition: a visit that its person has not rated."""
    return Booking.state == "attended", ~exists().where(Rating.booking_id == Booking.id)


def _counted(now: datetime) -> ColumnElement[bool]:
    return Rating.date > (now - COUNTED_FOR).date()


def _shares(session: Session, by: Any, *these: ColumnElement[bool]) -> dict[int, Share]:
    said = [func.count().filter(Rating.face == face) for face in FACES]
    enough = select(by, *said).where(*these).group_by(by).having(func.count() >= ENOUGH)
    return {row[0]: Share(*row[1:]) for row in session.execute(enough)}


def _lines(session: Session, *these: ColumnElement[bool]) -> Sequence[str]:
    return session.scalars(select(Rating.line).where(*these, Rating.line != "").order_by(Rating.line)).all()
