"""Times of day: 12:10, 12点10分, 8点半, 下午1:30, 7:22 AM, 1210, Excel's fractions of a day."""

import re
from datetime import time

from booking.parsing.numbers import arabic, folded

MINUTES = 1440
# From and until which hour of twelve a word moves the clock: 下午1点 is 13, 中午12点 is 12.
_MORNING = {"上午", "早上", "早晨", "清晨", "凌晨", "am", "a.m."}
_NOON = {"中午", "正午"}
_EVENING = {"下午", "傍晚", "晚上", "晚", "pm", "p.m."}
_WORD = re.compile("|".join(sorted(map(re.escape, _MORNING | _NOON | _EVENING), key=len, reverse=True)))
_COLON = re.compile(r"\s*[:∶]\s*")  # the second is the sign of a ratio, which Chinese keyboards offer too
_DATE = re.compile(r"[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}[t\s]+(?=[0-9])")
_FORMS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?P<h>[0-9]{1,2}):(?P<m>[0-9][0-9])(:00(\.0+)?)?",
        r"(?P<h>[0-9]{1,2})\s*[点时]\s*(钟|整)?",
        r"(?P<h>[0-9]{1,2})\s*[点时]\s*(?P<m>[0-9]{1,2})\s*分?(00秒)?",
        r"(?P<h>[0-9]{1,2})\s*点\s*(?P<part>半|一刻|1刻|三刻|3刻)",
        r"(?P<h>[1-9]|1[0-9]|2[0-3])\.(?P<m>[0-9][0-9])",
        r"(?P<h>[0-9]{1,2})(?P<m>[0-9][0-9])",
    )
)
_TO = re.compile(r"\s*(?:[-–—−~～〜]{1,2}|至|到)\s*")
_PARTS = {"半": 30, "一刻": 15, "1刻": 15, "三刻": 45, "3刻": 45}


def read(text: str) -> time | None:
    """The time to the minute; None also for seconds, and for 24:00, which is another day."""
    words = _DATE.sub("", _COLON.sub(":", folded(text)))
    if re.fullmatch(r"(0|[0-9]{5})?\.[0-9]+", words):
        return _of_fraction(float(words) % 1)
    said = {found[0] for found in _WORD.finditer(words)}
    words = arabic(_WORD.sub(" ", words).strip(), "[点时分]|$")
    if said and re.fullmatch(r"[0-9]{1,2}", words):
        words = f"{words}点"
    for pattern in _FORMS:
        if found := pattern.fullmatch(words):
            parts = found.groupdict()
            minute = _PARTS[parts["part"]] if parts.get("part") else int(parts.get("m") or 0)
            hour = _hour(int(parts["h"]), said)
            return time(hour, minute) if hour is not None and minute < 60 else None
    return None


def read_span(text: str) -> tuple[time, int] | None:
    """The start and the minutes of 12:10-13:00, 下午1:00至1:50; None for all else, and where the end is not after it."""
    parts = [read(part) for part in _TO.split(folded(text))]
    if len(parts) != 2 or parts[0] is None or parts[1] is None:
        return None
    starts, ends = (part.hour * 60 + part.minute for part in parts if part)
    if ends <= starts and starts >= MINUTES // 2 > ends:
        ends += MINUTES // 2  # the word before the start stands for both
    return (parts[0], ends - starts) if ends > starts else None


def _hour(hour: int, said: set[str]) -> int | None:
    """The hour of the day; None where the words beside it say otherwise."""
    if hour > 23 or len(said) > 1:
        return None
    if said & _MORNING:
        return hour % 12 if hour <= 12 else None
    if said & _NOON:
        return {11: 11, 12: 12, 1: 13, 2: 14, 13: 13, 14: 14}.get(hour)
    if said & _EVENING:
        late = hour == 12 and said & {"晚上", "晚"}  # midnight, of a day that nobody can tell
        return None if hour == 0 or late else hour % 12 + 12 if hour <= 12 else hour
    return hour


def _of_fraction(fraction: float) -> time | None:
    minutes = fraction * MINUTES
    if abs(minutes - round(minutes)) > 1 / 60 or round(minutes) >= MINUTES:
        return None
    return time(*divmod(round(minutes), 60))
