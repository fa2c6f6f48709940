"""What the rules need of a slot and of one person, by one statement."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import String, and_, cast, func, join, or_, select
from sqlalchemy.orm import aliased

from booking import ledger, policy
from booking.model import LIVE, Booking, Person, Slot, Strike
from booking.seats.runs import RUN, Run, run, runs
from booking.seats.standing import Entry, Standing, entry_columns
from booking.swift import Line, Statement, given

# As long as any strike can count: the longest window that a policy may have, and the longest pause.
STRIKES_COUNT = timedelta(days=policy.BOUNDS["strike_days"][1] + policy.BOUNDS["pause_days"][1])


@dataclass(frozen=True, slots=True)
class Look:
    """A slot and a person in one instant. `acts` is the number that must still stand when something is written."""

    run: Run
    who: Standing
    acts: int
    pressed_before: bool


def look(line: Line, person_id: int, slot_id: int, now: datetime, key: str | None) -> Look | None:
    """None when there is no such slot, or no such person."""
    rows = _LOOK.run(
        line,
        person=person_id,
        slot=slot_id,
        key=key,
        since=now - STRIKES_COUNT,
        first=now.date() - timedelta(days=1),
    )
    if not rows:
        return None
    width = len(RUN)
    seen = run(rows[0])
    acts, gone, strikes, before = rows[0][width : width + 4]
    entries = tuple(Entry(*row[width + 4 :]) for row in rows if row[width + 4] is not None)
    until = ledger.pause_now(_instants(strikes), policy.read(seen.station.policy), now) if strikes else None
    return Look(seen, Standing(person_id, bool(gone), until, entries), acts, before is not None)


_beside = aliased(Slot)
_PERSON = [
    Person.acts,
    or_(Person.deleted_at.is_not(None), Person.disabled_at.is_not(None)),
    select(func.aggregate_strings(cast(Strike.at, String), ","))
    .correlate(Person, Slot)
    .where(
        Strike.person_id == Person.id,
        Strike.station_id == Slot.station_id,
        Strike.forgiven_at.is_(None),
        Strike.at > given("since"),
    )
    .scalar_subquery(),
    select(Booking.id)
    .correlate(Person)
    .where(Booking.person_id == Person.id, Booking.key == given("key"))
    .scalar_subquery(),
]
_mine = and_(Booking.person_id == Person.id, Booking.state.in_(LIVE), _beside.date >= given("first"))
_LOOK = Statement(
    runs()
    .add_columns(*_PERSON, *entry_columns(_beside))
    .join(Person, Person.id == given("person"))
    .outerjoin(join(Booking, _beside, Booking.slot_id == _beside.id), _mine)
    .where(Slot.id == given("slot"))
)


def _instants(text: str) -> list[datetime]:
    """The strikes' times, oldest first; SQLite has them without the UTC that they are in."""
    found = (datetime.fromisoformat(each) for each in text.split(","))
    return sorted(each.replace(tzinfo=UTC) if each.tzinfo is None else each.astimezone(UTC) for each in found)
