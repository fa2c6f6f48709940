"""Demo data: what the demo stores about itself: its station, its crowd, how popular each activity is."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.history import record
from booking.model import Event, Letter, Station

MARK = "demo_loaded"


@dataclass(frozen=True)
class DemoData:
    """The demo's ids."""

    station_id: int
    worker_id: int
    manager_id: int
    crowd: tuple[int, ...]
    zones: dict[str, int]
    activities: dict[str, int]


def remember(session: Session, stage: DemoData, now: datetime) -> None:
    """Write the record by which a database is recognised as the demo's."""
    record(
        session,
        MARK,
        now,
        station=stage.station_id,
        worker=stage.worker_id,
        manager=stage.manager_id,
        crowd=list(stage.crowd),
        zones=stage.zones,
        activities=stage.activities,
    )


def recall(session: Session) -> DemoData | None:
    """The stage of a demo database; None in any other."""
    mark = session.scalar(select(Event).where(Event.kind == MARK).order_by(Event.id).limit(1))
    if mark is None:
        return None
    told = mark.details
    station = session.get(Station, told["station"])
    if station is None or station.closed_at:
        return None
    return DemoData(
        station.id, told["worker"], told["manager"], tuple(told["crowd"]), told["zones"], told["activities"]
    )


def keep_letters_in(session: Session, stage: DemoData, after: int = 0) -> None:
    """Send no demo letters: those queued since letter `after` are marked as sent."""
    session.flush()
    told = update(Letter).where(Letter.id > after, Letter.state == "queued")
    told = told.where(Letter.person_id.in_((*stage.crowd, stage.worker_id)))
    session.execute(told.values(state="sent", sent_at=Letter.created_at, tries=1))
