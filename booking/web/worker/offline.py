"""Offline: the page that the service worker caches for when there is no network, and the service worker itself."""

from pathlib import Path

from flask import current_app, make_response, render_template
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock
from booking.extensions import db
from booking.queries import my_bookings
from booking.web.security import permissions
from booking.web.worker.blueprint import pages
from booking.web.worker.mine import qr


@pages.get("/sw.js")
def service_worker() -> Response:
    """Served at the root: it controls only addresses below its own. Disabled, it unregisters the installed ones."""
    name = "sw.js" if current_app.config["OFFLINE_TICKETS"] else "sw-off.js"
    answer = make_response(Path(current_app.static_folder or "", "js", name).read_text())
    answer.mimetype = "text/javascript"
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@pages.get("/offline")
def offline() -> Response:
    """The reader's next seats, to be read offline. It names its owner, so that it is cached for nobody else."""
    person, now = permissions.reader(), clock.now()
    seats = my_bookings.seats_ahead(db.session(), person.id, now) if person else ()
    answer = make_response(render_template("worker/offline.html", seats=seats, seen_at=now, qr=qr))
    if person:
        answer.headers["Kept-For"] = str(current_user.sign_in_id)
    return answer
