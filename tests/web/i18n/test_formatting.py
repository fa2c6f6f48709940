"""Formatting: how long it is until an opening, in words that cannot be read as a clock time."""

from datetime import timedelta

import pytest
from flask import Flask
from flask_babel import force_locale

from booking.web.i18n import formatting
from tests.support.lunch_hour import at

OPENS = at("Mon 10:00")


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("before", "chinese", "english"),
    [
        (timedelta(hours=20), "明天 10:00 开放", "Opens tomorrow 10:00"),
        (timedelta(hours=1), "今天 10:00 开放", "Opens today 10:00"),
        (timedelta(minutes=59, seconds=59), "还有 59 分 59 秒开放", "Opens in 59 min 59 s"),
        (timedelta(minutes=7, seconds=55.2), "还有 7 分 56 秒开放", "Opens in 7 min 56 s"),
        (timedelta(minutes=1), "还有 1 分 0 秒开放", "Opens in 1 min 0 s"),
        (timedelta(seconds=56), "还有 56 秒开放", "Opens in 56 s"),
        (timedelta(seconds=0.1), "还有 1 秒开放", "Opens in 1 s"),
        (timedelta(0), "还有 0 秒开放", "Opens in 0 s"),
    ],
)
def test_the_time_until_an_opening(app: Flask, before: timedelta, chinese: str, english: str) -> None:
    for language, text in (("zh_Hans_CN", chinese), ("en", english)):
        with app.test_request_context(), force_locale(language):
            assert formatting.opens_in(OPENS, OPENS - before, "Asia/Shanghai") == text
