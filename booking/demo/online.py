"""Demo online: the next history talk can also be watched online, as the last ones could."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import seats, services
from booking.demo.stage import DemoData
from booking.model import Slot, WatchOpen
from booking.slots.watch_link import write_link

TALK, LIVE = "history", "https://live.bilibili.com/"
LAST_DAYS = timedelta(days=10)
# How many of the crowd, and how many browsers without an account, open the link of one.
PEOPLE, BROWSERS = 26, 17
EACH = timedelta(seconds=40)


def broadcast(session: Session, made: DemoData, now: datetime) -> None:
    """Set the link of the next talk, and let people open those of the last days."""
    session.flush()
    talks = select(Slot).where(Slot.station_id == made.station_id, Slot.activity_id == made.activities[TALK])
    was = session.scalars(talks.where(Slot.state == "done", Slot.starts_at > now - LAST_DAYS)).all()
    coming = talks.where(Slot.state.in_(("planned", "open")), Slot.starts_at > now).order_by(Slot.starts_at).limit(1)
    for slot in [*was, *session.scalars(coming)]:
        set_at = min(now, slot.starts_at - timedelta(days=1))
        write_link(session, slot, LIVE, set_at, made.manager_id)
    for slot in was:
        _watched(session, made, slot)
    session.flush()
    seats.count_days_of(session, was)


def _watched(session: Session, made: DemoData, slot: Slot) -> None:
    people: list[dict[str, Any]] = [{"person_id": person_id} for person_id in made.crowd[-PEOPLE:]]
    browsers = [{"browser": services.browser_tag("demo", slot.id, str(n))} for n in range(BROWSERS)]
    for n, who in enumerate([*people, *browsers]):
        session.add(WatchOpen(slot_id=slot.id, opened_at=slot.starts_at + EACH * n, **who))
