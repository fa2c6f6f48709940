"""Roster at noon: check-in, walk-ins, standby, and forgiving strikes afterwards."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.model import Booking, Person
from tests.support.desk_cast import HTMX, Desk, refusal, said
from tests.support.lunch_hour import LunchHour
from tests.support.worker_cast import words_of


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Two seats for 周明 and 李静; 王磊 waits."""
    lunch = LunchHour(session, capacity=2)
    for name in ("周明", "李静", "王磊"):
        lunch.book(name, "Mon 10:00")
    return lunch


def test_a_tap_checks_in_and_a_second_tap_takes_it_back(app: Flask, lunch: LunchHour) -> None:
    desk, booking = Desk(app, lunch), lunch.latest("周明").id
    answer = desk.tap(f"bookings/{booking}/check-in", "12:00")
    assert (answer.status_code, lunch.state("周明")) == (200, "attended")
    assert answer.text.lstrip().startswith('<div class="desk"')
    assert f'/bookings/{booking}/undo"' in answer.text
    desk.tap(f"bookings/{booking}/undo", "12:01")
    assert lunch.state("周明") == "booked"
    assert [line.actor_id for line in lunch.lines("checked_in", "undone")] == [lunch.manager_id] * 2


def test_an_undo_of_a_seat_that_was_released_says_so(app: Flask, lunch: LunchHour) -> None:
    lunch.stand_by("王磊", "12:00")
    for clock in ("12:10", "12:15"):
        lunch.tick(clock)
    answer = Desk(app, lunch).post(f"bookings/{lunch.latest('周明').id}/undo", "12:16")
    assert (answer.status_code, "周明 没有签到，不用撤销。" in said(answer)) == (200, True)
    assert lunch.state("周明") == "released"


def test_a_mistaken_arrival_is_taken_back_on_the_roster_also_twice(app: Flask, lunch: LunchHour) -> None:
    desk, path = Desk(app, lunch), f"bookings/{lunch.latest('王磊').id}/not-here"
    desk.tap(f"slots/{lunch.slot_id}/stand-by", "12:00", person_id=lunch.people["王磊"])
    assert f'/{path}"' in desk.get(f"slots/{lunch.slot_id}", "12:01").text
    assert "人到了" in said(desk.tap(path, "12:01"))
    assert "王磊 还没到，候补的位次照旧。" in said(desk.post(path, "12:01"))
    lunch.stand_by("陈晨", "12:02")
    other = f"bookings/{lunch.latest('陈晨').id}/not-here"
    assert "陈晨 不在现场候补里了。" in said(desk.post(other, "12:03"))
    booking = lunch.latest("周明").id
    assert "周明 已经不在现场候补里，什么也没有改变。" in said(desk.post(f"bookings/{booking}/not-here", "12:03"))


def test_without_script_a_tap_leads_back_to_the_roster(app: Flask, lunch: LunchHour) -> None:
    answer = Desk(app, lunch).post(f"bookings/{lunch.latest('周明').id}/check-in", "12:00")
    assert (answer.status_code, answer.request.path) == (200, f"/manage/cbd/slots/{lunch.slot_id}")
    assert "周明 已签到。" in said(answer)


def test_before_check_in_opens_nothing_can_be_tapped(app: Flask, lunch: LunchHour) -> None:
    desk = Desk(app, lunch)
    assert "check-in" not in desk.get(f"slots/{lunch.slot_id}", "11:54").text
    answer = desk.tap(f"bookings/{lunch.latest('周明').id}/check-in", "11:54")
    assert (answer.status_code, refusal(answer)) == (409, "too_early")
    assert "11:55" in said(answer)
    assert lunch.state("周明") == "booked"


