"""Drawing: what a sealed draw decides on, and what it decides: seats in the order of the lots, then the waiting lists in
the same order."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from booking.draws import order
from booking.draws.entry_list import LiveEntry, as_published, grouped
from booking.model import Draw
from booking.seats.eligibility import Eligibility, personal, places_left
from booking.seats.snapshot import SlotSnapshot

Wish = tuple[int, int]  # an entry, or its number, and a slot


class Sealed(NamedTuple):
    """A locked draw with its locked slots by id, its entries in the order of their lots, and what the order follows from.

    Two entries that stand in the list as one are a group, as is any other alone.
    """

    draw: Draw
    slots: dict[int, SlotSnapshot]
    groups: list[list[LiveEntry]]
    secret: str
    value: str
    seed: str

    @property
    def people(self) -> list[int]:
        return [entry.person_id for group in self.groups for entry in group]


class Drawn(NamedTuple):
    """The result of one entry: `got` is the slot of its seat, `passed_over` why a wish was not for it, by slot."""

    entry: LiveEntry
    rank: int
    result: str
    got: int | None
    passed_over: dict[str, str]


class Decided(NamedTuple):
    """What became of a draw: the seats that there were, and the results in their order."""

    sealed: Sealed
    seats: dict[int, int]
    results: list[Drawn]
    people: Mapping[int, Eligibility]

    @property
    def draw(self) -> Draw:
        return self.sealed.draw

    def won(self) -> list[Drawn]:
        return [one for one in self.results if one.got]

    def waits(self, now: datetime) -> Iterator[tuple[Drawn, int]]:
        """Who is put on which waiting list: of each the first wishes, in their order, as many as the rules allow beside
        where they wait already."""
        station = self.draw.station
        for one in self.results:
            if one.result == "lost":
                may = [n for n in one.entry.wishes if n in self.sealed.slots and str(n) not in one.passed_over]
                for slot_id in may[: places_left(station, self.people[one.entry.person_id], now)]:
                    yield one, slot_id


def seal(draw: Draw, slots: dict[int, SlotSnapshot], entries: list[LiveEntry], secret: str, value: str) -> Sealed:
    """The frozen list in the order of the lots."""
    groups = {both[0].no: both for both in grouped(entries)}
    seed = order.make_seed(draw.id, draw.list_sha256 or "", secret, value)
    ordered = order.in_order(seed, as_published([both[0] for both in groups.values()]))
    return Sealed(draw, slots, [groups[line[0]] for line in ordered], secret, value, seed)


def decide(sealed: Sealed, people: Mapping[int, Eligibility]) -> Decided:
    """Give out the seats. `people` are as they are now, by id."""
    refused = _refused(sealed, people)
    seats = {slot.id: slot.free for slot in sealed.slots.values()}
    listed = as_published([group[0] for group in sealed.groups])
    given = order.give_out(listed, seats, *_out(sealed, refused))
    results = [
        _result(sealed, entry, rank, got, refused)
        for rank, (group, (_no, got, _passed)) in enumerate(zip(sealed.groups, given, strict=True), 1)
        for entry in group
    ]
    return Decided(sealed, seats, results, people)


def _refused(sealed: Sealed, people: Mapping[int, Eligibility]) -> dict[Wish, str]:
    """The wishes that the rules do not allow by now, by the id of the entry and the slot, with the reason."""
    found = {}
    for group in sealed.groups:
        for entry in group:
            who = people[entry.person_id]
            if not (who.gone or who.paused_until or who.entries or who.used):
                continue
            for slot_id in entry.wishes:
                if (slot := sealed.slots.get(slot_id)) and (no := personal(slot, who)):
                    found[entry.id, slot_id] = no.reason
    return found


def _out(sealed: Sealed, refused: Collection[Wish]) -> tuple[set[Wish], set[Wish]]:
    """By number and slot: where nobody of the entry may take a seat, and where one of two may not."""
    nobody: set[Wish] = set()
    alone: set[Wish] = set()
    for group in sealed.groups if refused else ():
        for slot_id in group[0].wishes:
            out = sum((entry.id, slot_id) in refused for entry in group)
            if out:
                (nobody if out == len(group) else alone).add((group[0].no or 0, slot_id))
    return nobody, alone


def _result(sealed: Sealed, entry: LiveEntry, rank: int, got: int | None, refused: Mapping[Wish, str]) -> Drawn:
    """A person's result where the entry got this slot, and why a wish was not for them when its turn came."""
    reached = entry.wishes[: entry.wishes.index(got) + 1] if got else entry.wishes
    why = {str(slot_id): refused[entry.id, slot_id] for slot_id in reached if (entry.id, slot_id) in refused}
    if got:
        has_seat = str(got) not in why
        return Drawn(entry, rank, "seat" if has_seat else "passed_over", got if has_seat else None, why)
    could = any(slot_id in sealed.slots and str(slot_id) not in why for slot_id in entry.wishes)
    return Drawn(entry, rank, "lost" if could else "passed_over", None, why)
