"""Station list: all stations with a search, the nearest ones, and the public numbers of one."""

from flask import abort, render_template, request

from booking import statistics
from booking.errors import RuleViolation
from booking.extensions import db
from booking.queries import station_lookup
from booking.sanitise import one_line
from booking.stations import read_position
from booking.web.security.permissions import open_station
from booking.web.worker.blueprint import pages


@pages.get("/stations")
def stations() -> str:
    sought = one_line(request.args.get("q", ""))[:40]
    return render_template("worker/stations.html", found=station_lookup.stations(db.session(), sought), sought=sought)


@pages.get("/stations/near")
def near() -> str:
    """The phone tells where it is, after a tap, to about a hundred metres."""
    try:
        here = read_position(request.args.get("at", "")[:60]) or abort(404)
    except RuleViolation:
        abort(404)
    found = station_lookup.nearest(db.session(), *here)
    km = {station.code: distance for station, distance in found}
    return render_template("worker/stations.html", found=[station for station, _km in found], sought="", km=km)


@pages.get("/s/<code>/headline")
def headline(code: str) -> str:
    """How many slots and visits a station has had, where its manager has made that public."""
    station = open_station(code)
    if not station.shows_headline:
        abort(404)
    slots, visits = statistics.headline(db.session(), station.id)
    return render_template("worker/headline.html", station=station, slots=slots, visits=visits)
