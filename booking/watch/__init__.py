"""Watching the scheduler: is each job on time, what could it not do, when did nothing run at all."""

from booking.watch.aside import again, could_not, done, known, listed, to_skip
from booking.watch.outages import note_outage, outages_since
from booking.watch.runs import JobState, beat, found_nothing, jobs, keep_only, late_since, slot_backlog, write_down

__all__ = [
    "JobState",
    "again",
    "beat",
    "could_not",
    "done",
    "found_nothing",
    "jobs",
    "keep_only",
    "known",
    "late_since",
    "listed",
    "note_outage",
    "outages_since",
    "slot_backlog",
    "to_skip",
    "write_down",
]
