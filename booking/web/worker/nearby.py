"""Choosing a station by how near it is: the phone tells, after a tap, to about a hundred metres."""

from flask import abort, render_template, request

from booking import stations
from booking.extensions import db
from booking.refusals import Refused
from booking.rosters import places
from booking.web.worker.room import pages


@pages.get("/stations/near")
def near() -> str:
    try:
        here = stations.read_position(request.args.get("at", "")[:60]) or abort(404)
    except Refused:
        abort(404)
    found = places.nearest(db.session(), *here)
    km = {station.code: distance for station, distance in found}
    return render_template("worker/stations.html", found=[station for station, _km in found], sought="", km=km)
