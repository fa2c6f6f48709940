"""Programme: plans that make slots, exceptions, the calendar, the policy, and what needs a decision."""

import re
from collections import Counter

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking import policy
from booking.db import transactions
from booking.extensions import db
from booking.model import Activity, Plan, Slot, Station, Zone
from tests.support import statements
from tests.support.desk_cast import Cast, Desk, said
from tests.support.lunch_hour import LunchHour
from tests.support.snapshots import seed_workdays
from tests.web.manager.test_wrong_input import ACTIVITY, DATE, POLICY

WEEKLY = {"weekdays": ["1", "2", "3", "4", "5"], "starts": "13:30", "minutes": "40", "capacity": "6"}


@pytest.fixture
def cast(session: Session) -> Cast:
    with transactions.transaction(session):
        seed_workdays(session)
    return Cast(LunchHour(session, capacity=3))


@pytest.fixture
def desk(app: Flask, cast: Cast) -> Desk:
    return Desk(app, cast.lunch)


def plan(desk: Desk, cast: Cast, **changes: object) -> Plan:
    """A weekly plan made through the form."""
    own = {"activity_id": cast.cbd.activity_id, "zone_id": cast.cbd.zone_id, "valid_from": "2026-11-24"}
    answer = desk.post("plans/new", **WEEKLY | own | changes)
    assert "已保存：新增" in said(answer)
    cast.lunch.session.rollback()
    return cast.lunch.session.scalars(select(Plan).order_by(Plan.id.desc()).limit(1)).one()


def slots_of(cast: Cast, plan: Plan) -> list[Slot]:
    cast.lunch.session.rollback()
    return list(cast.lunch.session.scalars(select(Slot).where(Slot.plan_id == plan.id).order_by(Slot.date)))


def test_a_plan_makes_the_slots_of_the_coming_days(desk: Desk, cast: Cast) -> None:
    made = plan(desk, cast)
    assert [slot.date.isoweekday() for slot in slots_of(cast, made)] == [2, 3, 4, 5, 1, 2, 3, 4, 5, 1]
    assert "白领瑜伽课堂 周一至周五 13:30" in desk.words("plans")


def test_the_list_says_from_when_a_plan_runs(desk: Desk, cast: Cast) -> None:
    desk.post(
        "plans/new", **WEEKLY, activity_id=cast.cbd.activity_id, zone_id=cast.cbd.zone_id, valid_from="2027-01-04"
    )
    assert "从 1月4日周一 起 一直" in desk.words("plans")
    plan(desk, cast, starts="15:00", valid_from="2026-11-23")
    assert desk.words("plans").count("起 一直") == 1


def test_a_changed_plan_takes_its_untouched_slots_along(desk: Desk, cast: Cast) -> None:
    made = plan(desk, cast)
    own = {"activity_id": cast.cbd.activity_id, "zone_id": cast.cbd.zone_id, "valid_from": "2026-11-24"}
    desk.post(f"plans/{made.id}", **WEEKLY | own | {"weekdays": ["3"], "capacity": "8"})
    assert [(slot.date.isoweekday(), slot.capacity) for slot in slots_of(cast, made)] == [(3, 8), (3, 8)]


def test_one_date_is_changed_and_changed_back(desk: Desk, cast: Cast) -> None:
    made = plan(desk, cast)
    form = DATE | {"date": "2026-12-02", "starts": "14:00", "host": "代课老师"}
    desk.post(f"plans/{made.id}/dates", **form)
    otherwise = next(slot for slot in slots_of(cast, made) if slot.date.day == 2)
    assert (otherwise.host, otherwise.starts_at.hour) == ("代课老师", 6)
    assert "12月2日周三 14:00" in desk.words(f"plans/{made.id}")
    desk.post(f"plans/{made.id}/dates/2026-12-02/take-back")
    again = next(slot for slot in slots_of(cast, made) if slot.date.day == 2)
    assert (again.host, again.starts_at.hour, again.starts_at.minute) == (None, 5, 30)
    assert "没有，每一天都照排期来" in desk.words(f"plans/{made.id}")


