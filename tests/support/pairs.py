"""Pairs: of all combinations of a test's parameters, as few as it takes for every two values to meet."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations


def covering(rows: Sequence[Mapping[str, object]]) -> set[int]:
    """The places in `rows` of some that hold every two values that any row holds together: the fullest first."""
    held = {place: set(_pairs(row)) for place, row in enumerate(rows)}
    missing, kept = set().union(*held.values()), set()
    while missing:
        fullest = max(held, key=lambda place: len(held[place] & missing))
        missing -= held.pop(fullest)
        kept.add(fullest)
    return kept


def _pairs(row: Mapping[str, object]) -> Iterable[tuple[tuple[str, int], ...]]:
    """What meets in a row, by identity, for not every value can be compared; each alone where there is only one."""
    values = [(name, id(value)) for name, value in sorted(row.items())]
    return combinations(values, min(2, len(values)))
