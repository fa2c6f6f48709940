"""Node tally: the totals of some days of some stations, as they are kept in `StationDayTotals`."""

from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import func

from booking.model import StationDayTotals


@dataclass(frozen=True)
class NodeTally:
    """Totals in the same terms as `Tally`: `seats` are those where attendance was taken, and `expected` the people with
    one at the start. `turned_away` counts a person once a day and station."""

    slots: int = 0
    seats: int = 0
    visits: int = 0
    expected: int = 0
    no_shows: int = 0
    walk_ins: int = 0
    late_cancels: int = 0
    turned_away: int = 0
    entries: int = 0
    watched: int = 0

    def __add__(self, other: "NodeTally") -> "NodeTally":
        return NodeTally(*(getattr(self, name) + getattr(other, name) for name in NAMES))

    @property
    def fill(self) -> float | None:
        """Visits divided by seats, where attendance was taken; None where no seat was offered."""
        return self.visits / self.seats if self.seats else None

    @property
    def no_show_rate(self) -> float | None:
        """The share of people with a seat at the start who did not come."""
        return self.no_shows / self.expected if self.expected else None

    @property
    def unmet(self) -> float | None:
        """Of all who wanted to come on a day, the share who got no seat; None where nobody wanted to."""
        asked = self.expected + self.walk_ins + self.turned_away
        return self.turned_away / asked if asked else None


NAMES = tuple(field.name for field in fields(NodeTally))
# The columns of a tally, summed.
SUMS: tuple[Any, ...] = tuple(func.sum(getattr(StationDayTotals, name)) for name in NAMES)


def tally_of(sums: Any) -> NodeTally:
    """From a row that ends with `SUMS`."""
    return NodeTally(*(int(number or 0) for number in sums[-len(NAMES) :]))
