"""Request forms: what a person asks of a station, and what the station answers."""

from flask_babel import lazy_gettext as _
from wtforms import RadioField
from wtforms.validators import AnyOf, DataRequired

from booking.web.forms.fields import MISSING, Form, LineField, PickField, Prose, Short, maybe, needed, options

KINDS = {
    "room": _("场地和设施"),
    "activity": _("活动安排"),
    "booking": _("预约和签到"),
    "other": _("其他"),
}
STATES = {
    "received": _("已收到"),
    "working": _("办理中"),
    "passed_on": _("已转交"),
    "solved": _("站内办结"),
    "solved_elsewhere": _("转交办结"),
    "withdrawn": _("已撤回"),
}
YES_NO = {"yes": _("是"), "no": _("否")}
chosen = [DataRequired(MISSING), AnyOf(YES_NO)]


class RequestForm(Form):
    """A request to a station."""

    blames = {"request_limit": "text", "no_requests_here": "text"}
    kind = PickField(_("关于什么"), [needed], choices=options(KINDS))
    text = Prose(_("想请驿站做什么"), [needed, Short(500)], description=_("最多 500 字。只有你和本站管理员看得到。"))


class AnswerForm(Form):
    """What the station says to the person: a first answer, or how it ended."""

    blames = {"request_ended": "answer"}
    answer = Prose(_("给提出人的话"), [needed, Short(500)])


class PassOnForm(AnswerForm):
    """To whom a request is passed on."""

    passed_to = LineField(_("转给谁"), [needed, Short(80)], description=_("单位或部门，比如：大厦物业。不写私人电话。"))
    their_no = LineField(_("对方的受理编号"), [maybe, Short(40)])


class RatingForm(Form):
    """Two questions, asked once when a request has ended."""

    blames = {"request_rated": "solved", "rating_late": "solved", "request_open": "solved"}
    solved = RadioField(_("解决了吗"), chosen, choices=options(YES_NO))
    satisfied = RadioField(_("满意吗"), chosen, choices=options(YES_NO))
