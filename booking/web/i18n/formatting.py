"""Formatting: instants by a station's clock, texts in the reader's language."""

import math
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache, wraps
from typing import Any, Protocol, TypeVar

from babel import Locale
from babel.dates import format_skeleton
from flask import Flask
from flask_babel import get_locale, get_translations, gettext, lazy_gettext
from markupsafe import Markup, escape

from booking import clock, workdays
from booking.draws.planning import HasResult
from booking.errors import RuleViolation
from booking.queries import disclosure
from booking.seats.eligibility import CountedSlot
from booking.web.i18n.messages import REASONS, UNKNOWN

USUAL = 100  # longest text that is worth caching within a sentence
Say = TypeVar("Say", bound=Callable[..., str])
_settled: ContextVar[str | None] = ContextVar("settled", default=None)


class HasZoneName(Protocol):
    """A station, or anything else with a time zone."""

    @property
    def zone_name(self) -> str: ...


def register(app: Flask) -> None:
    """Register the template filters."""
    for shown in (
        local,
        heading,
        clock_time,
        clock_seconds,
        clock_range,
        station_date,
        day_name,
        drops,
        day_date,
        month_name,
        format_moment,
        result_time,
        void_words,
        phone,
        reason,
        next_step,
        where,
        standby_words,
    ):
        app.add_template_filter(shown)
    # Asking Flask-Babel for the catalogue at every sentence takes a third of a page's rendering.
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: _catalogue(get_locale()).ugettext(text),
        lambda one, many, number: _catalogue(get_locale()).ungettext(one, many, number),
        newstyle=True,
        pgettext=lambda context, text: _catalogue(get_locale()).upgettext(context, text),
    )
    app.add_template_global(language, "language")
    app.add_template_global(clock.now, "now")
    app.add_template_global(workdays.ends_soon, "calendar_ends_soon")


@lru_cache
def _catalogue(_locale: Locale | None) -> Any:
    return get_translations()


def memoize_per_locale(say: Say) -> Say:
    """Cache the results by language and values: many readers need the same sentence in one second."""
    known = lru_cache(4096)(lambda _language, *values: say(*values))

    @wraps(say)
    def said(*values: Any) -> str:
        return known(language(), *values)

    return said  # type: ignore[return-value]


def language() -> str:
    """The reader's language as `<html lang>` wants it."""
    return _settled.get() or _language()


def pin_locale() -> None:
    """Fix the language of this context: asking Flask-Babel costs more than most translations."""
    _settled.set(_language())


def _language() -> str:
    locale = get_locale()
    return "en" if locale and locale.language == "en" else "zh-CN"


def local(thing: Any, field: str) -> str:
    """`thing.field` in the reader's language; the Chinese one where there is no other."""
    chinese: str = getattr(thing, field) or ""
    return getattr(thing, f"{field}_en", None) or chinese if language() == "en" else chinese


def heading(title: str) -> Markup:
    """A title as it may break on a small screen: after its dots, which never begin a line."""
    return Markup(str(escape(title)).replace(" ·", "\u00a0·").replace("·", "·<wbr>"))  # noqa: S704 (escaped)


def clock_time(instant: datetime, where: HasZoneName | str) -> str:
    """12:10, by the station's wall clock."""
    return _wall_time(instant, _zone(where))


def result_time(draw: HasResult, at: str) -> str:
    """When a draw's result comes, where `at` says the earliest."""
    return gettext("%(time)s 或更晚", time=at) if draw.value_from else at


VOID = {
    "late": lazy_gettext("这次抽签作废，是我们的系统没跑起来。号球都还在，到门口先到先坐。"),
    "cancelled": lazy_gettext("这次抽签作废：场次都取消了。号球都还在。"),
    "no_value": lazy_gettext("这次抽签作废：到时候没有人填公开的数。号球都还在，到门口先到先坐。"),
}


def void_words(why: str | None) -> str:
    """Why a draw is void; empty for anything else."""
    return str(VOID.get(why or "", ""))


def clock_seconds(instant: datetime, where: HasZoneName | str) -> str:
    """10:00:03, for answers where the second matters."""
    return _wall(instant, where).strftime("%H:%M:%S")


def clock_range(thing: Any, where: HasZoneName | str) -> str:
    """12:10–13:00, of anything that has starts_at and ends_at."""
    return f"{clock_time(thing.starts_at, where)}–{clock_time(thing.ends_at, where)}"


def station_date(instant: datetime, where: HasZoneName | str) -> date:
    """The date of the station's calendar at `instant`."""
    return _wall(instant, where).date()


@memoize_per_locale
def day_name(day: date, today: date | None = None) -> str:
    """周三; 今天 and 明天 when `today` is given."""
    if today and day == today:
        return str(gettext("今天"))
    if today and day == today + timedelta(days=1):
        return str(gettext("明天"))
    return format_skeleton("E", _noon(day), locale=get_locale())


@memoize_per_locale
def day_date(day: date, today: date | None = None) -> str:
    """11月24日周二; with the year only where it is not the one of `today`."""
    skeleton = "MMMEd" if today is None or day.year == today.year else "yMMMEd"
    return format_skeleton(skeleton, _noon(day), locale=get_locale())


@memoize_per_locale
def month_name(day: date) -> str:
    """2026年12月."""
    return format_skeleton("yMMMM", _noon(day), locale=get_locale())


def format_moment(instant: datetime, where: HasZoneName | str, today: date | None = None) -> str:
    """今天 10:00, 周三 10:00, or 12月8日周二 10:00 when it is more than six days away from `today`."""
    return _moment(instant, _zone(where), today)


