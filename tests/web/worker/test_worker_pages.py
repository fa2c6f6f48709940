"""Worker pages: what a worker sees and can do, hour by hour, without JavaScript."""

import re
from base64 import b64encode
from datetime import date, time
from hashlib import sha256

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.model import Activity, Slot, Station
from tests.support.lunch_hour import LunchHour, at, make_slot
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import HTMX, Card, Phone, card_in, words_of


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Two seats on Tuesday at 12:10; they open on Monday at 10:00."""
    with transactions.transaction(session):
        seed_workdays(session)
    return LunchHour(session)


def test_before_the_opening_the_card_says_when_and_offers_nothing(app: Flask, lunch: LunchHour) -> None:
    card = Phone(app, lunch, "周明").card("Mon 09:58")
    shown = {"slot": str(lunch.slot_id), "state": "planned", "left": "2", "allocation": "first"}
    assert card.data == shown
    assert "今天 10:00 放号" in card.words
    assert "<button" not in re.sub("<template.*?</template>", "", card.html, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("who", "act"), [("周明", "预约"), ("李静", "预约"), ("", "预约"), ("刘洋", None), ("赵敏", None)]
)
def test_the_button_of_the_opening_waits_in_the_page(app: Flask, lunch: LunchHour, who: str, act: str | None) -> None:
    """For who could book then: 刘洋 has a seat that day, 赵敏 a waiting-list place that a seat would end."""
    earlier = lunch.slot("Tue 11:00", capacity=1)
    with transactions.transaction(lunch.session) as session:
        session.execute(update(Slot).where(Slot.id == earlier).values(opens_at=at("Mon 09:00")))
    lunch.book("刘洋", "Mon 09:10", earlier)
    lunch.book("赵敏", "Mon 09:10", earlier)
    card = Phone(app, lunch, who).card("Mon 09:58")
    (held,) = re.findall(
        '<template data-opens-at="2026-11-23T02:00:00[+]00:00">(.*?)</template>', card.html, re.DOTALL
    ) or [""]
    assert (act in held) if act else held == ""


def test_the_next_opening_counts_down_by_the_servers_clock(app: Flask, lunch: LunchHour) -> None:
    page = Phone(app, lunch).day("Mon 09:58")
    assert 'data-now="2026-11-23T01:58:00+00:00"' in page
    assert 'data-opens-at="2026-11-23T02:00:00+00:00"' in page
    assert "今天 10:00 放号 · 1 场 · 2 个名额" in words_of(page)


def test_nobody_books_a_second_early_by_direct_post(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch, "周明")
    for clock in ("Mon 09:59:50", "Mon 09:59:59.999"):
        assert 'data-refusal="not_open"' in phone.book(clock).text
    assert lunch.now().taken == 0


def test_one_tap_is_a_seat_and_the_answer_stands_at_the_card(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch, "周明")
    assert card_in(phone.day("Mon 10:00"), lunch.slot_id).data["left"] == "2"
    answer = phone.book("Mon 10:00")
    card = card_in(answer.text, lunch.slot_id)
    assert answer.request.path == "/s/cbd"
    assert card.data["mine"] == "booked"
    assert "约上了，明天 12:10 见" in card.words
    assert words_of(answer.text).count("约上了，明天 12:10 见") == 2  # at the top of the page too


def test_a_seat_of_another_week_is_told_with_its_date(app: Flask, lunch: LunchHour) -> None:
    """Without the date it would read as tomorrow, which is the wrong day."""
    with transactions.transaction(lunch.session) as session:
        station = session.get_one(Station, lunch.station_id)
        slot_id = make_slot(session, station, date(2026, 12, 8), time(12, 10), 2)
        session.get_one(Slot, slot_id).opens_at = at("Mon 10:00")
    answer = Phone(app, lunch, "周明").post(f"/slots/{slot_id}/book", "Mon 10:00", data={"back": "day"}, headers=HTMX)
    assert "约上了，12月8日周二 12:10 见" in answer.text


def test_the_answer_is_shown_once(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch, "周明")
    phone.book("Mon 10:00")
    assert "约上了" not in words_of(phone.day("Mon 10:01"))


def test_a_full_slot_gives_a_place_in_line_that_never_looks_like_a_booking(app: Flask, lunch: LunchHour) -> None:
    fill(lunch)
    phone = Phone(app, lunch, "王磊")
    assert "候补" in phone.card("Mon 10:01").words
    card = card_in(phone.book("Mon 10:01").text, lunch.slot_id)
    assert card.data["mine"] == "waiting"
    assert "你排在第 1 位" in card.words
    for page in (card.words, words_of(phone.get("/me", "Mon 10:02").text)):
        assert "候补第 1" in page
        assert "已预约" not in page
    assert "<svg" not in re.sub(r'<svg class="icon".*?</svg>', "", phone.get("/me", "Mon 10:02").text)  # no ticket


def test_the_same_key_again_says_already_yours_and_changes_nothing(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch, "周明")
    key = phone.card("Mon 10:00").field("key")
    phone.book("Mon 10:00", key=key)
    again = card_in(phone.book("Mon 10:00:05", key=key).text, lunch.slot_id)
    assert "这一场你已经约上了" in again.words
    assert lunch.now().taken == 1


def test_an_old_page_pressed_after_giving_up_does_not_book_again(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch, "周明")
    key = phone.card("Mon 10:00").field("key")
    phone.book("Mon 10:00", key=key)
    phone.give_up("周明", "Mon 10:01")
    card = card_in(phone.book("Mon 10:02", key=key).text, lunch.slot_id)
    assert 'data-refusal="given_up_before"' in card.html
    assert lunch.now().taken == 0


def test_giving_up_from_ones_own_list_is_answered_once(app: Flask, lunch: LunchHour) -> None:
    lunch.book("周明", "Mon 10:00")
    answer = Phone(app, lunch, "周明").give_up("周明", "Mon 10:30")
    assert words_of(answer.text).count("已取消，谢谢你把名额让出来") == 1


def test_the_undo_is_a_real_give_up(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch, "周明")
    card = card_in(phone.book("Mon 10:00").text, lunch.slot_id)
    undo = re.search(r'action="(/bookings/\d+/give-up)"', card.html)
    assert undo
    page = phone.post(undo[1], "Mon 10:01", data={"back": "day", "warned": "0"}).text
    assert "mine" not in card_in(page, lunch.slot_id).data
    assert lunch.state("周明") == "cancelled"


def test_htmx_gets_only_the_card(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch, "周明")
    answer = phone.press("Mon 10:00")
    assert answer.status_code == 200
    assert answer.text.strip().startswith("<article")
    assert "<html" not in answer.text
    assert Card(answer.text.strip()).data["mine"] == "booked"


def test_htmx_hears_a_refusal_as_409_with_its_reason(app: Flask, lunch: LunchHour) -> None:
    other = lunch.slot("12:20")
    lunch.book("周明", "Mon 10:00", other)
    answer = Phone(app, lunch, "周明").press("Mon 10:00:01")
    assert answer.status_code == 409
    assert 'data-refusal="day_limit"' in answer.text
    assert "每人每天最多 1 场" in answer.text


def test_on_the_slots_page_the_answer_is_its_act(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch, "周明")
    path = f"/slots/{lunch.slot_id}"
    assert "预约" in words_of(phone.get(path, "Mon 10:00").text)
    answer = phone.post(f"{path}/book", "Mon 10:00", data={"back": "slot"}, headers=HTMX)
    assert answer.text.strip().startswith("<section")
    assert f'id="slot-act-{lunch.slot_id}"' in answer.text


def test_a_stranger_is_asked_to_sign_in_and_led_back(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch)
    assert f'action="/slots/{lunch.slot_id}/book"' in phone.card("Mon 10:00").html
    link = f"/account/sign-in?next=/slots/{lunch.slot_id}"
    answer = phone.post(f"/slots/{lunch.slot_id}/book", "Mon 10:00", follow=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, link.replace("next=/slots/", "next=%2Fslots%2F"))
    swift = phone.post(f"/slots/{lunch.slot_id}/book", "Mon 10:00", follow=False, headers=HTMX)
    assert (swift.status_code, swift.headers["HX-Redirect"]) == (204, answer.headers["Location"])
    assert phone.get("/me", "Mon 10:00").status_code == 303


def test_another_persons_booking_does_not_exist(app: Flask, lunch: LunchHour) -> None:
    lunch.book("周明", "Mon 10:00")
    assert Phone(app, lunch, "李静").give_up("周明", "Mon 10:01").status_code == 404
    assert lunch.state("周明") == "booked"


def test_giving_up_late_is_said_before_it_is_done(app: Flask, lunch: LunchHour) -> None:
    lunch.book("周明", "Mon 10:00")
    phone = Phone(app, lunch, "周明")
    assert "现在取消不算爽约" in phone.get("/me", "11:10").text
    late = phone.get("/me", "11:11").text
    assert "现在才取消，算临时取消" in late
    assert "仍然取消" in late


def test_a_page_from_before_the_free_time_ended_warns_first(app: Flask, lunch: LunchHour) -> None:
    lunch.book("周明", "Mon 10:00")
    phone = Phone(app, lunch, "周明")
    answer = phone.give_up("周明", "11:11", warned="0")
    assert 'data-refusal="late"' in answer.text
    assert lunch.state("周明") == "booked"
    phone.give_up("周明", "11:11", warned="1")
    assert lunch.state("周明") == "cancelled"


def test_a_poll_without_changes_is_a_304(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch, "周明")
    path = "/s/cbd?day=2026-11-24"
    first = phone.get(path, "Mon 10:20", headers=HTMX)
    assert first.text.strip().startswith('<div id="day"')
    known = HTMX | {"If-None-Match": first.headers["ETag"]}
    still = phone.get(path, "Mon 10:21", headers=known)
    assert (still.status_code, still.data) == (304, b"")
    lunch.book("李静", "Mon 10:21")
    changed = phone.get(path, "Mon 10:22", headers=known)
    assert changed.status_code == 200
    assert card_in(changed.text, lunch.slot_id).data["left"] == "1"


def test_a_slots_page_is_polled_in_the_same_way(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch, "周明")
    path = f"/slots/{lunch.slot_id}"
    first = phone.get(path, "Mon 10:20", headers=HTMX)
    assert first.text.strip().startswith("<section")
    known = HTMX | {"If-None-Match": first.headers["ETag"]}
    assert phone.get(path, "Mon 10:21", headers=known).status_code == 304
    assert phone.get(path, "11:56", headers=known).status_code == 200  # check-in began: other texts


def test_ones_own_bookings_are_polled_in_the_same_way(app: Flask, lunch: LunchHour) -> None:
    for name in ("周明", "李静", "王磊", "陈晨"):
        lunch.book(name, "Mon 10:00")
    phone = Phone(app, lunch, "陈晨")
    tags = HTMX | {"If-None-Match": phone.get("/me", "Mon 10:01", headers=HTMX).headers["ETag"]}
    known = phone.get("/me", "Mon 10:02", headers=tags)
    assert (known.status_code, known.data) == (304, b"")
    assert phone.get("/me", "Tue 08:00", headers=tags).status_code == 200  # tomorrow has become today
    lunch.give_up("王磊", "Mon 10:03")
    assert "候补第 1" in words_of(phone.get("/me", "Mon 10:04", headers=tags).text)
    assert phone.get("/me", "11:41", headers=tags).status_code == 200  # the waiting list has closed


@pytest.mark.parametrize("path", ["/s/cbd?day=2026-11-24", "/slots/{}", "/me"])
@pytest.mark.parametrize("holds", [True, False])
def test_the_first_poll_after_a_page_is_a_304_too(app: Flask, lunch: LunchHour, path: str, holds: bool) -> None:
    """The page contains its ETag: its first poll brings nothing that is there already."""
    if holds:
        lunch.book("周明", "Mon 10:00")
    phone, address = Phone(app, lunch, "周明"), path.format(lunch.slot_id)
    (shown,) = re.findall(r'data-tag="([^"]+)"', phone.get(address, "Mon 10:20").text)
    known = HTMX | {"If-None-Match": f'W/"{shown}"'}
    assert phone.get(address, "Mon 10:20:05", headers=known).status_code == 304
    lunch.give_up("周明", "Mon 10:21") if holds else lunch.book("周明", "Mon 10:21")
    news = phone.get(address, "Mon 10:22", headers=known)
    assert (news.status_code, news.headers["ETag"] in (known["If-None-Match"], "")) == (200, False)
    assert phone.get(address, "Mon 10:22", headers=HTMX | {"If-None-Match": news.headers["ETag"]}).status_code == 304


def test_the_page_after_a_press_counts_down_too(app: Flask, lunch: LunchHour) -> None:
    """Without htmx: a page that is made once, with what the press brought."""
    lunch.slot("Wed 12:10")
    page = Phone(app, lunch, "周明").book("Mon 23:00", back="day").text
    assert "约上了" in page
    assert re.findall("<b role=.timer.[^>]*>([^<]*)</b>", page) == ["明天 10:00 开放"]
    assert 8 <= float(*re.findall('data-fresh="([0-9.]+)"', page)) <= 40


def test_the_stylesheet_is_inlined_on_a_first_visit_only(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch)
    for path in ("/s/cbd", f"/slots/{lunch.slot_id}", "/account/sign-in"):
        phone.client = app.test_client()
        first, second = phone.get(path, "Mon 10:20"), phone.get(path, "Mon 10:21")
        (sheet,) = re.findall(r"<style>(.+?)</style>", first.text, re.DOTALL)
        digest = b64encode(sha256(sheet.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in first.headers["Content-Security-Policy"]
        assert first.text.index("css/app.css") > first.text.index("</main>")
        assert "<style" not in second.text
        assert second.text.index("css/app.css") < second.text.index("</head>")


def test_a_limit_of_the_day_is_said_once_and_leads_to_the_seat_that_is_held(app: Flask, lunch: LunchHour) -> None:
    others = [lunch.slot("13:10"), lunch.slot("14:10"), lunch.slot("15:10")]
    lunch.book("周明", "Mon 10:00")
    page = Phone(app, lunch, "周明").day("Mon 10:20")
    shown = re.sub(r"<p[^>]* hidden>.*?</p>", "", page)
    assert words_of(shown).count("每人每天最多 1 场") == 1
    assert shown.index("每人每天最多 1 场") < shown.index("<article")
    assert f'<a href="/slots/{lunch.slot_id}">看那一场</a>' in page
    assert all('data-refusal="day_limit"' in card_in(page, slot).html for slot in others)


def test_a_stranger_is_told_before_the_opening_that_an_account_is_needed(app: Flask, lunch: LunchHour) -> None:
    hint, way = "先登录或注册", "/account/sign-in?next=/s/cbd?day%3D2026-11-24"
    page = Phone(app, lunch).day("Mon 09:50")
    assert hint in page
    assert way in page
    assert hint in Phone(app, lunch).get(f"/slots/{lunch.slot_id}", "Mon 09:50").text
    assert hint not in Phone(app, lunch, "周明").day("Mon 09:50")
    assert hint not in Phone(app, lunch).day("Mon 10:20")  # nothing opens: booking leads to the sign-in page by itself


def test_one_readers_etag_is_not_another_readers_304(app: Flask, lunch: LunchHour) -> None:
    path = "/s/cbd?day=2026-11-24"
    tag = Phone(app, lunch, "周明").get(path, "Mon 10:20", headers=HTMX).headers["ETag"]
    theirs = Phone(app, lunch, "李静").get(path, "Mon 10:20", headers=HTMX | {"If-None-Match": tag})
    assert theirs.status_code == 200


def test_during_check_in_of_a_full_slot_one_stands_by(app: Flask, lunch: LunchHour) -> None:
    fill(lunch)
    phone = Phone(app, lunch, "王磊")
    path = f"/slots/{lunch.slot_id}"
    assert "我在门口" not in phone.get(path, "11:54").text
    assert "我在门口" in phone.get(path, "11:56").text
    answer = phone.post(f"{path}/standby", "11:56", data={"back": "slot"})
    assert "已排上现场候补" in words_of(answer.text)
    lunch.tick("12:16")  # nobody else came: the seats are released, and one is theirs
    assert lunch.state("王磊") == "attended"
    assert "已签到" in words_of(phone.get(path, "12:16").text)


def test_who_stands_by_reads_the_same_true_sentence_everywhere(app: Flask, lunch: LunchHour) -> None:
    fill(lunch)
    for name in ("周明", "李静"):
        lunch.check_in(name, "12:05")
    phone, path = Phone(app, lunch, "王磊"), f"/slots/{lunch.slot_id}"
    before, after = (
        "12:15 没人来的名额会按到场先后给现场的人，请不要走远。",
        "有名额空出来，会按到场先后给现场的人，请不要走远。",
    )
    assert before in words_of(phone.post(f"{path}/standby", "12:06", data={"back": "slot"}).text)
    known = {}
    for each in (path, "/me"):
        answer = phone.get(each, "12:07", headers=HTMX)
        known[each] = HTMX | {"If-None-Match": answer.headers["ETag"]}
        assert f"你已排上现场候补。{before}" in words_of(answer.text)
    lunch.tick("12:16")  # both had come: nothing was released
    for each in (path, "/me"):
        assert f"你已排上现场候补。{after}" in words_of(phone.get(each, "12:40", headers=known[each]).text)
    late = Phone(app, lunch, "陈晨").post(f"{path}/standby", "12:41", data={"back": "slot"}).text
    assert f"已排上现场候补 {after}" in words_of(late)


def test_ones_own_list_follows_a_standby_that_somebody_else_noted(app: Flask, lunch: LunchHour) -> None:
    fill(lunch)
    assert lunch.book("王磊", "Mon 10:05") == "waiting"
    phone = Phone(app, lunch, "王磊")
    known = HTMX | {"If-None-Match": phone.get("/me", "11:56", headers=HTMX).headers["ETag"]}
    lunch.stand_by("王磊", "11:57")
    assert "你已排上现场候补。" in words_of(phone.get("/me", "11:58", headers=known).text)


def test_the_button_at_the_door_says_what_a_press_brings(app: Flask, lunch: LunchHour) -> None:
    fill(lunch)
    phone, path = Phone(app, lunch, "王磊"), f"/slots/{lunch.slot_id}"
    assert "12:15 没人来的名额" in words_of(phone.get(path, "12:14").text)
    lunch.check_in("周明", "12:05")
    lunch.tick("12:16")  # 李静 did not come
    page = words_of(phone.get(path, "12:16").text)
    assert "我在门口，要入座" in page
    assert "12:15" not in page.split("我在门口", 1)[1].split("关注")[0]
    assert "我在门口，要入座" in Phone(app, lunch).get(path, "12:16").text
    phone.post(f"{path}/standby", "12:16", data={"back": "slot"})
    assert lunch.state("王磊") == "attended"


def test_a_no_show_who_presses_is_sent_to_the_door(app: Flask, lunch: LunchHour) -> None:
    fill(lunch)
    lunch.check_in("周明", "12:05")
    lunch.tick("12:16")
    phone, path = Phone(app, lunch, "李静"), f"/slots/{lunch.slot_id}"
    asked = phone.get(path, "12:19").text
    answer = phone.post(f"{path}/standby", "12:20", data={"back": "slot"}).text  # from a page of before
    for page in (asked, answer):
        assert page.count('data-refusal="not_seen"') == 1
        assert "到门口扫屏幕上的码，或者请管理员签到" in words_of(page)
        assert "我在门口" not in page
    assert (lunch.state("李静"), lunch.strikes("李静")) == ("released", ["no_show"])


def test_the_ticket_is_an_image_of_the_managers_address(app: Flask, lunch: LunchHour) -> None:
    lunch.book("周明", "Mon 10:00")
    page = Phone(app, lunch, "周明").get("/me", "10:00").text
    assert "今天 12:10" in words_of(page)
    assert '<div class="qr" role="img"' in page
    assert "style=" not in page


def test_the_ticket_is_of_the_seat_that_is_not_taken_yet(app: Flask, lunch: LunchHour) -> None:
    following = lunch.slot("13:00")
    assert (lunch.walk_in("周明", "12:10"), lunch.book("周明", "12:20", following)) == ("attended", "booked")
    page = Phone(app, lunch, "周明").get("/me", "12:56").text
    (ticket,) = re.findall(r'<article class="card ticket" data-slot="(\d+)"', page)
    assert (int(ticket), page.count('class="qr"'), "12:45–13:05 到门口给管理员看" in page) == (following, 1, True)
    assert "ticket-digits" in page


def test_the_ledger_names_each_strike_its_reason_and_its_end(app: Flask, lunch: LunchHour) -> None:
    lunch.book("周明", "Mon 10:00")
    lunch.roll_call("12:00")
    lunch.tick("12:16")
    lunch.tick("13:01")
    words = words_of(Phone(app, lunch, "周明").get("/me", "13:05").text)
    assert "白领瑜伽课堂 11月24日周二 · 没有来，也没有取消 12月24日周四起不再计数" in words
    assert "爽约已释放" in words


def test_the_rules_stand_in_five_lines_with_the_stations_numbers(app: Flask, session: Session) -> None:
    lunch = LunchHour(session, free_minutes=45, seats_a_day=2, grace_minutes=7)
    rules = words_of(Phone(app, lunch).day("Mon 10:00"))
    for line in ("前一个工作日 10:00 放号", "最多约 2 场", "开始前 45 分钟可以随意取消", "开始 7 分钟没签到"):
        assert line in rules


@pytest.mark.parametrize(
    ("now", "day", "words"),
    [
        ("2026-11-24", "2026-11-28", "周末休息"),
        ("2026-09-28", "2026-10-05", "国庆节休息"),
        ("2026-09-28", "2026-10-10", "上班"),  # 调休: a Saturday that is a workday
        ("2026-12-30", "2027-01-06", "暂定"),
    ],
)
def test_a_day_says_why_it_is_not_an_ordinary_one(app: Flask, lunch: LunchHour, now: str, day: str, words: str) -> None:
    page = Phone(app, lunch).get(f"/s/cbd?day={day}", f"{now} 09:00")
    assert words in words_of(page.text)


def test_an_empty_day_leads_to_the_next_one_with_slots(app: Flask, lunch: LunchHour) -> None:
    page = Phone(app, lunch).day("Mon 09:00", day="2026-11-23")
    assert "这天没有场次" in page
    assert 'href="/s/cbd?day=2026-11-24"' in page


@pytest.mark.parametrize("day", ["", "tomorrow", "2026-02-30", "1999-01-01", "9999-12-31", "０２６"])
def test_an_invalid_day_shows_the_next_one_with_slots(app: Flask, lunch: LunchHour, day: str) -> None:
    assert card_in(Phone(app, lunch).day("Mon 10:00", day=day), lunch.slot_id).data["left"] == "2"


def test_with_one_station_the_front_page_is_its_page(app: Flask, lunch: LunchHour) -> None:
    assert card_in(Phone(app, lunch).get("/", "Mon 10:00").text, lunch.slot_id).data["left"] == "2"


def test_with_several_stations_one_is_chosen_once(app: Flask, lunch: LunchHour) -> None:
    lunch.slot(station_id=lunch.other_station("west"))
    phone = Phone(app, lunch)
    assert "选一个驿站" in phone.get("/", "Mon 10:00").text
    assert "west" in words_of(phone.get("/stations?q=west", "Mon 10:00").text)
    assert "没有找到这样的驿站" in phone.get("/stations?q=%25", "Mon 10:00").text
    phone.get("/s/cbd", "Mon 10:00")
    assert card_in(phone.get("/", "Mon 10:00").text, lunch.slot_id).data["left"] == "2"


def test_a_closed_station_and_its_slots_are_gone(app: Flask, lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        session.get_one(Station, lunch.station_id).closed_at = at("Mon 09:00")
    phone = Phone(app, lunch, "周明")
    for path in ("/s/cbd", "/s/nowhere", f"/slots/{lunch.slot_id}", "/slots/999999"):
        assert phone.get(path, "Mon 10:00").status_code == 404
    assert phone.book("Mon 10:00").status_code == 404


def test_a_cancelled_slot_says_why_and_offers_nothing(app: Flask, lunch: LunchHour) -> None:
    lunch.book("周明", "Mon 10:00")
    lunch.cancel("Mon 11:00", "空调坏了")
    phone = Phone(app, lunch, "周明")
    card = phone.card("Mon 11:01")
    assert card.data["state"] == "cancelled"
    assert "这一场已经取消：空调坏了" in card.words
    assert "<button" not in card.html
    assert "这一场取消了，不记爽约" in phone.get("/me", "Mon 11:01").text


def test_markup_in_texts_stays_text(app: Flask, lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        activity = session.get_one(Slot, lunch.slot_id).activity
        activity.title = '<img src=x onerror="1">{{7*7}}%(x)s'
        activity.text = "<script>1</script>{0.__class__}"
    phone = Phone(app, lunch, "周明")
    pages = [
        phone.day("Mon 10:00"),
        phone.get(f"/slots/{lunch.slot_id}", "Mon 10:00").text,
        phone.book("Mon 10:00").text,
    ]
    for page in pages:
        assert "<img src=x" not in page
        assert "<script>1" not in page
        assert "{{7*7}}%(x)s" in page


def test_english_readers_get_english_titles(app: Flask, lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        session.get_one(Activity, session.get_one(Slot, lunch.slot_id).activity_id).title_en = "Office yoga"
    page = Phone(app, lunch).get("/s/cbd?day=2026-11-24", "Mon 10:00", headers={"Accept-Language": "en"}).text
    assert '<html lang="en">' in page
    assert "Office yoga" in page


def fill(lunch: LunchHour) -> None:
    for who in ("周明", "李静"):
        assert lunch.book(who, "Mon 10:00") == "booked"


# Filters


def shown(phone: Phone, query: str, clock: str = "Mon 10:20") -> list[int]:
    page = phone.get(f"/s/cbd?day=2026-11-24{query}", clock).text
    return [int(number) for number in re.findall(r'<article [^>]*data-slot="(\d+)"', page)]


def test_a_reader_may_see_one_kind_or_only_what_can_be_had(app: Flask, lunch: LunchHour) -> None:
    other = lunch.slot("13:10", 1)
    with transactions.transaction(lunch.session) as session:
        crafts = Activity(station_id=lunch.station_id, kind="crafts", title="植物拓印")
        session.add(crafts)
        session.get_one(Slot, other).activity = crafts
    phone = Phone(app, lunch, "周明")
    kind = lunch.now().activity.kind
    assert shown(phone, "") == shown(phone, "&kind=nonsense") == [lunch.slot_id, other]
    assert shown(phone, "&kind=crafts") == [other]
    lunch.book("周明", "Mon 10:01")
    assert shown(phone, "&kind=crafts") == [lunch.slot_id, other]  # one's own is never hidden
    assert shown(Phone(app, lunch, "李静"), f"&kind={kind}") == [lunch.slot_id]
    assert shown(phone, "&open=1") == [lunch.slot_id]  # one a day
    assert shown(phone, "&kind=tea&open=1") == [lunch.slot_id]
    assert "这天没有这样的场次" in Phone(app, lunch).get("/s/cbd?day=2026-11-24&kind=tea", "Mon 10:20").text
