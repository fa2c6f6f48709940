"""Dead letters: rows that a job cannot process: retried with backoff, then set aside until somebody requeues them."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from booking.db.transactions import transactional
from booking.model import Booking, Draw, SetAside, Slot, StaffTransfer

# Backoff after each failure but the last; then a person has to decide.
PAUSES = (timedelta(minutes=1), timedelta(minutes=5))
# What the row ids of a job refer to; those of all others are slots.
STATIONS = {"plan_slots", "count_station_days", "apply_policy"}
PEOPLE = {"write_worker_digests", "write_manager_digests", "forget_names"}
BOOKINGS, DRAWS, TRANSFERS = {"write_reminders"}, {"freeze_draws", "run_draws"}, {"carry_out_transfers"}


def skipped(session: Session, job: str, now: datetime) -> set[int]:
    """The rows of a job that are not to be tried now."""
    resting = or_(SetAside.next_try_at.is_(None), SetAside.next_try_at > now)
    return set(session.scalars(select(SetAside.row_id).where(SetAside.job == job, resting)))


@transactional
def record_failure(session: Session, job: str, row_id: int, error: str, now: datetime) -> None:
    """Record one more failure of a row."""
    row = session.scalar(select(SetAside).where(SetAside.job == job, SetAside.row_id == row_id))
    if row is None:
        row = SetAside(job=job, row_id=row_id, station_id=_station(session, job, row_id), tries=0, since=now)
        session.add(row)
    row.tries += 1
    row.error = error[:300]
    row.next_try_at = now + PAUSES[row.tries - 1] if row.tries <= len(PAUSES) else None


@transactional
def done(session: Session, job: str, row_ids: Collection[int]) -> None:
    """These succeeded: delete their failures."""
    session.execute(delete(SetAside).where(SetAside.job == job, SetAside.row_id.in_(row_ids)))


def known(session: Session, job: str) -> set[int]:
    """The rows of a job that have failed recently."""
    return set(session.scalars(select(SetAside.row_id).where(SetAside.job == job)))


def listed(session: Session, station_id: int | None = None) -> Sequence[SetAside]:
    """The rows set aside, at one station or everywhere, the oldest first."""
    aside = select(SetAside).where(SetAside.next_try_at.is_(None)).order_by(SetAside.since, SetAside.id).limit(200)
    return session.scalars(aside.where(SetAside.station_id == station_id) if station_id else aside).all()


@transactional
def requeue(session: Session, aside_id: int, now: datetime) -> bool:
    """Have a row tried again, as if it had never failed. False when there is no such row."""
    row = session.get(SetAside, aside_id)
    if row is None:
        return False
    row.tries, row.next_try_at = 0, now
    return True


def is_about_slot(job: str) -> bool:
    """Whether the row ids of a job are those of slots."""
    return job not in STATIONS | PEOPLE | BOOKINGS | DRAWS | TRANSFERS


def _station(session: Session, job: str, row_id: int) -> int | None:
    if job in PEOPLE:
        return None
    if job in STATIONS:
        return row_id
    if job in BOOKINGS:
        return session.scalar(select(Booking.station_id).where(Booking.id == row_id))
    if job in DRAWS:
        return session.scalar(select(Draw.station_id).where(Draw.id == row_id))
    if job in TRANSFERS:
        return session.scalar(select(StaffTransfer.from_station).where(StaffTransfer.id == row_id))
    return session.scalar(select(Slot.station_id).where(Slot.id == row_id))
