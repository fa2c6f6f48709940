"""Style guide: a page with every component in every state, for developers. Development only."""

from datetime import datetime, timedelta
from types import SimpleNamespace as Thing
from typing import NamedTuple

from flask import Blueprint, render_template
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired

from booking import clock
from booking.errors import RuleViolation
from booking.web.forms.fields import options

pages = Blueprint("parts", __name__)


class SampleForm(FlaskForm):  # type: ignore[misc] # Flask-WTF is untyped
    """One field of each type; `email` is shown with an error."""

    email = StringField(_("邮箱"), [InputRequired(_("请填写邮箱。"))], description=_("只用来登录和通知，不会公开。"))
    code = StringField(_("验证码"))
    zone = SelectField(_("场地"), choices=options({"1": "201", "2": "202"}))
    way = RadioField(_("语言"), choices=options({"zh": "中文", "en": "English"}), default="zh")
    text = TextAreaField(_("介绍"), default=_("零基础也可以，穿宽松的衣服就好。"))
    digest = BooleanField(_("每天早上 8:30 给我发日报"), default=True)


@pages.get("/parts")
def every_part() -> str:
    now = clock.now()
    form = SampleForm(formdata=None, data={"email": "lin@"})
    form.email.errors = [gettext("这个邮箱地址不完整。")]
    soon = now + timedelta(minutes=1, seconds=58)
    cards = [_card(n, now, sample) for n, sample in enumerate(_samples(now), start=1)]
    return render_template("parts/page.html", form=form, days=_days(), opens_at=soon, cards=cards)


class Sample(NamedTuple):
    """One state of a card. `place` is the waiting-list position, `outcome` the result of the last action."""

    state: str
    capacity: int
    taken: int
    waiting: int = 0
    mine: str = ""
    place: int | None = None
    refusal: RuleViolation | None = None
    outcome: Thing | None = None


def _samples(now: datetime) -> list[Sample]:
    """Every state of a card."""
    seat = Thing(tone="good", title=_("约上了，明天 12:10 见"), text=_("记得：自带瑜伽垫。"), reason="", booking_id=1)
    line = Thing(tone="wait", title=_("你排在第 2 位"), text=_("轮到之前不算预约。"), reason="", booking_id=1)
    vain = Thing(tone="no", title=_("没有空位了。"), text=_("看看这天别的场次。"), reason="full", booking_id=None)
    return [
        Sample("planned", 40, 0, refusal=RuleViolation("not_open", opens_at=now)),
        Sample("open", 12, 2),
        Sample("open", 12, 10),
        Sample("open", 10, 10, 2),
        Sample("open", 10, 10, refusal=RuleViolation("line_closed")),
        Sample("open", 16, 16, 4, "booked", refusal=RuleViolation("yours")),
        Sample("open", 16, 16, 4, "waiting", 2, RuleViolation("in_line")),
        Sample("open", 16, 16, 0, "booked", None, RuleViolation("yours"), seat),
        Sample("open", 16, 16, 4, "waiting", 2, RuleViolation("in_line"), line),
        Sample("open", 16, 16, outcome=vain),
        Sample("running", 20, 18, mine="attended", refusal=RuleViolation("yours")),
        Sample("running", 20, 18, refusal=RuleViolation("started")),
        Sample("done", 60, 44, refusal=RuleViolation("over")),
        Sample("cancelled", 12, 4, refusal=RuleViolation("cancelled", why=_("设备检修"))),
    ]


def _card(n: int, now: datetime, sample: Sample) -> Thing:
    """A made-up slot, as `worker/_slot_card.html` wants it."""
    left = sample.capacity - sample.taken
    names = [_("白领瑜伽课堂"), _("创意手工 · 植物拓印"), _("青年党史讲堂：从一盏马灯说起")]
    slot = Thing(id=900_000 + n, capacity=sample.capacity, taken=sample.taken, waiting=sample.waiting)
    slot.activity = Thing(title=str(names[n % 3]), title_en="", picture=("yoga", "crafts", "history")[n % 3])
    if sample.outcome:
        sample.outcome.slot_id = slot.id
    return Thing(
        slot=slot,
        state=sample.state,
        seen_at=now,
        left=left,
        place=sample.place,
        line_open=True,
        act=None if sample.refusal else "take" if left else "wait",
        mine=Thing(state=sample.mine) if sample.mine else None,
        refusal=sample.refusal,
        outcome=sample.outcome,
    )


def _days() -> list[Thing]:
    names = [_("今天"), _("明天"), *(_("周三"), _("周四"), _("周五"), _("周六"), _("周日"), _("周一"))]
    rests = {5: _("周末"), 6: _("周末"), 7: _("国庆节"), 3: _("暂定")}
    mine = {1: "booked", 2: "waiting"}
    return [
        Thing(
            href="#",
            name=name,
            number=23 + n,
            said=name,
            current=n == 1,
            rest=n >= 5,
            note=rests.get(n, ""),
            mine=mine.get(n),
        )
        for n, name in enumerate(names)
    ]
