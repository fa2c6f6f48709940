"""Transfers of managers: asked for, withdrawn, and carried out on their day, by the clock of the station that is left."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from booking import clock, people
from booking.db import transactions
from booking.db.transactions import transactional
from booking.enqueue import enqueue
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Manages, Person, StaffTransfer, Station
from booking.people.accounts import alive

PENDING = and_(StaffTransfer.done_at.is_(None), StaffTransfer.withdrawn_at.is_(None))
FARTHEST = timedelta(days=365)


@dataclass(frozen=True)
class TransferWish:
    """Who is to move from where to where on which day; `confirmed` even if nobody is left to manage the first."""

    email: str
    leaves: Station
    joins: Station
    on_date: date
    confirmed: bool = False


class RefusedTransfers(Exception):
    """Nothing was planned. The refusals, by the place of the wish."""

    def __init__(self, refusals: dict[int, RuleViolation]) -> None:
        super().__init__()
        self.refusals = refusals


@transactional
def plan_transfers(
    session: Session, wishes: Sequence[TransferWish], now: datetime, actor_id: int, *, only_try: bool = False
) -> None:
    """Plan all of them, or none. Raises `RefusedTransfers` with every refusal.

    Of each: `no_account`, `disabled_account`, `not_manager_there`, `same_station`, `transfer_to_closed`,
    `transfer_day_over`, `transfer_too_far`, `transfer_planned`, and `last_manager` unless it is confirmed.
    """
    people.hold_managers(session, *{one.id for wish in wishes for one in (wish.leaves, wish.joins)})
    known = (people.person_of(session, wish.email.strip().lower()) for wish in wishes)
    transactions.lock(session, people={person_id for person_id in known if person_id})
    refusals: dict[int, RuleViolation] = {}
    planned: list[StaffTransfer] = []
    for place, wish in enumerate(wishes):
        try:
            planned.append(_plan(session, wish, now, actor_id))
        except RuleViolation as no:
            refusals[place] = no
    refusals |= _who_leave_nobody(session, wishes, refusals)
    if refusals:
        raise RefusedTransfers(refusals)
    for transfer in planned:
        _record(session, "transfer_planned", transfer, now, actor_id)
        _tell(session, transfer, now, "planned")
    if only_try:
        session.flush()
        raise RefusedTransfers({})


@transactional
def withdraw_transfer(session: Session, transfer_id: int, now: datetime, actor_id: int) -> None:
    """Leave the manager where they are. Raises `transfer_over` for one that was carried out or withdrawn."""
    transfer = _held(session, transfer_id)
    if transfer is None:
        raise RuleViolation("transfer_over")
    transfer.withdrawn_at = now
    _record(session, "transfer_withdrawn", transfer, now, actor_id)
    _tell(session, transfer, now, "withdrawn")


def due_transfers(session: Session, now: datetime) -> Sequence[int]:
    """Those whose day has come where the manager is now."""
    return [one for one, _ in _due(session, now)]


@transactional
def carry_out(session: Session, transfer_id: int, now: datetime) -> int:
    """Carry it out if it still can be, and withdraw it if it cannot. Returns how many moved: 0 or 1.

    One that would leave a station without a manager, and was not confirmed, waits for a successor or for a word. Whoever
    is due to join the station is a successor and manages it from now on, however long they still manage their own.
    """
    transfer = _held(session, transfer_id)
    if transfer is None:
        return 0
    person, leaves = transfer.person, transfer.from_station
    if session.get(Manages, (person.id, leaves)) is None or person.disabled_at or transfer.joins.closed_at:
        transfer.withdrawn_at = now
        _record(session, "transfer_withdrawn", transfer, now, None)
        _tell(session, transfer, now, "withdrawn")
        return 0
    if not transfer.leaves_nobody and people.is_last_manager(session, person.id, leaves):
        successors = _successors(session, leaves, now)
        if not successors:
            return 0
        for successor_id in successors:
            people.appoint.inside(session, successor_id, leaves, now)
    transfer.done_at = now
    people.appoint.inside(session, person.id, transfer.to_station, now)
    people.dismiss.inside(session, person.id, leaves, now, confirmed=True)
    _record(session, "transferred", transfer, now, None)
    _tell(session, transfer, now, "done")
    return 1


def _held(session: Session, transfer_id: int) -> StaffTransfer | None:
    """A pending transfer with its person, locked and freshly read; who is to join the station that is left is locked too."""
    transfer = session.get(StaffTransfer, transfer_id)
    if transfer is None:
        return None
    people.hold_managers(session, transfer.from_station)  # which lets nobody plan to join it, either
    join = select(StaffTransfer.person_id).where(PENDING, StaffTransfer.to_station == transfer.from_station)
    transactions.lock(session, people={transfer.person_id, *session.scalars(join)})
    session.refresh(transfer)
    return transfer if transfer.done_at is None and transfer.withdrawn_at is None else None


def _due(session: Session, now: datetime, *which: ColumnElement[bool]) -> list[tuple[int, int]]:
    """Transfer and person of the pending ones whose day has come, by the transfer's id."""
    tomorrow = now.date() + timedelta(days=1)  # a station may be a day ahead of UTC
    columns = (StaffTransfer.id, StaffTransfer.person_id, StaffTransfer.on_date, Station.zone_name)
    found = select(*columns).join(StaffTransfer.leaves).where(PENDING, StaffTransfer.on_date <= tomorrow, *which)
    rows = session.execute(found.order_by(StaffTransfer.id))
    return [(one, person_id) for one, person_id, day, zone in rows if day <= clock.at_station(now, zone).date()]


