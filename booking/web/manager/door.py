"""Kiosk management: pairs this browser as a kiosk, or unpairs it."""

from flask import make_response, redirect, render_template, url_for
from flask import session as cookie
from flask_babel import gettext
from flask_login import current_user, logout_user

from booking import clock, slots, stations
from booking.extensions import db
from booking.web.kiosk import pairing
from booking.web.manager.blueprint import Answer, actor, done, pages
from booking.web.security.permissions import managed_station


@pages.get("/<code>/door")
def door(code: str) -> Answer:
    station = managed_station(code)
    return render_template("manager/door.html", station=station, paired=pairing.is_paired(station))


@pages.post("/<code>/door/pair")
def pair(code: str) -> Answer:
    """Pair this browser as a kiosk, and sign its account out."""
    station = managed_station(code)
    stations.pair_screen(db.session, station.id, current_user.sign_in_id, clock.now(), actor())
    logout_user()
    cookie.clear()
    response = make_response(redirect(url_for("kiosk.screen", code=code), code=303))
    pairing.pair(response, station)
    return response


@pages.post("/<code>/door/renew")
def renew_door(code: str) -> Answer:
    """Unpair every kiosk of the station at once."""
    station = managed_station(code)
    slots.renew_door(db.session, station, clock.now(), actor())
    return done(gettext("所有门口屏幕都解除了配对。"), url_for(".door", code=code))
