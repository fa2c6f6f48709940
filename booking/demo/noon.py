"""One past slot of the demo, from its opening to its end: the transitions of `booking.seats`, in memory.

Nobody of the crowd books two slots of one day, so a change here concerns its own slot only.
"""

from datetime import datetime

from booking.demo.books import Books, Claim, Mark
from booking.model import HOLDING, LIVE, Slot


class DemoSlot:
    """One slot and its bookings. `slot` has the counters that the app would store."""

    def __init__(self, slot: Slot, books: Books) -> None:
        self.slot, self.books = slot, books
        self.claims: list[Claim] = []

    def take(self, person_id: int, at: datetime) -> Claim | None:
        """Book a seat, or a waiting-list place; None for a refusal."""
        slot, mine = self.slot, self._on(person_id)
        may = self._is_open(at) and (mine is None or mine.state == "waiting")
        if not may or self.books.paused(person_id, at):
            return None
        first_tap = at >= slot.waitlist_until
        if slot.free and (first_tap or not slot.waiting):
            claim = mine or self._new(person_id, at)
            self._sit(claim, "booked", at, person_id)
            return claim
        if first_tap or mine:
            return None
        claim = self._new(person_id, at)
        self._queue(claim, at)
        return claim

    def give_up(self, claim: Claim, at: datetime) -> bool:
        slot = self.slot
        if claim.state not in ("booked", "waiting") or at >= slot.starts_at:
            return False
        if claim.state == "booked":
            never_free = claim.via == "line" and claim.seated_at is not None and claim.seated_at > slot.free_until
            claim.late = at > slot.free_until and not never_free
        self._end(claim, "cancelled", "given_up", at, claim.person_id)
        self._serve(at)
        return True

    def check_in(self, claim: Claim, at: datetime, actor_id: int) -> None:
        if claim.state == "booked" and self.slot.checkin_from <= at < self.slot.ends_at:
            claim.checked_in_at = at
            self._move(claim, "attended", "checked_in", at, actor_id)

    def stand_by(self, claim: Claim, at: datetime) -> None:
        """Put a person on the waiting list on standby."""
        slot = self.slot
        too_soon = at < slot.checkin_from or (slot.free and slot.waitlist_until <= at < slot.starts_at)
        if claim.state != "waiting" or claim.standby_at or too_soon or at >= slot.ends_at:
            return
        claim.standby_at = at
        self.books.note(slot, "standby", at, claim, actor_id=claim.person_id)
        self._serve(at)

    def walk_in(self, person_id: int, at: datetime, actor_id: int) -> None:
        if self.slot.free and self.slot.starts_at <= at < self.slot.ends_at and not self._on(person_id):
            self._arrive(self._new(person_id, at), at, actor_id)

    def open(self, at: datetime) -> None:
        if self.slot.state == "planned":
            self._turn("opened", "open", at)

    def start(self, at: datetime) -> None:
        if self.slot.state == "open":
            self._turn("started", "running", at)
            for claim in self._line():
                if claim.standby_at is None:
                    self._end(claim, "expired", "expired", at)
            self._serve(at)

    def release(self, at: datetime) -> None:
        if self.slot.state == "running":
            self.slot.released_at = at
            for claim in self._in("booked"):
                self._end(claim, "released", "released", at)
                self._strike(claim, "no_show", at)
            self._serve(at)

    def finish(self, at: datetime) -> None:
        if self.slot.state == "running":
            for claim in self._line():
                self._end(claim, "expired", "expired", at)
            for claim in self._unused():
                self._strike(claim, "late_cancel", at)
            self._turn("done", "done", at)

    def call_off(self, reason: str, at: datetime, actor_id: int) -> None:
        for claim in self._in(*LIVE):
            self._end(claim, "cancelled", "slot_cancelled", at, actor_id)
        self.slot.cancel_reason = reason
        self._turn("cancelled", "cancelled", at, actor_id, reason)

    def _is_open(self, at: datetime) -> bool:
        return self.slot.state == "open" and self.slot.opens_at <= at < self.slot.starts_at

    def _on(self, person_id: int) -> Claim | None:
        return next((c for c in self.claims if c.person_id == person_id and c.state in LIVE), None)

    def _in(self, *states: str) -> list[Claim]:
        return [claim for claim in self.claims if claim.state in states]

    def _line(self) -> list[Claim]:
        return sorted(self._in("waiting"), key=lambda claim: claim.waitlist_position or 0)

    def _new(self, person_id: int, at: datetime) -> Claim:
        claim = Claim(self.slot.id, self.slot.station_id, person_id, at)
        self.claims.append(claim)
        self.books.claims.append(claim)
        return claim

    def _queue(self, claim: Claim, at: datetime) -> None:
        self.slot.waitlist_seq += 1
        claim.waitlist_position = self.slot.waitlist_seq
        self._move(claim, "waiting", "waiting", at, claim.person_id)

    def _sit(self, claim: Claim, kind: str, at: datetime, actor_id: int | None = None) -> None:
        claim.seated_at = at
        self._move(claim, "booked", kind, at, actor_id)

    def _arrive(self, claim: Claim, at: datetime, actor_id: int | None = None) -> None:
        claim.via = "door"
        self._sit(claim, "walked_in", at, claim.person_id)
        claim.checked_in_at = at
        self._move(claim, "attended", "checked_in", at, actor_id)

    def _serve(self, at: datetime) -> None:
        """Offer a free seat: to the waiting list, or to people on standby."""
        slot = self.slot
        if at >= slot.starts_at:
            for claim in sorted(self._line(), key=lambda c: (c.standby_at or at, c.waitlist_position)):
                if slot.free and claim.standby_at:
                    self._arrive(claim, at)
        elif at < slot.waitlist_until:
            for claim in self._line():
                if slot.free and not self._passed_by(claim, at):
                    claim.via = "line"
                    self._sit(claim, "promoted", at)

    def _passed_by(self, claim: Claim, at: datetime) -> bool:
        paused = self.books.paused(claim.person_id, at)
        if paused and not claim.skipped:
            claim.skipped = "paused"
            self.books.note(self.slot, "skipped", at, claim, reason="paused")
        return paused

    def _unused(self) -> list[Claim]:
        """Late cancels whose seat nobody took afterwards."""
        takings = sorted(claim.seated_at for claim in self._in("attended", "released") if claim.seated_at)
        unused = []
        for claim in sorted((c for c in self.claims if c.late), key=lambda c: c.ended_at or c.created_at):
            later = next((at for at in takings if claim.ended_at and at >= claim.ended_at), None)
            if later:
                takings.remove(later)
            else:
                unused.append(claim)
        return unused

    def _end(self, claim: Claim, state: str, reason: str, at: datetime, actor_id: int | None = None) -> None:
        claim.ended_at, claim.end_reason = at, reason
        self._move(claim, state, reason, at, actor_id)

    def _strike(self, claim: Claim, reason: str, at: datetime) -> None:
        self.books.marks.append(Mark(claim, at, reason))
        self.books.note(self.slot, "strike", at, claim, reason=reason)

    def _move(self, claim: Claim, state: str, kind: str, at: datetime, actor_id: int | None) -> None:
        before, claim.state = claim.state or None, state
        self.slot.taken += (state in HOLDING) - (before in HOLDING)
        self.slot.waiting += (state == "waiting") - (before == "waiting")
        self.books.note(self.slot, kind, at, claim, before, state, actor_id=actor_id)

    def _turn(
        self, kind: str, state: str, at: datetime, actor_id: int | None = None, reason: str | None = None
    ) -> None:
        before, self.slot.state = self.slot.state, state
        self.books.note(self.slot, kind, at, before=before, after=state, actor_id=actor_id, reason=reason)
