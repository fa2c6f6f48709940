"""Roll-ups, I15: the numbers of each station's day are those that its history and bookings give, one by one.

What is not final of a day that is over waits for the job that counts it.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import clock
from booking.db.arrays import in_array
from booking.history import replay
from booking.model import Booking, Draw, DrawEntry, Event, Slot, Station, StationDayTotals, WatchOpen

BATCH = 200  # stations
COUNTS = ("slots", "seats", "visits", "expected", "no_shows", "walk_ins", "late_cancels", "turned_away")
# Right once the day is final: a draw may still be decided, a link be opened while its slot ends.
LATER = ("entries", "watched")
ROW = [getattr(StationDayTotals, name) for name in ("station_id", "final", *COUNTS, *LATER)]
LINE = (Event.id, Event.slot_id, Event.booking_id, Event.before, Event.after, Event.details)
CLAIM = (Booking.id, Booking.slot_id, Booking.person_id, Booking.via, Booking.late)
SAT = ("booked", "attended", "released", "unrecorded")


def roll_ups(session: Session, now: datetime) -> Iterator[str]:
    """Day by day, some stations at a time."""
    zones = dict(session.execute(select(Station.id, Station.zone_name)).all())
    today = {zone: clock.at_station(now, zone).date() for zone in set(zones.values())}
    for day in session.scalars(select(StationDayTotals.date).distinct().order_by(StationDayTotals.date)).all():
        rows = session.execute(select(*ROW).where(StationDayTotals.date == day).order_by(StationDayTotals.station_id))
        told = [row for row in rows if row.final or day >= today[zones[row.station_id]]]
        for first in range(0, len(told), BATCH):
            yield from _wrong(session, day, told[first : first + BATCH])


def _wrong(session: Session, day: date, rows: Sequence[Any]) -> Iterator[str]:
    counted = _recounted(session, day, [row.station_id for row in rows])
    for row in rows:
        for name in (*COUNTS, *LATER) if row.final else COUNTS:
            said, true = getattr(row, name), counted[row.station_id][name]
            if said != true:
                yield f"I15 station {row.station_id}: {name} of {day} is {said}, the bookings say {true}"


def _recounted(session: Session, day: date, station_ids: Collection[int]) -> Mapping[int, Counter[str]]:
    slots = session.execute(
        select(Slot.id, Slot.station_id, Slot.state, Slot.capacity, Slot.draw_id).where(
            Slot.date == day, Slot.station_id.in_(in_array(station_ids))
        )
    ).all()
    held = {slot.id: slot for slot in slots if slot.state == "done"}
    claims, totals = _claims(session, held), defaultdict[int, Counter[str]](Counter)
    for station_id, of_station in groupby(sorted(held.values(), key=lambda s: s.station_id), lambda s: s.station_id):
        theirs = [(slot, claims[slot.id]) for slot in of_station]
        for slot, its in theirs:
            totals[station_id] += _of_slot(slot, its)
        everybody = [claim for _, its in theirs for claim in its]
        sat = {claim.person_id for state, claim in everybody if state in SAT}
        totals[station_id]["turned_away"] = len({c.person_id for state, c in everybody if state == "expired"} - sat)
    still = {slot.draw_id for slot in slots if slot.state not in ("done", "cancelled")}
    for station_id, count in _entries(session, day, station_ids, still).items():
        totals[station_id]["entries"] = count
    for station_id, count in _opens(session, held).items():
        totals[station_id]["watched"] = count
    return totals


def _of_slot(slot: Any, claims: Sequence[tuple[str, Any]]) -> Counter[str]:
    states = Counter(state for state, _ in claims)
    came = [claim for state, claim in claims if state == "attended"]
    walked_in = sum(claim.via == "door" and not claim.late for claim in came)
    here = {claim.person_id for claim in came}
    late = sum(state == "cancelled" and c.late and c.person_id not in here for state, c in claims)
    expected = states["attended"] - walked_in + states["released"]
    seats = 0 if states["unrecorded"] else slot.capacity
    counts = (1, seats, states["attended"], expected, states["released"], walked_in, late)
    return Counter(dict(zip(COUNTS, counts, strict=False)))


def _claims(session: Session, held: Collection[int]) -> Mapping[int, list[tuple[str, Any]]]:
    """By slot its bookings, each with the state that its history gives."""
    lines = session.execute(select(*LINE).where(Event.slot_id.in_(in_array(held))).order_by(Event.slot_id, Event.id))
    states: dict[int, str] = {}
    for _, of_slot in groupby(lines, key=lambda line: line.slot_id):
        states |= replay(of_slot).bookings
    found = defaultdict[int, list[tuple[str, Any]]](list)
    for claim in session.execute(select(*CLAIM).where(Booking.slot_id.in_(in_array(held)))):
        found[claim.slot_id].append((states.get(claim.id, ""), claim))
    return found


def _entries(session: Session, day: date, station_ids: Collection[int], still: Collection[int | None]) -> Counter[int]:
    """By station, who stayed in a draw that is decided and whose slots are all over."""
    decided = (Draw.date == day, Draw.station_id.in_(in_array(station_ids)), Draw.state.in_(("drawn", "void")))
    entered = select(Draw.id, Draw.station_id).join(DrawEntry, DrawEntry.draw_id == Draw.id)
    rows = session.execute(entered.where(*decided, DrawEntry.left_at.is_(None)))
    return Counter(row.station_id for row in rows if row.id not in still)


def _opens(session: Session, held: Mapping[int, Any]) -> Counter[int]:
    """By station, who opened the link of a slot that was held."""
    rows = session.execute(select(WatchOpen.slot_id).where(WatchOpen.slot_id.in_(in_array(held))))
    return Counter(held[row.slot_id].station_id for row in rows)
