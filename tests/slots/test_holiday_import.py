"""A new notice: the file is read strictly, what it changes is shown first, and only then it counts."""

from datetime import date, datetime, time
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import TimeMachineFixture

from booking import workdays
from booking.db import transactions
from booking.errors import RuleViolation
from booking.model import Event, Plan, Slot, Workday
from booking.slots import plan_ahead
from booking.workdays import holiday_file
from tests.support import holiday_notices as notices
from tests.support.lunch_hour import SHANGHAI, LunchHour
from tests.support.snapshots import seed_workdays

# 2018-12-29 is a worked Saturday of 2019's notice; the weekends of its holidays are not listed.
OF_2019 = {
    "元旦": ("2018-12-30", "2018-12-31", "2019-01-01"),
    "春节": tuple(f"2019-02-{n:02}" for n in range(4, 11)),
    "清明节": ("2019-04-05",),
    "劳动节": ("2019-05-01", "2019-05-02", "2019-05-03", "2019-05-04"),
    "端午节": ("2019-06-07",),
    "中秋节": ("2019-09-13",),
    "国庆节": tuple(f"2019-10-{n:02}" for n in range(1, 8)),
}


@pytest.fixture
def known(session: Session) -> Session:
    with transactions.transaction(session):
        seed_workdays(session)
    return session


def table(session: Session) -> dict[str, tuple[bool, str]]:
    session.rollback()
    return {row.date.isoformat(): (row.works, row.source) for row in session.scalars(select(Workday))}


def imported(app: Flask, content: bytes, *options: str, path: Path) -> Result:
    path.write_bytes(content)
    return app.test_cli_runner().invoke(args=["workdays", "import", str(path), *options])


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("content", "reason"), [case[1:] for case in notices.REFUSED], ids=[c[0] for c in notices.REFUSED]
)
def test_what_is_no_notice_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(RuleViolation) as no:
        holiday_file.read(content)
    assert no.value.reason == reason


READABLE = {
    "plain": notices.file(),
    "with a mark": b"\xef\xbb\xbf" + notices.file(),
    "GBK": notices.file().decode().encode("gbk"),
    "UTF-16": notices.file().decode().encode("utf-16"),
    "escaped": notices.json.dumps(notices.form()).encode(),
    "as it is written again": holiday_file.read(notices.file()).written().encode(),
}


@pytest.mark.sqlite
@pytest.mark.parametrize("content", READABLE.values(), ids=READABLE.keys())
def test_a_notice_is_read_in_every_encoding_that_editors_save(content: bytes) -> None:
    assert holiday_file.read(content) == holiday_file.read(notices.file())


@pytest.mark.sqlite
def test_a_notice_has_days_of_the_december_before() -> None:
    days = [notices.day(name, when) for name, dates in OF_2019.items() for when in dates]
    days.append(notices.day("元旦", "2018-12-29", off=False))
    notice = holiday_file.read(notices.file(year=2019, days=days))
    assert notice.says(date(2018, 12, 29)) == ("元旦", True)
    assert notice.says(date(2018, 12, 28)) is None
    assert notice.says(date(2019, 12, 28)) == ("", False)


def test_the_empty_file_of_a_year_announces_nothing(app: Flask, known: Session, tmp_path: Path) -> None:
    before = table(known)
    answer = imported(app, notices.EMPTY, "--yes", path=tmp_path / "2027.json")
    assert (answer.exit_code, "calendar_too_little" in answer.output) == (1, True)
    assert imported(app, notices.EMPTY.replace(b"2027", b"2026"), "--yes", path=tmp_path / "2026.json").exit_code == 1
    assert table(known) == before


def test_without_a_terminal_and_without_the_word_nothing_changes(app: Flask, known: Session, tmp_path: Path) -> None:
    before = table(known)
    answer = imported(app, notices.file(), path=tmp_path / "2027.json")
    assert answer.exit_code == 2
    assert "2027-02-09 Tue  workday (tentative) -> rest day 春节" in answer.output
    assert "nothing was changed" in answer.output
    assert table(known) == before


@pytest.mark.sqlite
@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_at_a_terminal_it_asks(
    app: Flask, known: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, code: int
) -> None:
    monkeypatch.setattr("booking.cli.at_terminal", lambda: True)
    (tmp_path / "2027.json").write_bytes(notices.file())
    answer = app.test_cli_runner().invoke(args=["workdays", "import", str(tmp_path / "2027.json")], input=typed)
    assert answer.exit_code == code
    assert workdays.announced_years(known) == ({2024, 2025, 2026} | ({2027} if code == 0 else set()))


def test_a_notice_says_what_it_changes_and_for_whom_and_is_taken_over(
    app: Flask, time_machine: TimeMachineFixture, known: Session, tmp_path: Path
) -> None:
    lunch = LunchHour(known)
    now = datetime(2027, 1, 29, 9, 0, tzinfo=SHANGHAI)
    time_machine.move_to(now, tick=False)
    with transactions.transaction(known) as session:
        there = session.get_one(Slot, lunch.slot_id)
        weekly = {"weekdays": "12345", "starts": time(14, 0), "minutes": 50, "capacity": 2}
        where = {"station_id": there.station_id, "activity_id": there.activity_id, "zone_id": there.zone_id}
        session.add(Plan(**where, **weekly, valid_from=date(2026, 12, 1)))
    with transactions.transaction(known) as session:
        plan_ahead(session, lunch.station_id, now)
    with transactions.transaction(known) as session:
        session.scalars(select(Slot).where(Slot.date == date(2027, 2, 10))).one().taken = 2
    more = [notices.day("元旦", "2026-12-26", off=False)]
    answer = imported(app, notices.file(more), "--yes", path=tmp_path / "2027.json")
    assert answer.exit_code == 0, answer.output
    lines = answer.output.splitlines()
    assert lines[0] == "2026-12-26 Sat  rest day -> workday 元旦"
    assert "2027-02-09 Tue  workday (tentative) -> rest day 春节; 1 slots, 0 bookings and waiting" in lines
    assert "2027-02-10 Wed  workday (tentative) -> rest day 春节; 1 slots, 2 bookings and waiting" in lines
    assert lines[-1] == f"{notices.CHANGES_2027 + 1} dates changed their meaning"
    found = table(known)
    assert found["2027-02-09"] == (False, "import 2027-01-29")
    assert (found["2026-12-26"][0], found["2026-12-25"]) == (True, (True, "chinesecalendar"))
    assert workdays.known_until(known, date(2027, 1, 29)) == date(2027, 12, 31)
    left = known.scalars(select(Slot.date).where(Slot.date.between(date(2027, 2, 9), date(2027, 2, 12))))
    assert list(left) == [date(2027, 2, 10)]  # somebody is on it: its manager decides
    told = known.scalars(select(Event).where(Event.kind == "holidays_imported")).one()
    assert (told.details["year"], len(told.details["days"])) == (2027, notices.CHANGES_2027 + 1)
    again = imported(app, notices.file(more), "--yes", path=tmp_path / "2027.json")
    assert again.output == "0 dates changed their meaning\n"


@pytest.mark.sqlite
def test_a_year_that_is_known_is_corrected_by_a_second_notice(app: Flask, known: Session, tmp_path: Path) -> None:
    assert imported(app, notices.file(), "--yes", path=tmp_path / "2027.json").exit_code == 0
    answer = imported(app, notices.file([notices.day("元旦", "2027-12-31")]), "--yes", path=tmp_path / "2027.json")
    assert answer.output == "2027-12-31 Fri  workday -> rest day 元旦\n1 dates changed their meaning\n"
