"""Parsing: dates, times, numbers and weekdays as people write them, and what is not guessed at."""

from datetime import date, time

import pytest

from booking.parsing import dates, numbers, public_values, times, weekdays

TODAY = date(2026, 11, 29)  # a Sunday
SEVENTH, FOURTEENTH = date(2026, 12, 7), date(2026, 12, 14)  # Mondays

DATES = {
    "2026-12-07": SEVENTH, "2026-12-7": SEVENTH, "2026/12/7": SEVENTH, "2026.12.7": SEVENTH, "20261207": SEVENTH,
    "2026年12月7日": SEVENTH, "2026年12月7号": SEVENTH, "2026 年 12 月 7 日": SEVENTH, "26年12月7日": SEVENTH,
    "２０２６－１２－０７": SEVENTH, "２０２６年１２月７日": SEVENTH,
    "二〇二六年十二月七日": SEVENTH, "二○二六年十二月七日": SEVENTH,
    "2026-12-07 00:00:00": SEVENTH, "2026-12-07T12:10": SEVENTH, "2026年12月7日 12:10": SEVENTH, "46363": SEVENTH,
    "46363.0": SEVENTH, "46363.5": SEVENTH, "今年12月7日": SEVENTH, "7 Dec 2026": SEVENTH, "Dec 7, 2026": SEVENTH,
    "December 7th, 2026": SEVENTH, "7-Dec-26": SEVENTH, "Monday, December 7, 2026": SEVENTH,
    "2026年12月7日星期一": SEVENTH, "2026-12-07（周一）": SEVENTH, "星期一 2026-12-07": SEVENTH,
    "12/25/2026": date(2026, 12, 25), "25/12/2026": date(2026, 12, 25), "明年1月5日": date(2027, 1, 5),
    "12月14日": FOURTEENTH, "12月14号": FOURTEENTH, "12-14": FOURTEENTH,
    "12/14": FOURTEENTH, "十二月十四日": FOURTEENTH,
    "12月14日（周一）": FOURTEENTH, "14 Dec": FOURTEENTH, "Dec 14": FOURTEENTH, "11月29日": TODAY,
    "11月28日": date(2027, 11, 28), "1月5日": date(2027, 1, 5), "2月29日": date(2028, 2, 29),
    "十二月二十一日": date(2026, 12, 21),
    "2026.12.07日": SEVENTH, "2026、12、7": SEVENTH, "2026年12月7日起": SEVENTH, "自十二月七日起": SEVENTH,
}  # fmt: skip
NO_DATES = (
    "", "明天", "长期", "2026-13-01", "2026-02-30", "2026年2月30日",
    "12/7/2026", "12.14", "12.1", "1", "99999", "12月", "0",
    "12月14日（周二）", "2026-12-07 周日", "2026-12-07-08", "9" * 5000, "a" * 5000, "十十月七日", "13月1日",
)  # fmt: skip


@pytest.mark.parametrize("text", DATES)
def test_a_date_is_read_as_it_is_written(text: str) -> None:
    assert dates.read(text, TODAY) == DATES[text]


@pytest.mark.parametrize("text", NO_DATES)
def test_no_date_is_guessed(text: str) -> None:
    assert dates.read(text, TODAY) is None


def test_a_date_beside_another_weekday_is_told() -> None:
    assert dates.contradicts("12月14日（周二）", TODAY) == FOURTEENTH
    assert dates.contradicts("12月14日（周一）", TODAY) is None


@pytest.mark.parametrize("text", ["12月14日", "12-14", "12/14（周一）", "Dec 14"])
def test_a_date_without_a_year_is_known_as_one(text: str) -> None:
    assert dates.lacks_year(text)
    assert not dates.lacks_year(f"2026-{text}")


