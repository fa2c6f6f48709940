"""Bulk transitions: bookings that end by the clock, any number of them in a constant number of statements."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Insert, SQLColumnExpression, Update, case, func, insert, literal, null, select, update
from sqlalchemy.orm import Session

from booking import policy
from booking.db import statements
from booking.db.arrays import in_array, in_array_param
from booking.db.statements import param
from booking.db.transactions import NO_SYNC
from booking.enqueue import letters_once, letters_to
from booking.history import EventTemplate, lines_of, record_all
from booking.model import Booking, Event, Letter, Slot, Station, Strike
from booking.seats import strike_ledger


class EndedSeat(NamedTuple):
    """The fields of a booking that ending it needs."""

    id: int
    slot_id: int
    station_id: int
    person_id: int
    standby_at: datetime | None


def claims(
    session: Session, slots: Collection[int], state: str, *which: SQLColumnExpression[bool]
) -> Sequence[EndedSeat]:
    """The bookings of locked slots that are in that state, in the order in which they were made."""
    columns = [getattr(Booking, name) for name in EndedSeat._fields]
    found = (
        select(*columns)
        .where(Booking.slot_id.in_(in_array(slots)), Booking.state == state, *which)
        .order_by(Booking.id)
    )
    return [EndedSeat(*row) for row in session.execute(found)] if slots else []


def expire(session: Session, slots: Mapping[int, Slot], entries: Sequence[EndedSeat], now: datetime) -> None:
    """Expire these waiting-list entries: they got no seat."""
    for entry in entries:
        slots[entry.slot_id].waiting -= 1
    _end(session, entries, "expired", now, "expired")


def release_seats(session: Session, seats: Sequence[EndedSeat], now: datetime, *, punish: bool) -> None:
    """Release these unused seats of locked slots; `punish` says whether their people get a strike."""
    if seats:
        struck = _words(session, seats, now, "no_show") if punish else {}
        (NO_SHOWS if punish else MISSED).run(_connection(session), ids=[seat.id for seat in seats], now=now, **struck)


def unrecorded(session: Session, seats: Sequence[EndedSeat], now: datetime) -> None:
    """Release these seats of locked slots without a judgement: it is not known whether they were used."""
    if seats:
        UNRECORDED.run(_connection(session), ids=[seat.id for seat in seats], now=now)


def strike(session: Session, seats: Sequence[EndedSeat], now: datetime, reason: str) -> None:
    """Record a strike for each, and queue a letter that says why."""
    if seats:
        struck = _words(session, seats, now, reason)
        STRIKES.run(_connection(session), ids=[seat.id for seat in seats], now=now, **struck)


def call_off(session: Session, ended: Sequence[Booking], now: datetime, actor_id: int | None) -> None:
    """Cancel these bookings of locked slots, which are cancelled themselves. They are to be read again afterwards."""
    CALLED_OFF.run(_connection(session), ids=[one.id for one in ended], now=now, actor=actor_id)


def tell_called_off(session: Session, bookings: Collection[int], reason: str, now: datetime, wait: timedelta) -> None:
    """Queue a letter to each of their people that the slot is cancelled and why, once, to be sent after `wait`."""
    told: dict[str, Any] = {"why": {"reason": reason}, "now": now, "due": now + wait}
    TOLD_CALLED_OFF.run(_connection(session), ids=list(bookings), **told)


def _connection(session: Session) -> statements.DriverConnection:
    """A driver connection within the session's transaction, past the ORM."""
    session.flush()
    return statements.wrap(session.connection())


def _words(session: Session, seats: Sequence[EndedSeat], now: datetime, reason: str) -> dict[str, Any]:
    """The bind parameters of the strike statements: the reason, the people only warned, the kinds of letter."""
    first, again = ({"reason": reason, "warning": warning} for warning in (True, False))
    return {"reason": reason, "warned": list(_warned(session, seats, now)), "first": first, "again": again}


def _warned(session: Session, seats: Sequence[EndedSeat], now: datetime) -> set[int]:
    """The bookings for whose people it is the first strike in a long time: a warning only."""
    stations = select(Station.id, Station.policy).where(Station.id.in_(in_array({seat.station_id for seat in seats})))
    numbers = {row.id: policy.read(row.policy) for row in session.execute(stations)}
    struck = strike_ledger.last_strikes(session, {seat.person_id for seat in seats})
    warned = set()
    for seat in seats:
        last = struck.get((seat.person_id, seat.station_id))
        if last is None or last <= now - numbers[seat.station_id].warning_span:
            warned.add(seat.id)
        struck[seat.person_id, seat.station_id] = now
    return warned


def _end(session: Session, ended: Sequence[EndedSeat], state: str, now: datetime, reason: str) -> None:
    ids = [one.id for one in ended]
    if not ids:
        return
    record_all(session, reason, now, Booking, ids, after=state)
    values = {"state": state, "ended_at": now, "end_reason": reason}
    session.execute(update(Booking).where(Booking.id.in_(in_array(ids))).values(values), execution_options=NO_SYNC)


def _freed() -> Update:
    gone = select(Booking.slot_id, func.count().label("seats")).where(Booking.id.in_(IDS)).group_by(Booking.slot_id)
    lost = gone.subquery()
    return update(Slot).where(Slot.id == lost.c.slot_id).values(taken=Slot.taken - lost.c.seats)


def _ended(state: str, reason: str) -> Update:
    ended = {"state": state, "ended_at": param("now", Booking.ended_at.type), "end_reason": reason}
    return update(Booking).where(Booking.id.in_(IDS)).values(ended)


def _struck() -> tuple[Insert, Insert]:
    """The statements that insert the strikes and their letters."""
    about = {name: getattr(Booking, name) for name in ("person_id", "station_id", "slot_id")}
    said = {"booking_id": Booking.id, "at": param("now", Strike.at.type), "reason": WHY}
    constant = {name: literal(value) for name, value in statements.defaults(Strike).items()}
    columns: dict[str, Any] = {**constant, **about, **said}
    rows = select(*columns.values()).where(Booking.id.in_(IDS)).order_by(Booking.id)
    kind = Letter.details.type
    details = case((Booking.id.in_(in_array_param("warned")), param("first", kind)), else_=param("again", kind))
    return (
        insert(Strike).from_select(list(columns), rows, include_defaults=False),
        letters_to("strike", IDS, details),
    )


IDS = in_array_param("ids")
WHY = param("reason", Strike.reason.type)
STRUCK = EventTemplate("strike", reason=WHY)
STRIKES = statements.WriteAll(lines_of(IDS, STRUCK), *_struck())
NO_SHOWS = statements.WriteAll(
    _freed(), lines_of(IDS, EventTemplate("released", "released"), STRUCK), _ended("released", "released"), *_struck()
)
MISSED = statements.WriteAll(
    _freed(), lines_of(IDS, EventTemplate("release_missed", "released")), _ended("released", "release_missed")
)
CALLED_OFF = statements.WriteAll(
    lines_of(IDS, EventTemplate("slot_cancelled", "cancelled", actor=param("actor", Event.actor_id.type))),
    _ended("cancelled", "slot_cancelled").values(checked_in_at=null(), late=False),
)
TOLD_CALLED_OFF = statements.CompiledStatement(
    letters_once("slot_cancelled", IDS, param("why", Letter.details.type), "due")
)
UNRECORDED = statements.WriteAll(
    _freed(), lines_of(IDS, EventTemplate("unrecorded", "unrecorded")), _ended("unrecorded", "unrecorded")
)
