"""Draw partners: ask for the code by which a friend enters together, and enter by a friend's code."""

from dataclasses import replace

from flask import request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock, draws, people
from booking.errors import RuleViolation
from booking.extensions import db
from booking.queries import slot_cards
from booking.web import errors, htmx, rate_limit
from booking.web.security import permissions
from booking.web.worker import acts, results
from booking.web.worker.blueprint import pages
from booking.web.worker.draw_proof import draw_of, own_entry

LONGEST = 60  # of what was typed and is shown again


@pages.post("/entries/<int:entry_id>/invite")
def invite(entry_id: int) -> Response:
    entry, now = own_entry(entry_id), clock.now()
    try:
        code = draws.invite(db.session, entry.id, now).code
    except RuleViolation as no:
        return _answer(entry.wishes[0], no)
    title = gettext("邀请码 %(code)s", code=code)
    text = gettext("告诉朋友：封存名单以前，打开这次抽签的任何一场，在页面上输入。")
    return acts.answer(results.Outcome(_place(entry.wishes[0]), "", title, text))


@pages.post("/draws/<int:draw_id>/join")
def join(draw_id: int) -> Response:
    """Enter together with whoever shows the code. A wrong one is counted, and too many are refused."""
    person_id = permissions.worker_id(url_for("worker.draw", draw_id=draw_id))
    rate_limit.press(current_user.token)
    draw, now = draw_of(draw_id), clock.now()
    try:
        code = _read_code()
        right = draws.is_invited(db.session(), draw.id, code)
        people.guess_draw_code(db.session, person_id, now, right=right)
        entry = draws.join(db.session, person_id, draw_id, code, now)
    except RuleViolation as no:
        return _answer(0, no, draw_id)
    title = gettext("两人一起报名了（还不是预约）")
    text = gettext("你们的志愿是同一份，谁改都算。有两个空位的志愿才一起抽中。")
    return acts.answer(results.Outcome(_place(entry.wishes[0]), "wait", title, text))


@pages.get("/entries/<int:entry_id>/invite")
def after_lost_invite(**_entry_id: int) -> Response:
    return htmx.go(url_for("worker.me"))


@pages.get("/draws/<int:draw_id>/join")
def after_lost_join(draw_id: int) -> Response:
    return htmx.go(url_for("worker.draw", draw_id=draw_id))


def _read_code() -> str:
    try:
        return people.clean_code(request.form.get("code", "")[:LONGEST])
    except RuleViolation as no:
        raise RuleViolation("partner_unknown") from no


def _place(slot_id: int) -> int:
    """The slot whose page sent the form."""
    return errors.read_id(request.form.get("slot", "")) or slot_id


def _answer(slot_id: int, no: RuleViolation, draw_id: int | None = None) -> Response:
    """A refusal: at the field when a code was typed."""
    card = slot_cards.card(db.session(), _place(slot_id), None, clock.now())
    if card is None:
        return htmx.go(url_for("worker.draw", draw_id=draw_id) if draw_id else url_for("worker.me"))
    said = results.refused(card.slot, no)
    if draw_id:
        said = replace(said, field="code", typed=request.form.get("code", "")[:LONGEST])
    return acts.answer(said)
