"""Strikes: the penalties of a person at a station, and the pause that they bring."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, String, cast, func, select, update
from sqlalchemy.orm import Session

from booking.db.arrays import in_array
from booking.history import record
from booking.model import Booking, Slot, Strike
from booking.policy import Policy


def paused_until(session: Session, person_id: int, station_id: int, policy: Policy, now: datetime) -> datetime | None:
    """Until when strikes keep this person from new bookings at this station; None when they do not."""
    counted = select(Strike.at).where(
        Strike.person_id == person_id,
        Strike.station_id == station_id,
        Strike.forgiven_at.is_(None),
        Strike.at > now - policy.strike_window - policy.pause,
    )
    return pause_now(session.scalars(counted.order_by(Strike.at)).all(), policy, now)


def pause_now(strikes: Sequence[datetime], policy: Policy, now: datetime) -> datetime | None:
    """Until when these strikes (oldest first) keep a person from new bookings; None when they do not."""
    until = pause_after(strikes, policy)
    return until if until and until > now else None


def pause_after(strikes: Sequence[datetime], policy: Policy) -> datetime | None:
    """When the pause ends that these strikes (oldest first) bring, or None."""
    need = policy.strikes_to_pause
    for last in range(len(strikes) - 1, need - 2, -1):
        if strikes[last] - strikes[last - need + 1] <= policy.strike_window:
            return strikes[last] + policy.pause
    return None


def in_one_column(person_id: Any, station_id: Any, since: Any) -> ColumnElement[str]:
    """A person's strikes at a station after `since`, as one column of a larger statement; for `pause_in`."""
    return (
        select(func.aggregate_strings(cast(Strike.at, String), ","))
        .where(
            Strike.person_id == person_id,
            Strike.station_id == station_id,
            Strike.forgiven_at.is_(None),
            Strike.at > since,
        )
        .scalar_subquery()
    )


def pause_in(strikes: str | None, policy: Policy, now: datetime) -> datetime | None:
    """`pause_now` of such a column. SQLite stores instants without their zone, in UTC."""
    found = [datetime.fromisoformat(each) for each in strikes.split(",")] if strikes else []
    aware = [each.replace(tzinfo=UTC) if each.tzinfo is None else each.astimezone(UTC) for each in found]
    return pause_now(sorted(aware), policy, now)


def last_strikes(session: Session, people: Collection[int]) -> dict[tuple[int, int], datetime]:
    """When each of these people was last struck, by person and station; forgiven strikes do not count."""
    struck = select(Strike.person_id, Strike.station_id, func.max(Strike.at)).where(
        Strike.person_id.in_(in_array(people)), Strike.forgiven_at.is_(None)
    )
    found = session.execute(struck.group_by(Strike.person_id, Strike.station_id))
    return {(person_id, station_id): at for person_id, station_id, at in found}


def forgive(session: Session, which: ColumnElement[bool], now: datetime, actor_id: int | None, reason: str) -> int:
    """Forgive those of these strikes that are not forgiven yet. Returns how many."""
    unforgiven = update(Strike).where(which, Strike.forgiven_at.is_(None))
    forgiven = unforgiven.values(forgiven_at=now, forgiven_by=actor_id, forgive_reason=reason)
    done = session.execute(forgiven.returning(Strike.slot_id, Strike.booking_id)).all()
    for slot_id, booking_id in done:
        slot, booking = session.get_one(Slot, slot_id), session.get_one(Booking, booking_id)
        record(session, "forgiven", now, actor_id=actor_id, slot=slot, booking=booking, reason=reason)
    return len(done)
