"""Monitoring of the scheduler: whether each job is on time, which rows it could not do, when nothing ran at all."""

from booking.monitoring.dead_letters import done, is_about_slot, known, listed, record_failure, requeue, skipped
from booking.monitoring.downtime import note_outage, outages_since
from booking.monitoring.job_runs import (
    JobState,
    beat,
    found_nothing,
    jobs,
    late_since,
    slot_backlog,
    write_down,
)
