"""Undo of a cancelled slot: what its page says about restoring it."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext, ngettext

from booking import clock, seats, slots
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Booking, Slot
from booking.web.manager.blueprint import labels, refused_words


@dataclass(frozen=True)
class Undo:
    """Who would be on the slot again; or the sentence that says why it cannot be restored."""

    people: Sequence[Booking] = ()
    sentence: str = ""


def of(slot: Slot) -> Undo | None:
    """None where there is nothing to undo."""
    try:
        ended = slots.may_bring_back(db.session(), slot, clock.now())
    except RuleViolation as no:
        return Undo(sentence=refused_words(no, slot.station))
    if ended is None:
        return None
    return Undo([was.booking for was in seats.called_off(db.session(), slot, ended.at)])


def happened(slot: Slot, back: seats.Reinstated) -> str:
    """Who is on it again, and who is not, for the manager: no letter is sent about either."""
    if back.elsewhere:
        names = labels(slot.station, [booking.person for booking in back.elsewhere], slot)
        return gettext(
            "恢复了，%(n)s 人照旧，没有人收到信。%(names)s 另有安排，没有恢复。", n=len(back.again), names=names
        )
    if not back.again:
        return gettext("恢复了。")
    return ngettext("恢复了，%(num)s 人照旧，没有人收到信。", "恢复了，%(num)s 人照旧，没有人收到信。", len(back.again))
