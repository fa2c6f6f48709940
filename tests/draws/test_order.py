"""Order: the pure draw: an urn's odds, whatever the order of entering, and a check that anybody can run."""

import copy
import json
import random
import subprocess
import sys
from itertools import permutations
from math import sqrt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.draws import order

pytestmark = pytest.mark.sqlite
WISHES = st.lists(st.sampled_from([11, 12, 13]), unique=True, min_size=1, max_size=3)
ENTRIES = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 2), WISHES), min_size=1, max_size=12).map(
    lambda rows: [[no, f"t{no:04}", balls, people, wishes] for no, (balls, people, wishes) in enumerate(rows, 1)]
)
SEEDS = st.integers(0, 2**64).map(lambda number: order.sha256(str(number)))
SEATS = {11: 2, 12: 1, 13: 3}


def urn(balls: list[int], ranking: tuple[int, ...]) -> float:
    """The probability of that ranking, when balls are drawn from an urn and only the first of each entry counts."""
    left, chance = dict(enumerate(balls)), 1.0
    for place in ranking:
        chance *= left[place] / sum(left.values())
        del left[place]
    return chance


def test_the_frequencies_are_those_of_an_urn() -> None:
    balls, draws = [1, 2, 3, 4], 12_000
    rows = [[no, "t", number, 1, [11]] for no, number in enumerate(balls, 1)]
    counted: dict[tuple[int, ...], int] = dict.fromkeys(permutations(range(4)), 0)
    for n in range(draws):
        counted[tuple(row[0] - 1 for row in order.in_order(order.sha256(f"urn {n}"), rows))] += 1
    for ranking, count in counted.items():
        expected = urn(balls, ranking) * draws
        assert abs(count - expected) < 5 * sqrt(expected) + 1, (ranking, count, expected)


def test_control_without_the_balls_the_frequencies_are_no_urn() -> None:
    rows = [[no, "t", 1, 1, [11]] for no in range(1, 5)]
    first = sum(order.in_order(order.sha256(f"urn {n}"), rows)[0][0] == 4 for n in range(2000))
    assert first < 0.3 * 2000  # with four balls of ten it would be 0.4


@settings(max_examples=60, deadline=None)
@given(ENTRIES, SEEDS, st.randoms(use_true_random=False))
def test_the_order_of_entering_does_not_matter(rows: list[Any], seed: str, chance: random.Random) -> None:
    shuffled = list(rows)
    chance.shuffle(shuffled)
    assert order.in_order(seed, shuffled) == order.in_order(seed, rows)


@settings(max_examples=60, deadline=None)
@given(ENTRIES, SEEDS, st.integers(0, 11))
def test_passing_somebody_over_changes_nobody_before_them(rows: list[Any], seed: str, place: int) -> None:
    ordered = order.in_order(seed, rows)
    place %= len(ordered)
    no, wishes = ordered[place][0], ordered[place][4]
    whole = order.give_out(ordered, SEATS, set())
    without = order.give_out(ordered, SEATS, {(no, slot) for slot in wishes})
    assert without[:place] == whole[:place]
    assert without[place] == (no, None, wishes)


@settings(max_examples=60, deadline=None)
@given(ENTRIES, SEEDS)
def test_everybody_gets_the_first_wish_that_has_room(rows: list[Any], seed: str) -> None:
    ordered, left = order.in_order(seed, rows), dict(SEATS)
    for entry, (no, got, passed) in zip(ordered, order.give_out(ordered, SEATS, set()), strict=True):
        assert (no, passed) == (entry[0], [])
        assert got == next((slot for slot in entry[4] if left[slot] >= entry[3]), None)
        if got:
            left[got] -= entry[3]
    assert min(left.values()) >= 0


def test_lying_about_wishes_does_not_pay() -> None:
    """One person, whose wish for 11 is stronger, says so or says 12 first: 11 is what both want most."""
    others = [[no, "t", 1, 1, [11, 12]] for no in range(2, 9)]
    value = {11: 1.0, 12: 0.6, None: 0.0}

    def gain(wishes: list[int]) -> float:
        rows = [[1, "t", 1, 1, wishes], *others]
        total = 0.0
        for n in range(3000):
            given = order.give_out(order.in_order(order.sha256(f"lie {n}"), rows), {11: 2, 12: 2}, set())
            total += value[next(got for no, got, _ in given if no == 1)]
        return total / 3000

    honest = gain([11, 12])
    assert gain([12, 11]) <= honest
    assert gain([12]) <= honest
    assert gain([11]) <= honest