def format_duration(seconds: float) -> str:
    """4 秒, 3 分钟: a short span, rounded down."""
    whole = max(int(seconds), 1)
    if whole < 60:
        return str(gettext("%(n)s 秒", n=whole))
    return str(gettext("%(n)s 分钟", n=whole // 60))


def where(slot: Any) -> str:
    """Zone and host in one line."""
    host = slot.host or local(slot.activity, "host")
    zone = local(slot.zone, "name")
    return f"{zone} · {host}" if host else zone


def standby_words(slot: Any, now: datetime) -> str:
    """When a person on standby at the door can get a seat of the slot."""
    if now < slot.opens_at:  # a mixed draw's, or one of a void draw
        at = clock_time(slot.starts_at, slot.station)
        return str(gettext("%(time)s 开始时，空着的名额会按到场先后给现场的人，请不要走远。", time=at))
    if now < slot.release_at:
        at = clock_time(slot.release_at, slot.station)
        return str(gettext("%(time)s 没人来的名额会按到场先后给现场的人，请不要走远。", time=at))
    return str(gettext("有名额空出来，会按到场先后给现场的人，请不要走远。"))


def opens_in(opens_at: datetime, now: datetime, where: HasZoneName | str) -> str:
    """还有 7 分 56 秒开放, 还有 56 秒开放; an hour before and earlier the clock time alone: 今天 10:00 开放."""
    left = max(math.ceil((opens_at - now).total_seconds()), 0)
    if left >= 3600:
        return str(gettext("%(when)s 开放", when=format_moment(opens_at, where, station_date(now, where))))
    minutes, seconds = divmod(left, 60)
    if minutes:
        return str(gettext("还有 %(m)s 分 %(s)s 秒开放", m=minutes, s=seconds))
    return str(gettext("还有 %(s)s 秒开放", s=seconds))


def phone(number: str) -> str:
    """138****5678, for everybody but its owner."""
    return disclosure.mask_phone(number)


def reason(no: RuleViolation, where: HasZoneName | None = None, form: str = "sentence") -> str:
    """The refusal as one sentence; instants by the clock of `where`. `form` is a field of `Reason`."""
    form = "because" if no.details.get("why") else form
    if not no.details:
        return _sentence(no.reason, form)
    zone = where.zone_name if where else clock.COUNTRY_ZONE
    long = any(isinstance(value, str) and len(value) > USUAL for value in no.details.values())
    say = _sentence.__wrapped__ if long else _sentence  # type: ignore[attr-defined]
    code, *details = printed(no)
    return str(say(code, form, station_date(clock.now(), zone), zone, *details))


def printed(no: RuleViolation) -> tuple[Any, ...]:
    """The reason, and what sentences about it can print: no id, and of an instant no seconds."""
    details = [pair for pair in no.details.items() if not pair[0].endswith("_id")]
    return no.reason, *((name, _to_the_minute(value)) for name, value in details)


def _to_the_minute(value: Any) -> Any:
    return value.replace(second=0, microsecond=0) if isinstance(value, datetime) else value


def drops(card: Any) -> str:
    """The waiting-list places that the card's action would end, as a sentence, or empty."""
    starts = [clock_time(entry.starts_at, card.slot.station) for entry in card.drops]
    if not starts:
        return ""
    slots = gettext("、").join(dict.fromkeys(starts))  # two at the same time are one time
    return str(gettext("约上就退出 %(slots)s 的候补；两分钟内撤销，位次照旧。", slots=slots))


def next_step(no: RuleViolation) -> str:
    """What the reader can do next, or empty."""
    return _next_step(no.reason)


@memoize_per_locale
def _sentence(code: str, form: str, today: date | None = None, zone: str = "", *details: tuple[str, Any]) -> str:
    given = {name: _detail(value, zone, today) for name, value in details}
    row = REASONS.get(code, UNKNOWN)
    return str(getattr(row, form) or row.sentence) % given


def _detail(value: Any, zone: str, today: date | None) -> Any:
    if isinstance(value, datetime):
        return _moment(value, zone, today)
    return gettext("、").join(_counted(one, zone, today) for one in value) if isinstance(value, tuple) else value


def _counted(slot: CountedSlot, zone: str, today: date | None) -> str:
    """周二 12:10 瑜伽（国贸驿站）."""
    about = {"when": _moment(slot.starts_at, zone, today), "what": local(slot, "title")}
    return (
        str(gettext("%(when)s %(what)s（%(where)s）", **about, where=local(slot, "station")))
        if slot.title
        else about["when"]
    )


@memoize_per_locale
def _next_step(code: str) -> str:
    return str(REASONS.get(code, UNKNOWN).next_step)


@memoize_per_locale
def _moment(instant: datetime, zone: str, today: date | None) -> str:
    day = station_date(instant, zone)
    near = today is not None and abs((day - today).days) <= 6
    name = day_name(day, today) if near else day_date(day, today)
    return f"{name} {clock_time(instant, zone)}"


@lru_cache(4096)
def _wall_time(instant: datetime, zone: str) -> str:
    return clock.at_station(instant, zone).strftime("%H:%M")


def _wall(instant: datetime, where: HasZoneName | str) -> datetime:
    return clock.at_station(instant, _zone(where))


def _zone(where: HasZoneName | str) -> str:
    return where if isinstance(where, str) else where.zone_name


def _noon(day: date) -> datetime:
    """Babel's date skeletons need a datetime; noon is the same date in every relevant zone."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
