"""Attendance missing: such a slot on the manager's pages, in the letters, sheets and statistics."""

from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import people, slots, statistics
from booking.db import transactions
from booking.mail import context, rendering
from booking.mail.manager_report import outcome, troubles
from booking.model import Letter, Person
from booking.queries.calendar_revisions import is_cancelled
from booking.statistics import Span, Tally
from tests.support.desk_cast import Desk, refusal, said
from tests.support.lunch_hour import TUESDAY, LunchHour, at, make_manager

pytestmark = pytest.mark.sqlite
NAMES = ("周明", "李静")
PAGES = ("week", "running", "slots/1")


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Nobody took attendance by the time of the release."""
    lunch = LunchHour(session)
    for who in NAMES:
        lunch.book(who, "Mon 10:00")
    for clock in ("12:10", "12:15"):
        lunch.tick(clock)
    return lunch


@pytest.fixture
def desk(app: Flask, lunch: LunchHour) -> Desk:
    return Desk(app, lunch)


@pytest.mark.parametrize("path", PAGES)
def test_a_banner_asks_what_happened_until_somebody_says(desk: Desk, lunch: LunchHour, path: str) -> None:
    page = desk.get(path, "12:16")
    assert f'data-unattended="{lunch.slot_id}"' in page.text
    for act in ("all-came", "fell-through", "release"):
        assert f'action="/manage/cbd/slots/{lunch.slot_id}/{act}"' in page.text
    assert "有 1 场没有人签到" in said(page)
    desk.post(f"slots/{lunch.slot_id}/all-came", "12:20")
    assert "data-unattended" not in desk.get(path, "12:21").text


@pytest.mark.parametrize("path", PAGES)
def test_after_the_end_the_banner_speaks_of_no_check_in(desk: Desk, lunch: LunchHour, path: str) -> None:
    assert "还能签到就现在点名单" in desk.words(path, "12:59")
    lunch.tick("13:00")
    page = desk.words(path, "13:00")
    assert "请说当时的情况" in page
    assert "还能签到" not in page


@pytest.mark.parametrize("path", PAGES)
def test_once_attendance_has_begun_the_banner_goes(desk: Desk, lunch: LunchHour, path: str) -> None:
    lunch.check_in("周明", "12:20")
    lunch.tick("12:20:02")
    assert "data-unattended" not in desk.get(path, "12:21").text
    assert "12:25 释放没来的人的名额" in desk.words(f"slots/{lunch.slot_id}", "12:21")


WORDS: dict[str, tuple[str, list[str], str]] = {
    "all-came": ("记下了：大家都来了。", ["attended", "attended"], "running"),
    "fell-through": ("记下了：这一场没办成", ["cancelled", "cancelled"], "cancelled"),
    "release": ("释放了 2 个名额", ["released", "released"], "running"),
}


@pytest.mark.parametrize("act", WORDS)
def test_one_tap_says_what_happened_and_a_second_changes_nothing(desk: Desk, lunch: LunchHour, act: str) -> None:
    sentence, states, state = WORDS[act]
    path = f"slots/{lunch.slot_id}/{act}"
    assert sentence in said(desk.post(path, "12:20"))
    assert (lunch.states(*NAMES), lunch.now().state) == (states, state)
    told = lunch.events()
    assert desk.post(path, "12:21").status_code == 200
    assert (lunch.states(*NAMES), lunch.events()) == (states, told)


@pytest.mark.parametrize("act", ["all-came", "fell-through"])
def test_a_decision_that_comes_too_late_says_so(desk: Desk, lunch: LunchHour, act: str) -> None:
    lunch.tick("15:00")
    answer = desk.post(f"slots/{lunch.slot_id}/{act}", "15:01")
    assert (answer.status_code, refusal(answer)) == (409, "attendance_known")
    assert lunch.states(*NAMES) == ["unrecorded", "unrecorded"]


def test_that_everybody_came_is_undone_on_the_roster(desk: Desk, lunch: LunchHour) -> None:
    path = f"slots/{lunch.slot_id}"
    page = desk.post(f"{path}/all-came", "12:20")
    assert f'action="/manage/cbd/{path}/take-back"' in page.text
    assert "撤销了，请再说一次当时的情况" in said(desk.post(f"{path}/take-back", "12:21"))
    assert lunch.states(*NAMES) == ["booked", "booked"]
    assert "data-unattended" in desk.get(path, "12:22").text


def test_what_is_unrecorded_is_called_so_everywhere(desk: Desk, lunch: LunchHour) -> None:
    lunch.tick("15:00")
    roster = desk.words(f"slots/{lunch.slot_id}", "15:01")
    assert "未登记 2" in roster
    assert "不来的" not in roster
    assert "已记为未登记，没有人记爽约" in roster
    sheet = desk.get(f"slots/{lunch.slot_id}/export?form=csv", "15:01").get_data().decode("utf-8-sig")
    assert [line.split(",")[3] for line in sheet.splitlines()[1:]] == ["未登记", "未登记"]
    assert "没有人登记到场，不记爽约了" in desk.words("history", "15:01")
    assert "未登记" in desk.words(f"people/{lunch.people['周明']}", "15:01")
    assert desk.words(f"tickets/{lunch.latest('周明').ticket}", "15:01").count("这一场已经结束") == 1
    assert not is_cancelled(lunch.latest("周明"))


def test_it_is_neither_a_visit_nor_a_no_show_and_the_sums_stay_true(desk: Desk, lunch: LunchHour) -> None:
    seen = lunch.slot("12:30", 4)
    lunch.book("王磊", "12:20", seen)
    lunch.check_in("王磊", "12:25", seen)
    for clock in ("12:30", "12:35", "13:20", "15:00"):
        lunch.tick(clock)
    total = statistics.of_station(lunch.session, lunch.station_id, Span(TUESDAY, TUESDAY)).total
    assert total == Tally(slots=2, seats=6, visits=1, unrecorded=2, unseen=2)
    assert (total.fill, total.no_show_rate) == (0.25, 0)
    page = desk.words(f"numbers?from={TUESDAY}&until={TUESDAY}", "15:30")
    assert "2 未登记" in page
    sheet = desk.get(f"numbers/export?from={TUESDAY}&until={TUESDAY}&form=csv", "15:30").get_data().decode("utf-8-sig")
    assert "未登记" in sheet.splitlines()[0]


def test_the_digest_of_the_next_day_counts_them(app: Flask, lunch: LunchHour) -> None:
    with app.app_context():
        assert [kind for kind, _ in troubles(lunch.session, at("13:30"), [lunch.station_id])] == ["late", "unattended"]
        lunch.tick("15:00")
        assert [kind for kind, _ in troubles(lunch.session, at("Wed 11:00"), [lunch.station_id])] == ["late"]
    told = outcome(lunch.session, lunch.station_id, date(2026, 11, 24))
    assert (told.slots, told.attended, told.released, told.unrecorded) == (1, 0, 0, 2)


def test_the_letter_is_dropped_once_somebody_has_said(app: Flask, lunch: LunchHour) -> None:
    letter = lunch.session.scalars(select(Letter).where(Letter.kind == "attendance_missing")).one()
    with app.app_context():
        assert context.of(lunch.session, letter, None, at("12:16"))["until"] == at("15:00")
        with transactions.transaction(lunch.session) as session:
            slots.everybody_came(session, lunch.slot_id, at("12:20"), lunch.manager_id)
        with pytest.raises(context.Dropped):
            context.of(lunch.session, letter, None, at("12:21"))


@pytest.mark.both
def test_the_letter_is_dropped_for_a_manager_who_was_dismissed(app: Flask, lunch: LunchHour) -> None:
    letter = lunch.session.scalars(select(Letter).where(Letter.kind == "attendance_missing")).one()
    with app.app_context():
        assert context.of(lunch.session, letter, None, at("12:16"))
        with transactions.transaction(lunch.session) as session:
            people.dismiss(session, lunch.manager_id, lunch.station_id, at("12:16"))
        with pytest.raises(context.Dropped):
            context.of(lunch.session, letter, None, at("12:17"))


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda s, n: slots.did_not_happen(s, n, at("14:00"), None), "没有办成"),
        (lambda s, n: slots.cancel(s, n, "停电", at("12:14")), "请不要前往"),
    ],
)
def test_the_letter_about_a_slot_says_whether_it_fell_through(
    app: Flask, session: Session, act: Callable[[Session, int], object], words: str
) -> None:
    lunch = LunchHour(session)
    lunch.book("周明", "Mon 10:00")
    lunch.tick("12:10")
    if "没有" in words:
        lunch.tick("12:15")
    with transactions.transaction(session):
        act(session, lunch.slot_id)
    letter = session.scalars(select(Letter).where(Letter.kind == "slot_cancelled")).one()
    with app.app_context():
        reader = rendering.load(session, [letter.id]).readers[letter.person_id]
        sent_at = at("14:00" if "没有" in words else "12:15")
        told = rendering.render(letter.kind, context.of(session, letter, reader, sent_at), "zh_Hans_CN")
    assert words in told.text
    assert words in told.page


def test_only_managers_who_can_sign_in_are_asked(session: Session) -> None:
    lunch = LunchHour(session)
    with transactions.transaction(session):
        stopped = make_manager(session, lunch.station_id, "停经理")
        session.get_one(Person, stopped).disabled_at = at("Mon 09:00")
    lunch.book("周明", "Mon 10:00")
    for clock in ("12:10", "12:15"):
        lunch.tick(clock)
    asked = select(Letter.person_id).where(Letter.kind == "attendance_missing")
    assert session.scalars(asked).all() == [lunch.manager_id]
