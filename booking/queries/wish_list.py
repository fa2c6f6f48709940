"""Wish list: a station's wishes by how many people want each, and a person's own. Never who wants what."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, exists, func, literal, or_, select
from sqlalchemy.orm import Session, joinedload

from booking.model import OPEN_WISHES, ActivityWish, Slot, WishVote

# An answer stands on the page for so long.
SHOWN_FOR = timedelta(days=30)
# The most that one page lists.
A_PAGE = 100
MINE = 20


class WishRow(NamedTuple):
    """A wish, how many people want it, and whether the reader is one of them."""

    wish: ActivityWish
    people: int
    mine: bool


def wanted(session: Session, station_id: int, reader_id: int | None = None) -> list[WishRow]:
    """The station's open wishes, what most people want first."""
    waiting = _rows(reader_id).where(ActivityWish.station_id == station_id, ActivityWish.state.in_(OPEN_WISHES))
    return _read(session, waiting.order_by(_people().desc(), ActivityWish.id).limit(A_PAGE))


def answered(session: Session, station_id: int, now: datetime, reader_id: int | None = None) -> list[WishRow]:
    """Those that were held or declined lately, the newest answer first."""
    ended = (ActivityWish.station_id == station_id, ActivityWish.state.in_(("held", "declined")))
    lately = _rows(reader_id).where(*ended, ActivityWish.ended_at > now - SHOWN_FOR)
    return _read(session, lately.order_by(ActivityWish.ended_at.desc(), ActivityWish.id.desc()).limit(A_PAGE))


def ended(session: Session, station_id: int) -> list[WishRow]:
    """All that have ended but those that were withdrawn, the newest first."""
    states = ("held", "declined", "merged", "removed", "lapsed")
    found = _rows(None).where(ActivityWish.station_id == station_id, ActivityWish.state.in_(states))
    return _read(session, found.order_by(ActivityWish.ended_at.desc(), ActivityWish.id.desc()).limit(A_PAGE))


def every(session: Session, station_id: int) -> list[WishRow]:
    """All of the station's wishes but those that were withdrawn, the newest first: for the export."""
    found = _rows(None).where(ActivityWish.station_id == station_id, ActivityWish.state != "withdrawn")
    return _read(session, found.order_by(ActivityWish.id.desc()))


def of_person(session: Session, person_id: int, now: datetime) -> list[WishRow]:
    """What the person wants, at all stations: the open ones, and what was answered lately."""
    shown = or_(ActivityWish.ended_at.is_(None), ActivityWish.ended_at > now - SHOWN_FOR)
    theirs = ActivityWish.id.in_(select(WishVote.wish_id).where(WishVote.person_id == person_id))
    found = _rows(person_id).where(theirs, shown).options(joinedload(ActivityWish.station))
    return _read(session, found.order_by(ActivityWish.id.desc()).limit(MINE))


def people_of(session: Session, wish_id: int) -> int:
    """How many people want it."""
    return session.scalar(select(_people()).where(ActivityWish.id == wish_id)) or 0


def people_wanting(session: Session, station_id: int, kind: str, weekday: int) -> int:
    """How many people want an activity of this kind on this weekday, or on any, each counted once."""
    when = or_(ActivityWish.weekday.is_(None), ActivityWish.weekday == weekday)
    those = (ActivityWish.station_id == station_id, ActivityWish.state.in_(OPEN_WISHES), ActivityWish.kind == kind)
    people = select(func.count(WishVote.person_id.distinct()))
    joined = people.join_from(WishVote, ActivityWish, ActivityWish.id == WishVote.wish_id)
    return session.scalar(joined.where(*those, when)) or 0


def open_count(session: Session, station_id: int) -> int:
    """How many wishes of a station wait for an answer."""
    waiting = (ActivityWish.station_id == station_id, ActivityWish.state == "open")
    return session.scalar(select(func.count()).select_from(ActivityWish).where(*waiting)) or 0


def _rows(reader_id: int | None) -> Select[ActivityWish, int, bool]:
    slot = joinedload(ActivityWish.slot)
    whole = (slot.joinedload(Slot.activity), slot.joinedload(Slot.station))
    return select(ActivityWish, _people().label("people"), _is_mine(reader_id).label("mine")).options(*whole)


def _read(session: Session, found: Select[ActivityWish, int, bool]) -> list[WishRow]:
    return [WishRow(*row) for row in session.execute(found)]


def _people() -> ColumnElement[int]:
    votes = select(func.count()).where(WishVote.wish_id == ActivityWish.id)
    return votes.correlate(ActivityWish).scalar_subquery() + ActivityWish.past_votes


def _is_mine(reader_id: int | None) -> ColumnElement[bool]:
    if reader_id is None:
        return literal(False)
    return exists().where(WishVote.wish_id == ActivityWish.id, WishVote.person_id == reader_id)
