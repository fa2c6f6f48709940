"""The ledger of strikes: what it says of a person at a station."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.model import Strike
from booking.policy import Policy


def paused_until(session: Session, person_id: int, station_id: int, policy: Policy, now: datetime) -> datetime | None:
    """Until when the strikes keep this person from new bookings at this station; None when they do not."""
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


def is_warning(session: Session, person_id: int, station_id: int, policy: Policy, now: datetime) -> bool:
    """Whether a strike written now would be the first in a long while: a warning only."""
    earlier = select(func.count(Strike.id)).where(
        Strike.person_id == person_id,
        Strike.station_id == station_id,
        Strike.forgiven_at.is_(None),
        Strike.at > now - policy.warning_span,
    )
    return session.scalar(earlier) == 0
