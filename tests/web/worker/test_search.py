"""Search, month view and history page: what a worker finds over all coming days, and what has happened."""

import re
from datetime import date, time, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking import slots
from booking.db import transactions
from booking.extensions import db
from booking.model import Activity, Slot, Station, Zone
from booking.seats import removal
from tests.support.lunch_hour import LONG_BEFORE, LunchHour, at
from tests.support.snapshots import seed_workdays
from tests.support.statements import heard
from tests.support.worker_cast import HTMX, Phone, card_in, words_of

TUESDAY = date(2026, 11, 24)
ACTIVITIES = {
    "yoga": Activity(kind="yoga", title="午间瑜伽", title_en="Yoga at Noon", host="林老师", host_en="Ms Lin"),
    "flow": Activity(kind="yoga", title="流瑜伽", title_en="Vinyasa Flow", host="陈老师", host_en="Mr Chen"),
    "paper": Activity(kind="crafts", title="剪纸", title_en="Café cut-outs", host="林老师", host_en="Ms Lin"),
    "tea": Activity(kind="tea", title="岩茶品饮", host="吴老师"),
}


class Programme:
    """A station with four activities, each on a day of its own: Tuesday to Friday at 12:10."""

    def __init__(self, session: Session, **numbers: int) -> None:
        with transactions.transaction(session):
            seed_workdays(session)
        self.lunch = LunchHour(session, **numbers)
        self.session = session
        with transactions.transaction(session):
            session.execute(update(Slot).values(state="cancelled", cancel_reason="停电"))
        self.slots = {name: self.add(name, TUESDAY + timedelta(days=n)) for n, name in enumerate(ACTIVITIES)}

    def add(self, name: str, day: date, starts: time = time(12, 10), **columns: object) -> int:
        """One more session, open at once."""
        station_id = self.lunch.station_id
        with transactions.transaction(self.session) as session:
            known = session.scalar(select(Activity).where(Activity.title == ACTIVITIES[name].title))
            if known is None:
                texts = ("kind", "title", "title_en", "host", "host_en")
                filled = {text: getattr(ACTIVITIES[name], text) or "" for text in texts}
                known = Activity(station_id=station_id, **filled)
            zone = Zone(station_id=station_id, name=f"场地 {name} {day} {starts}", capacity=30)
            session.add_all([known, zone])
            session.flush()
            slot = slots.add(session, station_id, slots.OneOff(known.id, zone.id, day, starts, 50, 2), LONG_BEFORE)
            session.execute(
                update(Slot)
                .where(Slot.id == slot.id)
                .values(**{"state": "open", "opens_at": at("Mon 09:00")} | columns)
            )
        return slot.id

    def found(self, page: str) -> list[str]:
        names = {slot_id: name for name, slot_id in self.slots.items()}
        return [names[int(slot_id)] for slot_id in re.findall(r'data-slot="(\d+)"', page)]


@pytest.fixture
def programme(session: Session) -> Programme:
    return Programme(session)


@pytest.mark.sqlite
def test_the_next_yoga_is_three_taps_from_the_day_page(app: Flask, programme: Programme) -> None:
    phone = Phone(app, programme.lunch, "周明")
    (find,) = re.findall(r'<a href="(/s/cbd/find)">', phone.day("Mon 11:00", "2026-11-26"))
    (yoga,) = re.findall(r'<a href="(/s/cbd/find\?kind=yoga)"', phone.get(find, "Mon 11:00").text)
    page = phone.get(yoga, "Mon 11:00").text
    assert programme.found(page) == ["yoga", "flow"]
    assert card_in(page, programme.slots["yoga"]).data == {
        "slot": str(programme.slots["yoga"]),
        "state": "open",
        "left": "2",
        "allocation": "first",
    }
    assert "约上了" in phone.book("Mon 11:00", programme.slots["yoga"]).text


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["yoga", "flow", "paper", "tea"]),
        ("q=瑜伽", ["yoga", "flow"]),
        ("q=YOGA", ["yoga", "flow"]),  # a title, and the kind of the other
        ("q=ｖｉｎｙａｓａ", ["flow"]),
        ("q=cafe", ["paper"]),
        ("q=林老师", ["yoga", "paper"]),
        ("q=ms+lin+yoga", ["yoga"]),
        ("q=林+剪", ["paper"]),
        ("q=手工", ["paper"]),
        ("q=Cut-Outs", ["paper"]),
        ("q=林+岩茶", []),
        ("q=瑜伽yoga", []),  # no word goes over from one text to the next
        ("q=!!!", []),
        ("q=🙂", []),
        ("q=%25", []),
        ("q=+", ["yoga", "flow", "paper", "tea"]),
        ("kind=tea", ["tea"]),
        ("kind=nonsense&weekday=x&page=x&day=1", ["yoga", "flow", "paper", "tea"]),
        ("weekday=4", ["paper"]),
        ("weekday=9", ["yoga", "flow", "paper", "tea"]),
        ("weekday=2&kind=tea", []),
        ("q=林&weekday=2", ["yoga"]),
        ("page=999999999999999999999", ["yoga", "flow", "paper", "tea"]),
        ("page=-1", ["yoga", "flow", "paper", "tea"]),
    ],
)
def test_words_kinds_and_days_narrow_the_search(app: Flask, programme: Programme, query: str, names: list[str]) -> None:
    answer = Phone(app, programme.lunch).get(f"/s/cbd/find?{query}", "Mon 11:00")
    assert answer.status_code == 200
    assert programme.found(answer.text) == names
    assert (f"找到 {len(names)} 场" if names else "没有找到") in words_of(answer.text)


