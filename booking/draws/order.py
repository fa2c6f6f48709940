"""Order: the draw itself, and the check of a published one. Standard library only, since everybody may run it.

`python3 -I check.py list.json` recomputes a draw from its published list, prints the results and ends with `ok`, or says
what differs and exits with 1. The app draws by these very functions.

Each entry has some balls. The fingerprint of a ball is SHA-256("seed:number:ball"); an entry's lot is its smallest, and
the entries come in the order of their lots. In that order each gets the first of its wishes that has room. An entry of
two people needs two seats.
"""

from __future__ import annotations  # so that older Pythons can run it, too

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

VERSION = 1
LINKS = 4096


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def list_text(entries: list[list[Any]]) -> str:
    """The frozen list as text: a line for each entry, with number, tag, balls, people and wishes."""
    rows = [[*entry[:4], ",".join(map(str, entry[4]))] for entry in entries]
    return "".join(" ".join(map(str, row)) + "\n" for row in rows)


def make_seed(draw: int, fingerprint: str, secret: str, value: str = "") -> str:
    """The seed: from the draw's id, the list's fingerprint, the secret, and the public value where there is one."""
    return sha256(f"{draw}|{fingerprint}|{secret}|{value}")


def ball(seed: str, no: int, number: int) -> str:
    return sha256(f"{seed}:{no}:{number}")


def lot(seed: str, no: int, balls: int) -> str:
    """The smallest of an entry's balls."""
    return min(ball(seed, no, number) for number in range(1, balls + 1))


def in_order(seed: str, entries: list[list[Any]]) -> list[list[Any]]:
    """The entries in the order of their lots."""
    return sorted(entries, key=lambda entry: (lot(seed, entry[0], entry[2]), entry[0]))


def give_out(
    ordered: list[list[Any]],
    seats: dict[int, int],
    refused: set[tuple[int, int]],
    alone: set[tuple[int, int]] | frozenset[tuple[int, int]] = frozenset(),
) -> list[tuple[int, int | None, list[int]]]:
    """The number of each entry, its slot or None, and the wishes that it was passed over for.

    `seats` are the seats by slot; a slot that is not among them is out of the draw. `refused` are the pairs of number and
    slot that the rules do not allow; `alone` those at which one of two people is out, and the other needs one seat.
    """
    left = dict(seats)
    results: list[tuple[int, int | None, list[int]]] = []
    for no, _tag, _balls, people, wishes in ordered:
        got, passed = None, []
        for slot in wishes:
            needed = 1 if (no, slot) in alone else people
            if (no, slot) in refused and slot in left:
                passed.append(slot)
            elif left.get(slot, 0) >= needed:
                left[slot] -= needed
                got = slot
                break
        results.append((no, got, passed))
    return results


def chain_back(secret: str, links: int) -> str:
    """The link so many places before this one."""
    hashed = hashlib.sha256
    for _ in range(links):
        secret = hashed(secret.encode()).hexdigest()
    return secret


def differences(published: dict[str, Any]) -> list[str]:
    """What does not fit in a published draw; empty if everything does."""
    if published["version"] != VERSION:
        return [f"this program checks version {VERSION}"]
    wrong = _wrong_list(published)
    if published["state"] != "drawn":
        return wrong
    secret = published["secret"]
    if sha256(secret) != published["commitment"]:
        wrong.append("the secret is not the one that was committed to")
    if chain_back(secret, min(published["link"], LINKS)) != published["anchor"]:
        wrong.append("the secret does not belong to the chain of this station")
    if make_seed(published["draw"], published["list_sha256"], secret, published["value"]) != published["seed"]:
        wrong.append("the seed does not follow from list, secret and value")
    return wrong + _wrong_value(published) + _wrong_results(published)


def _wrong_value(published: dict[str, Any]) -> list[str]:
    """The last version of the public value counts; where none was announced, the value is empty."""
    typed = [one["value"] for one in published.get("public_value", {}).get("typed", [])]
    fits = (typed or [""])[-1] == published["value"]
    return [] if fits else ["the value is not the last one that was typed"]


def _wrong_list(published: dict[str, Any]) -> list[str]:
    entries, fingerprint = published["entries"], published["list_sha256"]
    wrong = []
    if sha256(list_text(entries)) != fingerprint:
        wrong.append("the list does not have the fingerprint that was published when it was sealed")
    if [entry[0] for entry in entries] != list(range(1, len(entries) + 1)):
        wrong.append("the numbers of the list are not 1, 2, 3, ...")
    if any(entry[3] not in (1, 2) for entry in entries):
        wrong.append("an entry of the list is neither of one person nor of two")
    return wrong


def _wrong_results(published: dict[str, Any]) -> list[str]:
    results = published["results"]
    refused = {(result["no"], int(slot)) for result in results for slot in result["passed_over"]}
    seats = {int(slot): number for slot, number in published["seats"].items()}
    alone = {(result["no"], int(slot)) for result in results for slot in result.get("alone", ())}
    given = give_out(in_order(published["seed"], published["entries"]), seats, refused, alone)
    if [result["no"] for result in results] != [no for no, _, _ in given]:
        return ["the order is not the one that follows from the seed"]
    told = {result["no"]: result["slot"] for result in results}
    return [
        f"number {no}: got {told[no]} as published, gets {got} by the seed" for no, got, _ in given if told[no] != got
    ]


def report(published: dict[str, Any]) -> list[str]:
    """The results as lines of text."""
    tags = {entry[0]: entry[1] for entry in published["entries"]}
    rows = enumerate(published["results"], 1)
    public = published.get("public_value", {})
    value = [f"value: {published['value']} (look it up: {public['source']}, {public['from']})"] if public else []
    return value + [f"{rank:>5}. {row['no']}-{tags[row['no']]}  {row['slot'] or '-'}" for rank, row in rows]


def check(published: dict[str, Any]) -> tuple[list[str], bool]:
    """What there is to say of a published draw, and whether all of it fits."""
    state = published["state"]
    if state not in ("frozen", "drawn"):
        return [f"there is nothing to check yet: this draw is {state}"], False
    if wrong := differences(published):
        return wrong, False
    return (report(published) if state == "drawn" else ["the list is sealed and whole; it is not drawn yet"]), True


def main(arguments: list[str]) -> int:
    """Check the file that is named. Returns the exit code."""
    if len(arguments) != 1:
        sys.stdout.write("usage: python3 -I check.py list.json\n")
        return 1
    try:
        lines, fits = check(json.loads(Path(arguments[0]).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        lines, fits = [f"this is not the list of a draw: {type(error).__name__}: {error}"], False
    sys.stdout.write("\n".join([*lines, *(["ok"] if fits else [])]) + "\n")
    return 0 if fits else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
