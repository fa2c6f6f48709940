"""A page that shows every part in every state, for the people who carry on the work. Development only."""

from datetime import timedelta
from types import SimpleNamespace as Thing

from flask import Blueprint, render_template
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired

from booking import clock
from booking.web.forms.fields import options

pages = Blueprint("parts", __name__)


class SampleForm(FlaskForm):  # type: ignore[misc] # Flask-WTF is untyped
    """One field of each type; `email` is shown with an error."""

    email = StringField("邮箱", [InputRequired("请填写邮箱。")], description="只用来登录和通知，不会公开。")
    code = StringField("验证码")
    zone = SelectField("场地", choices=options({"1": "健身区（最多 20 人）", "2": "手工坊（最多 12 人）"}))
    text = TextAreaField("介绍", default="零基础也可以，穿宽松的衣服就好。")
    digest = BooleanField("每天早上 8:30 给我发日报", default=True)


@pages.get("/parts")
def every_part() -> str:
    now = clock.now()
    form = SampleForm(formdata=None, data={"email": "lin@"})
    form.email.errors = ["这个邮箱地址不完整。"]
    station = Thing(code="cbd", name="白领驿站", name_en="White-collar Station")
    return render_template(
        "parts/page.html", form=form, station=station, days=_days(), opens_at=now + timedelta(minutes=1, seconds=58)
    )


def _days() -> list[Thing]:
    names = ["今天", "周二", "周三", "周四", "周五", "周六", "周日", "周一", "周二", "周三"]
    rests = {5: "周末", 6: "周末", 9: "暂定"}
    mine = {1: "booked", 3: "waiting"}
    return [
        Thing(
            href="#",
            name=name,
            number=23 + n if n < 8 else n - 7,
            said=name,
            current=n == 1,
            rest=n in (5, 6),
            note=rests.get(n, ""),
            mine=mine.get(n),
        )
        for n, name in enumerate(names)
    ]
