"""Transfers from a sheet: e-mail, from, to, day: shown first, then all of them or none, errors by row and column."""

import re
from typing import Any

from flask import current_app, request
from flask_babel import force_locale, gettext, ngettext
from flask_login import current_user
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from booking import clock, network, spreadsheets
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import LANGUAGES, Node
from booking.network import TransferWish
from booking.spreadsheets import Layout
from booking.web.forms.fields import country_today
from booking.web.forms.other_heads import OTHER_HEADS
from booking.web.forms.oversight import COLUMNS, TransferForm
from booking.web.forms.rows import Row, Wrong
from booking.web.i18n import formatting, sheet_remarks
from booking.web.network.blueprint import pages, show
from booking.web.network.node_people import done, wish_of
from booking.web.security.permissions import overseen_node


@pages.route("/<code>/people/transfers/sheet", methods=["GET", "POST"])
def import_transfers(code: str) -> Response:
    """Read the file and show its rows; plan them once that is confirmed."""
    node = overseen_node(code, to_change=True)
    if request.method == "GET":
        return _page(node)
    confirmed = request.form.get("rows", "")
    try:
        layout = _find(confirmed.encode() or _uploaded()).numbered(_numbers())
    except RuleViolation as no:
        return _page(node, 422, sentence=formatting.reason(no))
    except RequestEntityTooLarge:
        limit = current_app.config["MAX_UPLOAD_LENGTH"] // 1024 // 1024
        return _page(node, 413, sentence=formatting.reason(RuleViolation("sheet_too_large", limit=limit)))
    found, remarks = _rows(layout), sheet_remarks.sentences(layout.remarks)
    if wrongs := _plan(node, found, only_try=not confirmed):
        return _page(node, 422, wrongs=wrongs, remarks=remarks)
    if not confirmed:
        return _page(node, found=found, csv=_csv(found), remarks=remarks)
    return done(node, ngettext("安排了 %(num)s 个调动。", "安排了 %(num)s 个调动。", len(found)))


def _page(node: Node, status: int = 200, **words: Any) -> Response:
    limits = {"rows": spreadsheets.MOST_ROWS, "megabytes": current_app.config["MAX_UPLOAD_LENGTH"] // 1024 // 1024}
    words = {"wrongs": (), "found": (), "remarks": (), "sentence": "", "csv": ""} | words
    shown = show("network/transfers.html", node=node, limits=limits, heads=_heads(), **words)
    shown.status_code = status
    return shown


def _plan(node: Node, found: list[Row], *, only_try: bool) -> list[Wrong]:
    """Validate every row first, then every rule; a single refusal plans nothing, and neither does a trial."""
    wishes = [_wish(node, row) for row in found]
    if wrongs := [wrong for row in found for wrong in row.wrongs()]:
        return wrongs
    try:
        network.plan_transfers(
            db.session, [wish for wish in wishes if wish], clock.now(), current_user.person_id, only_try=only_try
        )
    except network.RefusedTransfers as nothing:
        for place, no in nothing.refusals.items():
            sentence = formatting.reason(no)
            if no.reason == "last_manager":  # a sheet has no box to tick
                sentence = gettext("这是那个驿站最后一位管理员。先任命接任的人，或者在页面上单独安排这一位，勾选确认。")
            found[place].form.blame(no, sentence)
        return [wrong for row in found for wrong in row.wrongs()]
    return []


def _wish(node: Node, row: Row) -> TransferWish | None:
    if not row.is_valid():
        return None
    try:
        return wish_of(node, row.form)
    except RuleViolation:
        return None  # said at its field


def _rows(layout: Layout) -> list[Row]:
    meta = {"csrf": False, "today": country_today()}
    return [
        Row(number, TransferForm(formdata=MultiDict(typed), meta=meta), typed) for number, typed in layout.rows.items()
    ]


def _find(content: bytes) -> Layout:
    known: dict[str, str] = {}
    for spoken in LANGUAGES:
        with force_locale(spoken):
            known |= dict(zip(_heads(), COLUMNS, strict=True))
    needed = dict(zip(COLUMNS, _heads(), strict=True))
    return spreadsheets.lay_out(spreadsheets.read(content), known, needed, also=OTHER_HEADS["transfers"])


def _heads() -> list[str]:
    """The column headers of the sheet, in the reader's language."""
    labels = TransferForm.labels()
    return [str(labels[name]) for name in COLUMNS]


def _csv(found: list[Row]) -> str:
    """The rows as they were read, for the confirmation to send again beside their numbers."""
    return spreadsheets.plain_csv([_heads(), *([row.cells.get(name, "") for name in COLUMNS] for row in found)])


def _numbers() -> list[int]:
    typed = request.form.get("numbers", "").split(",")
    return [int(number) for number in typed if re.fullmatch("[0-9]{1,7}", number)]


def _uploaded() -> bytes:
    sent = request.files.get("sheet")
    return sent.read() if sent else b""
