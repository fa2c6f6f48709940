"""Model station 样板驿站: a new station takes over the zones, activities and plans of another one."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from booking import clock
from booking.db.transactions import transactional
from booking.model import Activity, Plan, Station, Zone
from booking.sanitise import name_key
from booking.slots.catalogue import save_activity, save_plan, save_zone

Item = TypeVar("Item", Zone, Activity, Plan)
# What is the other station's own.
OWN = {"id", "station_id", "activity_id", "zone_id"}


@transactional
def furnish_like(
    session: Session,
    station_id: int,
    model_id: int,
    capacities: Mapping[str, int],
    now: datetime,
    actor_id: int | None = None,
) -> None:
    """Copy what runs at the model. `capacities`, by the `name_key` of a zone, are those of the new station.

    The next planning run makes the slots. Raises as the verbs of the catalogue.
    """
    zones, activities = {}, {}
    for zone in session.scalars(_of(Zone, model_id).where(Zone.closed_at.is_(None))).all():
        copy = _copied(zone, station_id)
        copy.capacity = capacities.get(name_key(zone.name), zone.capacity)
        save_zone.inside(session, copy, now, actor_id)
        zones[zone.id] = copy.id
    for activity in session.scalars(_of(Activity, model_id).where(Activity.retired_at.is_(None))).all():
        taken = _copied(activity, station_id)
        save_activity.inside(session, taken, now, actor_id)
        activities[activity.id] = taken.id
    today = clock.at_station(now, session.get_one(Station, station_id).zone_name).date()
    for plan in running_plans(session, model_id, now):
        if plan.zone_id in zones and plan.activity_id in activities:
            made = _copied(plan, station_id)
            made.zone_id, made.activity_id = zones[plan.zone_id], activities[plan.activity_id]
            made.valid_from = max(plan.valid_from, today)
            save_plan.inside(session, made, now, actor_id, ahead=False)


def running_plans(session: Session, station_id: int, now: datetime) -> list[Plan]:
    """The plans of a station that make slots now or later."""
    today = clock.at_station(now, session.get_one(Station, station_id).zone_name).date()
    plans = session.scalars(_of(Plan, station_id).where(Plan.stopped_at.is_(None))).all()
    return [plan for plan in plans if plan.valid_until is None or plan.valid_until >= today]


def _of(table: type[Item], station_id: int) -> Select[Item]:
    return select(table).where(table.station_id == station_id).order_by(table.id)


def _copied(item: Item, station_id: int) -> Item:
    names = {column.key for column in type(item).__table__.columns} - OWN
    return type(item)(station_id=station_id, **{name: getattr(item, name) for name in names})
