"""Neighbours: the last workdays of the stations around the demo's, up to yesterday, in the same way as its own past.

They have no plans, so that there is one station to book at. Their people are those of the crowd who have no booking that day.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import clock, policy, statistics, workdays
from booking.demo import rush
from booking.demo.books import Books, Claim
from booking.demo.city import neighbours
from booking.demo.content import read
from booking.demo.noon import DemoSlot
from booking.demo.past import workdays_until
from booking.demo.stage import DemoData
from booking.history import record
from booking.model import Activity, Booking, Manages, Slot, Station, Zone
from booking.slots.deadlines import deadlines, opening
from booking.workdays import ONE_DAY

PAST_WORKDAYS = 10


def catch_up(session: Session, made: DemoData, now: datetime) -> None:
    """Live the workdays that are missing, and count all stations' days."""
    books, busy = Books(), defaultdict[date, set[int]](set)
    todo = [(station, words, _missing(session, station, words, now)) for station, words in neighbours(session)]
    first = min((days[0] for _, _, days in todo if days), default=None)
    if first:
        taken = select(Slot.date, Booking.person_id).join(Slot, Booking.slot_id == Slot.id).where(Slot.date >= first)
        for day, person_id in session.execute(taken):
            busy[day].add(person_id)
    for station, words, days in todo:
        noons = _planned(session, station, days, books)
        manager = session.scalar(select(Manages.person_id).where(Manages.station_id == station.id).limit(1))
        luck = random.Random(station.code)  # noqa: S311 - the demo is the same each time
        for noon in noons:
            crowd = [one for one in made.crowd if one not in busy[noon.slot.date]]
            _live(noon, crowd, words, luck, manager)
            busy[noon.slot.date] |= {claim.person_id for claim in noon.claims}
    session.flush()
    books.lines.sort(key=lambda line: line["at"])
    books.claims.sort(key=lambda claim: claim.created_at)
    books.write(session)
    session.flush()
    for day in statistics.days_to_count(session, now):
        statistics.count_day.inside(session, day, statistics.stations_to_count(session, day))


def _missing(session: Session, station: Station, words: dict[str, Any], now: datetime) -> list[date]:
    """The last workdays before today without its slots; one that is asleep has had none lately."""
    today = clock.at_station(now, station.zone_name).date()
    days = workdays_until(session, station.id, today - ONE_DAY, PAST_WORKDAYS)
    days = days[: len(days) - words.get("asleep", 0)]
    last = session.scalar(select(func.max(Slot.date)).where(Slot.station_id == station.id))
    return [day for day in days if last is None or (day > last and "asleep" not in words)]


def _planned(session: Session, station: Station, days: Sequence[date], books: Books) -> list[DemoSlot]:
    """The slots of these days, one for each activity."""
    if not days:
        return []
    calendar = workdays.load(session, station.id, days[0], days[-1])
    zones = session.scalars(select(Zone).where(Zone.station_id == station.id).order_by(Zone.id)).all()
    offered = session.scalars(select(Activity).where(Activity.station_id == station.id).order_by(Activity.id)).all()
    made = [
        _slot(station, calendar, day, time.fromisoformat(starts), zone, activity)
        for day in days
        for zone, activity, starts in zip(zones, offered, read("city")["starts"], strict=False)
    ]
    session.add_all(made)
    session.flush()
    for slot in made:
        known_at = slot.opens_at - 7 * ONE_DAY
        record(session, "planned", known_at, slot=slot, after="planned", capacity=slot.capacity)
    return [DemoSlot(slot, books) for slot in made]


def _slot(
    station: Station, calendar: workdays.Calendar, day: date, starts: time, zone: Zone, activity: Activity
) -> Slot:
    numbers = policy.read(station.policy)
    starts_at = clock.instant(day, starts, station.zone_name)
    table = deadlines(starts_at, starts_at + timedelta(minutes=read("city")["minutes"]), numbers)
    table["opens_at"] = opening(day, calendar, station.zone_name, numbers.opens_workdays_before, numbers.opens_at)
    where = {"station_id": station.id, "zone_id": zone.id, "activity_id": activity.id, "date": day}
    counters = {"state": "planned", "taken": 0, "waiting": 0, "waitlist_seq": 0, "door_seats": 0}
    return Slot(**where, **counters, capacity=zone.capacity, **table)


def _live(noon: DemoSlot, crowd: list[int], words: dict[str, Any], luck: random.Random, manager_id: int | None) -> None:
    """One slot from its opening to its end."""
    slot, deck = noon.slot, rush.deck(crowd, luck)
    noon.open(slot.opens_at)
    pressed = [noon.take(who, at) for at, who in rush.presses(slot, words["demand"], deck, slot.opens_at, luck)]
    claims = [claim for claim in pressed if claim]
    last = max((claim.created_at for claim in claims), default=slot.opens_at)
    for claim, at in _wavering(claims, max(last, slot.opens_at), slot, luck):
        noon.give_up(claim, at)
    come = sorted((slot.starts_at + timedelta(minutes=luck.triangular(-11, 4, -4)), n) for n in range(len(claims)))
    here = [(at, claims[n]) for at, n in come if luck.random() >= words["misses"]]
    _check_in(noon, [one for one in here if one[0] < slot.starts_at], manager_id)
    noon.start(slot.starts_at)
    _check_in(noon, [one for one in here if one[0] >= slot.starts_at], manager_id)
    noon.release(slot.release_at)
    for n in range(slot.free):
        if deck and luck.random() < words["demand"] * 0.3:
            who = deck.pop()
            noon.walk_in(who, slot.release_at + timedelta(minutes=n + 1), manager_id or who)
    noon.finish(slot.ends_at)


def _wavering(claims: list[Claim], since: datetime, slot: Slot, luck: random.Random) -> list[tuple[Claim, datetime]]:
    """Who gives up, and when: some in time, a few too late."""
    some = [claim for claim in claims if luck.random() < 0.1]
    early = [
        (claim, since + (slot.free_until - since) * luck.uniform(0.1, 0.9)) for claim in some if since < slot.free_until
    ]
    late = [
        (claim, slot.free_until + timedelta(minutes=luck.uniform(2, 20))) for claim in claims if luck.random() < 0.03
    ]
    return sorted((*early, *late), key=lambda one: one[1])


def _check_in(noon: DemoSlot, arrivals: list[tuple[datetime, Claim]], manager_id: int | None) -> None:
    """By the manager, or where there is none by themselves, at the door screen."""
    for at, claim in arrivals:
        noon.check_in(claim, at, manager_id or claim.person_id)
