"""Scanner: reads the tickets of those who arrive with the phone's camera, one after the other.

Each is sent as a tap is (`checkin_sync.py`), so a scan without network is kept on the phone as a tap is.
"""

from flask import make_response, render_template, request
from flask_login import current_user

from booking import clock
from booking.extensions import db
from booking.queries import checkin
from booking.web.errors import read_id
from booking.web.manager.blueprint import Answer, pages
from booking.web.security.permissions import checkin_slot, checkin_station


@pages.get("/<code>/scan")
def scan(code: str) -> Answer:
    """The page; with `slot`, the tickets of that slot are expected."""
    station = checkin_station(code)
    slot = checkin_slot(code, read_id(request.args["slot"])) if request.args.get("slot") else None
    doors = checkin.doors_open(db.session(), station.id, clock.now())
    page = make_response(render_template("manager/scan.html", station=station, slot=slot, doors=doors))
    page.headers["Kept-For"] = str(current_user.sign_in_id)
    return page
