"""Node table: the columns of a node's numbers, what each of them counts, and the same as a file."""

from typing import Any

from flask_babel import gettext, lazy_gettext

from booking.model import Node
from booking.spreadsheets import Cell, Rate, Table
from booking.statistics import NodeNumbers, NodePart
from booking.web.i18n.formatting import local

# The columns of the table, by the keys that sort it.
COLUMNS: dict[str, Any] = {
    "name": lazy_gettext("名称"),
    "slots": lazy_gettext("场次"),
    "visits": lazy_gettext("到场人次"),
    "fill": lazy_gettext("上座率"),
    "no_shows": lazy_gettext("爽约率"),
    "unmet": lazy_gettext("没约上"),
    "requests": lazy_gettext("诉求"),
    "troubles": lazy_gettext("状况"),
}

# What each number counts, and the number without which there is nothing to say.
TERMS: tuple[tuple[Any, Any, str], ...] = (
    (lazy_gettext("场次"), lazy_gettext("已经结束、没有取消的场次。一场结束就算进来。"), ""),
    (lazy_gettext("到场人次"), lazy_gettext("签到的人，一场算一次，现场补位的也算。"), ""),
    (lazy_gettext("上座率"), lazy_gettext("人次除以名额；没有人登记到场的场次不算。"), ""),
    (lazy_gettext("爽约率"), lazy_gettext("开始时有名额却没有来的人，占开始时有名额的人。"), ""),
    (
        lazy_gettext("没约上"),
        lazy_gettext("候补到最后、当天在那个驿站也没有别的名额的人，一天算一次；百分数是占想来的人。"),
        "",
    ),
    (lazy_gettext("报名（人次）"), lazy_gettext("已经开奖、场次都结束了的抽签里，没有退出的报名。"), "entries"),
    (
        lazy_gettext("点开在线看（人）"),
        lazy_gettext(
            "点开线上线下场次的链接的人，一场一人算一次，没有账号的按浏览器算。不算到场人次，看了多久不知道。"
        ),
        "watched",
    ),
    (
        lazy_gettext("诉求"),
        lazy_gettext(
            "收集：提了没有撤回的；办结：其中办完的。响应率：期限到了或已答复的里面，按期答复的。超期：现在过了期限的。"
        ),
        "",
    ),
)


def tables(node: Node, told: NodeNumbers) -> list[Table]:
    """The parts of a node with their numbers, and the terms."""
    return [_of_parts(node, told), _terms()]


def _of_parts(node: Node, told: NodeNumbers) -> Table:
    """The parts as on the page, then all of them together."""
    heads = [
        gettext("名称"), gettext("编号"), gettext("分级"), gettext("分类"), gettext("驿站（个）"), gettext("场次"),
        gettext("登记了到场的名额"), gettext("到场人次"), gettext("上座率"), gettext("开始时有名额"), gettext("没有来"),
        gettext("爽约率"), gettext("现场补位"), gettext("临时取消"), gettext("没约上（人）"), gettext("没约上占想来的"),
        gettext("报名（人次）"), gettext("点开在线看（人）"), gettext("诉求收集（件）"), gettext("诉求办结（件）"),
        gettext("诉求响应率"), gettext("诉求超期（件）"), gettext("要留意的驿站"),
    ]  # fmt: skip
    rows = [_cells(row, local(row, "name"), row.code) for row in told.rows]
    return Table(local(node, "name"), heads, [*rows, _cells(told.whole, gettext("合计"), "")])


def _cells(row: NodePart, name: str, code: str) -> list[Cell]:
    tally = row.tally
    fill, missed, unmet = (None if x is None else Rate(x) for x in (tally.fill, tally.no_show_rate, tally.unmet))
    about: list[Cell] = [name, code, row.grade, row.category, row.open_stations, tally.slots]
    came: list[Cell] = [tally.seats, tally.visits, fill, tally.expected, tally.no_shows, missed]
    rest: list[Cell] = [tally.walk_ins, tally.late_cancels, tally.turned_away, unmet, tally.entries]
    asked, rate = row.requests, row.requests.response_rate
    requests: list[Cell] = [asked.collected, asked.ended, None if rate is None else Rate(rate), asked.overdue]
    return [*about, *came, *rest, tally.watched, *requests, row.troubled]


def _terms() -> Table:
    """What each number counts, a line each."""
    return Table(
        gettext("口径"),
        [gettext("数字"), gettext("怎么算")],
        [[str(name), str(words)] for name, words, _where in TERMS],
    )
