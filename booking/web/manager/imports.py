"""Imports: activities and plans from a sheet: all of it, or nothing and every error by row and column.

What the file has and the rows have not is said in remarks, and then nothing is imported before a manager confirms.
"""

import re
from collections.abc import Iterable
from typing import Any

from flask import abort, current_app, render_template, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.exceptions import RequestEntityTooLarge

from booking import clock, slots, spreadsheets
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Activity, Plan, Station
from booking.queries import manager
from booking.spreadsheets import Layout, Remark
from booking.web.downloads import sent
from booking.web.forms import rows
from booking.web.forms.rows import Row, Wrong
from booking.web.i18n import sheet_remarks
from booking.web.i18n.formatting import station_date
from booking.web.manager import catalogue
from booking.web.manager.blueprint import UPLOAD, WITH_PICTURE, Answer, actor, done, pages, refused_words, zone_races
from booking.web.security.permissions import managed_station

TABLES = {"activities": Activity, "plans": Plan}


@pages.errorhandler(RequestEntityTooLarge)
def _too_large(error: RequestEntityTooLarge) -> Answer | RequestEntityTooLarge:
    """The file is larger than that: an error at its field."""
    if request.endpoint in WITH_PICTURE:
        return catalogue.picture_too_large(**request.view_args or {})
    if request.endpoint != UPLOAD or request.view_args is None or request.view_args["kind"] not in rows.COLUMNS:
        return error
    station, kind = managed_station(request.view_args["code"]), request.view_args["kind"]
    limit = current_app.config["MAX_UPLOAD_LENGTH"] // 1024 // 1024
    words = refused_words(RuleViolation("sheet_too_large", limit=limit), station)
    return _page(station, kind, sentence=words), 413


@pages.route("/<code>/import/<kind>", methods=["GET", "POST"])
def import_sheet(code: str, kind: str) -> Answer:
    """Import the file. What was read otherwise than it stands there is shown first, to be confirmed."""
    station = managed_station(code)
    if kind not in rows.COLUMNS:
        abort(404)
    if request.method == "GET":
        return _page(station, kind)
    confirmed = request.form.get("rows", "")
    try:
        layout = rows.find(kind, spreadsheets.read(confirmed.encode() or _uploaded())).numbered(_numbers())
        found = _rows(station, kind, layout)
        remarks = [*layout.remarks, *(() if confirmed else rows.remarks(found))]
        wrongs = _take_over(station, kind, found, only_try=bool(remarks) and not confirmed)
    except RuleViolation as no:
        return _page(station, kind, sentence=refused_words(no, station)), 422
    if wrongs:
        return _page(station, kind, wrongs=wrongs, remarks=remarks), 422
    if remarks and not confirmed:
        return _page(station, kind, remarks=remarks, found=found, csv=_csv(kind, found))
    sentence = ngettext("导入了 %(num)s 行。", "导入了 %(num)s 行。", len(found))
    return done(sentence, url_for(f".{kind}", code=code))


@pages.get("/<code>/import/<kind>/template")
def import_template(code: str, kind: str) -> Answer:
    managed_station(code)
    if kind not in rows.COLUMNS:
        abort(404)
    return sent([spreadsheets.Table(gettext("模板"), rows.heads(kind), [])], f"{kind}-template")


def _page(station: Station, kind: str, **words: Any) -> str:
    words = {"wrongs": (), "remarks": (), "found": (), "sentence": "", "csv": ""} | words
    words["remarks"] = _in_sentences(words["remarks"])
    return render_template("manager/import.html", station=station, kind=kind, limits=_limits(), **words)


def _in_sentences(remarks: Iterable[Remark]) -> list[tuple[str, str]]:
    """Each remark once, beside the rows that it is about."""
    about: dict[str, list[int]] = {}
    for remark in remarks:
        rows_of = about.setdefault(sheet_remarks.sentence(remark), [])
        rows_of += [] if remark.row is None else [remark.row]
    return [(spreadsheets.in_words(numbers), sentence) for sentence, numbers in about.items()]


def _limits() -> dict[str, int]:
    return {"rows": spreadsheets.MOST_ROWS, "megabytes": current_app.config["MAX_UPLOAD_LENGTH"] // 1024 // 1024}


def _uploaded() -> bytes:
    sent = request.files.get("sheet")
    return sent.read() if sent else b""


def _rows(station: Station, kind: str, layout: Layout) -> list[Row]:
    session, today = db.session(), station_date(clock.now(), station)
    return rows.read(kind, layout, manager.activities(session, station.id), manager.zones(session, station.id), today)


def _csv(kind: str, found: list[Row]) -> str:
    """The rows as they were read, for the confirmation to send again beside their numbers."""
    cells = [[row.cells.get(name, "") for name in rows.COLUMNS[kind]] for row in found]
    return spreadsheets.plain_csv([rows.heads(kind), *cells])


def _numbers() -> list[int]:
    """The numbers of the rows in the sheet, as the preview carried them."""
    typed = request.form.get("numbers", "").split(",")
    return [int(number) for number in typed if re.fullmatch("[0-9]{1,7}", number)]


def _take_over(station: Station, kind: str, found: list[Row], *, only_try: bool) -> list[Wrong]:
    """Validate every form first, then every rule; a single refusal saves nothing, and neither does a trial."""
    if wrongs := [wrong for row in found if not row.is_valid() for wrong in row.wrongs()]:
        return wrongs
    items = [row.form.fill(TABLES[kind](station_id=station.id)) for row in found]
    try:
        with zone_races():
            slots.save_all(db.session, items, clock.now(), actor(), only_try=only_try)
    except slots.NothingSaved as nothing:
        return [wrong for place, no in nothing.refusals.items() for wrong in _refused(found[place], no, station)]
    return []


def _refused(row: Row, no: RuleViolation, station: Station) -> list[Wrong]:
    row.form.blame(no, refused_words(no, station))
    return row.wrongs()