GOLDEN: dict[str, Any] = {
    "version": 1,
    "draw": 7,
    "state": "drawn",
    "date": "2026-11-24",
    "link": 2,
    "entries": [[1, "aaaaa", 3, 1, [11, 12]], [2, "bbbbb", 1, 1, [11]], [3, "ccccc", 4, 1, [12, 11]], [4, "ddddd", 2, 1, [11]]],
    "seats": {"11": 1, "12": 1},
    "value": "",
}  # fmt: skip


def golden() -> dict[str, Any]:
    """A draw whose secret is the hash of a word; its order and fingerprints are written down below."""
    told = copy.deepcopy(GOLDEN)
    secret = order.sha256("golden")
    fingerprint = order.sha256(order.list_text(told["entries"]))
    seed = order.make_seed(7, fingerprint, secret)
    ordered = order.in_order(seed, told["entries"])
    given = order.give_out(ordered, {11: 1, 12: 1}, {(2, 11)})
    told |= {"secret": secret, "list_sha256": fingerprint, "seed": seed}
    told |= {"commitment": order.sha256(secret), "anchor": order.chain_back(secret, 2)}
    told["results"] = [
        {"no": no, "slot": got, "passed_over": {str(slot): "day_limit" for slot in passed}} for no, got, passed in given
    ]
    return told