NOON = time(12, 10)
TIMES = {
    "12:10": NOON, "12：10": NOON, "12∶10": NOON, "12 : 10": NOON, "12:10:00": NOON, "１２：１０": NOON,
    "12点10分": NOON, "12点10": NOON, "12时10分": NOON,
    "十二点十分": NOON, "十二点十": NOON, "1210": NOON, "12.10": NOON, "中午12:10": NOON, "中午12点10分": NOON, "12:10 PM": NOON,
    "下午12:10": NOON, "0.506944444444444": NOON, "46363.5069444444": NOON, "2026-12-07 12:10:00": NOON,
    "8点30分": time(8, 30), "八点三十": time(8, 30), "8点三十": time(8, 30), "8点半": time(8, 30), "上午8:30": time(8, 30),
    "早上8点半": time(8, 30), "730": time(7, 30),
    "7:22 AM": time(7, 22), "7:22am": time(7, 22), "7:22 a.m.": time(7, 22),
    "上午7:22": time(7, 22), "7:22 上午": time(7, 22),
    "12点": time(12), "12点整": time(12), "12点一刻": time(12, 15),
    "12点三刻": time(12, 45), "中午12点": time(12), "0.5": time(12),
    "1:00pm": time(13), "1 pm": time(13), "下午1点": time(13), "下午1时05分": time(13, 5),
    "下午13:00": time(13), "中午1点": time(13),
    "晚上7点": time(19), "12:00 AM": time(0), "凌晨12:30": time(0, 30), "0:00": time(0),
}  # fmt: skip
NO_TIMES = (
    "", "24:00", "25:00", "12:60", "12点60分", "12:10:30", "9", "12.1",
    "7.5", "12:10-13:00", "晚上12点", "上午13:00", "2026-12-07",
    "正午", "上午下午1点", "1" * 5000, "0", "99999.5.5",
)  # fmt: skip


@pytest.mark.parametrize("text", TIMES)
def test_a_time_is_read_as_it_is_written(text: str) -> None:
    assert times.read(text) == TIMES[text]


@pytest.mark.parametrize("text", NO_TIMES)
def test_no_time_is_guessed(text: str) -> None:
    assert times.read(text) is None


SPANS = {
    "12:10-13:00": (NOON, 50), "12:10－13:00": (NOON, 50), "12:10 ～ 13:00": (NOON, 50), "12∶10—13∶00": (NOON, 50),
    "12点10分至13点": (NOON, 50), "12点10到13点": (NOON, 50), "1210-1300": (NOON, 50), "12:10--13:00": (NOON, 50),
    "下午1:00-1:50": (time(13), 50), "下午1点-2点半": (time(13), 90), "中午12:10-1:00": (NOON, 50),
    "11:30am - 12:20pm": (time(11, 30), 50),
}  # fmt: skip
NO_SPANS = (
    "",
    "12:10",
    "13:00-12:10",
    "12:10-12:10",
    "12:10-",
    "-13:00",
    "9-10",
    "2026-12-07 12:10",
    "12:10-13:00-14:00",
    "8:00-7:00",
)


@pytest.mark.parametrize("text", SPANS)
def test_a_time_may_say_until_when(text: str) -> None:
    assert times.read_span(text) == SPANS[text]


@pytest.mark.parametrize("text", NO_SPANS)
def test_no_end_is_guessed(text: str) -> None:
    assert times.read_span(text) is None


NUMBERS = {
    "15": 15, "１５": 15, "15.0": 15, "15.": 15, "15人": 15, "15 人": 15,
    "15名": 15, "15位": 15, "15个名额": 15, "15 people": 15,
    "1,000": 1000, "3个工作日": 3, "-3": -3, "15場": None, "15.5": None,
    "十": 10, "十五人": 15, "二十个名额": 20, "15人以上": None, "约15": None, "1e3": None,
    "10分钟": None, "人": None, "": None, "1,00": None, "9" * 5000: None,
}  # fmt: skip
MINUTES = {
    "50": 50, "50.0": 50, "10分钟": 10, "50分": 50, "50 min": 50,
    "50mins": 50, "50'": 50, "五十分钟": 50, "1小时": 60, "一小时": 60,
    "1个小时": 60, "1.5小时": 90, "半小时": 30, "半个小时": 30, "1小时30分钟": 90,
    "1h": 60, "1 hour 10 minutes": 70, "0:50": 50,
    "1:30": 90, "五十": 50, "一小时三十": 90, "15人": None, "1.333小时": None, "一会儿": None, "": None,
}  # fmt: skip
WEEKDAYS = {
    "每个工作日": "12345", "每个周二": "2",
    "周一至周五": "12345", "周一到周五": "12345", "周一-周五": "12345",
    "周一~周五": "12345", "周一——周五": "12345", "一至五": "12345",
    "1-5": "12345", "工作日": "12345", "Mon-Fri": "12345", "Monday to Friday": "12345",
    "weekdays": "12345", "每天": "1234567",
    "礼拜二": "2", "星期二": "2", "周二": "2", "週二": "2", "周2": "2",
    "每周二": "2", "Tuesday": "2", "一三五": "135", "周一三五": "135",
    "135": "135", "１３５": "135", "周一、周三": "13", "周一，周三": "13",
    "星期一,星期三": "13", "周一和周三": "13", "周一/周三": "13",
    "每周二、四": "24", "Tue, Thu": "24", "Mondays and Thursdays": "14",
    "周末": "67", "周六日": "67", "星期天": "7", "礼拜日": "7",
    "周六至周一": "167", "周三周一周三": "13", "2026-12-07": "1", "46363": "1",
    "周八": None, "周一（单周）": None, "除周三外": None, "节假日": None, "每": None,
    "0": None, "8": None, "": None, "2026-13-45": None,
}  # fmt: skip


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_may_have_its_unit(text: str) -> None:
    assert numbers.read(text) == NUMBERS[text]


