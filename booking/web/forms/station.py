"""Station forms: its zones, the numbers of its policy, its calendar."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import time
from typing import Any, Self

from flask import request
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from booking import policy
from booking.inheritance import PolicyLine
from booking.model import DayOverride
from booking.policy import BOUNDS, CITY_BOUNDS, Policy
from booking.web.forms.fields import (
    Between,
    DayField,
    Form,
    LineField,
    Minutes,
    Number,
    PickField,
    Short,
    WallTime,
    maybe,
    needed,
    options,
)
from booking.web.i18n.formatting import local

FOLLOWS = {
    "announced": _("按国家公布的安排"),
    "works": _("这天开放"),
    "rests": _("这天休息"),
    "1": _("开放，按周一的排期"),
    "2": _("开放，按周二的排期"),
    "3": _("开放，按周三的排期"),
    "4": _("开放，按周四的排期"),
    "5": _("开放，按周五的排期"),
    "6": _("开放，按周六的排期"),
    "7": _("开放，按周日的排期"),
}


# The unit of each number of the policy.
NUMBERS = {
    "days_ahead": _("提前几天公布（天）"),
    "opens_workdays_before": _("提前几个工作日放号（天）"),
    "opens_at": _("几点放号"),
    "seats_a_day": _("每人每天最多几场"),
    "waiting_entries": _("每人最多候补几场"),
    "free_minutes": _("开始前多久可自由取消（分钟）"),
    "line_minutes": _("开始前多久停止自动候补（分钟）"),
    "checkin_minutes": _("开始前多久可签到（分钟）"),
    "grace_minutes": _("开始后等多久（分钟）"),
    "strikes_to_pause": _("几次爽约暂停预约（次）"),
    "strike_days": _("爽约在多少天内累计（天）"),
    "pause_days": _("暂停多久（天）"),
    "warning_days": _("多少天没有爽约，再有一次只提醒（天）"),
    "draw_minutes": _("抽签报名多久（分钟）"),
    "wishes": _("每人最多几个志愿（个）"),
    "most_balls": _("最多几个号球（个）"),
    "newcomer_balls": _("新来的有几个号球（个）"),
    "answer_workdays": _("诉求几个工作日内答复（天）"),
    "end_workdays": _("诉求几个工作日内办完（天）"),
    "city_week_seats": _("每人每周在全市最多几场"),
    "city_day_seats": _("每人每天在全市最多几场"),
    "city_waiting_entries": _("每人在全市最多候补几场"),
}


def number(name: str, description: Any) -> Number:
    """The field of a number of the policy."""
    kind = Minutes if name.endswith("_minutes") else Number
    return kind(NUMBERS[name], [needed, Between(*(BOUNDS | CITY_BOUNDS)[name])], description=description)


class ZoneForm(Form):
    """A room or area, and how many people it holds."""

    blames = {"name_taken": "name", "name_reserved": "name", "zone_in_use": "capacity"}
    name = LineField(_("名称"), [needed, Short(40)])
    name_en = LineField(_("英文名称"), [maybe, Short(80)])
    capacity = Number(_("最多几人"), [needed, Between(1, 1000)])


class PolicyForm(Form):
    """The numbers of the policy, each with its unit and what it does."""

    days_ahead = number("days_ahead", _("场次提前这么多天出现在页面上，这时还不能约。"))
    opens_workdays_before = number("opens_workdays_before", _("1 就是前一个工作日，0 就是当天。"))
    opens_at = WallTime(NUMBERS["opens_at"], [needed], description=_("按驿站的时间，到点准时开放，早一秒也不行。"))
    seats_a_day = number("seats_a_day", _("同一天在本站能同时持有的预约。"))
    waiting_entries = number("waiting_entries", _("同时排着的候补。0 就是不设候补。"))
    free_minutes = number("free_minutes", _("再晚就是临时取消；没有人补上的话，记一次爽约。"))
    line_minutes = number("line_minutes", _("在这之前空出的名额自动给候补；之后谁先点到是谁的。"))
    checkin_minutes = number("checkin_minutes", _("到点门口就可以签到、排现场候补。"))
    grace_minutes = number("grace_minutes", _("过了这么久还没签到，名额放给现场的人，记一次爽约。"))
    strikes_to_pause = number("strikes_to_pause", _("在下面的天数里达到这么多次，就暂停。"))
    strike_days = number("strike_days", _("更早的不再计算。"))
    pause_days = number("pause_days", _("暂停期间不能新预约，已约好的照旧。"))
    warning_days = number("warning_days", _("只发一封提醒。"))
    draw_minutes = number("draw_minutes", _("从放号那一刻起可以报名，到点封存名单，一分钟后抽签。"))
    wishes = number("wishes", _("一次抽签里按先后填的场次，最多抽中一场。"))
    most_balls = number("most_balls", _("每没抽中一天多一个号球，抽中或约上就回到 1 个。"))
    newcomer_balls = number("newcomer_balls", _("还没有在本站有过名额的人。"))
    answer_workdays = number("answer_workdays", _("从提出的那天算起，到那天下班为止。已经提的不变。"))
    end_workdays = number("end_workdays", _("比答复的天数短的话，就和答复同一天到期。"))

    @classmethod
    def showing(cls, numbers: Policy) -> "PolicyForm":
        return cls(data=asdict(numbers))

    def numbers(self, were: Policy) -> Policy:
        """The policy `were` with what was typed."""
        opens_at: time = self.opens_at.data
        return replace(were, opens_at=opens_at, **{name: self[name].data for name in BOUNDS})

    def own(self) -> set[str] | None:
        """The numbers that are set here; None outside a network."""
        return None


class InheritingForm(PolicyForm):
    """The same below a node: what is left empty is inherited, and what is locked above cannot be changed here."""

    lines: Mapping[str, PolicyLine] = {}

    @classmethod
    def below(cls, lines: Mapping[str, PolicyLine], stored: Mapping[str, Any]) -> Self:
        """`lines` is what the nodes above hand on, `stored` what is set here."""
        kept = asdict(policy.read(stored))
        form = cls(data={name: kept[name] for name in stored if name in lines and not lines[name].locked_by})
        form.lines = lines
        for name in form.names:
            field = form[name]
            field.validators = [maybe, *(rule for rule in field.validators if rule is not needed)]
            field.render_kw = {**(field.render_kw or {}), "placeholder": shown_number(lines[name].value)}
            if lines[name].locked_by:
                field.render_kw |= {"disabled": True, "value": shown_number(lines[name].value)}
            if name == request.form.get("inherit"):
                field.process(None, None)
        return form

    @property
    def names(self) -> list[str]:
        """The numbers that can be set here."""
        return [name for name in NUMBERS if name in self]

    def numbers(self, _were: Policy) -> Policy:
        """The policy with what was typed, over what is inherited."""
        return Policy(**{name: line.value for name, line in self.lines.items()} | self.typed())

    def typed(self) -> dict[str, Any]:
        """The numbers that are not left empty."""
        return {name: self[name].data for name in self.names if self[name].data is not None}

    def own(self) -> set[str] | None:
        return set(self.typed())

    def sentence_at(self, name: str) -> str:
        by = self.lines[name].locked_by
        return gettext("由%(node)s锁定，这里不能改。", node=local(by, "name")) if by else ""


def shown_number(value: Any) -> str:
    """A number of the policy as it is typed: 12, 10:00."""
    return f"{value:%H:%M}" if isinstance(value, time) else str(value)


class DayForm(Form):
    """The manager's override of one date."""

    blames = {"past": "date"}
    date = DayField(_("哪一天"), [needed])
    says = PickField(_("怎么开"), [needed], choices=options(FOLLOWS))
    note = LineField(_("说明"), [maybe, Short(40)], description=_("会写在这一天旁边，比如：大厦停电。"))

    @staticmethod
    def typed(said: DayOverride | None) -> dict[str, str]:
        """What one would have typed for this override; without one, the country's arrangement."""
        if said is None:
            return {"says": "announced", "note": ""}
        return {"says": str(said.follows or "works") if said.works else "rests", "note": said.note}

    def word(self) -> dict[str, Any]:
        """The arguments of `slots.set_day`; `works` None removes an earlier override."""
        says: str = self.says.data
        return {
            "when": self.date.data,
            "works": None if says == "announced" else says != "rests",
            "follows": int(says) if says.isdigit() else None,
            "note": self.note.data,
        }