def _successors(session: Session, station_id: int, now: datetime) -> list[int]:
    """Who is due to join the station, and would not be withdrawn. Two who change places would wait for each other."""
    still = (
        select(Manages)
        .join(Manages.person)
        .where(
            Manages.person_id == StaffTransfer.person_id,
            Manages.station_id == StaffTransfer.from_station,
            Person.disabled_at.is_(None),
        )
    )
    return [person_id for _, person_id in _due(session, now, StaffTransfer.to_station == station_id, still.exists())]


def _plan(session: Session, wish: TransferWish, now: datetime, actor_id: int) -> StaffTransfer:
    person_id = people.person_of(session, people.clean_email(wish.email))
    if person_id is None:
        raise RuleViolation("no_account")
    person = alive(session, person_id)
    if person.disabled_at:
        raise RuleViolation("disabled_account")
    if wish.leaves.id == wish.joins.id:
        raise RuleViolation("same_station")
    if session.get(Manages, (person_id, wish.leaves.id)) is None:
        raise RuleViolation("not_manager_there", station=wish.leaves.name)
    if wish.joins.closed_at:
        raise RuleViolation("transfer_to_closed")
    _check_day(wish, now)
    mine = (StaffTransfer.person_id == person_id, StaffTransfer.from_station == wish.leaves.id, PENDING)
    if session.scalar(select(StaffTransfer.id).where(*mine)):
        raise RuleViolation("transfer_planned")
    places = {"from_station": wish.leaves.id, "to_station": wish.joins.id, "leaves_nobody": wish.confirmed}
    transfer = StaffTransfer(person_id=person_id, on_date=wish.on_date, asked_by=actor_id, asked_at=now, **places)
    session.add(transfer)
    session.flush()
    return transfer


def _check_day(wish: TransferWish, now: datetime) -> None:
    today = clock.at_station(now, wish.leaves.zone_name).date()
    if wish.on_date < today:
        raise RuleViolation("transfer_day_over")
    if wish.on_date > today + FARTHEST:
        raise RuleViolation("transfer_too_far")


def _who_leave_nobody(
    session: Session, wishes: Sequence[TransferWish], refused: Collection[int]
) -> dict[int, RuleViolation]:
    """Those after which nobody is left: neither who stays, nor who comes by that day."""
    found: dict[int, RuleViolation] = {}
    for place, wish in enumerate(wishes):
        if place in refused or wish.confirmed or wish.leaves.centre_id is None or wish.leaves.closed_at:
            continue
        if not session.scalar(select(_stays(wish) | _comes(wish))):
            found[place] = RuleViolation("last_manager")
    return found


def _stays(wish: TransferWish) -> ColumnElement[bool]:
    able = (Person.disabled_at.is_(None), Person.deleted_at.is_(None))
    goes = select(StaffTransfer.id).where(
        PENDING, StaffTransfer.person_id == Manages.person_id, StaffTransfer.from_station == wish.leaves.id
    )
    here = select(Manages.person_id).join(Manages.person).where(Manages.station_id == wish.leaves.id, *able)
    return here.where(~goes.exists()).exists()


def _comes(wish: TransferWish) -> ColumnElement[bool]:
    here = (StaffTransfer.to_station == wish.leaves.id, StaffTransfer.on_date <= wish.on_date)
    return select(StaffTransfer.id).where(PENDING, *here).exists()


def _record(session: Session, kind: str, transfer: StaffTransfer, now: datetime, actor_id: int | None) -> None:
    """In the history of both stations."""
    about: dict[str, Any] = {
        "leaves": transfer.leaves.name,
        "joins": transfer.joins.name,
        "on": transfer.on_date.isoformat(),
    }
    for station_id in (transfer.from_station, transfer.to_station):
        place: dict[str, Any] = {"person_id": transfer.person_id, "station_id": station_id}
        record(session, kind, now, actor_id=actor_id, **place, **about)


def _tell(session: Session, transfer: StaffTransfer, now: datetime, what: str) -> None:
    """Write to who moves and to the other managers of both stations."""
    stations = (transfer.from_station, transfer.to_station)
    theirs = select(Manages.person_id).where(Manages.station_id.in_(stations))
    for person_id in sorted({transfer.person_id, *session.scalars(theirs)}):
        once = f"transfer:{transfer.id}:{what}:{person_id}"
        enqueue(session, "staff_transfer", now, person_id=person_id, once=once, transfer=transfer.id, what=what)
