"""The rules of a seat: who may have one, how it is taken, given up, passed on, used and lost.

A verb takes a session inside `store.transaction`, ids and the instant `now`; it raises `Refused`
with a reason code and then changes nothing. Every change of state writes one event.

`standing` says who may, `presses` takes (by `look` and `writing`) and gives up, `line` passes on, `door` checks in,
`hours` is what the clock does (by `ends`), `attendance` says whether anybody took it, `undo` takes a press back,
`again` a mistake of the manager, `admit` reads a ticket, `latecomers` gives a lost seat back to who comes late, `moves`
holds the single steps that they share.
"""

from booking.refusals import Refused
from booking.seats.admit import admit
from booking.seats.again import Back, anybody_told, called_off, last_cancel, move_back, reinstate
from booking.seats.attendance import BOOKS_OPEN, awaits_word, everybody_came, not_everybody, settle
from booking.seats.attendance import taken as attendance_taken
from booking.seats.door import check_in, stand_by, undo_check_in, vacate, walk_in
from booking.seats.hours import finish, release, start
from booking.seats.line import Held, hold, move_down, promote, serve
from booking.seats.look import Look, look_through
from booking.seats.moves import can_undo, find_booking, find_slot, is_late, leave, live_booking
from booking.seats.presses import Press, give_up, press, take, verdict
from booking.seats.runs import Run, run, runs
from booking.seats.standing import AnySlot, Entry, Standing, clashing, refusal, standing
from booking.seats.undo import replaced_by

__all__ = [
    "BOOKS_OPEN",
    "AnySlot",
    "Back",
    "Entry",
    "Held",
    "Look",
    "Press",
    "Refused",
    "Run",
    "Standing",
    "admit",
    "anybody_told",
    "attendance_taken",
    "awaits_word",
    "called_off",
    "can_undo",
    "check_in",
    "clashing",
    "everybody_came",
    "find_booking",
    "find_slot",
    "finish",
    "give_up",
    "hold",
    "is_late",
    "last_cancel",
    "leave",
    "live_booking",
    "look_through",
    "move_back",
    "move_down",
    "not_everybody",
    "press",
    "promote",
    "refusal",
    "reinstate",
    "release",
    "replaced_by",
    "run",
    "runs",
    "serve",
    "settle",
    "stand_by",
    "standing",
    "start",
    "take",
    "undo_check_in",
    "vacate",
    "verdict",
    "walk_in",
]
