"""Bookings in memory: the demo's past, written to the database in one go.

Running it through `booking.seats` would be ten times slower: eight statements for each of ten thousand changes. `flask
check` replays these rows like any others.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from booking.model import Base, Booking, Slot
from booking.policy import Policy
from booking.seats.strike_ledger import pause_after


@dataclass(eq=False)
class Claim:
    """A booking to be written; the columns of `Booking` by name."""

    slot_id: int
    station_id: int
    person_id: int
    created_at: datetime
    state: str = ""
    via: str = "tap"
    waitlist_position: int | None = None
    seated_at: datetime | None = None
    standby_at: datetime | None = None
    checked_in_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str | None = None
    late: bool = False
    skipped: str | None = None
    ticket: str = field(default_factory=lambda: secrets.token_urlsafe(16))


@dataclass(eq=False)
class Mark:
    """A strike to be written."""

    claim: Claim
    at: datetime
    reason: str
    forgiven_at: datetime | None = None
    forgiven_by: int | None = None
    forgive_reason: str = ""


@dataclass
class Books:
    """Bookings, strikes and events in the order in which they were made."""

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
        """Whether strikes keep this person from new seats: the app's own rule, on these rows."""
        counted = [mark.at for mark in self.marks if mark.claim.person_id == person_id and not mark.forgiven_at]
        until = pause_after(counted, Policy())
        return until is not None and until > at

    def write(self, session: Session) -> None:
        """Write them as plain tables with one statement each, which is fast."""
        if not self.claims:
            return
        tables = Base.metadata.tables
        session.execute(insert(tables["booking"]), [vars(claim) for claim in self.claims])
        known = {row.ticket: row.id for row in session.execute(select(Booking.ticket, Booking.id))}
        session.execute(
            insert(tables["event"]), [{**line, "booking_id": _id(line["booking_id"], known)} for line in self.lines]
        )
        if self.marks:
            session.execute(insert(tables["strike"]), [_strike(mark, known) for mark in self.marks])


def _id(claim: Claim | None, known: dict[str, int]) -> int | None:
    return known[claim.ticket] if claim else None


def _strike(mark: Mark, known: dict[str, int]) -> dict[str, Any]:
    claim = mark.claim
    own = {name: value for name, value in vars(mark).items() if name != "claim"}
    whose = {"person_id": claim.person_id, "station_id": claim.station_id, "slot_id": claim.slot_id}
    return {**own, **whose, "booking_id": known[claim.ticket]}
