"""Watch page: where a slot can be watched online: the button, and the way out to the link.

Looking at it counts nothing: chats fetch what is posted in them. The press is counted and answered by a page that leads
on by itself: browsers hold a redirect of a form against the policy that forms go nowhere but here.
"""

from flask import abort, current_app, render_template, request
from werkzeug.wrappers import Response

from booking import clock, services, slots
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Slot
from booking.queries.slot_cards import Card
from booking.web import htmx
from booking.web.i18n import formatting
from booking.web.security import csrf, permissions
from booking.web.worker import etag
from booking.web.worker.blueprint import pages
from booking.web.worker.watch_state import WatchState, watch_state

Answer = str | Response | tuple[str, int]


@pages.get("/slots/<int:slot_id>/watch")
def watch(slot_id: int) -> Answer:
    """The page that letters lead to; or the part of a slot's page that says whether it can be watched now."""
    card, state = _seen(slot_id)
    if htmx.asked():
        shown = {"card": card, "watch": state, "alone": "alone" in request.args}
        tag = etag.of(formatting.language(), state, shown["alone"], card.slot.seats)
        return htmx.fresh(tag, lambda: render_template("worker/_watch.html", **shown))
    return _shown(card, state)


@pages.post("/slots/<int:slot_id>/watch")
def open_watch(slot_id: int) -> Answer:
    """Count who opens the link, and lead there."""
    card, state = _seen(slot_id)
    person = permissions.reader()
    settings = current_app.config
    browser = "" if person else services.browser_tag(settings["SECRET_KEY"], slot_id, csrf.browser_token())
    person_id, hosts = person.id if person else None, settings["WATCH_HOSTS"]
    try:
        url = services.open_watch(db.session, slot_id, hosts, clock.now(), person_id=person_id, browser=browser)
    except RuleViolation as no:
        return _shown(card, state, no), 409
    return render_template("worker/watch_on.html", card=card, url=url, host=slots.host_of(url))


def _seen(slot_id: int) -> tuple[Card, WatchState]:
    """The slot as anybody sees it; 404 where it cannot be watched online."""
    card = permissions.seen_card(slot_id, None)
    return card, watch_state(card) or abort(404)


def _shown(card: Card, state: WatchState, no: RuleViolation | None = None) -> str:
    whole = db.session.get_one(Slot, card.slot.id)
    about = {"station": whole.station, "activity": whole.activity, "no": no}
    return render_template("worker/watch.html", card=card, watch=state, **about)
