"""Clock: the only reader of the system clock, and conversions between instants and a station's wall time."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def now() -> datetime:
    """This instant, aware, in UTC."""
    return datetime.now(UTC)


def instant(day: date, wall: time, zone: str) -> datetime:
    """The UTC instant at which the wall clock of `zone` first shows `day` `wall`.

    A time that a clock change leaves out is read with the offset before the change, so that every day has exactly one
    answer.
    """
    return datetime.combine(day, wall, ZoneInfo(zone)).astimezone(UTC)


def at_station(moment: datetime, zone: str) -> datetime:
    """`moment` as the wall clock of `zone` shows it."""
    return moment.astimezone(ZoneInfo(zone))
