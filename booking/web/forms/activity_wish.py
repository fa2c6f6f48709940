"""Wish forms: what a person would like at a station, and what the station answers."""

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from booking.model import KINDS, ActivityWish, Slot, Station
from booking.web.forms.fields import Form, LineField, PickField, Prose, Short, maybe, needed, options
from booking.web.forms.programme import KIND_WORDS, WEEKDAYS
from booking.web.i18n.formatting import clock_time, day_date, local

STATES = {
    "open": _("等驿站答复"),
    "planned": _("会开"),
    "held": _("已开"),
    "declined": _("暂时开不了"),
    "merged": _("已合并"),
    "withdrawn": _("已收回"),
    "removed": _("已移除"),
    "lapsed": _("很久没有人再想要"),
}
ANY_DAY = "any"
DAYS = {ANY_DAY: _("哪天都行"), **WEEKDAYS}


class WishForm(Form):
    """A wish at a station."""

    blames = {"wish_limit": "text", "no_wishes_here": "text", "looks_like_advert": "text"}
    text = LineField(
        _("想要什么活动"), [needed, Short(30)], description=_("最多 30 字，大家都看得到，看不到是谁提的。")
    )
    kind = PickField(_("类别"), [needed], choices=options({kind: KIND_WORDS[kind] for kind in KINDS}))
    weekday = PickField(_("星期几"), [needed], choices=options(DAYS), default=ANY_DAY)

    @property
    def day(self) -> int | None:
        return None if self.weekday.data == ANY_DAY else int(self.weekday.data)


class WishAnswerForm(Form):
    """The station will hold it."""

    answer = Prose(_("想说的话"), [maybe, Short(200)], description=_("可以不填。大家都看得到。"))


class WishHeldForm(WishAnswerForm):
    """It takes place: in which slot."""

    blames = {"wish_slot": "slot_id"}
    slot_id = PickField(_("哪一场"), [needed], coerce=int)

    def offer(self, slots: Iterable[Slot], station: Station) -> "WishHeldForm":
        """With these slots to choose from."""
        self.slot_id.choices = options({slot.id: _slot_words(slot, station) for slot in slots})
        return self


class WishWhyForm(Form):
    """Why not."""

    blames = {"reason_missing": "answer"}
    answer = Prose(_("为什么"), [needed, Short(200)], description=_("想要的人看得到。"))


class WishMergeForm(Form):
    """Which wish it is merged into."""

    blames = {"wish_itself": "into_id", "wish_merge": "into_id"}
    into_id = PickField(_("合并到哪一个"), [needed], coerce=int)

    def offer(self, wishes: Iterable[ActivityWish]) -> "WishMergeForm":
        """With these wishes to choose from."""
        self.into_id.choices = options({wish.id: wish.text for wish in wishes})
        return self


def about(wish: ActivityWish) -> Any:
    """Its kind and weekday in words."""
    return gettext("%(kind)s · %(day)s", kind=KIND_WORDS[wish.kind], day=DAYS[str(wish.weekday or ANY_DAY)])


def _slot_words(slot: Slot, station: Station) -> str:
    when = f"{day_date(slot.date)} {clock_time(slot.starts_at, station)}"
    return f"{when} {local(slot.activity, 'title')}"
