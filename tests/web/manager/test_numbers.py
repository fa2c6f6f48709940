"""Statistics as a manager sees them: the page, the files and the headline show the same numbers."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime, time

import pytest
import time_machine
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy.orm import Session

from booking import statistics
from booking.db import transactions
from booking.model import Activity, Person, Zone
from booking.statistics import Hint, Span, Tally
from booking.statistics.recommendations import Place
from tests.support import letter_cast
from tests.support.desk_cast import Desk, said
from tests.support.lunch_hour import TUESDAY, LunchHour, at

pytestmark = pytest.mark.sqlite
AFTER = "Tue 13:30"
DAYS = "from=2026-11-23&until=2026-11-24"


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Tuesday is over: 周明 came, 李静 did not, 王磊 got no seat."""
    lunch = LunchHour(session)
    for name in ("周明", "李静", "王磊"):
        lunch.book(name, "Mon 10:00")
    lunch.check_in("周明", "12:05")
    for clock in ("12:10", "12:15", "13:00"):
        lunch.tick(clock)
    with transactions.transaction(session):
        person = session.get_one(Person, lunch.people["周明"])
        person.name, person.phone, person.company = '=HYPERLINK("x")', "13812345678", "＋公司"
    return lunch


@pytest.fixture
def desk(app: Flask, lunch: LunchHour) -> Iterator[Desk]:
    with time_machine.travel(at("Tue 13:30"), tick=False):
        yield Desk(app, lunch)


def test_the_page_says_what_was_counted(desk: Desk) -> None:
    page = desk.get(f"numbers?{DAYS}", AFTER).text
    tiles = dict(re.findall(r'data-number="(\w+)"><b>([^<]*)<', page))
    assert tiles["slots"] == tiles["visits"] == tiles["unmet"] == "1"
    assert tiles["no_show_rate"] == tiles["fill"] == "50%"
    assert "健身" not in page
    assert "<svg viewBox" in page


def test_days_without_a_slot_say_so(desk: Desk) -> None:
    assert "这些天还没有结束的场次" in desk.get("numbers?from=2026-01-01&until=2026-01-31", AFTER).text


@pytest.mark.parametrize("asked", ["from=x&until=y", "from=2026-11-24&until=2026-11-01", "from=0001-01-01", "until="])
def test_days_that_make_no_sense_are_no_trouble(desk: Desk, asked: str) -> None:
    assert desk.get(f"numbers?{asked}", AFTER).status_code == 200


def test_the_export_has_the_same_numbers(desk: Desk, lunch: LunchHour) -> None:
    counted = statistics.of_station(lunch.session, lunch.station_id, Span(TUESDAY, TUESDAY)).total
    answer = desk.get(f"numbers/export?{DAYS}&form=csv", AFTER)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="cbd-numbers-2026-11-23-2026-11-24.csv"'
    (row,) = csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig")))
    assert (row["接待（人次）"], row["爽约"], row["想来没约上（人）"]) == ("1", "1", "1")
    book = load_workbook(io.BytesIO(desk.get(f"numbers/export?{DAYS}", AFTER).data))
    assert book.sheetnames == ["场次", "合计", "按活动", "按老师", "按星期", "按场地", "按日期"]
    heads, now, before = (list(cells) for cells in book["合计"].iter_rows(values_only=True))
    assert dict(zip(heads, now, strict=True)).items() >= {
        "接待（人次）": counted.visits, "上座率": counted.fill, "从": datetime.fromisoformat("2026-11-23"),
    }.items()  # fmt: skip
    assert dict(zip(heads, before, strict=True))["接待（人次）"] == 0
    assert {sheet.page_setup.orientation for sheet in book.worksheets} == {"landscape"}
    assert "0.0%" in {cell.number_format for cell in book["合计"][2]}


@pytest.mark.parametrize("path", ["slots/{slot}/export?form=csv", f"bookings/export?{DAYS}&form=csv"])
def test_rosters_and_bookings_carry_no_formula_and_no_phone(desk: Desk, lunch: LunchHour, path: str) -> None:
    text = desk.get(path.format(slot=lunch.slot_id), AFTER).data.decode("utf-8-sig")
    assert "'=HYPERLINK" in text
    assert "'＋公司" in text
    assert "138****5678" in text
    assert "13812345678" not in text
    rows = list(csv.reader(io.StringIO(text)))
    assert [row[-2] for row in rows[1:]] == ["已签到", "没有来", "候补未成"]


def test_the_headline_is_public_once_it_is_switched_on(app: Flask, desk: Desk, lunch: LunchHour) -> None:
    everybody = app.test_client()
    assert everybody.get("/s/cbd/headline").status_code == 404
    desk.post("numbers/headline", AFTER, shows="y")
    page = everybody.get("/s/cbd/headline")
    assert re.findall(r'class="number">([^<]*)<', page.text) == ["1", "1"]
    desk.post("numbers/headline", AFTER)
    assert everybody.get("/s/cbd/headline").status_code == 404
    assert "公开的成绩页开关了一次" in desk.words("history", AFTER)


def test_markup_in_a_title_stays_text(desk: Desk, lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        session.query(Activity).one().title = "<img src=x onerror=alert(1)>{{7*7}}"
    page = desk.get(f"numbers?{DAYS}", AFTER)
    assert "<img src=x" not in page.text
    assert "{{7*7}}" in said(page)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "zh_Hans_CN",
            (
                "61 人想来没约上。健身区 12:40 空着，可以加一场。“心愿”里有 34 人想要周二的这类活动。",
                "一半以上空着：4 场 60 个名额，来了 21 人次",
            ),
        ),
        (
            "en",
            (
                " Under Wishes, 34 people would like this kind of activity on Tuesday.",
                "(sessions: 4, seats: 60, visits: 21)",
            ),
        ),
    ],
)
def test_the_managers_letter_suggests_with_evidence(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch, language: str, words: tuple[str, str]
) -> None:
    yoga = Activity(title="瑜伽\r\nBcc: x", kind="yoga")
    place = Place(Zone(name="健身区"), time(12, 40))
    hints = [
        Hint("turned_away", yoga, 2, Tally(unmet=61), place, wishes=34),
        Hint("half_empty", yoga, 5, Tally(slots=4, seats=60, visits=21)),
    ]
    monkeypatch.setattr("booking.mail.manager_report.statistics.weekly", lambda *_: hints)
    told = letter_cast.said(app, session, "manager_digest", language)
    for word in words:
        assert word in told.text
        assert word in told.page
    assert "\nBcc" not in told.text