def test_standby_is_seated_in_the_order_of_coming_once_a_seat_is_released(app: Flask, lunch: LunchHour) -> None:
    desk, path = Desk(app, lunch), f"slots/{lunch.slot_id}/stand-by"
    lunch.check_in("周明", "12:00")
    desk.tap(path, "12:01", person_id=lunch.people["王磊"])
    desk.tap(path, "12:02", name="门口的客人")
    assert "2 候补，其中现场 2" in desk.words(f"slots/{lunch.slot_id}", "12:03"), (
        "the waiting are counted with the word"
    )
    lunch.tick("12:10")
    lunch.tick("12:15")
    assert lunch.states("李静", "王磊") == ["released", "attended"]
    page = desk.words(f"slots/{lunch.slot_id}", "12:16")
    assert "门口的客人 12:02 到场" in page
    assert "记了 1 次爽约" in page


def test_a_slip_that_put_somebody_on_standby_is_removed_and_nobody_is_promised_a_letter(
    app: Flask, lunch: LunchHour
) -> None:
    desk, path = Desk(app, lunch), f"slots/{lunch.slot_id}"
    desk.tap(f"{path}/stand-by", "12:01", name="门口的客人")
    guest = lunch.session.scalars(select(Booking).join(Person).where(Person.name == "门口的客人")).one()
    remove = f"bookings/{guest.id}/remove"
    assert f'href="/manage/cbd/{remove}"' in desk.get(path, "12:02").text
    page = desk.words(remove, "12:02")
    assert ("这位没有邮箱，收不到信" in page, "本人会收到一封信" in page) == (True, False)
    after = said(desk.post(remove, "12:02", reason="登记重了"))
    assert ("移除了 门口的客人" in after, "信还没发出" in after) == (True, False)
    lunch.session.rollback()
    assert guest.state == "cancelled"


@pytest.mark.parametrize("act", ["cancel", "move"])
def test_who_gets_no_letter_is_named_and_not_counted(app: Flask, lunch: LunchHour, act: str) -> None:
    desk, path = Desk(app, lunch), f"slots/{lunch.slot_id}"
    lunch.resize(4, "Mon 11:00")
    desk.post(f"{path}/reserve", "Mon 11:00", name="王老师的客人")
    assert "没有邮箱、收不到信的，请当面告诉：王老师的客人" in desk.words(f"{path}/{act}", "Mon 11:05")
    zone = lunch.now().zone_id
    answer = desk.post(f"{path}/{act}", "Mon 11:05", reason="停电", starts="13:00", zone_id=zone, sure="y")
    assert "会通知 3 人" in said(answer)


def test_a_guest_with_just_a_name_takes_a_free_seat(app: Flask, lunch: LunchHour) -> None:
    lunch.check_in("周明", "12:00")
    lunch.tick("12:10")
    lunch.tick("12:15")
    answer = Desk(app, lunch).tap(f"slots/{lunch.slot_id}/walk-in", "12:16", name="  访客\u202e小李 ")
    assert answer.status_code == 200
    guest = lunch.session.scalars(select(Person).where(Person.name == "访客小李")).one()
    assert (guest.email, guest.password_hash) == (None, None)
    assert lunch.now().taken == 2


def test_when_it_is_full_the_guest_leaves_no_trace(app: Flask, lunch: LunchHour) -> None:
    before = lunch.session.scalar(select(func.count(Person.id)))
    answer = Desk(app, lunch).tap(f"slots/{lunch.slot_id}/walk-in", "12:00", name="访客")
    assert (answer.status_code, refusal(answer)) == (409, "full")
    assert "可以放到现场候补" in said(answer)
    lunch.session.rollback()
    assert lunch.session.scalar(select(func.count(Person.id))) == before