def run(told: object, tmp_path: Path) -> tuple[int, list[str]]:
    """The program as a reader runs it, with nothing but Python."""
    program, file = tmp_path / "check.py", tmp_path / "list.json"
    program.write_text(Path(order.__file__).read_text())
    file.write_text(told if isinstance(told, str) else json.dumps(told))
    ran = subprocess.run(
        [sys.executable, "-I", program, file], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert ran.stderr == ""
    return ran.returncode, ran.stdout.splitlines()


def test_the_golden_draw(tmp_path: Path) -> None:
    told = golden()
    assert told["list_sha256"] == "25c5a1fb062be0bb8704ac1ad110aa3cbebc3f8ffb5a74afd44537c134641dea"
    assert told["seed"] == "c86db14e3fc19af20e5b9fc531198b97b571bb89e89482a2b2d2ae26931f4c51"
    assert [(row["no"], row["slot"]) for row in told["results"]] == [(3, 12), (1, 11), (2, None), (4, None)]
    assert run(told, tmp_path) == (
        0,
        ["    1. 3-ccccc  12", "    2. 1-aaaaa  11", "    3. 2-bbbbb  -", "    4. 4-ddddd  -", "ok"],
    )


def golden_with_value() -> dict[str, Any]:
    """The same draw with the evening's numbers, which were corrected once."""
    told, value = golden(), "03 07 11 12 19 22 25 31 36 40 44 47 51 56 60 63 68 71 77 80"
    typed = [{"value": "1", "by": "entrant", "at": "x"}, {"value": value, "by": "manager", "at": "y"}]
    told |= {
        "value": value,
        "public_value": {"kind": "kl8", "source": "kl8 of 24 November", "from": "z", "typed": typed},
    }
    told["seed"] = order.make_seed(7, told["list_sha256"], told["secret"], value)
    ordered = order.in_order(told["seed"], told["entries"])
    given = order.give_out(ordered, {11: 1, 12: 1}, set())
    told["results"] = [{"no": no, "slot": got, "passed_over": {}} for no, got, _ in given]
    return told


def test_the_golden_draw_with_a_public_value(tmp_path: Path) -> None:
    told = golden_with_value()
    assert told["seed"] == "419acc6a8752c502d68e9c19068f8bf85062cba082a2974003b9dc8010d62063"
    assert [(row["no"], row["slot"]) for row in told["results"]] == [(1, 11), (2, None), (3, 12), (4, None)]
    code, lines = run(told, tmp_path)
    assert (code, lines[-1]) == (0, "ok")
    assert lines[0] == f"value: {told['value']} (look it up: kl8 of 24 November, z)"


VALUE_TAMPERED: dict[str, Any] = {
    "another value": lambda told: told.update(value="1"),
    "a second value": lambda told: told["public_value"]["typed"].append({"value": "1", "by": "manager", "at": "y"}),
    "no version": lambda told: told["public_value"].pop("typed"),
    "not announced": lambda told: told.pop("public_value"),
    "no value": lambda told: told.update(value=""),
}


@pytest.mark.parametrize("case", VALUE_TAMPERED)
def test_a_value_that_was_tampered_with_is_found(case: str) -> None:
    told = golden_with_value()
    assert order.check(told)[1] is True
    VALUE_TAMPERED[case](told)
    assert order.check(told)[1] is False


def golden_pairs() -> dict[str, Any]:
    """The same secret, and a list in which 2 and 4 are of two people. Of 4 one cannot come to 11 and gets no second seat."""
    told = golden() | {"seats": {"11": 4, "12": 2}}
    told["entries"] = [[1, "aaaaa", 3, 1, [11, 12]], [2, "bbbbb", 1, 2, [11, 12]], [3, "ccccc", 4, 1, [12, 11]],
                       [4, "ddddd", 2, 2, [11]], [5, "eeeee", 3, 2, [12]], [6, "fffff", 4, 2, [12, 11]]]  # fmt: skip
    told["list_sha256"] = order.sha256(order.list_text(told["entries"]))
    told["seed"] = order.make_seed(7, told["list_sha256"], told["secret"])
    ordered = order.in_order(told["seed"], told["entries"])
    given = order.give_out(ordered, {11: 4, 12: 2}, set(), {(4, 11)})
    told["results"] = [{"no": no, "slot": got, "passed_over": {}} for no, got, _ in given]
    next(row for row in told["results"] if row["no"] == 4)["alone"] = {"11": "gone"}
    return told


def test_the_golden_draw_with_two_together(tmp_path: Path) -> None:
    told = golden_pairs()
    assert told["list_sha256"] == "aa6751a0eb3baa93d73132ae6547fa3d6f6162528eac55514904c82da73ed0b9"
    assert told["seed"] == "912a8a364a74630ee3295802a2b1d60e477964834d30d7a9af03ad75345c49e1"
    assert [(row["no"], row["slot"]) for row in told["results"]] == [
        (4, 11), (1, 11), (3, 12), (5, None), (2, 11), (6, None)
    ]  # fmt: skip
    assert run(told, tmp_path)[1][-1] == "ok"
    without = copy.deepcopy(told)
    del next(row for row in without["results"] if row["no"] == 4)["alone"]
    three = copy.deepcopy(told)
    three["entries"][1][3] = 3
    assert [run(one, tmp_path)[0] for one in (without, three)] == [1, 1]


TAMPERED: dict[str, Any] = {
    "a changed entry": lambda told: told["entries"][1].__setitem__(2, 4),
    "a dropped entry": lambda told: told["entries"].pop(),
    "another secret": lambda told: told.update(secret="0" * 64),
    "another commitment": lambda told: told.update(commitment="0" * 64),
    "another anchor": lambda told: told.update(anchor="0" * 64),
    "a value that was not there": lambda told: told.update(value="1"),
    "another seed": lambda told: told.update(seed="0" * 64),
    "another result": lambda told: told["results"][0].update(slot=None),
    "another order": lambda told: told["results"].reverse(),
    "more seats": lambda told: told["seats"].update({"11": 3}),
    "another version": lambda told: told.update(version=2),
    "no list": lambda told: told.pop("entries"),
    "not drawn": lambda told: told.update(state="gathering"),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_what_was_tampered_with_is_found(case: str) -> None:
    told = golden()
    TAMPERED[case](told)
    try:
        assert order.check(told)[1] is False
    except KeyError:
        assert case == "no list"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"state": "drawn"}', "7"])
def test_what_is_no_list_is_named_without_a_trace(text: str, tmp_path: Path) -> None:
    code, lines = run(text, tmp_path)
    assert code == 1
    assert lines[0].startswith("this is not the list of a draw")


def test_a_sealed_list_is_checked_before_it_is_drawn(tmp_path: Path) -> None:
    told = golden()
    for name in ("secret", "seed", "results", "seats", "value"):
        del told[name]
    told["state"] = "frozen"
    assert run(told, tmp_path) == (0, ["the list is sealed and whole; it is not drawn yet", "ok"])
    told["entries"].pop()
    assert run(told, tmp_path)[0] == 1
