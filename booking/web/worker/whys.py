"""Explanations: one true sentence for each slot that the reader tried for and did not get."""

from flask_babel import gettext, lazy_gettext, ngettext

from booking.errors import RuleViolation
from booking.queries.missed_slots import GONE, Miss, Rush
from booking.slots.planning import REPLANNED
from booking.web.i18n import formatting

AN_HOUR = 3600
OWN = {
    "waiting_limit": lazy_gettext("同时候补的场次有上限，你当时已经排满了。"),
    "busy": lazy_gettext("那一刻按的人太多，你的那一次没有处理成功。"),
    "withdrawn": lazy_gettext("你约上了和它冲突的另一场，这个候补就退出了。"),
    "skipped_day_limit": lazy_gettext("轮到你的时候，那天你已经约满了，座位给了下一位。"),
    "skipped_overlap": lazy_gettext("轮到你的时候，你在同一时间有另一场，座位给了下一位。"),
    "skipped_paused": lazy_gettext("轮到你的时候，你因为爽约停约，座位给了下一位。"),
}


def why(miss: Miss) -> str:
    """The sentence."""
    slot = miss.slot
    if miss.reason == "slot_cancelled":
        because = None if slot.cancel_reason == REPLANNED else slot.cancel_reason
        return formatting.reason(RuleViolation("cancelled", why=because), slot.station)
    if miss.rush and miss.reason in GONE:
        return _gone(miss, miss.rush)
    if miss.reason in OWN:
        return str(OWN[miss.reason])
    if miss.reason.startswith("skipped_"):
        return str(gettext("轮到你的时候，座位不能给你，给了下一位。"))
    return formatting.reason(RuleViolation(miss.reason, until=miss.until, limit=miss.most), slot.station)


def _gone(miss: Miss, rush: Rush) -> str:
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


def _when_full(miss: Miss, rush: Rush) -> str:
    if rush.full_at is None:
        return ""
    slot = miss.slot
    passed = (rush.full_at - slot.opens_at).total_seconds()
    if passed < AN_HOUR:
        return str(gettext("放号 %(span)s就约满了", span=formatting.format_duration(passed)))
    return str(gettext("%(when)s 约满", when=formatting.format_moment(rush.full_at, slot.station, slot.date)))
