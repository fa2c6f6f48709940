"""Who did what, newest first."""

from collections.abc import Sequence

from flask import render_template, request

from booking.extensions import db
from booking.model import Event, Slot
from booking.rosters import desk
from booking.web.access import managed_slot, managed_station
from booking.web.manager.frame import Answer, pages
from booking.web.manager.words import said


@pages.get("/<code>/history")
def events(code: str) -> Answer:
    """Of the whole station, or of one slot."""
    station = managed_station(code)
    slot = _asked_slot(code)
    found = desk.history(db.session(), station.id, slot_id=slot.id if slot else None)
    return render_template(
        "manager/history.html",
        station=station,
        slot=slot,
        events=found,
        slots=desk.slots_by_id(db.session(), {event.slot_id for event in found}),
        names=_names(found),
        said=said,
    )


def _asked_slot(code: str) -> Slot | None:
    asked = request.args.get("slot", "")
    return managed_slot(code, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) <= 18 else None


def _names(found: Sequence[Event]) -> dict[int, str]:
    return desk.names(db.session(), {who for event in found for who in (event.actor_id, event.person_id)})
