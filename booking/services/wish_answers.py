"""Wish answers: what a station's manager says to a wish, and what they do with it: merge it, or take it off the page."""

from datetime import datetime

from sqlalchemy import delete, insert, literal, select, update
from sqlalchemy.orm import Session

from booking.db.transactions import NO_SYNC, transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.model import OPEN_WISHES, ActivityWish, Slot, WishVote
from booking.services.wishes import check_open, locked


@transactional
def plan_wish(session: Session, wish_id: int, answer: str, now: datetime, actor_id: int) -> None:
    """The station will hold it. Raises `wish_ended`."""
    _answer(session, "wish_planned", _answerable(session, wish_id), answer, now, actor_id)


@transactional
def hold_wish(session: Session, wish_id: int, slot_id: int, answer: str, now: datetime, actor_id: int) -> None:
    """It takes place: in a slot of the same station. Raises `wish_ended`, `wish_slot`."""
    wish, slot = _answerable(session, wish_id), session.get(Slot, slot_id)
    if slot is None or slot.station_id != wish.station_id or slot.state == "cancelled":
        raise RuleViolation("wish_slot")
    _answer(session, "wish_held", wish, answer, now, actor_id)
    wish.slot_id = slot.id


@transactional
def decline_wish(session: Session, wish_id: int, why: str, now: datetime, actor_id: int) -> None:
    """The station cannot hold it for now, and says why. Raises `reason_missing`, `wish_ended`."""
    _answer(session, "wish_declined", _answerable(session, wish_id), _said(why), now, actor_id)


@transactional
def remove_wish(session: Session, wish_id: int, why: str, now: datetime, actor_id: int) -> None:
    """Take its words off the page, which must not stand there. Raises `reason_missing`, `wish_ended`."""
    wish = _answerable(session, wish_id)
    _answer(session, "wish_removed", wish, _said(why), now, actor_id)
    wish.text = wish.text_key = ""


@transactional
def merge_wish(session: Session, wish_id: int, into_id: int, now: datetime, actor_id: int) -> None:
    """Merge it into another wish of the station: who wanted either wants that one, each person once.

    Raises `wish_itself`, `wish_ended`, and `wish_merge` for one of another station or one that is not open.
    """
    if wish_id == into_id:
        raise RuleViolation("wish_itself")
    wish, into = _both(session, wish_id, into_id)
    check_open(wish)
    if into is None or into.station_id != wish.station_id or not into.is_open:
        raise RuleViolation("wish_merge")
    _unite_votes(session, wish_id, into_id)
    earlier = update(ActivityWish).where(ActivityWish.merged_into == wish_id)
    session.execute(earlier.values(merged_into=into_id), execution_options=NO_SYNC)
    wish.state, wish.ended_at, wish.merged_into, wish.person_id = "merged", now, into_id, None
    record(session, "wish_merged", now, actor_id=actor_id, station_id=wish.station_id, wish=wish_id, into=into_id)


def _unite_votes(session: Session, wish_id: int, into_id: int) -> None:
    there = select(WishVote.person_id).where(WishVote.wish_id == into_id)
    columns = (literal(into_id), WishVote.person_id, WishVote.created_at)
    new = select(*columns).where(WishVote.wish_id == wish_id, WishVote.person_id.not_in(there))
    session.execute(insert(WishVote).from_select(["wish_id", "person_id", "created_at"], new))
    session.execute(delete(WishVote).where(WishVote.wish_id == wish_id), execution_options=NO_SYNC)


def _both(session: Session, wish_id: int, into_id: int) -> tuple[ActivityWish, ActivityWish | None]:
    """Both, locked in the order of their ids."""
    wanted = select(ActivityWish).where(ActivityWish.id.in_((wish_id, into_id))).order_by(ActivityWish.id)
    held = wanted.with_for_update(key_share=True).execution_options(populate_existing=True)
    found = {wish.id: wish for wish in session.scalars(held)}
    return found[wish_id], found.get(into_id)


def _answer(session: Session, kind: str, wish: ActivityWish, answer: str, now: datetime, actor_id: int) -> None:
    """The state that the event is named for."""
    wish.state, wish.answer, wish.answered_at, wish.slot_id = kind.removeprefix("wish_"), answer, now, None
    wish.ended_at = None if wish.state in OPEN_WISHES else now
    record(session, kind, now, actor_id=actor_id, station_id=wish.station_id, wish=wish.id)


def _said(why: str) -> str:
    if not why:
        raise RuleViolation("reason_missing")
    return why


def _answerable(session: Session, wish_id: int) -> ActivityWish:
    wish = locked(session, wish_id)
    if not wish.is_answerable:
        raise RuleViolation("wish_ended")
    return wish