@pytest.mark.sqlite
def test_what_cannot_be_booked_any_more_is_left_out_on_demand(app: Flask, programme: Programme) -> None:
    programme.slots["full"] = programme.add(
        "tea", TUESDAY, time(14, 0), taken=2, waiting=0, waitlist_until=at("Mon 10:00")
    )
    programme.slots["planned"] = programme.add("tea", TUESDAY, time(15, 0), state="planned", opens_at=at("Mon 18:00"))
    phone = Phone(app, programme.lunch, "周明")
    assert programme.found(phone.get("/s/cbd/find?weekday=2", "Mon 11:00").text) == ["yoga", "full", "planned"]
    assert programme.found(phone.get("/s/cbd/find?weekday=2&open=1", "Mon 11:00").text) == ["yoga", "planned"]


@pytest.mark.sqlite
def test_a_search_that_is_too_long_is_answered_at_the_field_with_what_was_typed(
    app: Flask, programme: Programme
) -> None:
    answer = Phone(app, programme.lunch).get(f"/s/cbd/find?q={'瑜' * 41}", "Mon 11:00")
    assert answer.status_code == 422
    assert 'autofocus aria-invalid="true" aria-describedby="q-error"' in answer.text
    assert "请缩短到 40 个字以内。" in words_of(answer.text)
    assert f'value="{"瑜" * 41}"' in answer.text
    assert programme.found(answer.text) == []


@pytest.mark.sqlite
def test_an_empty_result_says_what_to_do_next(app: Flask, programme: Programme) -> None:
    programme.add("tea", TUESDAY, time(15, 0), state="planned", opens_at=at("Mon 18:00"))
    page = Phone(app, programme.lunch).get("/s/cbd/find?q=流&weekday=2", "Mon 11:00").text
    assert "没有找到“流”" in page
    assert 'href="/s/cbd/find?q=%E6%B5%81">不限类别和日子' in page
    assert 'href="/s/cbd/find">看全部 5 场' in page
    assert "今天 18:00 放明天的号" in words_of(page)
    no_use = Phone(app, programme.lunch).get("/s/cbd/find?q=篮球&weekday=2", "Mon 11:00").text
    assert "不限类别和日子" not in no_use


@pytest.mark.sqlite
def test_without_any_session_the_page_says_so(app: Flask, programme: Programme) -> None:
    with transactions.transaction(programme.session) as session:
        session.execute(update(Slot).values(state="cancelled"))
    page = Phone(app, programme.lunch).get("/s/cbd/find?q=瑜伽", "Mon 11:00").text
    assert "接下来还没有场次" in page


@pytest.mark.sqlite
def test_many_results_are_shown_page_by_page(app: Flask, programme: Programme) -> None:
    for n in range(19):
        programme.slots[f"tea {n}"] = programme.add("tea", TUESDAY, time(15, n))
    phone = Phone(app, programme.lunch)
    first = phone.get("/s/cbd/find", "Mon 11:00").text
    last = phone.get(re.findall(r'href="(/s/cbd/find\?page=2)"', first)[0], "Mon 11:00").text
    assert [len(programme.found(page)) for page in (first, last)] == [20, 3]
    assert {*programme.found(first), *programme.found(last)} == {*programme.slots}
    assert programme.found(phone.get("/s/cbd/find?page=99", "Mon 11:00").text) == programme.found(last)


