"""Clock: the only reader of the system clock, and conversions between instants and a station's wall time.

Where several hosts share a database, all go by its clock: a host that is fast must open nothing early.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

COUNTRY_ZONE = "Asia/Shanghai"  # of the country's calendar, and of whatever is of no one station
TOLERATED = timedelta(seconds=2)  # a host whose clock is further off says so


class Offset:
    """How far the database's clock is ahead of this host's, as this process has measured it (`db/clock_offset`).

    `is_followed`: `clock_offset.follow` was called, so bookings measure it too. Tests with a clock of their own call it not.
    """

    ahead = timedelta()
    is_followed = False


def now() -> datetime:
    """This instant by the database's clock, aware, in UTC."""
    return datetime.now(UTC) + Offset.ahead


def on_this_host() -> datetime:
    """This instant by the clock of this host."""
    return datetime.now(UTC)


def ahead() -> float:
    """Seconds that the database's clock is ahead of this host's."""
    return round(Offset.ahead.total_seconds(), 1)


def is_off() -> bool:
    """Whether this host's clock should be set right."""
    return abs(Offset.ahead) > TOLERATED


def instant(day: date, wall: time, zone: str) -> datetime:
    """The UTC instant at which the wall clock of `zone` first shows `day` `wall`.

    A time that a clock change leaves out is read with the offset before the change, so that every day has exactly one
    answer.
    """
    return datetime.combine(day, wall, ZoneInfo(zone)).astimezone(UTC)


def at_station(moment: datetime, zone: str) -> datetime:
    """`moment` as the wall clock of `zone` shows it."""
    return moment.astimezone(ZoneInfo(zone))
