"""Nearest stations: the phone tells where it is, after a tap, to about a hundred metres."""

from flask import abort, render_template, request

from booking import stations
from booking.errors import RuleViolation
from booking.extensions import db
from booking.queries import station_lookup
from booking.web.worker.blueprint import pages


@pages.get("/stations/near")
def near() -> str:
    try:
        here = stations.read_position(request.args.get("at", "")[:60]) or abort(404)
    except RuleViolation:
        abort(404)
    found = station_lookup.nearest(db.session(), *here)
    km = {station.code: distance for station, distance in found}
    return render_template("worker/stations.html", found=[station for station, _km in found], sought="", km=km)
