"""The pages of requests: the person's, the manager's, and what others get to see of them."""

import re

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.model import ServiceRequest, Station
from tests.support.desk_cast import Cast, Desk, said
from tests.support.lunch_hour import LunchHour, at

pytestmark = pytest.mark.sqlite


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


def the_request(lunch: LunchHour) -> ServiceRequest:
    lunch.session.rollback()
    return lunch.session.scalars(select(ServiceRequest)).one()


def test_from_the_question_to_the_rating(phone: Desk, desk: Desk, lunch: LunchHour) -> None:
    assert "/s/cbd/requests" in phone.get("s/cbd").text
    sent = phone.post("s/cbd/requests", kind="room", text="空调太冷了\n调高一点")
    assert "驿站收到了，11月24日周二下班前给你第一次答复。" in said(sent)
    assert "空调太冷了\n调高一点" in sent.text
    path = f"requests/{the_request(lunch).id}"
    assert "收集 1 件，办结 0 件，其中站内 0 件。" in desk.words("requests")
    assert "周明的诉求" in desk.words(path)
    desk.post(f"{path}/take-up", answer="在看空调")
    assert "驿站： 在看空调" in phone.words("s/cbd/requests")
    assert "有答复" in phone.words("me")
    desk.post(f"{path}/solve", answer="调到 25 度")
    assert "收集 1 件，办结 1 件，其中站内 1 件。" in desk.words("requests")
    half = phone.post(f"{path}/rate", solved="yes")
    assert (half.status_code, "这一项要填。" in half.text) == (422, True)
    assert re.search(r'name="solved" value="yes" checked', half.text)
    assert "谢谢，记下了。" in said(phone.post(f"{path}/rate", solved="yes", satisfied="no"))
    assert "你说：解决了，不满意。" in phone.words("s/cbd/requests")
    assert "对方说：解决了，不满意。" in desk.words(path)
    assert "空调" not in desk.words("history")


def test_passed_on_it_says_to_whom(phone: Desk, desk: Desk, lunch: LunchHour) -> None:
    phone.post("s/cbd/requests", kind="other", text="电梯太慢，打 13800138000 找老王")
    path = f"requests/{the_request(lunch).id}"
    wrong = desk.post(f"{path}/pass-on", passed_to="", their_no="WY-7", answer="转给了物业")
    assert (wrong.status_code, 'value="WY-7"' in wrong.text) == (422, True)
    desk.post(f"{path}/pass-on", passed_to="大厦物业", their_no="WY-7", answer="转给了物业")
    assert "转给了大厦物业 · 受理编号 WY-7" in phone.words("s/cbd/requests")
    table = desk.get("requests/export?form=csv").data.decode("utf-8-sig")
    assert [word in table for word in ("已转交", "大厦物业", "电梯", "周明")] == [True, True, False, False]


def test_what_is_wrong_is_said_and_kept(phone: Desk, lunch: LunchHour) -> None:
    empty = phone.post("s/cbd/requests", kind="activity", text="  ")
    assert (empty.status_code, 'id="text-error"' in empty.text) == (422, True)
    assert re.search(r'selected[^>]*value="activity"', empty.text)
    long = phone.post("s/cbd/requests", kind="room", text="长" * 10_000)
    assert (long.status_code, "长" * 501 in long.text) == (422, True)
    phone.post("s/cbd/requests", kind="room", text="<b>粗</b>")
    assert "&lt;b&gt;粗&lt;/b&gt;" in phone.get("s/cbd/requests").text
    for text in ("第二件", "第三件"):
        phone.post("s/cbd/requests", kind="room", text=text)
    fourth = phone.post("s/cbd/requests", kind="room", text="第四件")
    assert (fourth.status_code, "第四件" in fourth.text) == (422, True)
    assert "同时最多 3 件没办完的诉求。" in said(fourth)


def test_a_hint_where_a_mobile_number_was_written(phone: Desk) -> None:
    assert "里面有手机号" in said(phone.post("s/cbd/requests", kind="other", text="打 13800138000 找老王"))
    assert "里面有手机号" not in said(phone.post("s/cbd/requests", kind="other", text="订单号 138001380001"))


def test_a_closed_station_takes_none(phone: Desk, lunch: LunchHour) -> None:
    lunch.session.get_one(Station, lunch.station_id).closed_at = at("Mon 09:00")
    lunch.session.commit()
    page = phone.post("s/cbd/requests", kind="room", text="空调太冷了")
    assert (page.status_code, "这个驿站已经关闭" in said(page)) == (422, True)
    assert "<textarea" not in phone.get("s/cbd/requests").text


def test_nobody_else_gets_at_it(app: Flask, session: Session, phone: Desk, lunch: LunchHour) -> None:
    cast = Cast(lunch)
    phone.post("s/cbd/requests", kind="room", text="空调太冷了")
    request_id = the_request(lunch).id
    other = person(app, lunch, "李静")
    assert "空调" not in other.get("s/cbd/requests").text
    for act in ("withdraw", "rate"):
        assert other.post(f"requests/{request_id}/{act}", solved="yes", satisfied="yes").status_code == 404
    theirs = Desk(app, lunch, cast.other_manager_id, "west/")
    assert theirs.get(f"requests/{request_id}").status_code == 404
    for act in ("take-up", "pass-on", "solve"):
        assert theirs.post(f"requests/{request_id}/{act}", answer="是", passed_to="谁").status_code == 404
    assert the_request(lunch).state == "received"
