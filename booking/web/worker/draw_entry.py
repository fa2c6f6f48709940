"""Draw entry: what entering a draw, or changing one's wishes, answers."""

from datetime import datetime

from flask_babel import gettext

from booking import draws
from booking.errors import RuleViolation
from booking.extensions import db
from booking.queries import draw_views as shown
from booking.web.i18n import formatting
from booking.web.worker import results
from booking.web.worker.results import Outcome


def is_wanted(no: RuleViolation) -> bool:
    """Whether a booking was refused because the seats of its slot are drawn: then it enters the draw."""
    return no.reason == "not_open" and no.seen is not None and bool(no.seen.awaits_draw)


def enter(person_id: int, slot_id: int, now: datetime) -> Outcome:
    """Enter the draw of a slot. Raises what refuses it."""
    entry = draws.enter(db.session, person_id, slot_id, now)
    seen = shown.view(db.session(), entry.draw, now)
    at = formatting.clock_time(seen.result_at, seen.draw.station)
    choice = entry.wishes.index(slot_id) + 1
    title = gettext("已报名，第 %(n)s 志愿（还不是预约）", n=choice)
    return Outcome(
        slot_id, "wait", title, gettext("%(time)s 出结果，抽中没抽中都写信告诉你。不用抢，早晚报名一样。", time=at)
    )


def outcome_of(slot_id: int, person_id: int, now: datetime, slot: results.AnySlot) -> Outcome:
    """The same, with a refusal as an outcome."""
    try:
        return enter(person_id, slot_id, now)
    except RuleViolation as no:
        return results.refused(slot, no)
