"""History: the audit log: writes one event for every change of state, and replays the events of a slot."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from sqlalchemy import ColumnElement, Insert, Select, cast, func, insert, join, literal, null, select, union_all, update
from sqlalchemy.orm import Session

from booking.db.arrays import in_array
from booking.db.statements import param
from booking.db.transactions import NO_SYNC
from booking.model import HOLDING, Booking, Event, Slot

# The kinds of events by which a slot was edited, if it was there before.
SLOT_EDITED = ("moved", "planned")
# Of such an event whose slot changed its times: start and end before it, in the details.
TIMES_BEFORE = "times_before"


def record(
    session: Session,
    kind: str,
    now: datetime,
    *,
    actor_id: int | None = None,
    slot: Slot | None = None,
    booking: Booking | None = None,
    before: str | None = None,
    after: str | None = None,
    reason: str | None = None,
    **details: Any,
) -> Event:
    """Write who did what, in the transaction that does it. `details` may name any other column."""
    columns: dict[str, Any] = {k: details.pop(k) for k in ("station_id", "plan_id", "person_id") if k in details}
    if slot is not None:
        columns |= {"slot_id": slot.id, "plan_id": slot.plan_id, "station_id": slot.station_id}
    if booking is not None:
        columns |= {"booking_id": booking.id, "person_id": booking.person_id}
    line = Event(kind=kind, at=now, actor_id=actor_id, before=before, after=after, reason=reason, details=details)
    for name, value in columns.items():
        setattr(line, name, value)
    session.add(line)
    return line


def record_all(
    session: Session,
    kind: str,
    now: datetime,
    table: type[Slot] | type[Booking],
    ids: Collection[int],
    *,
    after: str | None = None,
    reason: str | None = None,
) -> None:
    """Write one event for each of these slots or bookings. With `after` it reads the state before: call it first."""
    if not ids:
        return
    about: dict[str, Any] = {"station_id": table.station_id, "plan_id": Slot.plan_id}
    about |= {"before": table.state if after else null(), "after": literal(after), "reason": literal(reason)}
    about |= {"at": literal(now, Event.at.type), "kind": literal(kind), "details": literal({}, Event.details.type)}
    if table is Booking:
        about |= {"slot_id": Booking.slot_id, "booking_id": Booking.id, "person_id": Booking.person_id}
    else:
        about |= {"slot_id": Slot.id}
    source: Any = join(Booking, Slot, Booking.slot_id == Slot.id) if table is Booking else Slot
    rows = select(*about.values()).select_from(source).where(table.id.in_(in_array(ids))).order_by(table.id)
    session.execute(insert(Event).from_select(list(about), rows))


def forget_person(session: Session, *which: ColumnElement[bool]) -> int:
    """Take the person off these events, also as who did it. Returns how many events."""
    nobody = {"person_id": None, "actor_id": func.nullif(Event.actor_id, Event.person_id)}
    found = update(Event).where(*which).values(nobody).returning(Event.id)
    return len(session.scalars(found, execution_options=NO_SYNC).all())


def last_of(kinds: Collection[str], *by: Any) -> Select[int]:
    """The ids of the last events of these kinds, one for each person or for each `by`."""
    return select(func.max(Event.id)).where(Event.kind.in_(kinds)).group_by(*(by or (Event.person_id,)))


def times_before(starts_at: datetime, ends_at: datetime) -> dict[str, Any]:
    """Details of an edit: start and end of the slot before it. Calendars know a seat that was lost then by these."""
    return {TIMES_BEFORE: [starts_at.isoformat(), ends_at.isoformat()]}


class EventTemplate(NamedTuple):
    """One event about a booking, for `lines_of`. With `after` it reads the state before: write it first."""

    kind: str
    after: str | None = None
    reason: ColumnElement[str] | None = None
    actor: ColumnElement[int] | None = None


def lines_of(bookings: Select[int], *told: EventTemplate) -> Insert:
    """Insert these events, in this order, for each of these bookings, at the bound `now`."""
    about = {name: getattr(Booking, name) for name in ("station_id", "slot_id", "person_id")}
    about |= {"booking_id": Booking.id, "plan_id": Slot.plan_id}
    about |= {"at": param("now", Event.at.type), "details": literal({}, Event.details.type)}
    found = [_line(about, place, one).where(Booking.id.in_(bookings)) for place, one in enumerate(told)]
    lines = (union_all(*found) if len(found) > 1 else found[0]).subquery()
    names = [name for name in lines.c.keys() if name != "place"]  # noqa: SIM118 - not a dict
    rows = select(*(lines.c[name] for name in names)).order_by(lines.c.booking_id, lines.c.place)
    return insert(Event).from_select(names, rows, include_defaults=False)


def _line(about: dict[str, Any], place: int, told: EventTemplate) -> Select[Any]:
    after = literal(told.after) if told.after else null()
    said = {"kind": literal(told.kind), "before": Booking.state if told.after else null(), "after": after}
    reason = null() if told.reason is None else told.reason
    actor = cast(null() if told.actor is None else told.actor, Event.actor_id.type)
    columns: dict[str, Any] = {**about, **said, "reason": reason, "actor_id": actor, "place": literal(place)}
    return select(*(value.label(name) for name, value in columns.items())).join_from(
        Booking, Slot, Booking.slot_id == Slot.id
    )


class EventLike(Protocol):
    """What a replay needs of an event: the row itself, or only these columns."""

    @property
    def id(self) -> int: ...
    @property
    def booking_id(self) -> int | None: ...
    @property
    def before(self) -> str | None: ...
    @property
    def after(self) -> str | None: ...
    @property
    def details(self) -> dict[str, Any]: ...


@dataclass
class Replayed:
    """The state of a slot by its events."""

    state: str = ""
    capacity: int = 0
    bookings: dict[int, str] = field(default_factory=dict)
    jumps: list[int] = field(default_factory=list)

    @property
    def taken(self) -> int:
        return sum(state in HOLDING for state in self.bookings.values())

    @property
    def waiting(self) -> int:
        return sum(state == "waiting" for state in self.bookings.values())


def replay(events: Iterable[EventLike]) -> Replayed:
    """Fold a slot's events, oldest first. `jumps` lists the ids of events whose `before` was not the state then."""
    told = Replayed()
    for line in events:
        if line.after is None:
            continue
        if line.booking_id is not None:
            if told.bookings.get(line.booking_id) != line.before:
                told.jumps.append(line.id)
            told.bookings[line.booking_id] = line.after
            continue
        if line.before is not None and line.before != told.state:
            told.jumps.append(line.id)
        told.state = line.after
        told.capacity = line.details.get("capacity", told.capacity)
    return told
