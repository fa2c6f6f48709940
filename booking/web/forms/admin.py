"""Admin forms: a station, its managers, and reasons for serious actions."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import RadioField
from wtforms.validators import Length

from booking import clock, people, stations
from booking.stations import Details
from booking.web.forms.fields import NOT_A_CHOICE, DayField, country_today, needed, options
from booking.web.forms.rules import Filled, Form, LineField, PlainField, Ruled

INVALID: Any = {"invalid_value_message": NOT_A_CHOICE, "invalid_choice_message": NOT_A_CHOICE}


def short(limit: int) -> Length:
    return Length(max=limit, message=_("太长了，最多 %(max)d 个字。"))


CODE: list[Any] = [Filled(_("请填写代码。")), Ruled(stations.check_code)]


class PlaceForm(Form):
    """A station's name, address and position."""

    name = LineField(_("名称"), [Filled(_("请填写名称。")), short(80)])
    name_en = LineField(_("英文名称"), [short(120)])
    address = LineField(_("地址"), [short(200)])
    address_en = LineField(_("英文地址"), [short(300)])
    position = PlainField(
        _("坐标"),
        [short(60), Ruled(stations.read_position)],
        description=_("纬度和经度，例如 39.9087, 116.4605；没有也可以。手机按远近找驿站时用。"),
    )


class StationForm(PlaceForm):
    """The same with its time zone."""

    zone_name = PlainField(
        _("时区"),
        [Filled(_("请填写时区。")), short(64), Ruled(stations.check_zone)],
        default=clock.COUNTRY_ZONE,
        description=_("按 IANA 的写法，例如 Asia/Shanghai。"),
    )

    def details(self) -> Details:
        latitude, longitude = stations.read_position(self.position.data) or (None, None)
        return self.make(Details, latitude=latitude, longitude=longitude)


class NewStationForm(StationForm):
    code = PlainField(_("代码"), CODE, description=_("网址里的名字，以后不能改，例如 cbd。"))


class ManagerForm(Form):
    """Whom to appoint."""

    email = PlainField(_("邮箱"), [Filled(_("请填写邮箱。")), Length(max=254), Ruled(people.clean_email)])


class SecondFactorForm(Form):
    """Who must have a second factor, and from which day on; without a day from today on."""

    required_of = RadioField(
        _("谁必须开启"),
        choices=options(
            {"nobody": _("不要求"), "admins": _("只有全网管理员"), "staff": _("全网管理员、驿站管理员、统筹和查看")}
        ),
        **INVALID,
    )
    since = DayField(
        _("从哪天起"),
        [needed],
        default=country_today,
        description=_("到那天还没开启的人，打开管理页面时会先被带到设置页；预约不受影响。"),
    )


class AdminReasonForm(Form):
    """The reason: told to everybody concerned, or kept in the history."""

    reason = LineField(_("原因"), [Filled(_("请写明原因。")), short(200)])