def test_somebody_who_was_never_here_is_found_by_the_whole_address_only(app: Flask, lunch: LunchHour) -> None:
    lunch.cancel("Mon 12:00")
    slot_id = lunch.slot("12:30", capacity=3)
    desk, stranger = Desk(app, lunch), lunch.people["吴桐"]
    assert "没有找到" in desk.words(f"slots/{slot_id}?q=吴", "12:20")
    found = desk.words(f"slots/{slot_id}?q=吴桐@example.com", "12:20")
    assert "吴* 没有来过本站" in found
    assert "吴桐" not in found
    assert "吴*" not in desk.words(f"slots/{slot_id}?q=吴桐@example.com", "12:10")
    assert desk.tap(f"slots/{slot_id}/walk-in", "12:20", person_id=stranger).status_code == 404
    assert desk.tap(f"slots/{slot_id}/walk-in", "12:20", person_id=stranger, q="吴桐@example.com").status_code == 200
    assert lunch.state("吴桐", slot_id) == "attended"


def test_a_late_arrival_gets_a_seat_back_while_one_is_left(app: Flask, lunch: LunchHour) -> None:
    lunch.tick("12:10")
    lunch.roll_call("12:12")
    lunch.tick("12:15")
    desk = Desk(app, lunch)
    assert "补到" in desk.words(f"slots/{lunch.slot_id}", "12:20")
    desk.tap(f"slots/{lunch.slot_id}/walk-in", "12:20", person_id=lunch.people["李静"])
    assert lunch.state("李静") == "attended"


def test_a_walk_in_who_was_taken_off_is_seated_again_with_one_tap(app: Flask, lunch: LunchHour) -> None:
    lunch.check_in("周明", "12:00")
    lunch.tick("12:10")
    lunch.tick("12:15")
    desk, path = Desk(app, lunch), f"slots/{lunch.slot_id}/walk-in"
    desk.tap(path, "12:16", name="访客小李")
    guest = lunch.session.scalars(select(Person).where(Person.name == "访客小李")).one()
    (booking,) = lunch.session.scalars(select(Booking).where(Booking.person_id == guest.id)).all()
    page = desk.tap(f"bookings/{booking.id}/undo", "12:17")
    assert f'data-taken-off="{booking.id}"' in page.text
    assert "刚撤销的入座 访客小李 重新入座" in said(page)
    again = desk.tap(path, "12:18", person_id=guest.id)
    assert (again.status_code, "data-taken-off" in again.text, lunch.now().taken) == (200, False, 2)


def test_a_poll_of_an_unchanged_roster_is_answered_with_nothing(app: Flask, lunch: LunchHour) -> None:
    desk, path = Desk(app, lunch), f"slots/{lunch.slot_id}"
    tag = desk.get(path, "12:00", headers=HTMX).headers["ETag"]
    assert desk.get(path, "12:01", headers=HTMX | {"If-None-Match": tag}).status_code == 304
    lunch.check_in("周明", "12:02")
    assert desk.get(path, "12:03", headers=HTMX | {"If-None-Match": tag}).status_code == 200


def test_cancelling_shows_who_is_told_what_before_it_happens(app: Flask, lunch: LunchHour) -> None:
    desk, path = Desk(app, lunch), f"slots/{lunch.slot_id}/cancel"
    page = desk.words(path)
    assert "2 人已预约，1 人候补，每人会收到一封信" in page
    assert "李静、周明、王磊" in page
    assert lunch.now().state != "cancelled"
    empty = desk.post(path, reason=" ")
    assert (empty.status_code, lunch.now().state != "cancelled") == (422, True)
    answer = desk.post(path, reason="老师生病了 <b>")
    assert "已取消，会通知 3 人" in said(answer)
    assert lunch.now().cancel_reason == "老师生病了 <b>"
    assert "老师生病了 &lt;b&gt;" in answer.text
    assert [lunch.letters(name)[-1] for name in ("周明", "李静", "王磊")] == ["slot_cancelled"] * 3
    assert lunch.strikes("周明") == []


def test_cancelling_after_the_release_names_those_who_lost_their_seat(app: Flask, lunch: LunchHour) -> None:
    lunch.roll_call("12:00")
    for clock in ("12:10", "12:15"):
        lunch.tick(clock)
    desk, path = Desk(app, lunch), f"slots/{lunch.slot_id}/cancel"
    assert "没有来、名额已释放的 2 人也会收到信，记的爽约免除：李静、周明" in desk.words(path, "12:20")
    assert "已取消，会通知 2 人" in said(desk.post(path, "12:20", reason="停电"))
    assert (lunch.strikes("周明"), lunch.strikes("李静")) == ([], [])