def on_date(desk: Desk, made: Plan, day: str, opened_for: str = "", **form: str) -> TestResponse:
    """Sends the form of one date, opened for this one or for none."""
    query = f"?date={opened_for}" if opened_for else ""
    return desk.post(f"plans/{made.id}/dates{query}", **DATE | {"date": day} | form)


def test_what_a_date_has_already_is_shown_before_it_is_changed(desk: Desk, cast: Cast) -> None:
    made = plan(desk, cast)
    friday = next(slot for slot in slots_of(cast, made) if slot.date.isoformat() == "2026-11-27")
    desk.post(f"slots/{friday.id}/capacity", capacity="4")
    answer = on_date(desk, made, "2026-11-27", host="代课老师")
    assert answer.status_code == 422
    assert "没填的几项补上了原来的" in said(answer)
    assert re.findall(r'name="(?:capacity|host)"[^>]*value="([^"]*)"', answer.text) == ["4", "代课老师"]
    again = re.search(r'action="[^"]*/dates\?date=([^"]*)"', answer.text)
    assert again
    on_date(desk, made, "2026-11-27", again[1], capacity="4", host="代课老师")
    friday = next(slot for slot in slots_of(cast, made) if slot.id == friday.id)
    assert (friday.capacity, friday.host) == (4, "代课老师")
    on_date(desk, made, "2026-11-27", again[1])
    friday = next(slot for slot in slots_of(cast, made) if slot.id == friday.id)
    assert (friday.capacity, friday.host) == (6, None)


def test_a_date_on_which_the_plan_does_not_run_is_said_to_make_no_slot(desk: Desk, cast: Cast) -> None:
    made = plan(desk, cast)
    assert "11月28日周六本来就不开，不会有场次" in said(on_date(desk, made, "2026-11-28", starts="14:00"))
    assert "本来就不开" not in said(on_date(desk, made, "2026-11-27", starts="14:00"))
    assert "本来就不开" not in said(on_date(desk, made, "2026-11-29", skip="y"))


def test_a_date_of_a_plan_is_not_moved_beyond_midnight_and_something_of_it_is_changed(desk: Desk, cast: Cast) -> None:
    made = plan(desk, cast)
    answer = on_date(desk, made, "2026-12-24", starts="23:30")
    assert (answer.status_code, "一场不能跨过午夜" in said(answer)) == (422, True)
    answer = on_date(desk, made, "2026-12-24")
    assert (answer.status_code, "请改一项" in said(answer)) == (422, True)
    assert "没有，每一天都照排期来" in desk.words(f"plans/{made.id}")


def test_a_date_with_bookings_is_not_changed(desk: Desk, cast: Cast) -> None:
    made = plan(desk, cast)
    tuesday = slots_of(cast, made)[0]
    cast.lunch.book("周明", "Mon 11:00", tuesday.id)
    form = DATE | {"date": "2026-11-24", "starts": "14:00"}
    answer = desk.post(f"plans/{made.id}/dates", **form)
    assert (answer.status_code, 'id="date-error"' in answer.text) == (422, True)
    assert "已有 1 人预约、0 人候补" in said(answer)


def test_a_skipped_date_with_people_waits_for_the_managers_decision(desk: Desk, cast: Cast) -> None:
    made = plan(desk, cast)
    tuesday = slots_of(cast, made)[0]
    cast.lunch.book("周明", "Mon 11:00", tuesday.id)
    desk.post(f"plans/{made.id}/dates", **DATE | {"date": "2026-11-24", "skip": "y"})
    week = desk.words("week")
    assert "有 1 场不再符合排期或日历，但已经有人或开始抽签报名，请决定" in week
    desk.post(f"slots/{tuesday.id}/cancel", reason="老师出差")
    assert "请决定" not in desk.words("week")
    cast.lunch.session.rollback()
    assert cast.lunch.letters("周明")[-1] == "slot_cancelled"


