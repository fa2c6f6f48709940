"""Policy: the numbers of a station's rules: their defaults, their bounds, and nothing else."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from datetime import time, timedelta
from typing import Any


@dataclass(frozen=True)
class Policy:
    """One station's numbers. Minutes, days and counts are whole numbers; `opens_at` is wall time.

    Those from `city_week_seats` on limit a person over all stations of a city, and only the city sets them; 0 is no limit.
    """

    days_ahead: int = 14
    opens_workdays_before: int = 1
    opens_at: time = time(10, 0)
    seats_a_day: int = 1
    waiting_entries: int = 2
    free_minutes: int = 60
    line_minutes: int = 30
    checkin_minutes: int = 15
    grace_minutes: int = 5
    strikes_to_pause: int = 3
    strike_days: int = 30
    pause_days: int = 7
    warning_days: int = 90
    draw_minutes: int = 120
    wishes: int = 3
    most_balls: int = 4
    newcomer_balls: int = 3
    answer_workdays: int = 1
    end_workdays: int = 5
    city_week_seats: int = 0
    city_day_seats: int = 0
    city_waiting_entries: int = 0

    @property
    def strike_window(self) -> timedelta:
        return timedelta(days=self.strike_days)

    @property
    def warning_span(self) -> timedelta:
        return timedelta(days=self.warning_days)

    @property
    def pause(self) -> timedelta:
        return timedelta(days=self.pause_days)


DEFAULT = Policy()
BOUNDS: dict[str, tuple[int, int]] = {
    "days_ahead": (1, 60),
    "opens_workdays_before": (0, 10),
    "seats_a_day": (1, 5),
    "waiting_entries": (0, 10),
    "free_minutes": (0, 1440),
    "line_minutes": (0, 240),
    "checkin_minutes": (0, 120),
    "grace_minutes": (1, 60),
    "strikes_to_pause": (1, 20),
    "strike_days": (1, 365),
    "pause_days": (0, 90),
    "warning_days": (1, 730),
    "draw_minutes": (1, 1440),
    "wishes": (1, 5),
    "most_balls": (1, 8),
    "newcomer_balls": (1, 8),
    "answer_workdays": (1, 10),
    "end_workdays": (1, 20),
}
CITY_BOUNDS: dict[str, tuple[int, int]] = {
    "city_week_seats": (0, 50),
    "city_day_seats": (0, 10),
    "city_waiting_entries": (0, 50),
}


def read(stored: Mapping[str, Any] | None) -> Policy:
    """The policy from a station's stored overrides (a JSON object)."""
    if not stored:
        return DEFAULT
    known = {f.name for f in fields(Policy)}
    values = {k: v for k, v in (stored or {}).items() if k in known}
    if "opens_at" in values:
        values["opens_at"] = time.fromisoformat(values["opens_at"])
    return replace(DEFAULT, **values)


def write(policy: Policy) -> dict[str, Any]:
    """What a station stores for `policy`: only the numbers that differ from the defaults."""
    default = vars(DEFAULT)
    return write_own(policy, [name for name, value in vars(policy).items() if value != default[name]])


def write_own(policy: Policy, names: Collection[str]) -> dict[str, Any]:
    """What a node, or a station below one, stores: the numbers of these names, also those that equal the defaults."""
    own = {name: value for name, value in vars(policy).items() if name in names}
    if "opens_at" in own:
        own["opens_at"] = own["opens_at"].isoformat("minutes")
    return own


def out_of_bounds(policy: Policy) -> list[str]:
    """The names of the numbers that lie outside `BOUNDS` or `CITY_BOUNDS`."""
    return [name for name, (low, high) in (BOUNDS | CITY_BOUNDS).items() if not low <= getattr(policy, name) <= high]
