"""First steps: what a new station has done of what its first slot needs."""

from typing import NamedTuple

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from booking.model import Activity, Booking, Event, Plan, Slot, Zone


class FirstSteps(NamedTuple):
    """Each step, and whether it is done: `door` also where somebody was checked in without a screen."""

    zone: bool
    activity: bool
    plan: bool
    door: bool

    @property
    def planned(self) -> bool:
        return self.zone and self.activity and self.plan

    @property
    def next(self) -> str:
        """The step to do now; empty when all are done."""
        return next((name for name in self._fields if not getattr(self, name)), "")


def first_steps(session: Session, station_id: int) -> FirstSteps:
    plan = exists().where(Plan.station_id == station_id, Plan.stopped_at.is_(None))
    paired = exists().where(Event.station_id == station_id, Event.kind == "door_paired")
    checked_in = exists().where(Slot.station_id == station_id, Booking.slot_id == Slot.id, Booking.state == "attended")
    row = session.execute(
        select(
            exists().where(Zone.station_id == station_id, Zone.closed_at.is_(None)),
            exists().where(Activity.station_id == station_id, Activity.retired_at.is_(None)),
            or_(plan, exists().where(Slot.station_id == station_id)),
            or_(checked_in, paired),
        )
    ).one()
    return FirstSteps(*(bool(value) for value in row))
