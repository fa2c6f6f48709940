"""Following an activity from its slot's page: before and after signing in, stopping, and what a digest's link does."""

import re

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking import people
from booking.db import transactions
from booking.mail import links, subscriptions
from booking.model import Activity, Follow, Person, Slot
from booking.people import following, suppression
from tests.support.lunch_hour import LunchHour, at
from tests.support.worker_cast import Phone, sign_in, words_of

pytestmark = pytest.mark.sqlite
NOW = "Mon 09:30"


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    return LunchHour(session)


@pytest.fixture
def zhou(app: Flask, lunch: LunchHour) -> Phone:
    return Phone(app, lunch, "周明")


def page(phone: Phone) -> str:
    return words_of(phone.get(f"/slots/{phone.lunch.slot_id}", NOW).text)


def press(phone: Phone, act: str = "follow", next_page: str = "") -> str:
    activity_id = phone.lunch.now().activity_id
    back = next_page or f"/slots/{phone.lunch.slot_id}"
    return words_of(phone.post(f"/activities/{activity_id}/{act}", NOW, data={"next": back}).text)


def follows(lunch: LunchHour) -> list[int]:
    lunch.session.rollback()
    return list(lunch.session.scalars(select(Follow.person_id)))


def test_one_tap_follows_and_one_tap_stops(lunch: LunchHour, zhou: Phone) -> None:
    assert "关注这个活动" in page(zhou)
    assert "已关注：排出新的场次" in press(zhou)
    assert "已关注，点此取消" in page(zhou)
    assert "不再关注了。" in press(zhou, "unfollow")
    assert "关注这个活动" in page(zhou)
    assert follows(lunch) == []


def test_who_signs_in_first_follows_it_right_after_that(app: Flask, lunch: LunchHour) -> None:
    stranger, path = Phone(app, lunch), f"/slots/{lunch.slot_id}"
    assert "关注这个活动" in page(stranger)
    activity_id = lunch.now().activity_id
    asked = stranger.post(f"/activities/{activity_id}/follow", NOW, follow=False, data={"next": path})
    assert (asked.status_code, follows(lunch)) == (303, [])
    back = re.fullmatch(r"/account/sign-in\?next=(.+)", asked.headers["Location"])
    assert back
    zhou = Phone(app, lunch, "周明")
    zhou.get(f"/account/sign-in?next={back[1]}", NOW, follow_redirects=True)
    assert follows(lunch) == [], "the address is of no use in another browser"
    sign_in(stranger.client, lunch, "周明", NOW)
    done = stranger.get(f"/account/sign-in?next={back[1]}", NOW, follow_redirects=True)
    assert done.request.path == path
    assert "已关注，点此取消" in words_of(done.text)
    assert follows(lunch) == [lunch.people["周明"]]


def test_an_address_that_no_press_made_follows_nothing(lunch: LunchHour, zhou: Phone) -> None:
    zhou.get(f"/activities/{lunch.now().activity_id}/follow?asked=x&next=//evil.example", NOW)
    assert follows(lunch) == []


def test_too_many_are_refused_in_words(lunch: LunchHour, zhou: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "MOST", 0)
    assert "最多关注 0 个活动，你已经关注满了。先取消一个，再关注这个。" in press(zhou)


def test_an_archived_activity_is_not_offered_but_can_be_left(lunch: LunchHour, zhou: Phone) -> None:
    press(zhou)
    with transactions.transaction(lunch.session) as session:
        session.execute(update(Activity).values(retired_at=at("Mon 09:00")))
    assert "已关注，点此取消" in page(zhou)
    assert "关注这个活动" not in press(zhou, "unfollow")


def test_the_account_page_lists_them_with_their_next_slot_and_one_tap_to_stop(lunch: LunchHour, zhou: Phone) -> None:
    assert "你关注的活动" not in zhou.get("/account/", NOW).text
    press(zhou)
    account = zhou.get("/account/", NOW).text
    assert "你关注的活动" in account
    assert f'<a href="/slots/{lunch.slot_id}">白领瑜伽课堂</a>' in account
    with transactions.transaction(lunch.session) as session:
        session.execute(update(Slot).values(state="cancelled"))
    assert "还没有排出新的场次" in zhou.get("/account/", NOW).text
    assert "不再关注了。" in press(zhou, "unfollow", "/account/#follows")


@pytest.mark.parametrize("why", ["digest", "mail"])
def test_whom_no_digest_reaches_reads_how_to_mend_it(lunch: LunchHour, zhou: Phone, why: str) -> None:
    press(zhou)
    me = lunch.people["周明"]
    assert "data-unreached" not in zhou.get(f"/slots/{lunch.slot_id}", NOW).text
    if why == "digest":
        subscriptions.want(lunch.session, me, "worker_digest", at("Mon 09:00"), wanted=False)
    else:
        with transactions.transaction(lunch.session) as session:
            session.get_one(Person, me).email = "zhou@example.com"
            suppression.suppress(session, me, "soft", "550", at("Mon 09:00"))
    for path in (f"/slots/{lunch.slot_id}", "/account/"):
        assert f'data-unreached="{why}"' in zhou.get(path, NOW).text


def test_the_link_of_a_digest_only_asks_and_its_button_stops(app: Flask, lunch: LunchHour) -> None:
    me, activity_id = lunch.people["周明"], lunch.now().activity_id
    people.follow(lunch.session, me, activity_id, at("Mon 09:00"))
    with app.app_context():
        path = links.unfollow(me, activity_id).removeprefix("http://localhost")
    mail_program = app.test_client(use_cookies=False)
    assert "不再关注“白领瑜伽课堂”" in mail_program.get(path).text
    assert follows(lunch) == [me]
    for _ in range(2):
        assert "好的，它的新场次不再写进你的日报。" in mail_program.post(path).text
        assert follows(lunch) == []
    assert "好的，继续关注。" in mail_program.post(path.replace("/unfollow/", "/follow/")).text
    assert follows(lunch) == [me]
    assert mail_program.post(path[:-2]).status_code == 404


def test_the_switch_of_the_reminder_is_off_until_it_is_set(lunch: LunchHour, zhou: Phone) -> None:
    me = lunch.session.get_one(Person, lunch.people["周明"])
    assert me.wants_reminder is False
    form = {"name": "周明", "phone": "", "company": "", "language": "zh_Hans_CN", "wants_reminder": "y"}
    assert "已保存。" in zhou.post("/account/", NOW, data=form).text
    lunch.session.rollback()
    assert me.wants_reminder is True
