"""Notices: what a station or a node tells everybody who comes: published, changed, ended before their last day."""

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from booking import clock, tree
from booking.db import transactions
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.model import NO_PICTURE, Node, Notice, Station

# Shown at once or later, of one station or node.
MOST_NOTICES = 20
LONGEST_SHOWN = timedelta(days=366)
# After its last day, or its end, for who writes the next one.
NOTICES_KEPT = timedelta(days=365)


@dataclass(frozen=True)
class NoticeWords:
    """What is entered: plain text, shown as it is typed, on the days from `first` to `last`."""

    title: str
    text: str
    first: date
    last: date
    picture: str = NO_PICTURE


@transactional
def publish_notice(session: Session, place: Station | Node, words: NoticeWords, now: datetime, actor_id: int) -> Notice:
    """A new notice of a station or node; the same again, while it is not over, is that one.

    Raises `notice_closed`, `notice_days`, `notice_long`, `notice_over`, `notice_limit`.
    """
    _lock(session, place)
    if place.closed_at:
        raise RuleViolation("notice_closed")
    today = today_at(session, place, now)
    _check_days(words, today)
    mine = Notice.station_id == place.id if isinstance(place, Station) else Notice.node_id == place.id
    left = select(Notice).where(mine, Notice.ended_at.is_(None), Notice.last >= today)
    if same := session.scalars(left.filter_by(**asdict(words))).first():
        return same
    if (session.scalar(select(func.count()).select_from(left.subquery())) or 0) >= MOST_NOTICES:
        raise RuleViolation("notice_limit", limit=MOST_NOTICES)
    notice = Notice(**_of(place), **asdict(words), created_at=now)
    session.add(notice)
    session.flush()
    _note(session, "notice_published", notice, now, actor_id)
    return notice


@transactional
def change_notice(session: Session, notice: Notice, words: NoticeWords, now: datetime, actor_id: int) -> None:
    """Change its words, days or picture. Raises `notice_ended`, and what `publish_notice` raises of the days."""
    place = _locked(session, notice)
    today = today_at(session, place, now)
    if notice.ended_at or notice.last < today:
        raise RuleViolation("notice_ended")
    _check_days(words, today)
    changed = [name for name, value in asdict(words).items() if getattr(notice, name) != value]
    for name in changed:
        setattr(notice, name, getattr(words, name))
    if changed:
        _note(session, "notice_changed", notice, now, actor_id)


@transactional
def end_notice(session: Session, notice: Notice, now: datetime, actor_id: int) -> None:
    """Show it no more, from now on. Idempotent."""
    place = _locked(session, notice)
    if notice.ended_at is None and notice.last >= today_at(session, place, now):
        notice.ended_at = now
        _note(session, "notice_ended", notice, now, actor_id)


@transactional
def forget_notices(session: Session, now: datetime) -> int:
    """Delete those that have been over for a year. Returns how many. Safe to repeat."""
    since = now - NOTICES_KEPT
    old = delete(Notice).where(or_(Notice.ended_at <= since, Notice.last <= since.date()))
    return len(session.scalars(old.returning(Notice.id)).all())


def today_at(session: Session, place: Station | Node, now: datetime) -> date:
    """Today's date at the station, or at the stations below the node."""
    if isinstance(place, Station):
        zone = place.zone_name
    else:
        zone = (
            session.scalar(select(func.min(Station.zone_name)).where(tree.stations_below(place))) or clock.COUNTRY_ZONE
        )
    return clock.at_station(now, zone).date()


def _check_days(words: NoticeWords, today: date) -> None:
    if words.last < words.first:
        raise RuleViolation("notice_days")
    if words.last - words.first > LONGEST_SHOWN:
        raise RuleViolation("notice_long")
    if words.last < today:
        raise RuleViolation("notice_over")


def _lock(session: Session, place: Station | Node) -> None:
    """One at a time, so that a form sent twice is one notice, and nobody passes the limit."""
    transactions.advisory_lock(session, f"notices of {type(place).__name__} {place.id}")
    session.refresh(place)


def _locked(session: Session, notice: Notice) -> Station | Node:
    place = notice.station or session.get_one(Node, notice.node_id)
    _lock(session, place)
    session.refresh(notice)
    return place


def _of(place: Station | Node) -> dict[str, int]:
    return {"station_id" if isinstance(place, Station) else "node_id": place.id}


def _note(session: Session, kind: str, notice: Notice, now: datetime, actor_id: int) -> None:
    """Of a node the event names no station: whoever keeps something of the stations below reads it anew."""
    where: dict[str, Any] = {"station_id": notice.station_id}
    if node := notice.node:
        where = {"node": node.id, "name": node.name, "level": node.level}
    record(session, kind, now, actor_id=actor_id, **where, notice=notice.id, title=notice.title)
