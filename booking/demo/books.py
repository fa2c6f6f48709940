"""What the past leaves behind, kept in memory and written in one go.

Living it through `booking.seats` would be slower by a factor of ten: eight statements for each of
ten thousand moves. `flask check` replays these rows like any others.
"""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from booking.ledger import pause_after
from booking.model import Booking, Event, Slot, Strike
from booking.policy import Policy


@dataclass(eq=False)
class Claim:
    """A booking to be; the columns of `Booking` by name."""

    slot_id: int
    station_id: int
    person_id: int
    created_at: datetime
    state: str = ""
    via: str = "tap"
    line_no: int | None = None
    seated_at: datetime | None = None
    standby_at: datetime | None = None
    checked_in_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str | None = None
    late: bool = False
    skipped: str | None = None


@dataclass(eq=False)
class Mark:
    """A strike to be."""

    claim: Claim
    at: datetime
    reason: str
    forgiven_at: datetime | None = None
    forgiven_by: int | None = None
    forgive_reason: str = ""


@dataclass
class Books:
    """Claims, strikes and history in the order in which they came about."""

    claims: list[Claim] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)

    def note(
        self,
        slot: Slot,
        kind: str,
        at: datetime,
        claim: Claim | None = None,
        before: str | None = None,
        after: str | None = None,
        *,
        actor_id: int | None = None,
        reason: str | None = None,
    ) -> None:
        self.lines.append(
            {
                "at": at,
                "kind": kind,
                "station_id": slot.station_id,
                "slot_id": slot.id,
                "plan_id": slot.plan_id,
                "booking_id": claim,
                "person_id": claim.person_id if claim else None,
                "actor_id": actor_id,
                "before": before,
                "after": after,
                "reason": reason,
                "details": {},
            }
        )

    def paused(self, person_id: int, at: datetime) -> bool:
        """Whether strikes keep this person from new seats: the app's own reckoning, on these books."""
        counted = [mark.at for mark in self.marks if mark.claim.person_id == person_id and not mark.forgiven_at]
        until = pause_after(counted, Policy())
        return until is not None and until > at

    def write(self, session: Session) -> None:
        """One statement a table."""
        if not self.claims:
            return
        wanted = insert(Booking).returning(Booking.id, sort_by_parameter_order=True)
        numbers = session.scalars(wanted, [asdict(claim) for claim in self.claims]).all()
        ids: dict[Claim | None, int | None] = {None: None, **dict(zip(self.claims, numbers, strict=True))}
        session.execute(insert(Event), [{**line, "booking_id": ids[line["booking_id"]]} for line in self.lines])
        if self.marks:
            session.execute(insert(Strike), [{**_strike(mark), "booking_id": ids[mark.claim]} for mark in self.marks])


def _strike(mark: Mark) -> dict[str, Any]:
    claim = mark.claim
    own = {name: value for name, value in vars(mark).items() if name != "claim"}
    return {**own, "person_id": claim.person_id, "station_id": claim.station_id, "slot_id": claim.slot_id}