def test_cancelling_a_running_slot_says_that_it_is_for_good(app: Flask, lunch: LunchHour) -> None:
    desk, path = Desk(app, lunch), f"slots/{lunch.slot_id}/cancel"
    assert "没发出之前可以恢复" in desk.words(path, "12:09")
    assert "已经开始的场次取消后不能恢复" in desk.words(path, "12:10")
    lunch.check_in("周明", "12:11")
    page = desk.words(path, "12:12")
    assert "已签到 1 人，他们的到场会一起取消；已经开始的场次取消后不能恢复。" in page
    assert "可以恢复" not in page
    desk.post(path, "12:13", reason="停电")
    assert "恢复这一场" not in desk.words(f"slots/{lunch.slot_id}", "12:13")


def test_a_whole_slot_is_forgiven_with_a_reason(app: Flask, lunch: LunchHour) -> None:
    lunch.roll_call("12:00")
    for clock in ("12:10", "12:15"):
        lunch.tick(clock)
    desk, path = Desk(app, lunch), f"slots/{lunch.slot_id}/forgive"
    assert "会免除 2 人各一次爽约" in desk.words(path, "13:30")
    assert desk.post(path, "13:30", reason="").status_code == 422
    assert "免除了 2 次爽约" in said(desk.post(path, "13:31", reason="电梯停运"))
    assert (lunch.strikes("周明"), lunch.strikes("李静")) == ([], [])
    assert {line.actor_id for line in lunch.lines("forgiven")} == {lunch.manager_id}


def test_one_strike_is_forgiven_from_the_persons_page(app: Flask, lunch: LunchHour) -> None:
    lunch.roll_call("12:00")
    for clock in ("12:10", "12:15"):
        lunch.tick(clock)
    desk, person = Desk(app, lunch), lunch.people["周明"]
    page = desk.get(f"people/{person}", "13:30").text
    strike = page.partition("/strikes/")[2].partition("/")[0]
    wrong = desk.post(f"strikes/{strike}/forgive", "13:31", reason="长" * 201)
    assert (wrong.status_code, "最多 200 个字" in said(wrong)) == (422, True)
    assert "这次爽约免除了" in said(desk.post(f"strikes/{strike}/forgive", "13:31", reason="地铁故障"))
    assert (lunch.strikes("周明"), lunch.strikes("李静")) == ([], ["no_show"])


def test_the_history_of_a_slot_names_who_did_what(app: Flask, lunch: LunchHour) -> None:
    Desk(app, lunch).tap(f"bookings/{lunch.latest('周明').id}/check-in", "12:00")
    page = Desk(app, lunch).words(f"history?slot={lunch.slot_id}", "12:30")
    assert "12:00:00 周明 签到了 林经理" in page
    assert "李静 约上了 李静" in page


def test_a_roster_on_paper_has_everybody_and_no_navigation_in_print(app: Flask, lunch: LunchHour) -> None:
    page = Desk(app, lunch).words(f"slots/{lunch.slot_id}/print")
    assert all(name in page for name in ("周明", "李静", "候补 1", "王磊"))
    with transactions.transaction(lunch.session) as session:
        session.get_one(Person, lunch.manager_id).language = "en"
    assert "Here No. Name Company Signature" in Desk(app, lunch).words(f"slots/{lunch.slot_id}/print")


