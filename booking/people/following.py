"""Following: people who want to be told of the new slots of an activity; the digest tells them."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from booking.db.transactions import retried
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Activity, Follow
from booking.people.accounts import alive

# So many activities can one person follow.
MOST = 50


@retried
def follow(session: Session, person_id: int, activity_id: int, now: datetime) -> None:
    """Follow an activity. Idempotent. Raises `no_such_activity` for one that is archived, and `follow_limit`."""
    alive(session, person_id)  # locked, so that two presses are one row and nobody passes the limit
    if session.get(Follow, (person_id, activity_id), populate_existing=True):
        return
    activity = session.get(Activity, activity_id)
    if activity is None or activity.retired_at:
        raise RuleViolation("no_such_activity")
    if (session.scalar(select(func.count()).where(Follow.person_id == person_id)) or 0) >= MOST:
        raise RuleViolation("follow_limit", limit=MOST)
    session.add(Follow(person_id=person_id, activity_id=activity_id, created_at=now))
    record(session, "followed", now, actor_id=person_id, person_id=person_id, **_name(activity))


@retried
def unfollow(session: Session, person_id: int, activity_id: int, now: datetime) -> None:
    """Stop following an activity. Idempotent."""
    gone = delete(Follow).where(Follow.person_id == person_id, Follow.activity_id == activity_id)
    if session.scalars(gone.returning(Follow.activity_id)).all():
        activity = session.get_one(Activity, activity_id)
        record(session, "unfollowed", now, actor_id=person_id, person_id=person_id, **_name(activity))


def _name(activity: Activity) -> dict[str, Any]:
    """What the history keeps of the activity."""
    return {"activity": activity.id, "name": activity.title, "name_en": activity.title_en}
