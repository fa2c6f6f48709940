"""Watch state: whether a slot can be watched online at a moment, for its page."""

from datetime import datetime
from typing import NamedTuple

from flask import current_app

from booking import slots
from booking.extensions import db
from booking.queries import watch_links
from booking.queries.slot_cards import Card


class WatchState(NamedTuple):
    """Since when the link is shown, at which host it leads out (empty while it is missing), and whether it is time:
    soon, now, over or off."""

    since: datetime
    host: str
    time: str


def watch_state(card: Card) -> WatchState | None:
    """None for a slot that cannot be watched online."""
    link = watch_links.link_of(db.session(), card.slot.id)
    if link is None:
        return None
    since = card.slot.starts_at - watch_links.OPENS_BEFORE
    host = slots.host_of(link.url) if slots.is_allowed(link.url, current_app.config["WATCH_HOSTS"]) else ""
    return WatchState(since, host, _time(card, since))


def _time(card: Card, since: datetime) -> str:
    if card.state == "cancelled":
        return "off"
    if card.state == "done":
        return "over"
    return "soon" if card.seen_at < since else "now"
