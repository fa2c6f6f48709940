"""The pages of wishes: the station's, the manager's, and what nobody gets to see of them."""

import re

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.model import ActivityWish, Slot, Station
from tests.support.desk_cast import Cast, Desk, said
from tests.support.lunch_hour import NAMES, LunchHour, at

pytestmark = pytest.mark.sqlite
MAKE = {"text": "想学陶艺", "kind": "crafts", "weekday": "2"}


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    return LunchHour(session)


@pytest.fixture
def desk(app: Flask, lunch: LunchHour) -> Desk:
    return Desk(app, lunch)


@pytest.fixture
def phone(app: Flask, lunch: LunchHour) -> Desk:
    """周明's, on the station's page; paths are those of the whole site."""
    return person(app, lunch, "周明")


def person(app: Flask, lunch: LunchHour, who: str) -> Desk:
    theirs = Desk(app, lunch, lunch.people[who])
    theirs.root = "/"
    return theirs


def the_wish(lunch: LunchHour) -> ActivityWish:
    lunch.session.rollback()
    return lunch.session.scalars(select(ActivityWish).order_by(ActivityWish.id.desc())).first() or ActivityWish()


def test_from_the_wish_to_the_slot(app: Flask, phone: Desk, desk: Desk, lunch: LunchHour) -> None:
    assert 'href="/s/cbd/wishes"' in phone.get("s/cbd").text
    assert "心愿提好了。" in said(phone.post("s/cbd/wishes", **MAKE))
    path = f"wishes/{the_wish(lunch).id}"
    other = person(app, lunch, "李静")
    assert "已经有一样的心愿了，也算上了你。" in said(
        other.post("s/cbd/wishes", text=" 想学 陶艺", kind="art", weekday="any")
    )
    third = person(app, lunch, "王磊")
    for _ in range(2):
        page = third.post(f"s/cbd/{path}/want")
    assert ('data-people="3"' in page.text, "3 人想要 · 手工 · 周二" in said(page)) == (True, True)
    assert "想学陶艺" in desk.words("wishes")
    desk.post(f"{path}/plan", answer="四月开")
    assert "驿站： 四月开" in phone.words("s/cbd/wishes")
    assert "已开" in said(desk.post(f"{path}/hold", slot_id=lunch.slot_id))
    for page_of in (phone, third):
        assert f'href="/slots/{lunch.slot_id}"' in page_of.get("s/cbd/wishes").text
        assert "想学陶艺" in page_of.words("me")
    table = desk.get("wishes/export?form=csv").data.decode("utf-8-sig")
    assert [word in table for word in ("想学陶艺", "手工", "周二", ",3,", "已开")] == [True] * 5
    assert desk.get("wishes/export").mimetype.endswith("sheet")


def test_nobody_sees_who_wished(app: Flask, phone: Desk, desk: Desk, lunch: LunchHour) -> None:
    phone.post("s/cbd/wishes", **MAKE)
    one = the_wish(lunch).id
    person(app, lunch, "李静").post(f"s/cbd/wishes/{one}/want")
    pages = ("wishes", f"wishes/{one}", "wishes/export?form=csv", "history")
    shown = "".join(desk.get(page).data.decode("utf-8-sig") for page in pages)
    shown += app.test_client().get("/s/cbd/wishes").text
    assert not [name for name in NAMES if name in shown]


def test_without_an_account_one_reads_and_is_led_to_sign_in_and_back(app: Flask, phone: Desk, lunch: LunchHour) -> None:
    phone.post("s/cbd/wishes", **MAKE)
    stranger = app.test_client()
    page = stranger.get("/s/cbd/wishes")
    assert ("想学陶艺" in page.text, "<form" in page.text.split("<main")[1].split("</main")[0]) == (True, False)
    for path in ("", f"/{the_wish(lunch).id}/want", f"/{the_wish(lunch).id}/take-back"):
        answer = stranger.post(f"/s/cbd/wishes{path}", data=MAKE)
        assert answer.headers["Location"] == "/account/sign-in?next=%2Fs%2Fcbd%2Fwishes"
    assert stranger.get(answer.headers["Location"]).status_code == 200


def test_pressed_again_it_is_taken_back(app: Flask, phone: Desk, lunch: LunchHour) -> None:
    phone.post("s/cbd/wishes", **MAKE)
    path, other = f"s/cbd/wishes/{the_wish(lunch).id}", person(app, lunch, "李静")
    other.post(f"{path}/want")
    assert "不算你了。" in said(other.post(f"{path}/take-back"))
    assert "心愿收回了。" in said(phone.post(f"{path}/take-back"))
    assert "这个心愿已经有结果了" in said(other.post(f"{path}/want"))
    assert "想学陶艺" not in other.get("s/cbd/wishes").text