def test_markup_in_a_name_stays_text_on_every_page_about_it(app: Flask, lunch: LunchHour) -> None:
    person = lunch.session.get_one(Person, lunch.people["周明"])
    person.name, person.company = "<img src=x onerror=alert(1)>", '"><script>alert(1)</script>'
    lunch.session.commit()
    desk = Desk(app, lunch)
    for path in (f"slots/{lunch.slot_id}", f"slots/{lunch.slot_id}/print", "people", f"people/{person.id}", "history"):
        page = desk.get(path, "12:00").text
        assert "<img src=x" not in page, path
        assert "<script>alert" not in page, path
        assert "&lt;img src=x" in page, path


def test_everybody_on_the_slot_is_in_exactly_one_section(app: Flask, lunch: LunchHour) -> None:
    lunch.give_up("周明", "Mon 12:00")
    page = Desk(app, lunch).get(f"slots/{lunch.slot_id}", "12:00").text
    ids = lunch.session.scalars(select(Booking.person_id).where(Booking.slot_id == lunch.slot_id)).all()
    assert len(ids) == 3
    assert page.count("<b>周明</b>") == page.count("<b>李静</b>") == page.count("<b>王磊</b>") == 1


# One person, one row


def let_in_late(lunch: LunchHour) -> None:
    lunch.stand_by("王磊", "12:00")
    for clock in ("12:10", "12:15"):
        lunch.tick(clock)
    lunch.check_in("周明", "12:16")


def booked_again(lunch: LunchHour) -> None:
    lunch.give_up("王磊", "Mon 10:30")
    lunch.give_up("周明", "Mon 11:00")
    lunch.book("周明", "Mon 11:01")


def gave_up_late_and_came(lunch: LunchHour) -> None:
    lunch.give_up("王磊", "11:30")
    lunch.give_up("周明", "11:50")
    lunch.walk_in("周明", "12:16")


def waited_in_vain_and_walked_in(lunch: LunchHour) -> None:
    """周明 behind 王磊 on the waiting list, which has closed."""
    booked_again(lunch)
    lunch.give_up("周明", "Mon 11:02")
    lunch.book("陈晨", "Mon 11:03")
    lunch.book("周明", "Mon 11:04")
    lunch.tick("12:10")
    lunch.tick("12:15")
    lunch.walk_in("周明", "12:16")


def lost_and_on_standby(lunch: LunchHour) -> None:
    lunch.check_in("李静", "12:00")
    lunch.tick("12:10")
    lunch.tick("12:15")
    lunch.walk_in("陈晨", "12:16")
    lunch.stand_by("周明", "12:16")


@pytest.mark.parametrize(
    "story", [let_in_late, booked_again, gave_up_late_and_came, waited_in_vain_and_walked_in, lost_and_on_standby]
)
def test_one_person_is_one_row_of_roster_paper_sheet_and_lists(
    app: Flask, lunch: LunchHour, story: Callable[[LunchHour], None]
) -> None:
    story(lunch)
    desk, slot = Desk(app, lunch), f"slots/{lunch.slot_id}"
    assert desk.get(slot, "12:17").text.count("<b>周明</b>") == 1
    if lunch.state("周明") in ("booked", "attended", "waiting"):
        assert desk.get(f"{slot}/print", "12:17").text.count("<td>周明</td>") == 1
    for path in (f"{slot}/export?form=csv", "bookings/export?form=csv&from=2026-11-24&until=2026-11-24"):
        rows = [row for row in desk.get(path, "12:17").data.decode("utf-8-sig").splitlines() if "周明" in row]
        assert len(rows) == 1, path
    person = desk.get(f"people/{lunch.people['周明']}", "12:17").text
    assert person.count(f'/slots/{lunch.slot_id}"') == 1


def test_a_late_check_in_is_marked_and_can_be_undone(app: Flask, lunch: LunchHour) -> None:
    let_in_late(lunch)
    desk = Desk(app, lunch)
    assert "释放后到场" in desk.words(f"slots/{lunch.slot_id}", "12:17")
    answer = desk.post(f"bookings/{lunch.latest('周明').id}/undo", "12:17")
    assert "周明 的签到撤销了，名额照旧释放。" in words_of(answer.text)
    assert (lunch.state("周明"), lunch.strikes("周明")) == ("released", ["no_show"])
    answer = desk.post(f"bookings/{lunch.latest('周明').id}/undo", "12:18")
    assert "周明 没有签到，不用撤销。" in words_of(answer.text)


