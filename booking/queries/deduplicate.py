"""Deduplication: one booking for each person of a slot, where somebody left and came back."""

from collections.abc import Iterable

from booking.model import LIVE, Booking


def one_a_person(bookings: Iterable[Booking]) -> list[Booking]:
    """For each person the booking that shows their current state, in the order in which they came."""
    found = list(bookings)
    tells: dict[tuple[int, int], Booking] = {}
    for booking in found:
        whose = (booking.slot_id, booking.person_id)
        tells[whose] = max(tells.get(whose, booking), booking, key=_rank)
    kept = {booking.id for booking in tells.values()}
    return [booking for booking in found if booking.id in kept]


def _rank(booking: Booking) -> tuple[bool, bool, bool, int]:
    """Live bookings first, then a lost seat, then a late cancel, then the newest."""
    return booking.state in LIVE, booking.state == "released", booking.late, booking.id
