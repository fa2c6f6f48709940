"""Aggregation: a station's numbers over some days, in total and by group."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from booking.statistics.facts import Fact, Wish, facts, wishes
from booking.workdays import ONE_DAY

# Upper bounds of the minutes after an opening: within the first, the second, up to five …
MINUTES = (1, 2, 5, 15, 60, 240)


@dataclass(frozen=True)
class Span:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Span":
        """The same number of days, just before."""
        return Span(self.first - ONE_DAY * self.days, self.first - ONE_DAY)


@dataclass(frozen=True)
class Tally:
    """Totals of some slots. `unmet` counts a person once a day, however many slots they waited for. `watched` are those
    who opened a link to watch online, in no other number.

    `unseen` are the seats of slots where nobody took attendance.
    """

    slots: int = 0
    seats: int = 0
    visits: int = 0
    walk_ins: int = 0
    no_shows: int = 0
    unrecorded: int = 0
    unseen: int = 0
    late: int = 0
    reused: int = 0
    rescued: int = 0
    unmet: int = 0
    watched: int = 0

    @property
    def fill(self) -> float | None:
        """Visits divided by seats offered, where attendance was taken; None where no seat was offered."""
        seen = self.seats - self.unseen
        return self.visits / seen if seen else None

    @property
    def no_show_rate(self) -> float | None:
        """The share of people with a seat at the start who did not come."""
        expected = self.visits - self.walk_ins + self.no_shows
        return self.no_shows / expected if expected else None


@dataclass(frozen=True)
class Group:
    """The totals of one group; `of` is an activity, a zone, a host, a weekday, or a first day."""

    of: Any
    tally: Tally


@dataclass(frozen=True)
class Numbers:
    """Everything that was counted for a span."""

    span: Span
    facts: Sequence[Fact]
    wishes: Sequence[Wish]

    @property
    def total(self) -> Tally:
        return self._tally(self.facts)

    def by_activity(self) -> list[Group]:
        return self._largest_first(lambda fact: fact.activity.id, lambda fact: fact.activity)

    def by_zone(self) -> list[Group]:
        return self._largest_first(lambda fact: fact.zone.id, lambda fact: fact.zone)

    def by_host(self) -> list[Group]:
        return self._largest_first(lambda fact: fact.host.name, lambda fact: fact.host)

    def by_weekday(self) -> list[Group]:
        return self._in_order(lambda fact: fact.date.isoweekday())

    def over_time(self) -> list[Group]:
        """By day, from five weeks on by week, from half a year on by month; `of` is the first day."""
        return self._in_order(lambda fact: self._step(fact.date))

    def by_minute(self) -> list[tuple[int | None, int]]:
        """How many requests came within so many minutes of the opening, and later than any of `MINUTES` (None)."""
        edges = (*MINUTES, None)
        counts = dict.fromkeys(edges, 0)
        for wish in self.wishes:
            counts[next(edge for edge in edges if edge is None or wish.minutes < edge)] += 1
        return list(counts.items())

    def of(self, fact: Fact) -> Tally:
        """The totals of one slot alone."""
        return self._tally([fact])

    def of_weekly(self) -> dict[tuple[int, int], list[Fact]]:
        """The slots by activity and weekday, as a manager plans them."""
        groups: dict[tuple[int, int], list[Fact]] = {}
        for fact in self.facts:
            groups.setdefault((fact.activity.id, fact.date.isoweekday()), []).append(fact)
        return groups

    def tally_of(self, chosen: Iterable[Fact]) -> Tally:
        return self._tally(list(chosen))

    def _step(self, day: date) -> date:
        if self.span.days <= 35:
            return day
        return day - ONE_DAY * day.weekday() if self.span.days <= 183 else day.replace(day=1)

    def _largest_first(self, key: Callable[[Fact], Hashable], of: Callable[[Fact], Any]) -> list[Group]:
        return sorted(self._groups(key, of), key=lambda group: (-group.tally.visits, -group.tally.seats))

    def _in_order(self, key: Callable[[Fact], Any]) -> list[Group]:
        return sorted(self._groups(key, key), key=lambda group: group.of)

    def _groups(self, key: Callable[[Fact], Hashable], of: Callable[[Fact], Any]) -> list[Group]:
        groups: dict[Hashable, list[Fact]] = {}
        for fact in self.facts:
            groups.setdefault(key(fact), []).append(fact)
        return [Group(of(some[0]), self._tally(some)) for some in groups.values()]

    def _tally(self, chosen: Sequence[Fact]) -> Tally:
        ids = {fact.slot_id for fact in chosen}
        unmet = {(wish.person_id, wish.date) for wish in self.wishes if wish.slot_id in ids}
        names = ("seats", "visits", "walk_ins", "no_shows", "unrecorded", "late", "reused", "rescued", "watched")
        sums = {name: sum(getattr(fact, name) for fact in chosen) for name in names}
        unseen = sum(fact.seats for fact in chosen if fact.unrecorded)
        return Tally(slots=len(chosen), unmet=len(unmet), unseen=unseen, **sums)


def of_station(session: Session, station_id: int, span: Span) -> Numbers:
    """The numbers of a station over these days."""
    asked = (session, station_id, span.first, span.last)
    return Numbers(span, facts(*asked), wishes(*asked))
