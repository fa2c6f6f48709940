"""Draw entry: what a slot's page shows of its draw, and what entering it answers."""

from datetime import datetime

from flask_babel import gettext

from booking import draws
from booking.errors import RuleViolation
from booking.extensions import db
from booking.queries import draw_views, waiting_odds
from booking.queries.slot_cards import Card
from booking.web.i18n import formatting
from booking.web.worker import results
from booking.web.worker.results import Outcome


def is_wanted(no: RuleViolation) -> bool:
    """Whether a booking was refused because the seats of its slot are drawn: then it enters the draw."""
    return no.reason == "not_open" and no.seen is not None and bool(no.seen.awaits_draw)


def own_draw(card: Card, person_id: int | None, now: datetime) -> draw_views.OwnEntry | None:
    """The draw of a slot and this reader's part in it. Where nothing is drawn for them it is not asked for."""
    by_draw = card.by_draw or (card.mine is not None and card.mine.via == "draw")
    own = draw_views.of_slot(db.session(), card.slot.id, person_id, now) if by_draw else None
    if own and card.place and own.entry and own.entry.result == "lost":
        return own._replace(odds=waiting_odds.at_place(db.session(), card.slot.id, card.place, now))
    return own


def enter(person_id: int, slot_id: int, now: datetime) -> Outcome:
    """Enter the draw of a slot. Raises what refuses it."""
    entry = draws.enter(db.session, person_id, slot_id, now)
    return said(slot_id, entry.id, entry.wishes.index(slot_id) + 1, entry.draw, entry.draw.station)


def said(slot_id: int, entry_id: int, wish: int, draw: draws.HasResult, station: formatting.HasZoneName) -> Outcome:
    """The answer to who has entered with this slot as their wish of that number. Needs no request."""
    at = formatting.result_time(draw, formatting.clock_time(draws.result_at(draw), station))
    title = gettext("已报名，第 %(n)s 志愿（还不是预约）", n=wish)
    text = gettext("%(time)s 出结果，抽中没抽中都写信告诉你。不用抢，早晚报名一样。", time=at)
    return Outcome(slot_id, "wait", title, text, entry_id=entry_id)


def outcome_of(slot_id: int, person_id: int, now: datetime, slot: results.AnySlot) -> Outcome:
    """The same, with a refusal as an outcome."""
    try:
        return enter(person_id, slot_id, now)
    except RuleViolation as no:
        return results.refused(slot, no)
