"""One slot: what, where, who, what to bring, and the act."""

from flask import render_template
from werkzeug.wrappers import Response

from booking import policy
from booking.extensions import db
from booking.model import Slot
from booking.web import access, htmx, show
from booking.web.worker import outcomes, tag
from booking.web.worker.room import pages


@pages.get("/slots/<int:slot_id>")
def slot(slot_id: int) -> str | Response:
    person = access.reader()
    card = access.seen_card(slot_id, person.id if person else None)
    today = show.station_date(card.seen_at, card.slot.station)
    name = tag.own(tag.of(show.language(), today, tag.facts(card)))
    shown = {"card": card, "person": person, "tag": name}
    if htmx.asked():
        return htmx.fresh(name, lambda: render_template("worker/_slot_act.html", **shown, outcome=None))
    whole = db.session.get_one(Slot, slot_id)
    about = {"station": whole.station, "activity": whole.activity, "rules": policy.read(whole.station.policy)}
    return render_template("worker/slot.html", **shown, **about, outcome=outcomes.last())