def test_a_late_tap_without_a_free_seat_says_so_and_offers_standby(app: Flask, lunch: LunchHour) -> None:
    let_in_late(lunch)
    lunch.walk_in("陈晨", "12:16")
    desk, mine = Desk(app, lunch), lunch.session.scalars(select(Booking).where(Booking.state == "released")).one()
    answer = desk.post(f"bookings/{mine.id}/check-in", "12:17")
    assert answer.status_code == 409
    assert "没有空位了，可以放到现场候补。" in words_of(answer.text)
    assert "人到了" in words_of(answer.text)


def test_one_booking_is_removed_with_a_reason_and_put_back(app: Flask, lunch: LunchHour) -> None:
    desk = Desk(app, lunch)
    lunch.give_up("王磊", "Mon 10:05")
    booking_id = lunch.latest("周明").id
    path = f"bookings/{booking_id}/remove"
    assert f'href="/manage/cbd/{path}"' in desk.get(f"slots/{lunch.slot_id}", "Mon 11:00").text
    assert "名额会空出来。 不记爽约，本人会收到一封信" in desk.words(path, "Mon 11:00")
    empty = desk.post(path, "Mon 11:00", reason=" ")
    assert (empty.status_code, 'id="reason-error"' in empty.text) == (422, True)
    page = desk.post(path, "Mon 11:00", reason="只面向本楼")
    assert "移除了 周明。" in said(page)
    assert "移除了 周明，信还没发出" in said(page)
    assert "周明 恢复了，没有收到信" in said(desk.post(f"bookings/{booking_id}/put-back", "Mon 11:00"))
    assert lunch.state("周明") == "booked"
    again = desk.post(f"bookings/{booking_id}/put-back", "Mon 11:00")
    assert (again.status_code, refusal(again)) == (409, "yours")


def test_before_check_in_a_known_person_is_added_and_a_guest_gets_a_seat(app: Flask, lunch: LunchHour) -> None:
    desk, path = Desk(app, lunch), f"slots/{lunch.slot_id}"
    assert "没有空位了。先加名额，或者移除一个预约" in desk.words(path, "Mon 11:00")
    full = desk.post(f"{path}/reserve", "Mon 11:00", name="访客")
    assert (full.status_code, refusal(full)) == (409, "no_free_seat")
    lunch.resize(6, "Mon 11:00")
    lunch.book("陈晨", "Mon 11:00")
    lunch.give_up("陈晨", "Mon 11:05")
    assert "陈晨" in desk.words(f"{path}?q=陈晨", "Mon 11:06")
    assert "给 陈晨 留了名额" in said(desk.post(f"{path}/reserve", "Mon 11:06", person_id=lunch.people["陈晨"]))
    assert "给 王老师的客人 留了名额" in said(desk.post(f"{path}/reserve", "Mon 11:06", name="王老师的客人"))
    assert "王老师的客人 驿站预留" in desk.words(path, "Mon 11:07")
    nameless = desk.post(f"{path}/reserve", "Mon 11:07", name=" ")
    assert (nameless.status_code, 'id="guest-error"' in nameless.text) == (422, True)


def test_a_stranger_is_not_found_by_address_before_check_in(app: Flask, lunch: LunchHour) -> None:
    desk = Desk(app, lunch)
    lunch.resize(5, "Mon 11:00")
    email = "刘洋@example.com"
    assert "没有找到" in desk.words(f"slots/{lunch.slot_id}?q={email}", "Mon 11:00")
    answer = desk.post(f"slots/{lunch.slot_id}/reserve", "Mon 11:00", person_id=lunch.people["刘洋"], q=email)
    assert (answer.status_code, lunch.now().taken) == (404, 3)
