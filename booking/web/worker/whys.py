"""Explanations: one true sentence for each slot that the reader tried for and did not get."""

from flask_babel import gettext, ngettext

from booking.errors import RuleViolation
from booking.queries.missed_slots import Demand, Miss
from booking.slots.planning import REPLANNED
from booking.web.i18n import formatting

AN_HOUR = 3600


def why(miss: Miss) -> str:
    """The sentence."""
    slot = miss.slot
    if miss.reason == "slot_cancelled":
        because = None if slot.cancel_reason == REPLANNED else slot.cancel_reason
        return formatting.reason(RuleViolation("cancelled", why=because), slot.station)
    if miss.rush:
        return _gone(miss, miss.rush)
    if miss.reason == "withdrawn":
        return formatting.reason(RuleViolation("ended_by_booking"))
    if miss.reason.startswith("skipped_"):
        return formatting.reason(RuleViolation(miss.reason.removeprefix("skipped_")), form="passed_over")
    no = RuleViolation(miss.reason, until=miss.until, limit=miss.most)
    return formatting.reason(no, slot.station, "afterwards")


def _gone(miss: Miss, rush: Demand) -> str:
    waited, seats = miss.reason == "not_reached", miss.slot.capacity
    full = _when_full(miss, rush)
    if not full or rush.wanted <= seats:
        return str(gettext("名额给完了，候补没有轮到你。") if waited else gettext("你按的时候已经满了，候补也截止了。"))
    facts = {"full": full, "wanted": rush.wanted}
    if waited:
        return str(
            ngettext(
                "%(full)s，%(wanted)s 人想要 %(num)s 个名额，候补没有轮到你。",
                "%(full)s，%(wanted)s 人想要 %(num)s 个名额，候补没有轮到你。",
                seats,
                **facts,
            )
        )
    return str(
        ngettext(
            "%(full)s，%(wanted)s 人想要 %(num)s 个名额，你按的时候候补也截止了。",
            "%(full)s，%(wanted)s 人想要 %(num)s 个名额，你按的时候候补也截止了。",
            seats,
            **facts,
        )
    )


def _when_full(miss: Miss, rush: Demand) -> str:
    slot = miss.slot
    if rush.full_at is None or slot.draw_id:  # drawn: nobody was too slow
        return ""
    passed = (rush.full_at - slot.opens_at).total_seconds()
    if passed < AN_HOUR:
        return str(gettext("放号 %(span)s就约满了", span=formatting.format_duration(passed)))
    return str(gettext("%(when)s 约满", when=formatting.format_moment(rush.full_at, slot.station, slot.date)))
