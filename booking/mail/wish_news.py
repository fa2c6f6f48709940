"""Wish news: the wishes of people that take place now, for the first digest after the station said so.

Like follow news, it follows from the dates of the person's digests what has been told, so nothing has to be remembered,
and a digest that was not written is made up for by the next, while the slot is still to come.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, literal, or_, select
from sqlalchemy.orm import Session

from booking import clock
from booking.db.arrays import in_array
from booking.mail.follow_news import NEWS_FOR, SETTLED
from booking.model import ActivityWish, Booking, Digest, Letter, Slot, WishVote
from booking.workdays import ONE_DAY


def news(stations: Select[int], due_at: datetime, zone: str, now: datetime) -> Select[int, int]:
    """Person and station of all wishes that the digests of that hour tell of."""
    at = clock.at_station(due_at, zone)
    day, hour = at.date(), at.time()
    first = _first_day(day, hour, zone)
    told = exists().where(
        *(Digest.person_id == WishVote.person_id, Digest.kind == "worker", Digest.date < day, Digest.date >= first),
        or_(Digest.letter_id.is_(None), exists().where(Letter.id == Digest.letter_id, Letter.state != "dropped")),
    )
    knows = exists().where(Booking.slot_id == Slot.id, Booking.person_id == WishVote.person_id)
    since, until = (_settled(one, hour, zone) for one in (day - ONE_DAY * NEWS_FOR, day))
    return (
        select(WishVote.person_id, ActivityWish.station_id)
        .join(ActivityWish, ActivityWish.id == WishVote.wish_id)
        .join(Slot, and_(Slot.id == ActivityWish.slot_id, Slot.state != "cancelled", Slot.starts_at > now))
        .where(ActivityWish.state == "held", ActivityWish.ended_at >= since, ActivityWish.ended_at < until)
        .where(ActivityWish.station_id.in_(stations), ~told, ~knows)
    )


def add(session: Session, told: dict[int, dict[str, Any]], found: Select[int, int], ids: Collection[int]) -> None:
    """Add the words of each wish with its slot to what these people's digests tell."""
    columns = (WishVote.person_id, ActivityWish.station_id, ActivityWish.slot_id, ActivityWish.text)
    theirs = found.where(WishVote.person_id.in_(in_array(ids))).with_only_columns(*columns)
    for person_id, station_id, *wish in session.execute(theirs.order_by(Slot.starts_at, ActivityWish.id)):
        nothing = {"stations": [station_id], "seats": (), "waits": (), "opens": (), "strikes": []}
        told.setdefault(person_id, nothing).setdefault("wishes", []).append(wish)


def still_true(session: Session, wishes: Iterable[Any], now: datetime) -> list[tuple[Slot, str]]:
    """Slot and words of such wishes whose slot is still to come, the earliest first."""
    found = [(session.get(Slot, slot_id), text) for slot_id, text in wishes]
    return [(slot, text) for slot, text in found if slot and slot.state != "cancelled" and slot.starts_at > now]


def _first_day(day: date, hour: time, zone: str) -> ColumnElement[date]:
    """The date of the first digest after the station's word, if one was written on that day."""
    days = [day - ONE_DAY * n for n in range(NEWS_FOR)]
    moment = ActivityWish.ended_at.type
    later = [(ActivityWish.ended_at >= literal(_settled(one - ONE_DAY, hour, zone), moment), one) for one in days]
    return case(*later, else_=days[-1])


def _settled(day: date, hour: time, zone: str) -> datetime:
    """Words shortly before the digest's hour wait for the next: their transaction may be under way."""
    return clock.instant(day, hour, zone) - SETTLED