def test_stopping_a_plan_says_first_what_goes_and_what_stays(desk: Desk, cast: Cast) -> None:
    made = plan(desk, cast)
    tuesday = slots_of(cast, made)[0]
    cast.lunch.book("周明", "Mon 11:00", tuesday.id)
    page = desk.words(f"plans/{made.id}/stop")
    assert "还没有人的 9 场会撤下" in page
    assert "有人的、已经开始抽签报名的 1 场留着" in page
    desk.post(f"plans/{made.id}/stop")
    assert [slot.id for slot in slots_of(cast, made)] == [tuesday.id]


def test_a_day_of_the_week_goes_by_the_clock_and_no_two_slots_share_a_row_of_the_table(desk: Desk, cast: Cast) -> None:
    own = {"activity_id": cast.cbd.activity_id, "capacity": "5", "minutes": "30", "date": "2026-11-26"}
    desk.post("zones", name="阅读角", capacity="9")
    other = cast.lunch.session.scalars(select(Zone.id).where(Zone.name == "阅读角")).one()
    for zone_id, starts in ((cast.cbd.zone_id, "12:00"), (cast.cbd.zone_id, "18:00"), (other, "13:00")):
        desk.post("slots/new", **own, zone_id=zone_id, starts=starts)
    week = desk.get("week").text
    thursday = re.search(r"周四 11/26.*?</section>", week, re.DOTALL)
    assert thursday
    cells = re.findall(r'class="cell r(\d)( first)?".*?<span class="soft">([\d:]{5})', thursday[0], re.DOTALL)
    assert cells == [("1", " first", "12:00"), ("3", " first", "13:00"), ("2", "", "18:00")]
    assert re.findall(r'<b class="r(\d)">(.*?)<', week) == [("1", "场地 0"), ("3", "阅读角")]


def test_a_one_off_in_the_way_of_a_plan_is_named_on_the_week(desk: Desk, cast: Cast) -> None:
    own = {"activity_id": cast.cbd.activity_id, "zone_id": cast.cbd.zone_id, "minutes": "50", "capacity": "5"}
    desk.post("slots/new", **own, date="2026-11-26", starts="13:00")
    plan(desk, cast)
    week = desk.words("week")
    assert "有 1 场没有排上，场地被占了" in week
    assert "11月26日周四 白领瑜伽课堂" in week


def test_the_week_names_holidays_and_made_up_workdays_and_what_is_not_announced(desk: Desk) -> None:
    assert "10/1 国庆节" in desk.words("week?from=2026-09-28")
    assert "10/10 调休上班" in desk.words("week?from=2026-10-05")
    assert "暂定" in desk.words("week?from=2027-01-18")


def test_the_week_shows_fill_and_line_of_each_slot(desk: Desk, cast: Cast) -> None:
    lunch = cast.lunch
    for name in ("周明", "李静", "王磊", "陈晨"):
        lunch.book(name, "Mon 10:00")
    page = desk.get("week", "Mon 11:00").text
    assert f'data-slot="{lunch.slot_id}" data-state="open" data-left="0"' in page
    assert "12:10 场地 0 · 3/3 候补 1" in desk.words("week")


@pytest.mark.parametrize("nonsense", ["x", "9999-12-31", "0001-01-01", "2026-02-30", "<b>", "2026-W12-1"])
def test_a_week_that_makes_no_sense_is_this_week(desk: Desk, nonsense: str) -> None:
    assert "这一周" in desk.words(f"week?from={nonsense}")


def test_a_day_off_takes_the_empty_slots_away_and_lists_the_others(desk: Desk, cast: Cast) -> None:
    made = plan(desk, cast)
    tuesday, wednesday = [slot.id for slot in slots_of(cast, made)[:2]]
    cast.lunch.book("周明", "Mon 11:00", tuesday)
    page = desk.words("calendar?date=2026-11-24")
    assert "这一天有 2 场" in page
    for day in ("2026-11-24", "2026-11-25"):
        desk.post("calendar", date=day, says="rests", note="大厦停电", sure="y")
    assert wednesday not in [slot.id for slot in slots_of(cast, made)]
    page = desk.words("calendar")
    assert "大厦停电" in page
    assert "1 人预约，0 人候补" in page
    desk.post("calendar", date="2026-11-25", says="announced")
    assert "2026-11-25" in [slot.date.isoformat() for slot in slots_of(cast, made)]