@pytest.mark.sqlite
def test_the_readers_own_is_marked_and_a_limit_is_said_at_its_day(app: Flask, programme: Programme) -> None:
    second = programme.slots["second"] = programme.add("tea", TUESDAY, time(15, 0))
    programme.lunch.book("周明", "Mon 10:00", programme.slots["yoga"])
    answer = Phone(app, programme.lunch, "周明").get("/s/cbd/find", "Mon 11:00")
    assert card_in(answer.text, programme.slots["yoga"]).data["mine"] == "booked"
    assert "<button" not in card_in(answer.text, second).html
    assert answer.text.count("看那一场") == 1
    assert answer.headers["Cache-Control"] == "no-store"
    stranger = Phone(app, programme.lunch).get("/s/cbd/find", "Mon 11:00").text
    assert "data-mine" not in re.sub("<style.*?</style>", "", stranger, flags=re.DOTALL)


@pytest.mark.sqlite
def test_a_pause_is_said_once_for_all_days(app: Flask, session: Session) -> None:
    programme = Programme(session)
    earlier = programme.lunch.slot("Mon 09:30")
    with transactions.transaction(session):
        session.get_one(Station, programme.lunch.station_id).policy = {"strikes_to_pause": 1}
        session.execute(update(Slot).where(Slot.id == earlier).values(state="open", opens_at=at("Mon 08:00")))
    programme.lunch.book("周明", "Mon 08:30", earlier)
    programme.lunch.give_up("周明", "Mon 09:00", earlier)
    programme.lunch.tick("Mon 10:30")
    page = Phone(app, programme.lunch, "周明").get("/s/cbd/find", "Mon 12:00").text
    assert len(re.findall('<p class="aside-line">.*?之前不能新预约', page)) == 1


@pytest.mark.sqlite
def test_htmx_gets_the_results_alone_and_nothing_twice(app: Flask, programme: Programme) -> None:
    phone = Phone(app, programme.lunch, "周明")
    first = phone.get("/s/cbd/find?kind=yoga", "Mon 11:00", headers=HTMX)
    assert first.text.startswith('<div id="found"')
    assert '<input type="hidden" form="find" name="kind" value="yoga">' in first.text
    known = HTMX | {"If-None-Match": first.headers["ETag"]}
    assert phone.get("/s/cbd/find?kind=yoga", "Mon 11:00", headers=known).status_code == 304
    assert phone.get("/s/cbd/find?kind=tea", "Mon 11:00", headers=known).status_code == 200
    phone.book("Mon 11:00", programme.slots["yoga"])
    assert phone.get("/s/cbd/find?kind=yoga", "Mon 11:01", headers=known).status_code == 200


@pytest.mark.both
@pytest.mark.parametrize("path", ["/s/cbd/find?q=yoga", "/s/cbd/month", "/me/history"])
def test_the_number_of_statements_does_not_grow(app: Flask, programme: Programme, path: str) -> None:
    def sent(clock: str) -> int:
        phone = Phone(app, programme.lunch, "周明")
        with app.app_context():
            engine = db.engine
        with heard(engine) as statements:
            assert phone.get(path, clock).status_code == 200
        return len(statements)

    programme.lunch.book("周明", "Mon 10:00", programme.slots["yoga"])
    few = sent("Mon 11:00")
    for n in range(12):
        programme.add("tea", TUESDAY + timedelta(days=n % 3), time(15, n))
    for n, name in enumerate(("flow", "paper", "tea")):
        programme.lunch.book("周明", f"Mon 10:0{n}", programme.slots[name])
        programme.lunch.give_up("周明", "Mon 10:30", programme.slots[name])
    assert sent("Mon 11:02") <= few


@pytest.mark.sqlite
def test_the_month_shows_whole_weeks_with_sessions_seats_and_ones_own(app: Flask, programme: Programme) -> None:
    lunch = programme.lunch
    lunch.book("周明", "Mon 10:00", programme.slots["yoga"])
    for who in ("李静", "王磊", "周明"):
        lunch.book(who, "Mon 10:01", programme.slots["flow"])
    programme.add("tea", date(2026, 11, 26), time(15, 0), state="planned", opens_at=at("Wed 10:00"))
    answer = Phone(app, lunch, "周明").get("/s/cbd/month", "Mon 11:00")
    cells = re.findall(r"<td.*?</td>", answer.text, re.DOTALL)
    assert len(cells) % 7 == 0
    assert 'aria-describedby="about"' in answer.text
    told = {
        re.sub(r".*\?day=", "", re.findall(r'href="([^"]*)"', cell)[0]): words_of(cell)
        for cell in cells
        if "href" in cell
    }
    assert told["2026-11-24"] == "11月24日周二 24 1 场 余 1 已预约"
    assert told["2026-11-25"] == "11月25日周三 25 1 场 约满 候补中"
    assert told["2026-11-26"] == "11月26日周四 26 2 场 余 2"
    assert told["2026-11-28"] == "11月28日周六 28"
    assert (min(told), max(told)) == ("2026-11-23", "2026-12-07")
    assert 'data-mine="booked"' in answer.text
    assert '#check"' in answer.text
    assert '#hourglass"' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert 'href="/s/cbd/month"' in Phone(app, lunch).day("Mon 11:00")


