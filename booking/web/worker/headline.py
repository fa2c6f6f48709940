"""Headline: how many slots and visits a station has had, as a public page; only where its manager has enabled it."""

from flask import abort, render_template

from booking import statistics
from booking.extensions import db
from booking.web.security.permissions import open_station
from booking.web.worker.blueprint import pages


@pages.get("/s/<code>/headline")
def headline(code: str) -> str:
    station = open_station(code)
    if not station.shows_headline:
        abort(404)
    slots, visits = statistics.headline(db.session(), station.id)
    return render_template("worker/headline.html", station=station, slots=slots, visits=visits)
