"""Demand: how people book: the more popular a slot, the more of them and the sooner."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from booking.demo.crowd import keenness
from booking.model import Slot

LINE = (3, 9)


def deck(crowd: Sequence[int], luck: random.Random) -> list[int]:
    """The crowd in random order for one day, the keenest last."""
    return sorted(crowd, key=lambda person_id: luck.random() ** (1 / keenness(person_id)))


def presses(
    slot: Slot, wanted: float, deck: list[int], since: datetime, luck: random.Random
) -> list[tuple[datetime, int]]:
    """Who books a slot and when, from `since` on. Removes these people from the deck."""
    number = min(round(slot.capacity * wanted * luck.uniform(0.9, 1.1)), slot.capacity + luck.randrange(*LINE))
    spread = (slot.starts_at - since) * 0.9
    return sorted((since + _delay(wanted, spread, luck), deck.pop()) for _ in range(min(number, len(deck))))


def _delay(wanted: float, spread: timedelta, luck: random.Random) -> timedelta:
    if wanted >= 1.3:
        delay = timedelta(seconds=0.4 + luck.expovariate(wanted**2 / 30))
    elif wanted >= 1:
        delay = timedelta(minutes=luck.expovariate(1 / 25))
    else:
        delay = spread * luck.betavariate(1, 2.5)
    return min(delay, spread)