@pytest.mark.sqlite
@pytest.mark.parametrize(("clock", "said"), [("12:05", "余 2"), ("12:30", "进行中"), ("13:00", "已结束")])
def test_the_month_says_that_a_day_is_over_when_its_last_session_is(
    app: Flask, session: Session, clock: str, said: str
) -> None:
    page = Phone(app, LunchHour(session)).get("/s/cbd/month", clock).text
    cells = re.findall(r"<td.*?</td>", page, re.DOTALL)
    assert [said in words_of(cell) for cell in cells if "2026-11-24" in cell] == [True]


def test_the_month_marks_holidays_working_weekends_and_what_is_not_announced(app: Flask, programme: Programme) -> None:
    def note(clock: str, day: str) -> str:
        page = Phone(app, programme.lunch).get("/s/cbd/month", clock).text
        cells = re.findall(rf'<a href="/s/cbd\?day={day}".*?</a>', page, re.DOTALL)
        return " ".join(re.findall(r"<small>(.*?)</small>", cells[0]))

    assert note("2026-09-30 09:00", "2026-10-01") == "国庆节"
    assert note("2026-09-30 09:00", "2026-10-10") == "上班"
    assert note("2026-12-31 09:00", "2027-01-06") == "暂定"


@pytest.mark.sqlite
def test_the_history_says_what_happened_when_and_by_whom_without_naming_staff(app: Flask, programme: Programme) -> None:
    lunch = programme.lunch
    lunch.book("周明", "Mon 10:00", programme.slots["yoga"])
    lunch.book("李静", "Mon 10:05", programme.slots["yoga"])
    booking = lunch.latest("周明", programme.slots["yoga"])
    removal.remove(lunch.session, booking.id, "场地改作他用", at("Mon 10:30"), lunch.manager_id)
    phone = Phone(app, lunch, "周明")
    page = words_of(phone.get("/me/history", "Mon 11:00").text)
    assert "被驿站移除了：场地改作他用 午间瑜伽 · 11月24日周二 12:10 10:30 · 驿站管理员" in page
    assert "约上了 午间瑜伽 · 11月24日周二 12:10 10:00 · 你" in page
    assert page.index("被驿站移除了") < page.index("约上了")
    assert page.count("约上了") == 1  # 李静's is hers
    assert "林经理" not in page
    assert 'href="/account/export"' in phone.get("/me/history", "Mon 11:00").text
    for path in ("/me", "/account/"):
        assert 'href="/me/history"' in phone.get(path, "Mon 11:00").text


@pytest.mark.sqlite
def test_the_history_goes_on_to_older_pages(app: Flask, programme: Programme) -> None:
    lunch = programme.lunch
    for n in range(20):
        lunch.book("周明", f"Mon 10:{n:02}", programme.slots["yoga"])
        lunch.give_up("周明", f"Mon 10:{n:02}", programme.slots["yoga"])
    phone, address, seen = Phone(app, lunch, "周明"), "/me/history", 0
    for _page in range(3):
        page = phone.get(address, "Mon 11:00").text
        seen += len(re.findall('<li>\\s*<span class="grow">', page))
        address = next(iter(re.findall(r'href="(/me/history\?before=\d+)"', page)), "")
        if not address:
            break
    assert seen >= 40
    assert address == ""
    for odd in ("x", "-1", "9" * 30, "0"):
        assert phone.get(f"/me/history?before={odd}", "Mon 11:00").status_code == 200


@pytest.mark.parametrize(("query", "indexed"), [("", True), ("?q=", True), ("?q=茶", False), ("?kind=yoga", False)])
def test_only_the_whole_list_is_for_search_engines(app: Flask, programme: Programme, query: str, indexed: bool) -> None:
    page = Phone(app, programme.lunch).get(f"/s/cbd/find{query}", "Mon 11:00").text
    assert ('<meta name="robots" content="noindex">' not in page) == indexed
    assert '<meta name="description" content="' in page
    assert re.search(r'<link rel="canonical" href="[^"]*/s/cbd/find">', page)
