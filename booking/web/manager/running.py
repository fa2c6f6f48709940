"""Job status at one station, and the manager's decisions about overdue releases and failed rows."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from flask import abort, render_template, url_for
from flask_babel import gettext
from sqlalchemy.orm import scoped_session
from werkzeug.wrappers import Response

from booking import clock, monitoring, slots
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import SetAside, Slot
from booking.web import job_status
from booking.web.manager.blueprint import Answer, actor, done, pages
from booking.web.manager.roster import show_slot
from booking.web.security.permissions import managed, managed_slot, managed_station

HELD_SHOWN_FOR = timedelta(days=3)


@pages.get("/<code>/running")
def running(code: str) -> Answer:
    station = managed_station(code)
    held = slots.held_releases(db.session(), station.id, clock.now() - HELD_SHOWN_FOR)
    told = job_status.running(station.id)
    return render_template("manager/running.html", station=station, held=held, again=partial(_again, code), **told)


@pages.post("/<code>/running/<int:aside_id>/again")
def try_again(code: str, aside_id: int) -> Response:
    """Requeue a row that a job of this station could not process."""
    row = managed(code, SetAside, aside_id)
    monitoring.requeue(db.session, row.id, clock.now()) or abort(404)
    return done(gettext("马上会再试一次。"), url_for(".running", code=code))


@pages.post("/<code>/slots/<int:slot_id>/release")
def release_held(code: str, slot_id: int) -> Response:
    """Decide a release that is overdue because our scheduler was down."""
    slot = managed_slot(code, slot_id)
    released = slots.release_held(db.session, slot.id, clock.now(), actor())
    return done(gettext("释放了 %(n)s 个名额。", n=released), url_for(".slot", code=code, slot_id=slot_id))


@pages.post("/<code>/slots/<int:slot_id>/all-came")
def everybody_came(code: str, slot_id: int) -> Answer:
    """Nobody took attendance, and everybody was there."""
    return _said(managed_slot(code, slot_id), slots.everybody_came, gettext("记下了：大家都来了。"))


@pages.post("/<code>/slots/<int:slot_id>/take-back")
def take_back_word(code: str, slot_id: int) -> Answer:
    return _said(managed_slot(code, slot_id), slots.take_back_word, gettext("撤销了，请再说一次当时的情况。"))


@pages.post("/<code>/slots/<int:slot_id>/fell-through")
def did_not_happen(code: str, slot_id: int) -> Answer:
    """Nobody took attendance, because the slot did not take place."""
    words = gettext("记下了：这一场没办成。会通知每个人，没有人记爽约。")
    return _said(managed_slot(code, slot_id), slots.did_not_happen, words)


def _said(slot: Slot, verb: Callable[[scoped_session[Any], int, datetime, int], object], words: str) -> Answer:
    """Apply the manager's decision on a slot without attendance."""
    try:
        verb(db.session, slot.id, clock.now(), actor())
    except RuleViolation as no:
        return show_slot(slot, no), 409
    return done(words, url_for(".slot", code=slot.station.code, slot_id=slot.id))


def _again(code: str, aside_id: int) -> str:
    return url_for("manager.try_again", code=code, aside_id=aside_id)
