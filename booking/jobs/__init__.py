"""Jobs: background work.

`schedule` lists every job, `runner` runs and records one, `batches` goes through its rows, `leader_election` picks the
process that runs them, `scheduler` is that process, `backpressure` slows it down under load, `metrics` exports figures.

Every job means "everything that is due and not done": running one twice, late, or in two places at once does nothing
twice.
"""

from booking.jobs.batches import PartlyDone
from booking.jobs.runner import Ran, in_order, tick
from booking.jobs.schedule import SENDERS, TIMETABLE
