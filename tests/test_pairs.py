"""Pairs: the small run of a product leaves no two values that never meet."""

from itertools import combinations, product

import pytest

from tests.support.pairs import covering

STATES, BACK, WAYS = [{"state": n} for n in range(9)], ["me", "slot", "day"], [{}, {"HX-Request": "true"}]


@pytest.mark.parametrize(
    ("axes", "at_most"),
    [
        ({"state": STATES, "back": BACK, "way": WAYS}, 27),
        ({"back": BACK, "way": WAYS, "backend": ["sqlite", "postgresql"]}, 7),
        ({"state": STATES}, 9),
    ],
)
def test_every_two_values_meet(axes: dict[str, list[object]], at_most: int) -> None:
    rows = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    kept = [rows[place] for place in covering(rows)]
    assert len(kept) <= at_most
    for one, other in combinations(axes, 2):
        met = {(id(row[one]), id(row[other])) for row in kept}
        assert met == {(id(a), id(b)) for a, b in product(axes[one], axes[other])}
    for name, values in axes.items():
        assert {id(row[name]) for row in kept} == set(map(id, values))
