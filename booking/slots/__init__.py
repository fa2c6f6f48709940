"""Slots: planning, opening and changing them.

`deadlines` turns wall times into instants, `planning` keeps the coming slots in step with the plans, `due` and
`overdue` say what the clock asks for. `edits`, `moving`, `hosting`, `note`, `watch_link` and `messages` are what a manager
does with one slot, `restore` undoes it. `catalogue` is what a manager changes for a whole station (`value_rules` for its
draws), `ready_made` the activities to begin with, `station_policy` its rules, `copying` copies a week, `model_station` a
whole station, `holiday_import` imports the State Council's announcements.
"""

from booking.slots.catalogue import (
    NothingSaved,
    close_zone,
    kept,
    largest_planned,
    renew_door,
    retire_activity,
    save_activity,
    save_all,
    save_exception,
    save_plan,
    save_zone,
    set_day,
    show_headline,
    stop_plan,
    stranded,
)
from booking.slots.copying import MOST_WEEKS, copy_week, preview_week
from booking.slots.due import (
    open_due,
    open_these,
    stations_to_plan,
    to_finish,
    to_open,
    to_promote,
    to_release,
    to_start,
    too_late,
    unopened,
)
from booking.slots.edits import OneOff, Resized, add, call_off, cancel, set_capacity
from booking.slots.holiday_import import Change, fingerprint, import_holidays, preview_import
from booking.slots.hosting import set_host
from booking.slots.messages import withdraw_message, write_to
from booking.slots.model_station import furnish_like, running_plans
from booking.slots.moving import Move, may_move, move
from booking.slots.note import set_note
from booking.slots.overdue import (
    did_not_happen,
    everybody_came,
    held_releases,
    hold_release,
    may_take_back,
    release_held,
    take_back_word,
)
from booking.slots.planning import Planned, blocked, plan_ahead, runs
from booking.slots.ready_made import ready_made, take_over
from booking.slots.restore import bring_back, may_bring_back, offer_again, reopen_zone, resume_plan
from booking.slots.station_policy import (
    OPENINGS,
    STATION_NUMBERS,
    drop_own_openings,
    plan_lock,
    refuse_locked,
    rewrite_deadlines,
    rewrite_openings,
    set_policy,
)
from booking.slots.watch_link import check_link, host_of, is_allowed, set_watch_link
