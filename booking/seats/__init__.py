"""Seats: the rules of booking: who may have a seat, how it is booked, cancelled, passed on, used and lost.

A verb takes a session, ids and the instant `now`, and is one transaction (`db/transactions.py`); it raises
`RuleViolation` with a reason code and then changes nothing.

In the order of use: `eligibility` says who may book, `booking` books (by `look` and `snapshot`) and cancels, `swap` does
both, `waitlist` offers free seats, `checkin` handles arrivals (`late_checkin` people who lost their seat), `lifecycle` is
what the clock does, `attendance` says whether anybody recorded who came, `undo` reverts a person's own booking,
`reinstatement` a manager's mistake, `reservation` gives a named person a seat and `removal` takes a single booking off.
`held_slots` says what counts of a slot that was held, and `day_totals` keeps the numbers of each station's days.
`strike_ledger` says whether strikes pause a person, `failed_attempts` keeps presses that got no seat.
All of them give seats and waiting-list places by `claim`, and end them by `transitions` or, many at once, by
`bulk_transitions`.
"""

from booking.seats.attendance import BOOKS_OPEN, awaits_word, everybody_came, not_everybody, settle
from booking.seats.attendance import taken as attendance_taken
from booking.seats.booking import BookingResult, Pressed, book, book_in_transaction, book_single, give_up, press
from booking.seats.checkin import (
    admit,
    check_in,
    seat_or_standby,
    stand_by,
    undo_check_in,
    undo_stand_by,
    vacate,
    walk_in,
)
from booking.seats.day_totals import count_day, count_days_of
from booking.seats.eligibility import NOBODY, AnySlot, Eligibility, Entry, clashing, eligibility, refusal
from booking.seats.late_checkin import was_released
from booking.seats.lifecycle import finish, miss_late, release, start
from booking.seats.look import STRIKES_COUNT, Asked
from booking.seats.reinstatement import Reinstated, anybody_told, called_off, last_cancel, move_back, reinstate
from booking.seats.removal import may_put_back, put_back, remove
from booking.seats.reservation import reserve
from booking.seats.snapshot import SlotSnapshot, snapshot, snapshots
from booking.seats.swap import COUNT_LATE, held_instead, swap
from booking.seats.transitions import can_undo, find_slot, is_late, leave, live_booking, lock_unfinished, locked
from booking.seats.undo import replaced_by
from booking.seats.waitlist import LockedSlots, demote, fill_free_seats, lock_slots, promote
