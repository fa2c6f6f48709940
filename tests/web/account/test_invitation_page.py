"""The page behind an invitation's link: who reads it decides what it asks; opening it changes nothing."""

import html
import re

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking import people
from booking.db import transactions
from booking.model import Consent, Event, ManagerInvitation, Manages, Person
from tests.support.network_cast import MONDAY, Network

pytestmark = pytest.mark.sqlite
NEW, FORM = "new@example.com", {"name": "赵敏", "password": "wu-bei-zi-4711", "agree": "y"}


@pytest.fixture
def network(session: Session) -> Network:
    return Network(session)


@pytest.fixture
def admin(network: Network, app: Flask) -> FlaskClient:
    return network.browser(app, "何主任")


def invite(admin: FlaskClient, email: str = NEW) -> TestResponse:
    return admin.post("/admin/stations/cbd/managers", data={"email": email}, follow_redirects=True)


def link(network: Network, email: str = NEW) -> str:
    return f"/account/invitation/{network.letters(email)[-1].details['token']}"


def text(answer: TestResponse) -> str:
    return html.unescape(answer.text)


def managers(network: Network) -> set[str | None]:
    network.session.rollback()
    at = Manages.station_id == network.stations["cbd"]
    return set(network.session.scalars(select(Person.email).join(Manages, Manages.person_id == Person.id).where(at)))


def test_an_invited_address_registers_and_lands_at_the_station(
    network: Network, app: Flask, admin: FlaskClient
) -> None:
    said = text(invite(admin))
    assert "邀请发出了，14 天内有效。" in said
    assert NEW in said
    new, path = app.test_client(), link(network)
    for _scanned in range(3):
        page = new.get(path)
        assert page.status_code == 200
        assert "注册并接受邀请" in page.text
    assert managers(network) == {"lin@example.com"}
    answer = new.post(path, data=FORM)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/manage/cbd/")
    assert "欢迎！你现在管理白领驿站。" in text(new.get("/manage/cbd/"))
    assert managers(network) == {"lin@example.com", NEW}
    assert network.session.scalars(select(Consent.version)).all() == [people.PRIVACY_VERSION]
    again = new.get(path)
    assert (again.status_code, "这个邀请已经接受过了" in again.text) == (410, True)
    assert (
        NEW not in re.sub("(?s)<details.*?</details>", "", text(admin.get("/admin/stations/cbd"))).partition("邀请")[2]
    )


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        (FORM | {"name": ""}, "请填写称呼。"),
        (FORM | {"agree": ""}, "要注册，请先同意隐私说明。"),
        (FORM | {"password": "12345678"}, "这个密码太容易猜到了，换一个长一点的。"),
        (FORM | {"name": "加微信 www.x.com"}, "这里不能写网址、邮箱或一长串号码。"),
    ],
)
def test_a_wrong_field_is_told_and_uses_nothing_up(
    network: Network, app: Flask, admin: FlaskClient, form: dict[str, str], sentence: str
) -> None:
    invite(admin)
    answer = app.test_client().post(link(network), data=form)
    assert (answer.status_code, sentence in answer.text) == (422, True)
    assert f'value="{form["name"]}"' in answer.text
    assert "注册并接受邀请" in app.test_client().get(link(network)).text


def test_who_has_an_account_by_now_signs_in_and_accepts(network: Network, app: Flask, admin: FlaskClient) -> None:
    invite(admin)
    path = link(network)
    with transactions.transaction(network.session) as session:
        network.ids["赵敏"] = people.create(session, NEW, "赵敏", MONDAY).id
    stranger = app.test_client()
    page = stranger.get(path)
    assert f'href="/account/sign-in?next={path}"' in page.text
    assert stranger.post(path, data=FORM).status_code == 200
    assert managers(network) == {"lin@example.com"}
    owner = network.browser(app, "赵敏")
    assert "接受邀请" in owner.get(path).text
    assert owner.post(path).headers["Location"] == "/manage/cbd/"
    assert managers(network) == {"lin@example.com", NEW}
    assert owner.get("/manage/cbd/").status_code == 200


def test_who_is_signed_in_with_another_address_is_told_both(network: Network, app: Flask, admin: FlaskClient) -> None:
    invite(admin)
    zhou = network.browser(app, "周明")
    for answer in (zhou.get(link(network)), zhou.post(link(network), data=FORM)):
        assert answer.status_code == 200
        assert f"邀请发给了 {NEW}，你现在登录的是 zhou@example.com。" in text(answer)
        assert 'data-refusal="invitation_address"' in answer.text
    assert managers(network) == {"lin@example.com"}


OVER = {
    "withdraw": (410, "这个邀请已经撤回了。"),
    "resend": (404, "这个邀请链接不对，或者已经换成新的。"),
    "expire": (410, "这个邀请已经过期了。"),
}


@pytest.mark.parametrize("how", OVER)
def test_a_link_that_is_over_says_why(network: Network, app: Flask, admin: FlaskClient, how: str) -> None:
    invite(admin)
    path = link(network)
    number = network.session.scalars(select(ManagerInvitation.id)).one()
    if how == "expire":
        with transactions.transaction(network.session) as session:
            session.execute(update(ManagerInvitation).values(expires_at=MONDAY - 1000 * people.INVITATION_LASTS))
        assert "邀请已过期" in admin.get("/admin/stations/cbd").text
    else:
        assert admin.post(f"/admin/stations/cbd/invitations/{number}/{how}").status_code == 303
    for answer in (app.test_client().get(path), app.test_client().post(path, data=FORM)):
        assert (answer.status_code, OVER[how][1] in answer.text) == (OVER[how][0], True)
    assert managers(network) == {"lin@example.com"}


def test_an_account_is_appointed_at_once_and_its_invitation_is_told_in_the_history(
    network: Network, app: Flask, admin: FlaskClient
) -> None:
    assert "已任命 李静。" in text(invite(admin, "li@example.com"))
    assert network.letters("li@example.com") == []
    invite(admin)
    app.test_client().post(link(network), data=FORM)
    words = text(admin.get("/manage/cbd/history"))
    assert "发邮件邀请了管理员" in words
    assert "接受了管理员邀请" in words
    assert NEW not in words
    details = network.session.scalars(
        select(Event.details).where(Event.kind.in_(("manager_invited", "invitation_accepted")))
    )
    assert all(set(one) == {"invitation"} for one in details)


def test_a_third_letter_a_day_to_one_address_is_the_last(network: Network, admin: FlaskClient) -> None:
    with time_machine.travel(MONDAY, tick=False):
        admin = network.browser(admin.application, "何主任")
        for _ in range(3):
            assert "邀请发出了" in invite(admin).text
        assert "今天的邀请发得太多了" in invite(admin).text
    assert len(network.letters(NEW)) == 3
    assert network.session.scalars(select(ManagerInvitation.email)).all() == [NEW]
