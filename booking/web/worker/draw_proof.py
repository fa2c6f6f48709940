"""Draws: the public proof of each draw, and changing one's own entry."""

import json
from pathlib import Path

from flask import Response, abort, render_template, request, url_for
from flask_babel import gettext
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from booking import clock, draws, policy
from booking.draws import order, proof, public_value
from booking.draws.planning import CORRECTION
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Draw, DrawEntry
from booking.queries import draw_views as shown
from booking.queries import slot_cards
from booking.web import errors, htmx
from booking.web.cache import store
from booking.web.forms import draw_value
from booking.web.forms.draw_value import ValueForm
from booking.web.i18n import formatting
from booking.web.security import permissions
from booking.web.worker import acts, results
from booking.web.worker.blueprint import pages

NO_WISH = 0  # no slot has this id
PROGRAM = Path(order.__file__).read_bytes()
CORRECTION_MINUTES = int(CORRECTION.total_seconds() // 60)


@pages.get("/s/<code>/draws")
def draws_of(code: str) -> str:
    station = permissions.open_station(code)
    found = shown.of_station(db.session(), station.id, clock.now())
    return render_template("worker/draws.html", station=station, views=found, now=clock.now())


@pages.get("/draws/<int:draw_id>")
def draw(draw_id: int) -> str:
    return page(draw_of(draw_id))


def page(found: Draw, form: ValueForm | None = None) -> str:
    """Everything that is published of a draw; the reader's own entry is marked, and who may type its value can."""
    person, now = permissions.reader(), clock.now()
    own = shown.own(db.session(), found, person.id if person else None, now)
    role = public_value.role_in(db.session(), found, person.id) if person and found.value_kind != "none" else None
    typed = public_value.versions(db.session(), found.id) if found.value_kind != "none" else ()
    return render_template(
        "worker/draw.html",
        station=found.station,
        own=own,
        view=own.view,
        announced=proof.announced(db.session(), found, typed),
        results=_results(found, own.view) if found.state == "drawn" else "",
        typed=typed,
        form=(form or ValueForm(formdata=None)) if role and public_value.wanted(found, now) else None,
        numbers=policy.read(found.station.policy),
        words=draw_value,
        correction=CORRECTION_MINUTES,
        now=now,
    )


def _results(found: Draw, view: shown.DrawView) -> str:
    """The rows of the results, from the cache: they never change, nor are they anybody's."""
    titles = {slot.id: formatting.local(slot.activity, "title") for slot in view.slots}
    kept, key = store.of_this_process().texts, ("draw", found.id, formatting.language(), *titles.items())
    rows: str | None = kept.get(key)
    if rows is None:
        published = proof.published(db.session(), found)
        made = render_template("worker/_draw_results.html", published=published, titles=titles)
        rows = kept[key] = Markup(made)  # noqa: S704 (a template's)
    return rows


@pages.get("/draws/<int:draw_id>/list.json")
def draw_list(draw_id: int) -> Response:
    """All that is needed to recompute it."""
    told = json.dumps(proof.published(db.session(), draw_of(draw_id)), ensure_ascii=False, separators=(",", ":"))
    headers = {"Content-Disposition": f'attachment; filename="list-{draw_id}.json"'}
    return Response(told + "\n", mimetype="application/json", headers=headers)


@pages.get("/draws/check.py")
def check() -> Response:
    """The program that draws, as it is."""
    headers = {"Content-Disposition": 'attachment; filename="check.py"'}
    return Response(PROGRAM, mimetype="text/x-python", headers=headers)


@pages.post("/entries/<int:entry_id>/wishes")
def wishes(entry_id: int) -> BaseResponse:
    """The wishes in their new order; the first of the form's is the best. None at all, or what is no number, is refused."""
    entry = own_entry(entry_id)
    sent = request.form.getlist("wish")[:20]
    return _changed(entry, [errors.read_id(value) for value in sent] or [NO_WISH])


@pages.post("/entries/<int:entry_id>/leave")
def leave(entry_id: int) -> BaseResponse:
    """Leave the draw, or only take the form's slot out of the wishes."""
    entry = own_entry(entry_id)
    dropped = errors.read_id(request.form["slot"]) if "slot" in request.form else None
    return _changed(entry, [one for one in entry.wishes if dropped not in (None, one)], dropped)


@pages.get("/entries/<int:entry_id>/wishes")
@pages.get("/entries/<int:entry_id>/leave")
def after_lost_entry(**_entry_id: int) -> BaseResponse:
    return htmx.go(url_for("worker.me"))


def _changed(entry: DrawEntry, wanted: list[int], dropped: int | None = None) -> BaseResponse:
    """The answer stands at the wish that was dropped, or the first one that is still there."""
    now, ids = clock.now(), sorted(entry.wishes, key=lambda slot_id: slot_id != dropped)
    cards = (slot_cards.card(db.session(), slot_id, None, now) for slot_id in ids)
    card = next((card for card in cards if card), None)
    try:
        draws.change_wishes(db.session, entry.id, wanted, now)
    except RuleViolation as no:
        return acts.answer(results.refused(card.slot, no)) if card else htmx.go(url_for("worker.me"))
    title = gettext("志愿改好了") if wanted else gettext("已退出抽签，封存名单前都可以再报名")
    return acts.answer(results.Outcome(card.slot.id, "", title)) if card else htmx.go(url_for("worker.me"))


def draw_of(draw_id: int) -> Draw:
    """A draw of an open station."""
    found = db.session.get(Draw, draw_id)
    if found is None or found.station.closed_at:
        abort(404)
    return found


def own_entry(entry_id: int) -> DrawEntry:
    """The person's own entry: another person's is a 404, as is one that does not exist."""
    person = permissions.worker(url_for("worker.me"))
    entry = db.session.get(DrawEntry, entry_id)
    if entry is None or entry.person_id != person.id:
        abort(404)
    return entry
