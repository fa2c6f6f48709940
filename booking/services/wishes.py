"""Wishes: people say what they would like at a station, and others want it too. The station's answers: `wish_answers`.

Nobody is shown who wished. The history says of a person that they made a wish or took one back, but neither which nor
where.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.db.arrays import in_array
from booking.db.transactions import NO_SYNC, transactional
from booking.errors import RuleViolation
from booking.history import forget_person, record
from booking.model import OPEN_WISHES, ActivityWish, Event, Station, WishVote
from booking.people.accounts import alive
from booking.people.validation import is_advert
from booking.sanitise import name_key

MOST_WISHES = 3
# After its end, or the last word about it, a wish keeps who wanted it for so long.
WISHES_KEPT_FOR = timedelta(days=180)
KEY_LENGTH = 120


@transactional
def make_wish(
    session: Session, station_id: int, person_id: int, text: str, kind: str, weekday: int | None, now: datetime
) -> ActivityWish:
    """Make a wish; where the station has one with the same words, want that one.

    Raises `no_wishes_here`, `looks_like_advert`, `wish_limit`.
    """
    alive(session, person_id)  # locked, so that nobody passes the limit
    _check_station(session, station_id)
    if is_advert(text):
        raise RuleViolation("looks_like_advert")
    transactions.advisory_lock(session, f"wishes {station_id}")  # two people with the same words make one wish
    key = name_key(text)[:KEY_LENGTH]
    if same := _same(session, station_id, key):
        _vote(session, same, person_id, now)
        return same
    mine = (ActivityWish.person_id == person_id, ActivityWish.station_id == station_id)
    still_open = select(func.count()).where(*mine, ActivityWish.state.in_(OPEN_WISHES))
    if (session.scalar(still_open) or 0) >= MOST_WISHES:
        raise RuleViolation("wish_limit", limit=MOST_WISHES)
    wish = ActivityWish(station_id=station_id, person_id=person_id, text=text, text_key=key, kind=kind)
    wish.weekday, wish.created_at = weekday, now
    session.add(wish)
    session.flush()
    session.add(WishVote(wish_id=wish.id, person_id=person_id, created_at=now))
    _note(session, "wish_made", person_id, now)
    return wish


@transactional
def want_wish(session: Session, wish_id: int, person_id: int, now: datetime) -> None:
    """Want it too; of a merged one, the one it was merged into. Idempotent. Raises `no_wishes_here`, `wish_ended`."""
    alive(session, person_id)  # locked, so that a deleted account wants nothing
    wish = _now_called(session, wish_id)
    _check_station(session, wish.station_id)
    check_open(wish)
    _vote(session, wish, person_id, now)


@transactional
def take_back_wish(session: Session, wish_id: int, person_id: int, now: datetime) -> bool:
    """Want it no more; returns whether that withdrew the wish, because nobody else wanted it. Idempotent.

    Raises `wish_ended` for one that is not open any more.
    """
    wish = _now_called(session, wish_id)
    vote = session.get(WishVote, (wish.id, person_id), populate_existing=True)
    if vote is None:
        return False
    check_open(wish)
    session.delete(vote)
    session.flush()
    if wish.person_id == person_id:
        wish.person_id = None
    _note(session, "wish_taken_back", person_id, now)
    if wish.state == "planned" or session.scalar(select(WishVote.wish_id).where(WishVote.wish_id == wish.id).limit(1)):
        return False
    wish.state, wish.ended_at, wish.text, wish.text_key = "withdrawn", now, "", ""
    return True


@transactional
def forget_wishes(session: Session, now: datetime) -> int:
    """End the open ones of which nobody has said a word for long, and forget who wanted those that ended long ago.

    Returns how many were forgotten. Safe to repeat.
    """
    ids = _lapse(session, now)
    old = select(ActivityWish.id).where(
        ActivityWish.ended_at <= now - WISHES_KEPT_FOR, ActivityWish.forgotten_at.is_(None)
    )
    ids |= set(session.scalars(old))
    if ids:
        # The history does not say which wish, but its instant does.
        made = select(ActivityWish).where(ActivityWish.id.in_(in_array(ids)))
        whose, when = (made.with_only_columns(column) for column in (ActivityWish.person_id, ActivityWish.created_at))
        forget_person(session, Event.kind == "wish_made", Event.person_id.in_(whose), Event.at.in_(when))
        wanted = select(func.count()).where(WishVote.wish_id == ActivityWish.id).scalar_subquery()
        these = update(ActivityWish).where(ActivityWish.id.in_(in_array(ids)))
        gone = these.values(person_id=None, forgotten_at=now, past_votes=ActivityWish.past_votes + wanted)
        session.execute(gone, execution_options=NO_SYNC)
        votes = delete(WishVote).where(WishVote.wish_id.in_(in_array(ids)))
        session.execute(votes, execution_options=NO_SYNC)
    return len(ids)


def locked(session: Session, wish_id: int) -> ActivityWish:
    return session.get_one(ActivityWish, wish_id, with_for_update={"key_share": True}, populate_existing=True)


def check_open(wish: ActivityWish) -> None:
    """Raises `wish_ended`."""
    if not wish.is_open:
        raise RuleViolation("wish_ended")


def _lapse(session: Session, now: datetime) -> set[int]:
    """Without a new vote or answer for long, nobody is waiting any more."""
    old = now - WISHES_KEPT_FOR
    voted = select(WishVote.wish_id).where(WishVote.wish_id == ActivityWish.id, WishVote.created_at > old).exists()
    silent = func.coalesce(ActivityWish.answered_at, ActivityWish.created_at) <= old
    still_open = (ActivityWish.ended_at.is_(None), ActivityWish.forgotten_at.is_(None))
    lapsed = session.scalars(select(ActivityWish).where(*still_open, silent, ~voted).with_for_update()).all()
    for wish in lapsed:
        wish.state, wish.ended_at = "lapsed", now
        record(session, "wish_lapsed", now, station_id=wish.station_id, wish=wish.id)
    session.flush()
    return {wish.id for wish in lapsed}


def _same(session: Session, station_id: int, key: str) -> ActivityWish | None:
    """The station's open wish with these words, locked; or the one that such a wish was merged into."""
    alike = select(ActivityWish.id, ActivityWish.merged_into).where(
        ActivityWish.station_id == station_id,
        ActivityWish.text_key == key,
        ActivityWish.state.in_((*OPEN_WISHES, "merged")),
    )
    ids = {into or wish_id for wish_id, into in session.execute(alike)}
    found = (locked(session, wish_id) for wish_id in sorted(ids))
    return next((wish for wish in found if wish.is_open), None)


def _now_called(session: Session, wish_id: int) -> ActivityWish:
    """The wish, locked; of a merged one, the one it was merged into."""
    wish = locked(session, wish_id)
    return locked(session, wish.merged_into) if wish.merged_into else wish


def _vote(session: Session, wish: ActivityWish, person_id: int, now: datetime) -> None:
    if session.get(WishVote, (wish.id, person_id), populate_existing=True) is None:
        session.add(WishVote(wish_id=wish.id, person_id=person_id, created_at=now))
        _note(session, "wish_joined", person_id, now)


def _check_station(session: Session, station_id: int) -> None:
    if session.get_one(Station, station_id).closed_at:
        raise RuleViolation("no_wishes_here")


def _note(session: Session, kind: str, person_id: int, now: datetime) -> None:
    record(session, kind, now, actor_id=person_id, person_id=person_id)
