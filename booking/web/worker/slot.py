"""One slot: what, where, who, what to bring, and the act."""

from flask import render_template
from werkzeug.wrappers import Response

from booking import policy
from booking.web import access, htmx, show
from booking.web.worker import outcomes, tag
from booking.web.worker.room import pages


@pages.get("/slots/<int:slot_id>")
def slot(slot_id: int) -> str | Response:
    person = access.reader()
    card = access.seen_card(slot_id, person)
    if not htmx.asked():
        station, rules = card.slot.station, policy.read(card.slot.station.policy)
        outcome = outcomes.last()
        return render_template(
            "worker/slot.html", card=card, station=station, person=person, outcome=outcome, rules=rules
        )
    name = tag.of(person and person.id, show.language(), tag.facts(card))
    return htmx.fresh(name, lambda: render_template("worker/_slot_act.html", card=card, person=person, outcome=None))