@pytest.mark.parametrize("text", MINUTES)
def test_a_duration_is_read_in_minutes(text: str) -> None:
    assert numbers.read_minutes(text) == MINUTES[text]


@pytest.mark.parametrize("text", WEEKDAYS)
def test_weekdays_are_read_as_they_are_written(text: str) -> None:
    assert weekdays.read(text) == WEEKDAYS[text]


@pytest.mark.parametrize("text", ["١٥", "१५", "၁၅"])
def test_digits_of_other_scripts_are_no_numbers(text: str) -> None:
    assert numbers.read(text) is None
    assert numbers.read_minutes(text) is None
    assert times.read(f"{text}:10") is None
    assert dates.read(f"2026-{text[:1]}-{text}", date(2026, 11, 29)) is None


TWENTY = "01 03 07 11 12 19 22 25 31 36 40 44 47 51 56 60 63 68 71 80"
VALUES = {
    ("kl8", TWENTY): TWENTY,
    ("kl8", "80 71 68 63 60 56 51 47 44 40 36 31 25 22 19 12 11 7 3 1"): TWENTY,
    ("kl8", TWENTY.replace(" ", "，")): TWENTY,
    ("kl8", TWENTY.replace(" ", "、")): TWENTY,
    ("kl8", TWENTY.replace(" ", "")): TWENTY,
    ("kl8", TWENTY.translate(str.maketrans("0123456789 ", "０１２３４５６７８９　"))): TWENTY,
    ("hex", "9F2a 00Bc 11dd"): "9f2a00bc11dd",
    ("hex", "0x9F2A00BC"): "9f2a00bc",
    ("hex", "ＡＢ１２ａｂ３４"): "ab12ab34",
    ("hex", "a" * 128): "a" * 128,
    ("digits", "3,412.56"): "3412.56",
    ("digits", "３４１２．５６"): "3412.56",
    ("digits", "0042"): "0042",
}
NO_VALUES = {
    ("kl8", ""): "empty",
    ("kl8", " \u200b"): "empty",
    ("kl8", TWENTY[:-3]): "kl8_count",
    ("kl8", TWENTY + " 79"): "kl8_count",
    ("kl8", "、"): "kl8_count",
    ("kl8", TWENTY.replace("03", "01")): "kl8_twice",
    ("kl8", TWENTY.replace("80", "81")): "kl8_range",
    ("kl8", TWENTY.replace("01", "00")): "kl8_range",
    ("kl8", TWENTY.replace("01", "9" * 5000)): "kl8_range",
    ("kl8", TWENTY.replace("01", "o1")): "kl8_letters",
    ("kl8", "二十"): "kl8_letters",
    ("hex", "9f2a00bg"): "hex_letters",
    ("hex", "9f2a00b"): "length",
    ("hex", "a" * 129): "length",
    ("digits", "412"): "length",
    ("digits", "1" * 41): "length",
    ("digits", "3412.5.6"): "digits_letters",
    ("digits", "-3412"): "digits_letters",
    ("digits", "三千"): "digits_letters",
}


@pytest.mark.parametrize("typed", VALUES, ids=repr)
def test_a_public_value_is_read_as_people_write_it(typed: tuple[str, str]) -> None:
    assert public_values.read(*typed) == VALUES[typed]


@pytest.mark.parametrize("typed", NO_VALUES, ids=lambda typed: f"{typed[0]} {typed[1][:70]}")
def test_what_is_no_public_value_is_named(typed: tuple[str, str]) -> None:
    with pytest.raises(public_values.Misshapen, match=f"^{NO_VALUES[typed]}$"):
        public_values.read(*typed)
