"""Oversight forms: who oversees a node, who manages a station below it, and who moves from one to another."""

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, RadioField
from wtforms.validators import Length

from booking import people
from booking.web.forms.admin import INVALID
from booking.web.forms.fields import CodeField, DayField, needed, options
from booking.web.forms.rules import Filled, Form, PlainField, Ruled

ROLES = {"organiser": _("统筹：看汇总，改规则，任命管理员"), "reader": _("查看：只看汇总")}


def _email() -> PlainField:
    return PlainField(_("邮箱"), [Filled(_("请填写邮箱。")), Length(max=254), Ruled(people.clean_email)])


def _station(label: str) -> CodeField:
    return CodeField(label, [Filled(_("请填写驿站代码。")), Length(max=32, message=_("代码最多 %(max)d 个字。"))])


class OverseerForm(Form):
    """Whom to let oversee which node, as an organiser or a reader."""

    blames = {"no_account": "email", "disabled_account": "email", "node_not_found": "node", "node_closed": "node"}
    email = _email()
    role = RadioField(_("角色"), choices=options(ROLES), default="reader", **INVALID)
    node = CodeField(
        _("单位代码"), [Filled(_("请填写单位代码。")), Length(max=32, message=_("代码最多 %(max)d 个字。"))]
    )


class StationManagerForm(Form):
    """Whom to appoint at which station."""

    blames = {
        "station_not_found": "station",
        **dict.fromkeys(("bad_email", "disabled_account", "too_many_invitations"), "email"),
    }
    email = _email()
    station = _station(_("驿站代码"))


class TransferForm(Form):
    """Who moves from where to where on which day."""

    blames = {
        **dict.fromkeys(("no_account", "disabled_account", "not_manager_there", "transfer_planned"), "email"),
        **dict.fromkeys(("same_station", "transfer_to_closed"), "joins"),
        **dict.fromkeys(("transfer_day_over", "transfer_too_far"), "on_date"),
        "last_manager": "confirmed",
    }
    email = _email()
    leaves = _station(_("调出驿站代码"))
    joins = _station(_("调入驿站代码"))
    on_date = DayField(_("哪天起"), [needed])
    confirmed = BooleanField(_("没有接任的人也调走"))


COLUMNS = ("email", "leaves", "joins", "on_date")
