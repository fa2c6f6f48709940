"""Draws on the day's cards: one tap enters and one undoes it; what is shared between readers says nothing of anybody."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.mail import context, manager_report
from booking.model import Booking, Draw, DrawEntry, Letter, Person, Slot, Strike
from booking.queries.waiting_odds import Odds
from tests.draws.test_draw_totals import over, past
from tests.support.draw_cast import DrawDay
from tests.support.lunch_hour import NAMES, at
from tests.support.network_cast import KEPT, PASSWORD
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import HTMX, Card, Phone, card_in, sign_in, words_of

pytestmark = pytest.mark.sqlite
EMAIL = "zhou@example.com"
FIRST_COME = re.compile(r"放号|先到先得|还没有开放|First come|first come|[Oo]pens? (at|on|today|tomorrow)")


@pytest.fixture
def day(app: Flask, session: Session) -> DrawDay:
    seed_workdays(session)
    session.commit()
    return DrawDay(session)


def phone_of(app: Flask, day: DrawDay, who: str = "") -> Phone:
    return Phone(app, day, who)  # type: ignore[arg-type]


def card(phone: Phone, clock: str, slot_id: int) -> Card:
    return card_in(phone.day(clock), slot_id)


def bookings(day: DrawDay) -> int:
    return day.session.scalar(select(func.count(Booking.id))) or 0


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_one_tap_on_the_card_enters_and_one_undoes_it(app: Flask, day: DrawDay, headers: dict[str, str]) -> None:
    phone = phone_of(app, day, "周明")
    before = card(phone, "Mon 10:30", day.yoga)
    assert (before.data["allocation"], before.data.get("mine")) == ("draw", None)
    assert "全天 0 人报名 6 个名额 · 12:01 出结果" in before.words
    form = {"back": "day", "key": before.field("key")}
    for _ in range(2):  # a second tap changes nothing
        page = phone.post(f"/slots/{day.yoga}/book", "Mon 10:30", data=form, headers=headers)
        after = card_in(page.text, day.yoga)
        assert (after.data["mine"], after.data["state"]) == ("entered", "planned")
        assert "已报名 第 1 志愿（还不是预约）" in after.words
        assert "全天 1 人报名 6 个名额" in after.words
        assert "已报名，第 1 志愿（还不是预约）" in after.words
    assert (bookings(day), day.entry("周明").wishes) == (0, [day.yoga])
    assert "加为第 2 志愿" in card(phone, "Mon 10:31", day.crafts).words
    phone.book("Mon 10:31", day.crafts)
    leave = re.search(r'action="(/entries/\d+/leave)"', after.html)
    assert leave
    form = {"back": "day", "slot": after.field("slot")}
    page = phone.post(leave[1], "Mon 10:32", data=form, headers=headers)
    assert "mine" not in card_in(page.text, day.yoga).data
    assert day.entry("周明").wishes == [day.crafts]
    phone.post(leave[1], "Mon 10:32", data={"back": "day", "slot": str(day.crafts)}, headers=headers)
    assert day.entry("周明").left_at is not None
    assert "全天 0 人报名" in card(phone, "Mon 10:33", day.yoga).words


def test_the_shared_page_counts_everybody_and_tells_of_nobody(app: Flask, day: DrawDay) -> None:
    entered, other, stranger = phone_of(app, day, "周明"), phone_of(app, day, "李静"), phone_of(app, day)
    for phone in (other, stranger, entered):
        assert "0 人报名" in card(phone, "Mon 10:30", day.yoga).words
    entered.book("Mon 10:30", day.yoga)
    for phone in (other, stranger):
        page = phone.day("Mon 10:31")
        assert "全天 1 人报名" in card_in(page, day.yoga).words
        assert "entered" not in page
        assert "已报名" not in page
    assert card(entered, "Mon 10:31", day.yoga).data["mine"] == "entered"


def test_signing_in_enters_what_was_tapped(app: Flask, day: DrawDay) -> None:
    with transactions.transaction(day.session) as rows:
        kept = {"email": EMAIL, "password_hash": KEPT}
        rows.execute(update(Person).where(Person.id == day.people["周明"]).values(kept))
    phone = phone_of(app, day)
    tapped = card(phone, "Mon 10:30", day.yoga)
    asked = phone.post(f"/slots/{day.yoga}/book", "Mon 10:30", data={"back": "day", "key": tapped.field("key")})
    assert "登录后为你报名抽签（还不是预约）" in words_of(asked.text)
    page = phone.post("/account/sign-in", "Mon 10:31", data={"email": EMAIL, "password": PASSWORD})
    assert card_in(page.text, day.yoga).data["mine"] == "entered"
    assert "已报名，第 1 志愿（还不是预约）" in card_in(page.text, day.yoga).words
    assert (bookings(day), day.entry("周明").wishes) == (0, [day.yoga])


PHASES = {
    "before it opens": ("Mon 09:30", "抽签：10:00 开始报名", "planned"),
    "while it gathers": ("Mon 11:00", "全天 1 人报名 6 个名额 · 12:01 出结果", "planned"),
    "while it is sealed": ("Mon 12:00:30", "名单已封存：全天 1 人报名 6 个名额 · 12:01 出结果", "planned"),
    "when it is drawn": ("Mon 12:02", "已预约", "open"),
}


@pytest.mark.parametrize("phase", PHASES)
def test_the_card_says_what_the_clock_says(app: Flask, day: DrawDay, phase: str) -> None:
    """Also where the page was kept a moment before."""
    clock, words, state = PHASES[phase]
    phone = phone_of(app, day, "周明")
    day.enter("周明", "Mon 10:00", day.yoga)
    day.tick("Mon 09:00")
    for then in ("Mon 09:29", "Mon 09:59:59", "Mon 11:59:59"):
        if at(then) < at(clock):
            card(phone, then, day.yoga)
    for then in ("Mon 12:00", "Mon 12:01"):
        if at(then) <= at(clock):
            day.tick(then)
    seen = card(phone, clock, day.yoga)
    assert words in seen.words
    assert seen.data["state"] == state
    assert ("<form" in card(phone_of(app, day, "李静"), clock, day.yoga).html) == (phase in list(PHASES)[1::2])


def test_the_card_of_the_only_slot_of_a_draw_says_its_seats_once(app: Flask, day: DrawDay) -> None:
    day.apart(NAMES[:3])
    words = card(phone_of(app, day, "周明"), "Mon 10:30", day.tea).words
    assert "3 人报名 · 12:01 出结果" in words
    assert words.count("2 个名额") == 1


def test_the_rules_of_a_station_say_that_some_seats_are_drawn(app: Flask, day: DrawDay) -> None:
    """Beside that the others are first come; where none is drawn any more, not a word of it."""
    said = "先到先得。 写着抽签的场次除外：封存名单前报名都一样，不用抢。"
    phone = phone_of(app, day, "周明")
    for path in ("/s/cbd", "/me"):
        assert said in words_of(phone.get(path, "Mon 10:30").text), path
    day.session.execute(update(Slot).values(draw_id=None))
    day.session.commit()
    for path in ("/s/cbd", "/me"):
        page = words_of(phone.get(path, "Mon 10:33").text)
        assert "先到先得" in page, path
        assert "写着抽签" not in page, path


def test_a_void_draw_leads_to_the_door(app: Flask, day: DrawDay) -> None:
    day.tick("Mon 09:00")
    day.enter("周明", "Mon 10:00")
    day.tick("Mon 12:00")
    day.tick("Tue 11:45")
    assert day.draw().state == "void"
    seen = card(phone_of(app, day, "周明"), "Tue 11:50", day.yoga)
    assert "这次抽签作废，到门口先到先坐" in seen.words
    assert "mine" not in seen.data
    assert "<form" not in seen.html


def test_who_may_not_enter_reads_why_and_has_no_button(app: Flask, day: DrawDay) -> None:
    with transactions.transaction(day.session):
        day.draw().station.policy = {"wishes": 1}
    phone = phone_of(app, day, "周明")
    phone.book("Mon 10:30", day.yoga)
    page = phone.day("Mon 10:31")
    assert 'data-refusal="wishes_full"' in card_in(page, day.crafts).html
    assert "<form" not in card_in(page, day.crafts).html
    assert "一次最多 1 个志愿，你已经填满了。" in page


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_page_of_a_draw_speaks_of_being_first(app: Flask, day: DrawDay, language: str) -> None:
    day.enter("周明", "Mon 10:00")
    for who, clock in (("", "Mon 09:30"), ("周明", "Mon 10:30"), ("李静", "Mon 10:30")):
        phone = phone_of(app, day, who)
        for path in ("/s/cbd?day=2026-11-24", f"/slots/{day.yoga}", "/s/cbd/find?text=瑜伽", f"/slots/{day.tea}"):
            page = phone.get(path, clock, headers={"Accept-Language": language}).text
            page = re.sub(r'<details class="fold.*?</details>', "", page, flags=re.DOTALL)
            assert FIRST_COME.findall(page) == [], path


def test_entering_is_counted_once_however_often_it_is_tapped(app: Flask, day: DrawDay) -> None:
    for name in NAMES:
        phone = phone_of(app, day, name)
        with time_machine.travel(at("Mon 10:30"), tick=False):
            for _ in range(3):
                phone.client.post(f"/slots/{day.yoga}/book", data={"back": "day"}, headers=HTMX)
    assert day.session.scalar(select(func.count(DrawEntry.id))) == len(NAMES)
    assert day.session.scalar(select(func.count(Draw.id)).where(Draw.id == day.draw_id)) == 1
    assert f"全天 {len(NAMES)} 人报名" in card(phone, "Mon 10:31", day.yoga).words


def drawn(day: DrawDay) -> tuple[str, str]:
    """Everybody wants yoga; the names of one who won and of the first who lost."""
    for name in NAMES:
        day.enter(name, "Mon 10:10", day.yoga)
    day.draw_all()
    names = {person_id: name for name, person_id in day.people.items()}
    return names[day.bookings(day.yoga, "booked")[0]], names[day.bookings(day.yoga, "waiting")[0]]


def test_who_lost_is_told_the_place_its_odds_and_the_next_balls(app: Flask, day: DrawDay) -> None:
    won, lost = drawn(day)
    phone = phone_of(app, day, lost)
    assert "候补第 1" in card(phone, "Mon 12:05", day.yoga).words
    sentence = "没抽中，候补第 1（全天 8 人报名 6 个名额）。%s下次你有 3 个号球。"
    assert sentence % "" in words_of(phone.get(f"/slots/{day.yoga}", "Mon 12:05").text)
    for weeks in (1, 2, 3):
        past(day, weeks, promoted=weeks < 3, place=1, who=won)
    page = words_of(phone.get(f"/slots/{day.yoga}", "Mon 12:06").text)
    assert sentence % "近 3 次这样的场次，第 1 位补上过 2 次。" in page
    letter = day.session.scalars(select(Letter).where(Letter.person_id == day.people[lost])).one()
    told = context.of(day.session, letter, day.session.get(Person, letter.person_id), at("Mon 12:06"))
    assert told["odds"] == Odds(1, 3, 2)


BALLS: dict[str, tuple[dict[str, Any], str]] = {
    "newcomer": ({}, "你有 3 个号球：新来的至少这么多。从 1 个数起，每没抽中一天多一个"),
    "seated": ({"last_seat": True}, "你有 1 个号球：上次有了名额"),
    "lost": ({"last_seat": True, "lost": 2}, "你有 3 个号球：没抽中 2 次"),
    "struck": ({"struck": True}, "你有 1 个号球：最近有爽约"),
}


@pytest.mark.parametrize("case", BALLS)
def test_my_page_says_why_i_have_so_many_balls(app: Flask, day: DrawDay, case: str) -> None:
    history, words = BALLS[case]
    who, created = day.people["周明"], at("Mon 10:00") - timedelta(days=20)
    with transactions.transaction(day.session) as session:
        seat = {"slot_id": day.tea, "station_id": day.station_id, "person_id": who}
        ended = {"created_at": created, "ended_at": created, "state": "cancelled"}
        if "last_seat" in history or "struck" in history:
            booking = Booking(**seat, **ended, seated_at=created if "last_seat" in history else None)
            session.add(booking)
            session.flush()
        for n in range(history.get("lost", 0)):
            then = created + timedelta(days=n + 1)
            state = {"state": "drawn", "list_sha256": "a" * 64, "seed": "b" * 64, "drawn_at": then}
            draw = Draw(station_id=day.station_id, date=then.date(), opens_at=then, closes_at=then, version=1, **state)
            entry = {"tag": "abcde", "wishes": [1], "entered_at": then, "no": 1, "balls": 1, "rank": 1}
            session.add(DrawEntry(draw=draw, person_id=who, result="lost", **entry))
        if "struck" in history:
            about = {"person_id": who, "station_id": day.station_id, "slot_id": day.tea, "booking_id": booking.id}
            session.add(Strike(**about, at=at("Mon 09:00"), reason="no_show"))
    phone = phone_of(app, day, "周明")
    phone.book("Mon 10:30", day.yoga)
    mine = phone.get("/me", "Mon 10:31").text
    assert words in words_of(mine)
    assert ("还不是预约" in mine, 'data-mine="booked"' in mine) == (True, False)


def test_the_door_shows_the_fingerprint_and_who_sits_first_after_a_void_draw(app: Flask, day: DrawDay) -> None:
    day.people["店长"] = day.manager_id
    screen = phone_of(app, day)
    sign_in(screen.client, day, "店长")  # type: ignore[arg-type]
    screen.post("/manage/cbd/door/pair", "Mon 09:00")
    day.tick("Mon 09:00")
    day.enter("周明", "Mon 10:00", day.yoga)
    assert "指纹" not in screen.get("/door/cbd", "Mon 11:00").text
    day.tick("Mon 12:00")
    print_ = (day.draw().list_sha256 or "")[:8]
    assert f"抽签名单已封存，指纹 {print_}…" in words_of(screen.get("/door/cbd", "Mon 12:00:30").text)
    day.tick("Tue 11:45")
    assert "抽签作废，先到先坐" in words_of(screen.get("/door/cbd", "Tue 11:56").text)
    assert "抽签作废，先到先坐" in words_of(phone_of(app, day, "周明").get("/door/cbd/in", "Tue 11:56").text)


def test_the_history_of_a_slot_tells_its_draw_in_plain_words(app: Flask, day: DrawDay) -> None:
    drawn(day)
    day.people["店长"] = day.manager_id
    page = words_of(phone_of(app, day, "店长").get(f"/manage/cbd/history?slot={day.yoga}", "Mon 13:00").text)
    print_ = (day.draw().list_sha256 or "")[:8]
    for words in (
        f"抽签名单封存了：8 人报名，指纹 {print_}…",
        "抽签抽完了：8 人报名，抽中 2 人",
        "抽完了，开放余下的名额和候补",
    ):
        assert words in page
    assert "放号了" not in page
    whole = words_of(phone_of(app, day, "店长").get("/manage/cbd/history", "Mon 13:00").text)
    assert "报名抽签，或改了志愿：共 1 个志愿" in whole


def test_a_report_lists_the_draws_and_exports_them(app: Flask, day: DrawDay) -> None:
    drawn(day)
    over(day, 0)
    day.people["店长"] = day.manager_id
    desk, span = phone_of(app, day, "店长"), "from=2026-11-24&until=2026-11-24"
    page = words_of(desk.get(f"/manage/cbd/numbers?{span}", "Wed 09:00").text)
    assert "合计 1 0 8 6 2 25% 1 50%" in page
    sheet = desk.get(f"/manage/cbd/numbers/export?{span}&of=draws&form=csv", "Wed 09:00").text
    assert sheet.splitlines()[1].split(",")[1:] == ["1", "0", "8", "6", "2", "25.0%", "1", "50.0%"]
    with time_machine.travel(at("Wed 11:00"), tick=False), app.app_context():
        report = manager_report.of_station(day.session, day.draw().station, date(2026, 11, 25), at("Wed 11:00"))
    assert report.draws is not None
    assert (report.draws.entries, report.draws.seats, report.draws.given, report.draws.used) == (8, 6, 2, 1)
