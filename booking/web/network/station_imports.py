"""Station imports: a sheet of stations is checked, shown, confirmed, and then watched while a job imports it."""

from contextlib import closing
from typing import Any

from flask import abort, current_app, flash, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from booking import clock, network, spreadsheets
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Node, StationImport
from booking.network import MOST_STATIONS, SheetPreview
from booking.queries import stations_of_node
from booking.web import htmx
from booking.web.forms import station_rows
from booking.web.i18n import formatting, sheet_remarks
from booking.web.network.blueprint import pages
from booking.web.security.permissions import overseen_node
from booking.web.security.session import language

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pages.errorhandler(RequestEntityTooLarge)
def _too_large(error: RequestEntityTooLarge) -> Response | RequestEntityTooLarge:
    if request.endpoint != "network.import_stations" or request.view_args is None:
        return error
    no = RuleViolation("sheet_too_large", limit=_limits()["megabytes"])
    return _upload(overseen_node(request.view_args["code"], to_change=True), 413, sentence=formatting.reason(no))


@pages.route("/<code>/import", methods=["GET", "POST"])
def import_stations(code: str) -> Response:
    """Check the file: every error by row and column, or a preview to confirm."""
    node = overseen_node(code, to_change=True)
    if request.method == "GET":
        return _upload(node)
    try:
        layout = station_rows.find(spreadsheets.read(_uploaded(), MOST_STATIONS))
    except RuleViolation as no:
        return _upload(node, 422, sentence=formatting.reason(no))
    rows, wrongs = station_rows.read(layout)
    now, adopts = clock.now(), current_user.is_admin
    found = network.preview(db.session(), node, rows, now, adopts=adopts)
    wrongs += station_rows.in_sentences(found.wrongs, rows)
    if wrongs:
        words = {
            "wrongs": sorted(wrongs, key=lambda wrong: wrong.row),
            "remarks": sheet_remarks.sentences(layout.remarks),
        }
        return _upload(node, 422, **words)
    made = network.draft_import(db.session, node, rows, language(), now, current_user.person_id)
    return _preview(node, made, found, remarks=sheet_remarks.sentences(layout.remarks))


@pages.get("/<code>/import/<int:import_id>")
def one_import(code: str, import_id: int) -> Response:
    """The preview of a sheet, or, once it is confirmed, how far its import has come."""
    node, one = _import(code, import_id)
    if one.confirmed_at is None:
        return _preview(node, one, network.preview_import(db.session(), one, clock.now()))
    template = "network/_import_progress.html" if htmx.asked() else "network/import_progress.html"
    return make_response(render_template(template, node=node, one=one, why=_why))


@pages.post("/<code>/import/<int:import_id>/confirm")
def confirm_import(code: str, import_id: int) -> Response:
    node, one = _import(code, import_id)
    try:
        network.confirm_import(db.session, one.id, clock.now(), near_is_right="near" in request.form)
    except RuleViolation as no:
        found = network.preview_import(db.session(), one, clock.now())
        return _preview(node, one, found, 422, sentence=formatting.reason(no), reason=no.reason)
    return htmx.go(url_for(".one_import", code=code, import_id=import_id))


@pages.post("/<code>/import/<int:import_id>/discard")
def discard_import(code: str, import_id: int) -> Response:
    _node, one = _import(code, import_id)
    network.discard_import(db.session, one.id)
    flash(_("没有导入，那份表格丢弃了。"), "good")
    return htmx.go(url_for(".import_stations", code=code))


@pages.get("/<code>/stations.xlsx")
def export_stations(code: str) -> Response:
    """The open stations below the node, as a sheet that can be edited and imported again."""
    node, session = overseen_node(code, to_change=True), db.session()
    found = stations_of_node.all_of(session, node)
    managers = network.managers_of(session, [one.id for one in found.stations], clock.now())
    table = station_rows.table(_("驿站"), found.stations, found.centres, found.zones, managers)
    response = make_response(spreadsheets.write_xlsx([table]))
    response.headers["Content-Type"] = XLSX
    response.headers["Content-Disposition"] = f'attachment; filename="{code}-stations.xlsx"'
    return response


def _import(code: str, import_id: int) -> tuple[Node, StationImport]:
    """An import of this node; of another one it is a 404."""
    node = overseen_node(code, to_change=True)
    one = db.session.get(StationImport, import_id)
    return node, one if one and one.node_id == node.id else abort(404)


def _upload(node: Node, status: int = 200, **words: Any) -> Response:
    words = {"wrongs": (), "remarks": (), "sentence": ""} | words
    recent = network.imports_of(db.session(), node)
    page = render_template("network/import.html", node=node, limits=_limits(), recent=recent, **words)
    return make_response(page, status)


def _preview(node: Node, one: StationImport, found: SheetPreview, status: int = 200, **words: Any) -> Response:
    rows = [change.row for change in found.changes]
    labels = dict(zip(station_rows.COLUMNS, station_rows.heads(), strict=True))
    words = {"remarks": (), "sentence": "", "reason": ""} | words
    words["wrongs"] = [*station_rows.in_sentences(found.wrongs, network.rows_of(one))]
    managers = sum(len(row.managers) for row in rows)
    page = render_template(
        "network/import_preview.html", node=node, one=one, found=found, labels=labels, managers=managers, **words
    )
    return make_response(page, status)


def _why(result: list[Any]) -> str:
    no = network.refusal_of(result)
    return formatting.reason(no) if no else ""


def _limits() -> dict[str, int]:
    return {"rows": MOST_STATIONS, "megabytes": current_app.config["MAX_UPLOAD_LENGTH"] // 1024 // 1024}


def _uploaded() -> bytes:
    sent = request.files.get("sheet")
    if sent is None:
        return b""
    with closing(sent):  # a large one is a temporary file
        return sent.read()
