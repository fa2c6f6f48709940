"""How things are shown: instants as a station's clock, words in the reader's language."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Protocol

from babel import Locale
from babel.dates import format_skeleton
from flask import Flask
from flask_babel import get_locale, gettext

from booking import clock
from booking.refusals import Refused
from booking.web.reasons import NEXT_STEPS, SENTENCES, UNKNOWN


class HasZoneName(Protocol):
    """A station, or anything else that knows its wall clock."""

    @property
    def zone_name(self) -> str: ...


def register(app: Flask) -> None:
    """Give every template these filters."""
    for shown in (
        local,
        clock_time,
        clock_seconds,
        clock_range,
        station_date,
        day_name,
        day_of_month,
        day_date,
        moment,
        since,
        phone,
        reason,
        next_step,
        where,
    ):
        app.add_template_filter(shown)
    app.add_template_global(language, "language")
    app.add_template_global(clock.now, "now")


def language() -> str:
    """The reader's language as `<html lang>` wants it."""
    locale = get_locale()
    return "en" if locale and locale.language == "en" else "zh-CN"


def local(thing: Any, field: str) -> str:
    """`thing.field` in the reader's language; the Chinese one where there is no other."""
    chinese: str = getattr(thing, field) or ""
    english: str | None = getattr(thing, f"{field}_en", None)
    return english if english and language() == "en" else chinese


def clock_time(instant: datetime, where: HasZoneName | str) -> str:
    """12:10, by the station's wall clock."""
    return _clock_time(instant, where if isinstance(where, str) else where.zone_name)


def clock_seconds(instant: datetime, where: HasZoneName | str) -> str:
    """10:00:03, for answers where the second matters."""
    return _wall(instant, where).strftime("%H:%M:%S")


def clock_range(thing: Any, where: HasZoneName | str) -> str:
    """12:10–13:00, of anything that has starts_at and ends_at."""
    return f"{clock_time(thing.starts_at, where)}–{clock_time(thing.ends_at, where)}"


def station_date(instant: datetime, where: HasZoneName | str) -> date:
    """The date that the station's calendar shows at `instant`."""
    return _wall(instant, where).date()


def day_name(day: date, today: date | None = None) -> str:
    """周三; 今天 and 明天 when `today` is given."""
    if today and day == today:
        return str(gettext("今天"))
    if today and day == today + timedelta(days=1):
        return str(gettext("明天"))
    return _named("E", day, get_locale())


def day_of_month(day: date) -> str:
    """24, for the day strip; the month is added on the first of it by `day_date`."""
    return str(day.day)


def day_date(day: date, today: date | None = None) -> str:
    """11月24日周二; with the year only where it is not the one of `today`."""
    skeleton = "MMMEd" if today is None or day.year == today.year else "yMMMEd"
    return _named(skeleton, day, get_locale())


def moment(instant: datetime, where: HasZoneName | str, today: date | None = None) -> str:
    """今天 10:00, 周三 10:00, or 12月8日周二 10:00 when it is more than six days away from `today`."""
    day = station_date(instant, where)
    near = today is not None and abs((day - today).days) <= 6
    name = day_name(day, today) if near else day_date(day, today)
    return f"{name} {clock_time(instant, where)}"


def since(seconds: float) -> str:
    """4 秒, 3 分钟: a short span in words, rounded down."""
    whole = max(int(seconds), 1)
    if whole < 60:
        return str(gettext("%(n)s 秒", n=whole))
    return str(gettext("%(n)s 分钟", n=whole // 60))


def where(slot: Any) -> str:
    """Zone and host in one line."""
    host = slot.host or local(slot.activity, "host")
    zone = local(slot.zone, "name")
    return f"{zone} · {host}" if host else zone


def countdown(seconds: float) -> str:
    """2 天 3 小时, 1:05:09, 04:59: how long it is until something."""
    left = max(int(seconds), 0)
    if left >= 86400:
        return str(gettext("%(d)s 天 %(h)s 小时", d=left // 86400, h=left % 86400 // 3600))
    hours, minutes, rest = left // 3600, left % 3600 // 60, left % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def phone(number: str) -> str:
    """138****5678, for all but its owner."""
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 8 else "****"


def reason(no: Refused, where: HasZoneName | None = None) -> str:
    """Why not, in one sentence; instants by the clock of `where`."""
    code = "cancelled_because" if no.reason == "cancelled" and no.details.get("why") else no.reason
    said = {name: _in_words(value, where) for name, value in no.details.items()}
    return str(SENTENCES.get(code, UNKNOWN)) % said


def next_step(no: Refused) -> str:
    """What the reader can do next, or nothing."""
    return str(NEXT_STEPS.get(no.reason, ""))


def _in_words(value: Any, where: HasZoneName | None) -> Any:
    if not isinstance(value, datetime):
        return value
    zone = where.zone_name if where else "Asia/Shanghai"
    return moment(value, zone, station_date(clock.now(), zone))


def _wall(instant: datetime, where: HasZoneName | str) -> datetime:
    return clock.at_station(instant, where if isinstance(where, str) else where.zone_name)


@lru_cache(1000)
def _clock_time(instant: datetime, zone: str) -> str:
    """Everything begins at the same few times."""
    return clock.at_station(instant, zone).strftime("%H:%M")


@lru_cache(1000)
def _named(skeleton: str, day: date, locale: Locale) -> str:
    """Babel's skeletons want a datetime; noon is the same date everywhere that matters."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return format_skeleton(skeleton, noon, locale=locale)
