"""How the scheduler is doing: the last run of each of its jobs."""

from werkzeug.wrappers import Response

from booking.extensions import db
from booking.rosters import network
from booking.web.admin.room import pages, show


@pages.get("/jobs")
def jobs() -> Response:
    return show("admin/jobs.html", runs=network.job_runs(db.session()))
