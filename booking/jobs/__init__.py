"""The jobs: `timetable` is the one page that lists them, `running` runs and records one, `leading` decides who does,
and `scheduler` is the process that does it at its pace.

All of them mean "everything that is due and not done": running one twice, late, or in two places
at once does nothing twice.
"""

from booking.jobs.batches import PartlyDone
from booking.jobs.runner import Ran, tick
from booking.jobs.schedule import TIMETABLE, Job

__all__ = ["TIMETABLE", "Job", "PartlyDone", "Ran", "tick"]
