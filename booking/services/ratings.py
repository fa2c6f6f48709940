"""Ratings: a person says once how a visit was. The history knows that they did, on no page of the station, and not what."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.db.transactions import NO_SYNC, transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Booking, Rating
from booking.people import nameless_before
from booking.people.accounts import alive
from booking.queries.activity_ratings import RATED_WITHIN


def to_rate(session: Session, booking_id: int, person_id: int, now: datetime) -> Booking:
    """A visit that its person may rate.

    Raises `not_your_visit`, `already_rated`, `visit_not_attended`, `visit_not_over`, `visit_rating_late`.
    """
    booking = _own(session, booking_id, person_id)
    if session.get(Rating, booking_id, populate_existing=True):
        raise RuleViolation("already_rated")
    if booking.state != "attended":
        raise RuleViolation("visit_not_attended")
    _check_time(booking, now)
    return booking


@transactional
def rate_visit(session: Session, booking_id: int, person_id: int, face: str, line: str, now: datetime) -> Rating:
    """The person says how their visit was; the first answer stands. Raises what `to_rate` does."""
    alive(session, person_id)  # locked, so that two presses are one rating
    # Held, so that a check-in undone meanwhile leaves no rating.
    session.scalar(select(Booking.id).where(Booking.id == booking_id).with_for_update(read=True))
    booking = to_rate(session, booking_id, person_id, now)
    slot = booking.slot
    about = {"booking_id": booking.id, "slot_id": slot.id, "station_id": slot.station_id, "date": slot.date}
    rating = Rating(**about, activity_id=slot.activity_id, face=face, line=line, at=now)
    session.add(rating)
    # Without a station: its managers, who know who came, must not see whose answer changed the share.
    record(session, "visit_rated", now, actor_id=person_id, person_id=person_id).slot_id = slot.id
    session.flush()
    return rating


@transactional
def add_line(session: Session, booking_id: int, person_id: int, line: str, now: datetime) -> None:
    """Add a line to one's rating, once. Raises `not_your_visit`, `visit_rating_late`, `line_given`."""
    alive(session, person_id)
    booking = _own(session, booking_id, person_id)
    rating = session.get(Rating, booking_id, populate_existing=True)
    if rating is None:
        raise RuleViolation("not_your_visit")
    if rating.line:
        raise RuleViolation("line_given")
    _check_time(booking, now)
    rating.line = line


@transactional
def forget_lines(session: Session, now: datetime) -> int:
    """Remove the lines about visits that have lost their names. Returns how many. Safe to repeat."""
    old = update(Rating).where(Rating.line != "", Rating.date < nameless_before(now)).values(line="")
    return len(session.scalars(old.returning(Rating.booking_id), execution_options=NO_SYNC).all())


def _own(session: Session, booking_id: int, person_id: int) -> Booking:
    booking = session.get(Booking, booking_id, populate_existing=True)
    if booking is None or booking.person_id != person_id:
        raise RuleViolation("not_your_visit")
    return booking


def _check_time(booking: Booking, now: datetime) -> None:
    if now < booking.slot.ends_at:
        raise RuleViolation("visit_not_over")
    if now >= booking.slot.ends_at + RATED_WITHIN:
        raise RuleViolation("visit_rating_late")