def test_a_day_counts_no_cancelled_slot(desk: Desk, cast: Cast) -> None:
    made = plan(desk, cast)
    desk.post(f"slots/{slots_of(cast, made)[3].id}/cancel", reason="停电")
    assert "这一天还没有场次" in desk.words("calendar?date=2026-11-27")
    assert "这一天有 1 场" in desk.words("calendar?date=2026-11-26")


def test_a_saturday_may_follow_a_mondays_plans(desk: Desk, cast: Cast) -> None:
    made = plan(desk, cast, weekdays=["1"])
    desk.post("calendar", date="2026-11-28", says="works")
    assert [slot.date.isoformat() for slot in slots_of(cast, made)] == ["2026-11-30", "2026-12-07"]
    assert "在“日历”里选那天按星期几的排期" in desk.words("plans/new")
    desk.post("calendar", date="2026-11-28", says="1", note="补班")
    assert [slot.date.isoformat() for slot in slots_of(cast, made)] == ["2026-11-28", "2026-11-30", "2026-12-07"]
    assert "补班 按周一" in desk.words("week?from=2026-11-23")


SAID = [("announced", ""), ("rests", "大厦停电"), ("works", ""), ("3", "补班")]


@pytest.mark.sqlite
@pytest.mark.parametrize("says", ["rests", "works", "1"])
@pytest.mark.parametrize("before", SAID)
def test_a_day_is_set_by_a_button_and_undone_by_another(desk: Desk, before: tuple[str, str], says: str) -> None:
    day = "2026-11-28"
    desk.post("calendar", date=day, says=before[0], note=before[1])
    was = desk.words(f"calendar?date={day}")
    page = desk.post("calendar", date=day, says=says, note="改了").text
    undo = re.search(r'<form class="row".*?</form>', page, re.DOTALL)
    assert undo
    sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', undo[0]))
    assert (sent["date"], sent["says"], sent["note"]) == (day, *before)
    desk.post("calendar", **sent)
    assert (
        desk.words(f"calendar?date={day}").partition("11月28日周六")[2].partition("撤销")[2] == was.partition("撤销")[2]
    )


@pytest.mark.sqlite
def test_the_calendar_has_names_of_months_and_no_date_to_type(desk: Desk) -> None:
    page = desk.get("calendar?date=2026-12-01").text
    assert re.findall(r"<h2>(20.*?)</h2>", page) == ["2026年11月", "2026年12月", "2027年1月"]
    assert re.findall(r'<input[^>]* name="date"[^>]*>', page) == [
        '<input type="hidden" name="date" value="2026-12-01">'
    ]
    assert 'aria-current="date"' in page
    for past in ("2026-11-23", "2026-11-20", "x"):
        assert "点日历里的一天" in desk.words(f"calendar?date={past}")


def test_new_numbers_hold_for_what_has_not_started(desk: Desk, cast: Cast) -> None:
    desk.post("policy", **POLICY | {"grace_minutes": "１０", "opens_at": "09:30"})
    session = cast.lunch.session
    numbers = policy.read(session.get_one(Station, cast.lunch.station_id).policy)
    assert (numbers.grace_minutes, numbers.opens_at.minute) == (10, 30)
    slot = cast.lunch.now()
    assert (slot.release_at - slot.starts_at).seconds == 600
    assert "开始 10 分钟没签到" in desk.words("policy")
    assert "规则改了：几点放号、开始后等多久（分钟） 林经理" in desk.words("history")


