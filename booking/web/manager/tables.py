"""Tables for export: the station's statistics, its rosters, its bookings."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from booking import clock, statistics
from booking.model import Booking, ServiceRequest, Slot, Station
from booking.queries import manager
from booking.queries.activity_ratings import Share
from booking.queries.disclosure import Disclosure
from booking.queries.wish_list import WishRow
from booking.spreadsheets import Cell, Rate, Table
from booking.statistics import DrawTally, Group, Numbers, Tally
from booking.web.forms.activity_wish import ANY_DAY, DAYS, KIND_WORDS
from booking.web.forms.activity_wish import STATES as WISH_STATES
from booking.web.forms.service_request import KINDS as KINDS_OF_REQUESTS
from booking.web.forms.service_request import STATES as REQUEST_STATES
from booking.web.i18n.formatting import clock_range, local, phone

WEEKDAYS = ("", _("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日"))
# Every statistic, in the order of the page and of the export.
KINDS: dict[str, Any] = {
    "slots": _("开展活动（场）"),
    "visits": _("接待（人次）"),
    "seats": _("提供名额"),
    "fill": _("上座率"),
    "no_shows": _("爽约"),
    "unrecorded": _("未登记"),
    "no_show_rate": _("爽约率"),
    "walk_ins": _("现场补位"),
    "rescued": _("释放后补上"),
    "late": _("临时取消"),
    "reused": _("其中有人补上"),
    "unmet": _("想来没约上（人）"),
    "watched": _("点开在线看（人）"),
}
RATES = ("fill", "no_show_rate", "odds", "use")
# Of draws.
DRAW_KINDS: dict[str, Any] = {
    "draws": _("抽签（次）"),
    "void": _("作废（次）"),
    "entries": _("报名（人次）"),
    "seats": _("名额"),
    "given": _("抽中"),
    "odds": _("中签率"),
    "used": _("抽中后到场"),
    "use": _("到场率"),
}
STATES: dict[str, Any] = {
    "booked": _("已预约"),
    "attended": _("已签到"),
    "waiting": _("候补中"),
    "cancelled": _("已取消"),
    "released": _("没有来"),
    "unrecorded": _("未登记"),
    "expired": _("候补未成"),
}


def of_numbers(told: Numbers, before: Numbers, station: Station, shares: Mapping[int, Share]) -> list[Table]:
    """By slot first, then totals with the period before, then the groups of the page."""
    groups: list[tuple[str, list[Group], Callable[[Any], Cell]]] = [
        (gettext("按活动"), told.by_activity(), lambda of: local(of, "title")),
        (gettext("按老师"), told.by_host(), lambda of: local(of, "name")),
        (gettext("按星期"), told.by_weekday(), lambda of: str(WEEKDAYS[of])),
        (gettext("按场地"), told.by_zone(), lambda of: local(of, "name")),
        (gettext("按日期"), told.over_time(), lambda of: of),
    ]
    return [_by_slot(told, station, shares), _in_all(told, before), *(_grouped(*group) for group in groups)]


def of_draws(draws: Sequence[DrawTally]) -> Table:
    """By draw, then all together."""
    rows = [[draw.date, *_cells(draw, DRAW_KINDS)] for draw in draws]
    if draws:
        rows.append([gettext("合计"), *_cells(statistics.total(draws), DRAW_KINDS)])
    return Table(gettext("抽签"), [gettext("日期"), *_heads(DRAW_KINDS)], rows)


def of_roster(slot: Slot, roster: manager.Roster, about: Disclosure) -> Table:
    """Who is on a slot, in the order of the roster."""
    heads = [gettext("姓名"), gettext("单位"), gettext("手机"), gettext("状态"), gettext("签到时间")]
    people = [*roster.seats, *roster.unrecorded, *roster.standby, *roster.line, *roster.gone]
    return Table(
        local(slot.activity, "title"), heads, [_person_row(booking, slot.station, about) for booking in people]
    )


def of_bookings(found: Sequence[Booking], station: Station, about: Disclosure) -> Table:
    """Every booking of some days."""
    heads = [gettext("日期"), gettext("时间"), gettext("活动"), gettext("场地")]
    more = [gettext("姓名"), gettext("单位"), gettext("手机"), gettext("状态"), gettext("签到时间")]
    rows = [[*_slot_cells(booking.slot, station), *_person_row(booking, station, about)] for booking in found]
    return Table(gettext("预约"), [*heads, *more], rows)


def of_requests(found: Sequence[ServiceRequest], station: Station) -> Table:
    """Requests of some days, without their words and without names: what the headline counts."""

    def at(moment: datetime | None) -> Cell:
        return clock.at_station(moment, station.zone_name).replace(tzinfo=None) if moment else None

    heads = [gettext("提出"), gettext("关于什么"), gettext("状态"), gettext("答复期限"), gettext("第一次答复")]
    more = [gettext("办结期限"), gettext("办结"), gettext("转给谁"), gettext("解决了吗"), gettext("满意吗")]
    rows = [
        [
            *(at(one.created_at), str(KINDS_OF_REQUESTS[one.kind]), str(REQUEST_STATES[one.state])),
            *(one.answer_due_on, at(one.answered_at), one.due_on, at(one.ended_at), one.passed_to),
            *(_yes_no(one.solved), _yes_no(one.satisfied)),
        ]
        for one in found
    ]
    return Table(gettext("诉求"), [*heads, *more], rows)


def of_wishes(found: Sequence[WishRow], station: Station) -> Table:
    """All wishes, with how many people want each, and no name."""
    heads = [gettext("提出"), gettext("心愿"), gettext("类别"), gettext("星期几"), gettext("几人想要")]
    more = [gettext("状态"), gettext("答复"), gettext("答复时间"), gettext("哪一场")]
    rows = [
        [
            *(_at(wish.created_at, station), wish.text, str(KIND_WORDS[wish.kind])),
            *(str(DAYS[str(wish.weekday or ANY_DAY)]), people),
            *(str(WISH_STATES[wish.state]), wish.answer, _at(wish.answered_at, station)),
            _at(wish.slot.starts_at, station) if wish.slot else None,
        ]
        for wish, people, _mine in found
    ]
    return Table(gettext("心愿"), [*heads, *more], rows)


def _at(moment: datetime | None, station: Station) -> Cell:
    return clock.at_station(moment, station.zone_name).replace(tzinfo=None) if moment else None


def _yes_no(said: bool | None) -> str:
    return "" if said is None else gettext("是") if said else gettext("否")


def _slot_cells(slot: Any, station: Station) -> list[Cell]:
    return [slot.date, clock_range(slot, station), local(slot.activity, "title"), local(slot.zone, "name")]


def _person_row(booking: Booking, station: Station, about: Disclosure) -> list[Cell]:
    person, came = booking.person, booking.checked_in_at
    name, number = about.label(person) or gettext("已注销"), about.phone(person)
    masked = phone(number) if number else ""
    at = clock.at_station(came, station.zone_name).replace(tzinfo=None) if came else None
    return [name, about.company(person), masked, str(STATES[booking.state]), at]


def _by_slot(told: Numbers, station: Station, shares: Mapping[int, Share]) -> Table:
    heads = [gettext("日期"), gettext("时间"), gettext("活动"), gettext("场地"), gettext("老师")]
    rows = [
        [
            *(*_slot_cells(fact, station), local(fact.host, "name"), *_cells(told.of(fact))),
            *_rated(shares.get(fact.slot_id)),
        ]
        for fact in told.facts
    ]
    return Table(gettext("场次"), [*heads, *_heads(), gettext("评价（份）"), gettext("说好")], rows)


def _rated(share: Share | None) -> list[Cell]:
    """Nothing where there are too few answers."""
    return [share.rated, Rate(round(share.of_good, 4))] if share else [None, None]


def _in_all(told: Numbers, before: Numbers) -> Table:
    heads = ["", gettext("从"), gettext("到"), *_heads()]
    rows = [
        [name, one.span.first, one.span.last, *_cells(one.total)]
        for name, one in ((gettext("本期"), told), (gettext("上期"), before))
    ]
    return Table(gettext("合计"), heads, rows)


def _grouped(name: str, groups: list[Group], label: Callable[[Any], Cell]) -> Table:
    return Table(name, [name, *_heads()], [[label(group.of), *_cells(group.tally)] for group in groups])


def _heads(kinds: Mapping[str, Any] = KINDS) -> list[str]:
    return [str(words) for words in kinds.values()]


def _cells(tally: Tally | DrawTally, kinds: Iterable[str] = KINDS) -> list[Cell]:
    """Rates to four places."""
    values = {kind: getattr(tally, kind) for kind in kinds}
    return [Rate(round(value, 4)) if kind in RATES and value is not None else value for kind, value in values.items()]