def test_what_is_wrong_is_said_and_kept(phone: Desk) -> None:
    empty = phone.post("s/cbd/wishes", text="  ", kind="tea", weekday="4")
    assert (empty.status_code, 'id="text-error"' in empty.text) == (422, True)
    assert re.search(r'selected[^>]*value="tea"', empty.text)
    assert re.search(r'selected[^>]*value="4"', empty.text)
    long = phone.post("s/cbd/wishes", **MAKE | {"text": "长" * 10_000})
    assert (long.status_code, "最多 30 个字。" in said(long), "长" * 31 in long.text) == (422, True, True)
    for wrong in ({"kind": "magic"}, {"weekday": "8"}, {"text": "加我 13800138000"}):
        assert phone.post("s/cbd/wishes", **MAKE | wrong).status_code == 422
    assert "&lt;b&gt;粗&lt;/b&gt;" in phone.post("s/cbd/wishes", **MAKE | {"text": "<b>粗</b>"}).text
    for text in ("第二个", "第三个"):
        phone.post("s/cbd/wishes", **MAKE | {"text": text})
    fourth = phone.post("s/cbd/wishes", **MAKE | {"text": "第四个"})
    assert (fourth.status_code, "第四个" in fourth.text) == (422, True)
    assert "同时最多 3 个没有结果的心愿" in said(fourth)


def test_a_closed_station_takes_none(phone: Desk, lunch: LunchHour) -> None:
    phone.post("s/cbd/wishes", **MAKE)
    lunch.session.get_one(Station, lunch.station_id).closed_at = at("Mon 09:00")
    lunch.session.commit()
    page = phone.post("s/cbd/wishes", **MAKE)
    assert (page.status_code, "这个驿站已经关闭" in said(page)) == (422, True)
    assert "这个驿站已经关闭" in said(phone.post(f"s/cbd/wishes/{the_wish(lunch).id}/want"))
    main = phone.get("s/cbd/wishes").text.split("<main")[1].split("</main")[0]
    assert ("想学陶艺" in main, "<form" in main) == (True, False)


def test_what_a_manager_gets_wrong_is_said(phone: Desk, desk: Desk, lunch: LunchHour) -> None:
    cast = Cast(lunch)
    phone.post("s/cbd/wishes", **MAKE)
    one = the_wish(lunch).id
    wrong = desk.post(f"wishes/{one}/hold", slot_id=cast.other_slot_id, answer="来吧")
    assert (wrong.status_code, "请从列表里选一项。" in said(wrong), "来吧" in wrong.text) == (422, True, True)
    assert desk.post(f"wishes/{one}/decline", answer=" ").status_code == 422
    for into in (one, 10**9, "x"):
        assert desk.post(f"wishes/{one}/merge", into_id=into).status_code == 422
    phone.post("s/cbd/wishes", **MAKE | {"text": "陶艺课"})
    other = the_wish(lunch).id
    assert "合并了" in said(desk.post(f"wishes/{one}/merge", into_id=other))
    assert desk.post(f"wishes/{other}/merge", into_id=one).status_code == 422
    assert "这个心愿已经有结果了" in said(desk.post(f"wishes/{one}/plan", answer=""))
    assert "移除了" in said(desk.post(f"wishes/{other}/remove", answer="写了人名"))
    assert ("陶艺课" in desk.words("wishes"), "写了人名" in phone.words("me")) == (False, True)


def test_another_stations_ids_are_not_found(app: Flask, phone: Desk, lunch: LunchHour) -> None:
    cast = Cast(lunch)
    phone.post("s/cbd/wishes", **MAKE)
    one = the_wish(lunch).id
    theirs = Desk(app, lunch, cast.other_manager_id, "west/")
    assert theirs.get(f"wishes/{one}").status_code == 404
    for act in ("plan", "hold", "decline", "merge", "remove"):
        assert theirs.post(f"wishes/{one}/{act}", answer="是", slot_id=1, into_id=1).status_code == 404
    for act in ("want", "take-back"):
        assert phone.post(f"s/west/wishes/{one}/{act}").status_code == 404
    assert phone.post("s/cbd/wishes/999999/want").status_code == 404
    assert the_wish(lunch).state == "open"


def test_a_cancelled_slot_cannot_be_chosen(phone: Desk, desk: Desk, lunch: LunchHour) -> None:
    phone.post("s/cbd/wishes", **MAKE)
    lunch.session.get_one(Slot, lunch.slot_id).state = "cancelled"
    lunch.session.commit()
    assert desk.post(f"wishes/{the_wish(lunch).id}/hold", slot_id=lunch.slot_id).status_code == 422
