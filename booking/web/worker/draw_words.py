"""Draw words: what the card of a slot says of the draw that gives its seats. Needs no request."""

from datetime import datetime

from flask_babel import gettext

from booking.queries.slot_cards import Card
from booking.web.i18n import formatting


def of_card(card: Card) -> str:
    """The state of its draw with the counts as they are, or empty."""
    draw = card.draw
    if draw is None or not card.by_draw:
        return ""
    if card.phase == "soon":
        return str(gettext("抽签：%(time)s 开始报名，早晚一样", time=_when(card, draw.opens_at)))
    if card.phase == "void":
        return str(gettext("这次抽签作废，到门口先到先坐"))
    counts = {
        "people": draw.entered,
        "seats": draw.seats,
        "time": formatting.result_time(draw, _when(card, draw.result_at)),
    }
    if card.phase == "sealed":
        return str(gettext("名单已封存：%(counts)s", counts=_counts(draw.slots, counts)))
    return _counts(draw.slots, counts)


def _counts(slots: int, counts: dict[str, object]) -> str:
    if slots == 1:  # the card says its seats
        return str(gettext("%(people)s 人报名 · %(time)s 出结果", **counts))
    return str(gettext("全天 %(people)s 人报名 %(seats)s 个名额 · %(time)s 出结果", **counts))


def _when(card: Card, instant: datetime) -> str:
    """The clock time alone where it is today."""
    station, today = card.slot.station, formatting.station_date(card.seen_at, card.slot.station)
    if formatting.station_date(instant, station) == today:
        return formatting.clock_time(instant, station)
    return formatting.format_moment(instant, station, today)
