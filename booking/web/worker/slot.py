"""Slot page: what, where, who, what to bring, and the booking button."""

from flask import render_template
from werkzeug.wrappers import Response

from booking import policy
from booking.extensions import db
from booking.model import Slot
from booking.queries import activity_ratings, draw_views, followed
from booking.web import htmx
from booking.web.cache.placeholders import own_tag
from booking.web.i18n import formatting
from booking.web.security import permissions
from booking.web.worker import draw_entry, etag, results, sharing
from booking.web.worker.blueprint import pages
from booking.web.worker.watch_state import watch_state


@pages.get("/slots/<int:slot_id>")
def slot(slot_id: int) -> str | Response:
    person = permissions.reader()
    card = permissions.seen_card(slot_id, person.id if person else None)
    today = formatting.station_date(card.seen_at, card.slot.station)
    own = draw_entry.own_draw(card, person.id if person else None, card.seen_at)
    phase = today, card.seen_at < card.slot.release_at
    name = own_tag(etag.of(formatting.language(), phase, etag.facts(card), draw_views.facts(own)))
    shown = {"card": card, "person": person, "tag": name, "own": own}
    if htmx.asked():
        return htmx.fresh(name, lambda: render_template("worker/_slot_act.html", **shown, outcome=None))
    whole = db.session.get_one(Slot, slot_id)
    about = {"station": whole.station, "activity": whole.activity, "rules": policy.read(whole.station.policy)}
    about["followed"] = person is not None and followed.is_followed(db.session(), person.id, whole.activity_id)
    about["watch"] = watch_state(card)
    about["event"] = sharing.event(card, whole.station, online=about["watch"] is not None)
    about["rated"] = activity_ratings.share_of_activity(db.session(), whole.activity_id, card.seen_at)
    return render_template("worker/slot.html", **shown, **about, outcome=results.last())
