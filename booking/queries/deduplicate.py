"""Deduplicate: one row for each person of a slot, where somebody left it and came back, or stood by after losing a seat."""

from collections.abc import Iterable

from booking.model import LIVE, Booking


def one_a_person(bookings: Iterable[Booking]) -> list[Booking]:
    """Of each person's bookings of a slot the one that tells how it stands, in the order in which they came."""
    found = list(bookings)
    tells: dict[tuple[int, int], Booking] = {}
    for booking in found:
        whose = (booking.slot_id, booking.person_id)
        tells[whose] = max(tells.get(whose, booking), booking, key=_rank)
    kept = {booking.id for booking in tells.values()}
    return [booking for booking in found if booking.id in kept]


def _rank(booking: Booking) -> tuple[bool, bool, bool, int]:
    """What is live first, then a lost seat, then a seat given up late, then the newest."""
    return booking.state in LIVE, booking.state == "released", booking.late, booking.id
