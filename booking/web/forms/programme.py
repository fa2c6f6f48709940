"""Programme forms: activities, plans, one date of a plan, one-off slots."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Self, TypeVar

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import BooleanField
from wtforms.validators import ValidationError

from booking.model import ALLOCATIONS, KINDS, VALUE_KINDS, Activity, Plan, PlanException, Zone
from booking.slots import Move, OneOff, ready_made
from booking.web.forms.draw_value import VALUE_WORDS
from booking.web.forms.fields import (
    MISSING,
    Between,
    DayField,
    Form,
    LineField,
    Minutes,
    Number,
    PickField,
    Prose,
    Short,
    Ticks,
    WallTime,
    maybe,
    needed,
    options,
)
from booking.web.forms.watch_link import HYBRID, watch_url_field
from booking.web.i18n import formatting

WEEKDAYS = {
    "1": _("周一"),
    "2": _("周二"),
    "3": _("周三"),
    "4": _("周四"),
    "5": _("周五"),
    "6": _("周六"),
    "7": _("周日"),
}
KIND_WORDS = {
    "yoga": _("瑜伽"),
    "fitness": _("健身"),
    "crafts": _("手工"),
    "tea": _("茶艺"),
    "flowers": _("花艺"),
    "talk": _("讲座"),
    "livestream": _("直播"),
    "photo": _("摄影"),
    "art": _("书画"),
    "games": _("桌游"),
    "reading": _("阅读"),
    "other": _("其他"),
}
ALLOCATION_WORDS = {"first": _("先到先得"), "draw": _("抽签"), "mixed": _("抽签＋现场")}
DRAW_SHARE, ALL = 80, 100  # percent
PICTURES = {
    "default": _("驿站（通用）"),
    "yoga": _("瑜伽垫"),
    "baduanjin": _("八段锦"),
    "relax": _("肩颈放松"),
    "crafts": _("手工"),
    "tea": _("茶"),
    "flowers": _("花"),
    "history": _("讲堂"),
    "livestream": _("直播"),
    "photo": _("相机"),
    "calligraphy": _("书法"),
    "games": _("桌游"),
    "reading": _("书"),
}
LONGEST_TEXT = 2000
# What a manager may choose as a public value, as written in the form.
VALUE_SOURCES = (
    _("当晚福彩快乐8 的开奖号码，中国福彩网"),
    _("当天上证指数的收盘点位，上海证券交易所网站"),
    _("drand 当晚 21:00 那一轮的随机数，api.drand.sh"),
)
T = TypeVar("T")


class ReadyMadeForm(Form):
    """The ready-made activities that a station takes over."""

    keys = Ticks(_("现成的活动"), choices=options({key: words["title"] for key, words in ready_made().items()}))

    def validate_keys(self, field: Ticks) -> None:
        if not field.data:
            raise ValidationError(gettext("请至少勾一个。"))


class ActivityForm(Form):
    """An activity in Chinese and, optionally, in English."""

    blames = {"name_taken": "title", "picture_gone": "picture"}
    fault = ""  # what is wrong with the uploaded picture
    title = LineField(_("名称"), [needed, Short(60)])
    title_en = LineField(_("英文名称"), [maybe, Short(120)])
    kind = PickField(_("类别"), [needed], choices=options({kind: KIND_WORDS[kind] for kind in KINDS}))
    host = LineField(_("老师"), [maybe, Short(40)])
    host_en = LineField(_("老师（英文）"), [maybe, Short(80)])
    same_host = BooleanField(_("还是同一位老师，只改写法"))
    text = Prose(_("介绍"), [maybe, Short(LONGEST_TEXT)])
    text_en = Prose(_("介绍（英文）"), [maybe, Short(LONGEST_TEXT)])
    bring = LineField(_("要带什么"), [maybe, Short(120)])
    bring_en = LineField(_("要带什么（英文）"), [maybe, Short(200)])
    suits = LineField(_("适合谁"), [maybe, Short(120)])
    suits_en = LineField(_("适合谁（英文）"), [maybe, Short(200)])
    picture = PickField(_("封面"), [needed], choices=options(PICTURES), default="default")

    def offer(self, uploaded: Sequence[str]) -> None:
        """Uploaded pictures that can be chosen, before the built-in ones."""
        self.picture.choices = options({name: gettext("自己的照片") for name in uploaded} | PICTURES)

    def validate_picture(self, _field: PickField) -> None:
        if self.fault:
            raise ValidationError(self.fault)


def ends_that_day(form: Any, field: WallTime) -> None:
    """No slot lasts beyond midnight: the day that it is listed under would be over."""
    minutes = getattr(form.minutes, "data", form.minutes)
    if field.data and minutes and field.data.hour * 60 + field.data.minute + minutes > 1440:
        raise ValidationError(gettext("一场不能跨过午夜。"))


class _Placed(Form):
    """Base of forms that choose a zone, and mostly an activity, of one station."""

    @classmethod
    def of(cls, zones: Sequence[Zone], activities: Sequence[Activity] = (), **values: Any) -> Self:
        form: Self = cls(**values)
        form.zone_id.choices = options(form.blank() | {zone.id: zone_label(zone) for zone in zones})
        if "activity_id" in form:
            form.activity_id.choices = options(
                {activity.id: formatting.local(activity, "title") for activity in activities}
            )
        return form

    def blank(self) -> dict[int, Any]:
        return {}


def _allocation(description: Any, kinds: Sequence[str] = ALLOCATIONS) -> PickField:
    """How seats are given: one list for plans and sheets, and without `mixed` for one-off slots."""
    choices = options({kind: ALLOCATION_WORDS[kind] for kind in kinds})
    return PickField(_("怎么分名额"), [maybe], choices=choices, default="first", description=description)


class PlanForm(_Placed):
    """The weekly rule."""

    blames = {
        "no_such_zone": "zone_id",
        "no_such_activity": "activity_id",
        "zone_max": "capacity",
        "zone_taken": "starts",
        "draw_gathering": "allocation",
        "value_unnamed": "value_source",
        "value_rival": "value_source",
        "value_before_closing": "value_clock",
        "value_too_late": "value_clock",
    }
    activity_id = PickField(_("活动"), [needed], coerce=int)
    zone_id = PickField(_("场地"), [needed], coerce=int)
    weekdays = Ticks(_("星期"), [needed], choices=options(WEEKDAYS))
    starts = WallTime(_("开始"), [needed, ends_that_day])
    minutes = Minutes(_("时长（分钟）"), [needed, Between(10, 480)], default=50)
    capacity = Number(_("名额"), [needed, Between(1, 1000)])
    allocation = _allocation(
        _(
            "抽签：放号后有一段时间可以报名，早晚一样，到点抽，没抽中的排候补。抽签＋现场：一部分抽，其余留给开场时到门口的人。还没放号的场次从下一次起按新的来。"
        ),
        tuple(ALLOCATION_WORDS),
    )
    draw_share = Number(
        _("抽签比例"),
        [maybe, Between(50, 95)],
        default=DRAW_SHARE,
        description=_("抽签＋现场时抽百分之几：50 到 95。其余的名额开场时给门口的人；至少抽一个。别的不用管。"),
    )
    value_kind = PickField(
        _("抽签用的公开的数"),
        [maybe],
        choices=options({kind: VALUE_WORDS[kind] for kind in VALUE_KINDS}),
        default="none",
        description=_("人人查得到、封存名单以后才出来的一个数，和密数一起定结果：驿站也不能事先知道。"),
    )
    value_source = LineField(
        _("哪个数，在哪里查"), [Short(120)], render_kw={"list": "value-sources", "autocomplete": "off"}
    )
    value_clock = WallTime(_("几点可以查到"), description=_("名单封存那天的时间。"))
    valid_from = DayField(_("从哪天起"), [needed])
    valid_until = DayField(_("到哪天为止"), [maybe], open_ended=True, description=_("不填就一直排下去。"))
    opens_workdays_before = Number(
        _("提前几个工作日放号"), [maybe, Between(0, 10)], description=_("不填就按驿站的规则。")
    )
    opens_clock = WallTime(_("几点放号"), [maybe], description=_("不填就按驿站的规则。"))
    on_rest_days = BooleanField(_("休息日也开"))

    examples = VALUE_SOURCES

    def fill(self, row: T) -> T:
        """The row; seats that are not drawn need no public value."""
        filled: Any = super().fill(row)
        if not self._draws_with_value:
            filled.value_kind, filled.value_source, filled.value_clock = "none", None, None
        return row

    @property
    def _draws_with_value(self) -> bool:
        return self.allocation.data != "first" and self.value_kind.data != "none"

    def validate_value_source(self, field: LineField) -> None:
        if self._draws_with_value and not field.data:
            raise ValidationError(str(MISSING))

    def validate_value_clock(self, field: WallTime) -> None:
        if self._draws_with_value and field.data is None:
            raise ValidationError(str(MISSING))

    def process(self, formdata: Any = None, obj: Any = None, data: Any = None, **more: Any) -> None:
        """A plan by draw of which some seats are not drawn is mixed."""
        super().process(formdata, obj, data, **more)
        if self.allocation.raw_data is None and isinstance(obj, Plan):  # not sent
            if obj.allocation == "draw" and obj.draw_share < ALL:
                self.allocation.data = "mixed"
            else:
                self.draw_share.data = DRAW_SHARE

    def populate_obj(self, obj: Any) -> None:
        """The other way round."""
        super().populate_obj(obj)
        is_mixed = self.allocation.data == "mixed"
        obj.allocation = "draw" if is_mixed else self.allocation.data or "first"
        obj.draw_share = (self.draw_share.data or DRAW_SHARE) if is_mixed else ALL

    def validate_valid_until(self, field: DayField) -> None:
        if field.data and self.valid_from.data and field.data < self.valid_from.data:
            raise ValidationError(gettext("结束的日期不能早于开始的日期。"))


class ExceptionForm(_Placed):
    """A change of a plan on one date."""

    blames = {"no_such_zone": "zone_id", "zone_max": "capacity", "slot_in_use": "date", "slot_in_draw": "date"}
    first: dt.date
    minutes: int
    changes_known = False  # whether it was opened for the exception that the date has
    overlaps = False  # whether the date has one that it was not opened for
    date = DayField(_("哪一天"), [needed])
    skip = BooleanField(_("这一天不开"))
    starts = WallTime(_("改到几点"), [maybe, ends_that_day], description=_("不填就照旧。"))
    zone_id = PickField(_("换场地"), [maybe], coerce=int)
    capacity = Number(_("改名额"), [maybe, Between(1, 1000)], description=_("不填就照旧。"))
    host = LineField(_("换老师"), [maybe, Short(40)], description=_("不填就照旧。"))

    def validate_date(self, field: DayField) -> None:
        if field.data and field.data < self.first:
            raise ValidationError(gettext("这一天已经过去了。"))
        if self.overlaps:
            raise ValidationError(gettext("这一天已经另作安排，没填的几项补上了原来的。核对以后再保存。"))

    def validate_skip(self, field: BooleanField) -> None:
        is_empty = not (field.data or any(self[name].data or self[name].errors for name in PlanException.CHANGES))
        if is_empty and not self.changes_known:
            raise ValidationError(gettext("请改一项，或者勾上这一天不开。"))

    @staticmethod
    def typed(said: PlanException) -> dict[str, str]:
        """What one would have typed for this exception."""
        told = {name: getattr(said, name) for name in PlanException.CHANGES} | {"skip": "y" if said.skip else ""}
        told["starts"] = said.starts and f"{said.starts:%H:%M}"
        return {name: str(value) for name, value in told.items() if value}

    def blank(self) -> dict[int, Any]:
        return {0: _("照旧")}

    def exception(self, plan_id: int) -> PlanException:
        said = self.fill(PlanException(plan_id=plan_id))
        said.zone_id, said.host = said.zone_id or None, said.host or None
        return said


class OneOffForm(_Placed):
    """A one-off slot outside the plans."""

    blames = {
        "no_such_zone": "zone_id",
        "no_such_activity": "activity_id",
        "zone_max": "capacity",
        "zone_taken": "starts",
        "past": "date",
        "rest_day": "on_rest_day",
        "draw_too_late": "allocation",
    }
    activity_id = PickField(_("活动"), [needed], coerce=int)
    zone_id = PickField(_("场地"), [needed], coerce=int)
    date = DayField(_("哪一天"), [needed])
    starts = WallTime(_("开始"), [needed, ends_that_day])
    minutes = Minutes(_("时长（分钟）"), [needed, Between(10, 480)], default=50)
    capacity = Number(_("名额"), [needed, Between(1, 1000)])
    host = LineField(_("老师"), [maybe, Short(40)], description=_("不填就用活动的老师。"))
    hybrid = BooleanField(HYBRID)
    watch_url = watch_url_field()
    on_rest_day = BooleanField(_("这一天休息，也要加这一场"))
    allocation = _allocation(_("抽签：放号后有一段时间可以报名，早晚一样，到点抽，没抽中的排候补。"))

    def wish(self) -> OneOff:
        return self.make(OneOff)


class MoveForm(_Placed):
    """Another hour or zone of the same day."""

    blames = {
        "no_such_zone": "zone_id",
        "zone_max": "zone_id",
        "zone_taken": "starts",
        "past": "starts",
        "before_its_draw": "starts",
    }
    minutes: int
    starts = WallTime(_("开始"), [needed, ends_that_day])
    zone_id = PickField(_("场地"), [needed], coerce=int)

    def wish(self) -> Move:
        return self.make(Move)


def zone_label(zone: Zone) -> str:
    return str(gettext("%(name)s（最多 %(n)s 人）", name=formatting.local(zone, "name"), n=zone.capacity))
