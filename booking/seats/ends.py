"""How bookings end by the clock: any number at once, in statements whose number does not grow with theirs."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import SQLColumnExpression, insert, literal, select, update
from sqlalchemy.orm import Session

from booking import ledger, policy
from booking.each import among
from booking.history import record_all
from booking.model import Booking, Slot, Station, Strike
from booking.notices import tell_all
from booking.store import QUIET


class Claim(NamedTuple):
    """What an ending needs of a booking."""

    id: int
    slot_id: int
    station_id: int
    person_id: int
    standby_at: datetime | None


def claims(session: Session, slots: Collection[int], state: str, *which: SQLColumnExpression[bool]) -> Sequence[Claim]:
    """The bookings of locked slots that are in that state, in the order in which they were made."""
    columns = [getattr(Booking, name) for name in Claim._fields]
    found = (
        select(*columns).where(Booking.slot_id.in_(among(slots)), Booking.state == state, *which).order_by(Booking.id)
    )
    return [Claim(*row) for row in session.execute(found)] if slots else []


def expire(session: Session, slots: Mapping[int, Slot], entries: Sequence[Claim], now: datetime) -> None:
    """These waited in vain."""
    for entry in entries:
        slots[entry.slot_id].waiting -= 1
    _end(session, entries, "expired", now, "expired")


def lose(session: Session, slots: Mapping[int, Slot], seats: Sequence[Claim], now: datetime, *, punish: bool) -> None:
    """These seats are not used; `punish` says whether that is their people's fault."""
    for seat in seats:
        slots[seat.slot_id].taken -= 1
    _end(session, seats, "released", now, "released" if punish else "release_missed")
    if punish:
        strike(session, seats, now, "no_show")


def strike(session: Session, seats: Sequence[Claim], now: datetime, reason: str) -> None:
    """A line in each ledger, and a letter that says why."""
    if not seats:
        return
    warned = _warned(session, seats, now)
    about = [Booking.person_id, Booking.station_id, Booking.slot_id, Booking.id]
    said = [literal(now, Strike.at.type), literal(reason)]
    rows = select(*about, *said).where(Booking.id.in_(among([seat.id for seat in seats]))).order_by(Booking.id)
    names = ["person_id", "station_id", "slot_id", "booking_id", "at", "reason"]
    session.execute(insert(Strike).from_select(names, rows))
    record_all(session, "strike", now, Booking, [seat.id for seat in seats], reason=reason)
    for warning in (True, False):
        told = [seat.id for seat in seats if (seat.id in warned) is warning]
        tell_all(session, "strike", now, told, reason=reason, warning=warning)


def _warned(session: Session, seats: Sequence[Claim], now: datetime) -> set[int]:
    """Those for whose people it is the first strike in a long while: a warning only."""
    stations = select(Station.id, Station.policy).where(Station.id.in_(among({seat.station_id for seat in seats})))
    numbers = {row.id: policy.read(row.policy) for row in session.execute(stations)}
    struck = ledger.last_strikes(session, {seat.person_id for seat in seats})
    warned = set()
    for seat in seats:
        last = struck.get((seat.person_id, seat.station_id))
        if last is None or last <= now - numbers[seat.station_id].warning_span:
            warned.add(seat.id)
        struck[seat.person_id, seat.station_id] = now
    return warned


def _end(session: Session, ended: Sequence[Claim], state: str, now: datetime, reason: str) -> None:
    ids = [one.id for one in ended]
    if not ids:
        return
    record_all(session, reason, now, Booking, ids, after=state)
    values = {"state": state, "ended_at": now, "end_reason": reason}
    session.execute(update(Booking).where(Booking.id.in_(among(ids))).values(values), execution_options=QUIET)
