"""Ready-made activities: a new station takes over those it likes, each with its text, picture and what to bring."""

import json
from collections.abc import Collection
from datetime import datetime
from functools import cache
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.db.transactions import transactional
from booking.model import Activity
from booking.slots.catalogue import save_activity

FILE = Path(__file__).with_suffix(".json")


@cache
def ready_made() -> dict[str, dict[str, str]]:
    """The columns of each activity by its key, in the order in which they are offered."""
    return {one.pop("key"): one for one in json.loads(FILE.read_text(encoding="utf-8"))}


@transactional
def take_over(
    session: Session, station_id: int, keys: Collection[str], now: datetime, actor_id: int | None = None
) -> list[Activity]:
    """Add these to the station's activities, except those that it has by title."""
    titles = select(Activity.title).where(Activity.station_id == station_id, Activity.retired_at.is_(None))
    has = set(session.scalars(titles))
    chosen = [words for key, words in ready_made().items() if key in keys and words["title"] not in has]
    added = [Activity(station_id=station_id, **words) for words in chosen]
    for activity in added:
        save_activity.inside(session, activity, now, actor_id)
    return added
