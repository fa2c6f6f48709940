"""Content: the demo station's texts and numbers (station.json) as rows: place, zones, activities, plans."""

import json
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from booking import slots
from booking.demo.stage import DemoData
from booking.model import Activity, Plan, Station, Zone
from booking.queries.station_readings import store_readings

HERE = Path(__file__).parent
# When the demo adds a new day.
DAWN = time(0, 5)


@cache
def read(name: str) -> Any:
    """One of the demo's data files."""
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))


def demand_for(stage: DemoData, activity_id: int) -> float:
    """How many people want a seat, per seat on offer; 1 for an activity that somebody added later."""
    key = next((key for key, known in stage.activities.items() if known == activity_id), "")
    return next((float(words["demand"]) for words in read("station")["activities"] if words["key"] == key), 1.0)


def open_station(session: Session) -> Station:
    station = Station(**read("station")["station"])
    store_readings(station)
    session.add(station)
    session.flush()
    return station


def furnish(session: Session, station_id: int, now: datetime, actor_id: int) -> dict[str, int]:
    """Create the zones. Returns their ids by key."""
    made = {}
    for words in read("station")["zones"]:
        zone = Zone(station_id=station_id, **_without(words, "key"))
        slots.save_zone.inside(session, zone, now, actor_id)
        made[words["key"]] = zone.id
    return made


def offer(session: Session, station_id: int, now: datetime, actor_id: int) -> dict[str, int]:
    """Create the activities. Returns their ids by key."""
    made = {}
    for words in read("station")["activities"]:
        texts = slots.ready_made().get(words["key"], {})
        activity = Activity(station_id=station_id, **texts, **_without(words, "key", "demand"))
        slots.save_activity.inside(session, activity, now, actor_id)
        made[words["key"]] = activity.id
    return made


def plan(session: Session, stage: DemoData, first: date, now: datetime) -> None:
    """Create the weekly plans, valid from `first`."""
    station = session.get_one(Station, stage.station_id)
    for words in read("station")["plans"]:
        rule = Plan(
            station_id=station.id,
            station=station,
            zone_id=stage.zones[words["zone"]],
            activity_id=stage.activities[words["activity"]],
            starts=time.fromisoformat(words["starts"]),
            valid_from=first,
            **_without(words, "zone", "activity", "starts"),
        )
        slots.save_plan.inside(session, rule, now, stage.manager_id)


def _without(words: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in words.items() if name not in names}
