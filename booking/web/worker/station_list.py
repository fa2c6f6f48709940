"""Station list: all stations with a search, the nearest ones with a map, and the public numbers of one."""

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from booking import statistics, tree
from booking.errors import RuleViolation
from booking.extensions import db
from booking.queries import station_lookup
from booking.sanitise import one_line
from booking.stations import read_position
from booking.web.errors import read_id
from booking.web.security.permissions import open_station
from booking.web.worker import station_map
from booking.web.worker.blueprint import pages


@pages.get("/stations")
def stations() -> str:
    """Where there is a tree, its districts filter the list; an unknown one filters nothing."""
    session, sought = db.session(), one_line(request.args.get("q", ""))[:40]
    districts = tree.districts(session)
    chosen = next((node for node in districts if node.code == request.args.get("district")), None)
    found = station_lookup.page(session, sought, chosen, read_id(request.args.get("page", "")))
    return render_template("worker/stations.html", page=found, sought=sought, districts=districts, chosen=chosen)


@pages.get("/stations/near")
def near_again() -> Response:
    """Whoever comes back to the address of the nearest: it does not say where they were."""
    return redirect(url_for("worker.stations"), 303)


@pages.post("/stations/near")
def near() -> str:
    """The phone tells where it is, after a tap, to about a hundred metres. Nothing keeps it."""
    try:
        here = read_position(request.form.get("at", "")[:60]) or abort(404)
    except RuleViolation:
        abort(404)
    found = station_lookup.nearest(db.session(), *here)
    dots = station_map.dots(here, [station for station, _km in found])
    links = [station_map.link(station) for station, _km in found]
    words = {"rings": station_map.RINGS, "links": links, "walk_minutes": station_lookup.walk_minutes}
    return render_template("worker/stations_near.html", found=found, dots=dots, **words)


@pages.get("/s/<code>/headline")
def headline(code: str) -> str:
    """How many slots and visits a station has had, where its manager has made that public."""
    station = open_station(code)
    if not station.shows_headline:
        abort(404)
    slots, visits = statistics.headline(db.session(), station.id)
    return render_template("worker/headline.html", station=station, slots=slots, visits=visits)
