"""Crowd: the demo's people: five accounts to sign in with, and workers with names, companies and habits."""

import random
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from itertools import count

from sqlalchemy.orm import Session

from booking import people
from booking.demo.content import read
from booking.history import record
from booking.model import Person

SIZE = 250


def accounts(session: Session, now: datetime) -> list[Person]:
    """Worker, manager, admin, organiser, reader. One hash for all: making one takes a fifth of a second."""
    kept = people.hash_password(read("people")["password"])
    return [_account(session, words, kept, now) for words in read("people")["accounts"]]


def gather(session: Session, now: datetime, luck: random.Random, size: int = SIZE) -> list[int]:
    """Create the crowd. Nobody can sign in as one of them, and no daily letter is written to them."""
    crowd = [_somebody(name, address, now, luck) for name, address in _names(luck, size)]
    session.add_all(crowd)
    session.flush()
    for person in crowd:
        record(session, "created", now, actor_id=person.id, person_id=person.id)
    return [person.id for person in crowd]


@cache
def keenness(person_id: int) -> float:
    """How often a person wants to come: few come often, most now and then."""
    return random.Random(person_id).paretovariate(1.6)  # noqa: S311 - a made-up past needs no secrecy


@cache
def forgetfulness(person_id: int) -> float:
    """How likely a person misses a slot: most hardly ever, some often."""
    return random.Random(person_id * 7).choice((0.05, 0.05, 0.07, 0.09, 0.12, 0.18, 0.3))  # noqa: S311 - the same


def _account(session: Session, words: dict[str, str], kept: str, now: datetime) -> Person:
    is_admin = words["email"].startswith("admin")
    person = people.create.inside(session, words["email"], words["name"], now, password_hash=kept, is_admin=is_admin)
    people.agree.inside(session, person.id, people.PRIVACY_VERSION, now)
    person.company = words["company"]
    return person


def _somebody(name: str, address: str, now: datetime, luck: random.Random) -> Person:
    return Person(
        name=name,
        email=f"{address}@example.com",
        company=luck.choice(read("people")["companies"]),
        language="en" if name.isascii() else "zh_Hans_CN",
        wants_digest=False,
        created_at=now,
    )


def _names(luck: random.Random, size: int) -> Sequence[tuple[str, str]]:
    """Names with matching e-mail addresses, no two alike."""
    told = read("people")
    found: dict[str, str] = dict(told["from_abroad"])
    weights = [weight for _, _, weight in told["surnames"]]
    while len(found) < size:
        surname, sounds, _ = luck.choices(told["surnames"], weights)[0]
        given, spelt = luck.choice(told["given"])
        if surname + given not in found:
            found[surname + given] = _unused(f"{sounds}.{spelt}", set(found.values()))
    shuffled = list(found.items())
    luck.shuffle(shuffled)
    return shuffled


def _unused(address: str, used: set[str]) -> str:
    if address not in used:
        return address
    return next(f"{address}{n}" for n in count(2) if f"{address}{n}" not in used)
