"""Imports: activities and plans from a sheet: all of it, or nothing and every error by row and column."""

from collections.abc import Callable
from typing import Any

from flask import abort, render_template, request, url_for
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from booking import clock, slots, spreadsheets
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Activity, Plan, Station
from booking.queries import manager
from booking.web.forms import rows
from booking.web.forms.rows import Row, Wrong
from booking.web.manager import tables
from booking.web.manager.blueprint import Answer, actor, done, pages, refused_words, zone_races
from booking.web.security.permissions import managed_station

Save = Callable[[Session, int, Any], None]


class NothingImportedError(Exception):
    """Some rows were refused inside the transaction: it rolls back."""

    def __init__(self, wrongs: list[Wrong]) -> None:
        super().__init__()
        self.wrongs = wrongs


@pages.route("/<code>/import/<kind>", methods=["GET", "POST"])
def import_sheet(code: str, kind: str) -> Answer:
    station = managed_station(code)
    if kind not in rows.COLUMNS:
        abort(404)
    if request.method == "GET":
        return render_template("manager/import.html", station=station, kind=kind, wrongs=(), sentence="")
    try:
        found = _rows(station, kind)
        wrongs = _take_over(station, kind, found)
    except RuleViolation as no:
        words = refused_words(no, station)
        return render_template("manager/import.html", station=station, kind=kind, wrongs=(), sentence=words), 422
    if wrongs:
        return render_template("manager/import.html", station=station, kind=kind, wrongs=wrongs, sentence=""), 422
    sentence = ngettext("导入了 %(num)s 行。", "导入了 %(num)s 行。", len(found))
    return done(sentence, url_for(f".{kind}", code=code))


@pages.get("/<code>/import/<kind>/template")
def import_template(code: str, kind: str) -> Answer:
    managed_station(code)
    if kind not in rows.COLUMNS:
        abort(404)
    return tables.sent([spreadsheets.Table(gettext("模板"), rows.heads(kind), [])], f"{kind}-template")


def _rows(station: Station, kind: str) -> list[Row]:
    sent = request.files.get("sheet")
    cells = spreadsheets.read(sent.read() if sent else b"")
    if len(cells) < 2:
        raise RuleViolation("empty_sheet")
    session = db.session()
    return rows.read(kind, cells, manager.activities(session, station.id), manager.zones(session, station.id))


def _take_over(station: Station, kind: str, found: list[Row]) -> list[Wrong]:
    """Validate every form first, then every rule; a single refusal rolls everything back."""
    if wrongs := [wrong for row in found if not row.form.validate() for wrong in row.wrongs()]:
        return wrongs
    try:
        _save_all(db.session, station, found, _save_activity if kind == "activities" else _save_plan)
    except NothingImportedError as nothing:
        return nothing.wrongs
    return []


@transactional
def _save_all(session: Session, station: Station, found: list[Row], save: Save) -> None:
    if wrongs := [wrong for row in found for wrong in _saved(session, station, row, save)]:
        raise NothingImportedError(wrongs)


def _saved(session: Session, station: Station, row: Row, save: Save) -> list[Wrong]:
    try:
        with zone_races():
            save(session, station.id, row.form)
    except RuleViolation as no:
        row.form.blame(no, refused_words(no, station))
        return row.wrongs()
    return []


def _save_activity(session: Session, station_id: int, form: Any) -> None:
    if any(there.title == form.title.data for there in manager.activities(session, station_id)):
        raise RuleViolation("name_taken")
    slots.save_activity.inside(session, form.fill(Activity(station_id=station_id)), clock.now(), actor())


def _save_plan(session: Session, station_id: int, form: Any) -> None:
    slots.save_plan.inside(session, form.fill(Plan(station_id=station_id)), clock.now(), actor())
