"""Demo ratings: what the crowd said of its visits, most of it good; of two activities too few answered to show it."""

import random
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from booking.demo import content
from booking.demo.stage import DemoData
from booking.model import FACES, Booking, Event, Rating, Slot
from booking.queries.activity_ratings import RATED_WITHIN

# Shares of the visits that are rated, of the ratings that are good, of the others that are fair, and of those with a line.
ANSWERED, GOOD, FINE, WITH_LINE = 0.38, 0.86, 0.75, 0.12
# The digest asks on the next morning.
ASKED_AFTER, UNTIL = timedelta(hours=20), timedelta(hours=26)


def rate(session: Session, made: DemoData, now: datetime) -> None:
    """Rate past visits. Those of the demo's worker that can still be rated are left to whoever tries the demo."""
    session.flush()
    told, luck = content.read("ratings"), random.Random(92)  # noqa: S311 - the demo is the same each time
    keys = {activity_id: key for key, activity_id in made.activities.items()}
    columns = (Booking.id, Booking.person_id, Booking.slot_id, Slot.activity_id, Slot.date, Slot.ends_at)
    visits = select(*columns).join(Slot, Booking.slot_id == Slot.id).order_by(Booking.id)
    here = (Booking.station_id == made.station_id, Booking.state == "attended", Slot.ends_at < now - UNTIL)
    ratings, events = [], []
    for visit in session.execute(visits.where(*here)):
        left = visit.person_id == made.worker_id and visit.ends_at > now - RATED_WITHIN
        key = keys.get(visit.activity_id, "")
        if left or luck.random() >= told["answered"].get(key, ANSWERED):
            continue
        face = _face(told["good"].get(key, GOOD), luck)
        line = luck.choice(told["lines"][face]) if luck.random() < WITH_LINE else ""
        at = visit.ends_at + ASKED_AFTER + (UNTIL - ASKED_AFTER) * luck.random()
        about = {"slot_id": visit.slot_id, "at": at}
        whole = {"booking_id": visit.id, "station_id": made.station_id, "activity_id": visit.activity_id}
        ratings.append({**about, **whole, "date": visit.date, "face": face, "line": line})
        events.append(_event(about, visit.person_id))
    if ratings:
        session.execute(insert(Rating), ratings)
        session.execute(insert(Event), events)


def _face(good: float, luck: random.Random) -> str:
    best, middle, worst = FACES
    return best if luck.random() < good else middle if luck.random() < FINE else worst


def _event(about: dict[str, Any], person_id: int) -> dict[str, Any]:
    return {**about, "kind": "visit_rated", "person_id": person_id, "actor_id": person_id, "details": {}}
