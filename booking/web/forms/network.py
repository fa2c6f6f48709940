"""Network forms: a node, where it moves, its closing, the numbers and locks of its policy."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from flask_babel import lazy_gettext as _

from booking import stations
from booking.inheritance import PolicyLine
from booking.model import Node, Station
from booking.network import NodeDetails, NodePolicy
from booking.policy import CITY_BOUNDS
from booking.web.forms.admin import short
from booking.web.forms.fields import PickField, Ticks, needed, options
from booking.web.forms.rules import Filled, Form, LineField, PlainField, Ruled
from booking.web.forms.station import NUMBERS, InheritingForm, number
from booking.web.i18n.formatting import local

CLOSED = "close"
# A kind of node, by its level.
LEVEL_WORDS: dict[str, Any] = {"city": _("市"), "district": _("区"), "centre": _("中心")}


class NodeForm(Form):
    """A node's names, grade and category."""

    name = LineField(_("名称"), [Filled(_("请填写名称。")), short(80)])
    name_en = LineField(_("英文名称"), [short(120)])
    grade = LineField(_("等级"), [short(20)], description=_("本市自己的说法，例如 一级；可以不填。"))
    category = LineField(_("类型"), [short(20)], description=_("本市自己的说法，例如 商务楼宇；可以不填。"))

    def details(self) -> NodeDetails:
        return self.make(NodeDetails)


class NewNodeForm(NodeForm):
    blames = {"bad_code": "code", "node_code_taken": "code"}
    code = PlainField(
        _("代码"),
        [Filled(_("请填写代码。")), Ruled(stations.check_code)],
        description=_("网址里的名字，以后不能改，例如 chaoyang。"),
    )


class DestinationForm(Form):
    """To which node it moves."""

    blames = {"node_cycle": "to", "wrong_level": "to", "node_closed": "to", "not_a_centre": "to"}
    to = PickField(_("移到"), [needed])

    @classmethod
    def among(cls, nodes: Sequence[Node]) -> Self:
        form = cls()
        form.to.choices = options({one.code: _named(one) for one in nodes})
        return form


class CloseNodeForm(Form):
    """The reason, and for each station of a centre whether it closes or where it moves."""

    reason = LineField(_("原因"), [Filled(_("请写明原因。")), short(200)], description=_("会写进给预约者的通知里。"))

    @staticmethod
    def deciding(theirs: Sequence[Station], centres: Sequence[Node]) -> "CloseNodeForm":
        """With a list for each of these stations; nothing is chosen before."""
        words = {"": _("请选择"), CLOSED: _("关闭这个驿站")}
        words |= {one.code: _("移到 %(name)s", name=_named(one)) for one in centres}
        lists = {f"station_{one.id}": PickField(local(one, "name"), [needed], choices=options(words)) for one in theirs}
        return type("CloseCentreForm", (CloseNodeForm,), lists)()

    def destinations(self) -> list[str]:
        """The codes of the nodes to which stations are to move."""
        chosen = [field.data for field in self if field.name.startswith("station_")]
        return [code for code in chosen if code and code != CLOSED]

    def decided(self, theirs: Sequence[Station], centres: Sequence[Node]) -> dict[int, Node | None]:
        """The centre to which each station moves, or None to close it."""
        by_code = {one.code: one for one in centres}
        return {one.id: by_code.get(self[f"station_{one.id}"].data) for one in theirs}


class NodePolicyForm(InheritingForm):
    """The numbers that a node sets for all below, and those that nothing below may change."""

    city_week_seats = number("city_week_seats", _("周一到周日，约了和来了的都算。0 就是不限。"))
    city_day_seats = number("city_day_seats", _("在哪个驿站都算。0 就是不限。"))
    city_waiting_entries = number("city_waiting_entries", _("在哪个驿站都算。0 就是不限。"))
    locks = Ticks(_("锁定"), choices=options(NUMBERS))

    @classmethod
    def of(cls, node: Node, lines: Mapping[str, PolicyLine]) -> Self:
        """The form of this node, to which `lines` are handed on; the limits of the city stand on a city only."""
        form = cls.below(lines, node.own_policy)
        if not form.is_submitted():
            form.locks.data = [name for name in node.locks if not lines[name].locked_by]
        for name in CITY_BOUNDS if node.level != "city" else ():
            if form[name].data is None:
                del form[name]
        return form

    def wanted(self) -> NodePolicy:
        return NodePolicy(self.typed(), frozenset(self.locks.data or ()))

    def sent_again(self) -> list[tuple[str, Any]]:
        """Names and values of what was typed, for the preview to send again."""
        typed = [(name, f"{value:%H:%M}" if name == "opens_at" else value) for name, value in self.typed().items()]
        return [*typed, *(("locks", name) for name in self.locks.data or ())]


def _named(node: Node) -> str:
    parent = f"{local(node.parent, 'name')} · " if node.parent else ""
    return f"{parent}{local(node, 'name')}"