def test_an_activity_is_written_once_and_put_away_when_nothing_uses_it(desk: Desk, cast: Cast) -> None:
    desk.post("activities/new", **ACTIVITY | {"text": "一招一式\r\n慢慢来", "title_en": "Baduanjin"})
    session = cast.lunch.session
    session.rollback()
    activity = session.scalars(select(Activity).where(Activity.title == "八段锦")).one()
    assert (activity.text, activity.picture) == ("一招一式\n慢慢来", "baduanjin")
    in_use = desk.post(f"activities/{cast.cbd.activity_id}/retire")
    assert (in_use.status_code, 'data-refusal="activity_in_use"' in in_use.text) == (409, True)
    desk.post(f"activities/{activity.id}/retire")
    assert "八段锦" not in desk.words("activities").partition("收起来了")[2]


def test_a_teachers_name_is_corrected_also_in_the_past(desk: Desk, cast: Cast) -> None:
    form, path = ACTIVITY | {"title": "白领瑜伽课堂"}, f"activities/{cast.cbd.activity_id}"
    assert "还是同一位老师" not in desk.words(path)
    desk.post(path, **form | {"host": "王小明"})
    for clock in ("Tue 12:10", "Tue 13:00"):
        cast.lunch.tick(clock)
    assert "还是同一位老师" in desk.words(path, "Wed 11:00")
    desk.post(path, "Wed 11:00", **form | {"host": "王晓明", "same_host": "y"})
    assert "王小明" not in desk.words("numbers", "Wed 11:00")
    desk.post(path, "Wed 11:01", **form | {"host": "李老师"})
    assert "王晓明" in desk.words("numbers", "Wed 11:01")


def test_a_zone_is_added_changed_and_closed(desk: Desk, cast: Cast) -> None:
    desk.post("zones", name="露台", name_en="Terrace", capacity="30")
    session = cast.lunch.session
    session.rollback()
    zone = session.scalars(select(Zone).where(Zone.name == "露台")).one()
    desk.post(f"zones/{zone.id}", name="空中露台", name_en="", capacity="25")
    assert "空中露台 最多 25 人" in desk.words("zones")
    busy = desk.post(f"zones/{cast.cbd.zone_id}/close")
    assert (busy.status_code, 'data-refusal="zone_in_use"' in busy.text) == (409, True)
    desk.post(f"zones/{zone.id}/close")
    assert "最多 25 人" not in desk.words("zones")


@pytest.mark.parametrize(
    ("page", "field", "form"),
    [
        ("activities/new", "title", ACTIVITY | {"title": "八 段 锦"}),
        ("zones", "name", {"name": "ＴＥＲＲＡＣＥ", "capacity": "30"}),
    ],
)
def test_a_twin_is_refused_at_the_field_and_kept(desk: Desk, page: str, field: str, form: dict[str, str]) -> None:
    desk.post("activities/new", **ACTIVITY)
    desk.post("zones", name="Terrace", capacity="20")
    answer = desk.post(page, **form)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert "已经有同名的了" in said(answer)
    assert f'value="{form[field]}"' in answer.text


def test_every_act_is_in_the_history_with_its_manager(desk: Desk, cast: Cast) -> None:
    made = plan(desk, cast)
    desk.post(f"plans/{made.id}/stop")
    desk.post("zones", name="露台", capacity="30")
    desk.post("calendar", date="2026-12-01", says="rests")
    page = desk.words("history")
    for what in ("排期加了", "排期停了", "场地保存了", "日历改了：12月1日周二"):
        assert re.search(rf"{what}\S* 林经理", page), what


@pytest.mark.parametrize(
    "page",
    [
        "",
        "activities/{activity_id}",
        "zones/{zone_id}",
        "slots/{slot_id}",
        "slots/{slot_id}/move",
        "history?slot={slot_id}",
        "poster?activity={activity_id}",
        "policy",
    ],
)
def test_a_page_asks_for_nothing_twice(app: Flask, desk: Desk, cast: Cast, page: str) -> None:
    """Who reads it, and of which station, are asked once however many parts of the page need them."""
    path = page.format_map(vars(cast.cbd))
    with app.app_context(), statements.heard(db.engine) as sent:
        assert desk.get(path).status_code == 200
    asked = Counter((one.text, str(one.parameters)) for one in sent if one.text.startswith("SELECT"))
    assert [text for (text, _), times in asked.items() if times > 1] == []
