"""Somebody whom mail does not reach sees why on their pages, and ends it with a code."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from booking.people import suppression
from tests.support.network_cast import MONDAY, Network

ZHOU = "zhou@example.com"
NOW = MONDAY + timedelta(minutes=1)
WHY = {
    ("hard", "zh-CN"): "对方说没有这个邮箱",
    ("hard", "en"): "there is no such mailbox",
    ("soft", "zh-CN"): "好几天都被退回来了",
    ("soft", "en"): "has come back on several days",
}


@pytest.fixture
def network(session: Session) -> Network:
    return Network(session)


def stop(network: Network, who: str, kind: str = "hard") -> None:
    suppression.suppress(network.session, network.ids[who], kind, "550 5.1.1 no such user", MONDAY)


def speak(client: FlaskClient, language: str) -> None:
    client.post("/account/language", data={"language": {"en": "en"}.get(language, "zh_Hans_CN"), "next": "/"})


@pytest.mark.parametrize(("kind", "language"), WHY)
@time_machine.travel(NOW, tick=False)
def test_the_pages_say_why_and_what_to_do(network: Network, app: Flask, kind: str, language: str) -> None:
    phone = network.browser(app, "周明")
    speak(phone, language)
    for path in ("/me", "/account/"):
        assert "data-mail-stopped" not in phone.get(path).text
    stop(network, "周明", kind)
    for path in ("/me", "/account/"):
        page = phone.get(path).text
        assert f'data-mail-stopped="{kind}"' in page
        assert WHY[(kind, language)] in page
        assert ZHOU in page


@pytest.mark.parametrize(("who", "path"), [("林经理", "/manage/cbd/"), ("何主任", "/admin/jobs")])
@time_machine.travel(NOW, tick=False)
def test_staff_see_it_on_their_own_pages(network: Network, app: Flask, who: str, path: str) -> None:
    stop(network, who)
    assert 'data-mail-stopped="hard"' in network.browser(app, who).get(path).text


@time_machine.travel(NOW, tick=False)
def test_a_code_ends_it(network: Network, app: Flask) -> None:
    phone = network.browser(app, "周明")
    stop(network, "周明")
    form = phone.post("/account/address/again", follow_redirects=True)
    assert ZHOU in form.text
    wrong = phone.post("/account/address/prove", data={"code": "000000"})
    assert (wrong.status_code, "验证码不对" in wrong.text) == (422, True)
    assert "data-mail-stopped" in phone.get("/me").text
    done = phone.post("/account/address/prove", data={"code": network.code(ZHOU)}, follow_redirects=True)
    assert "邮件恢复发送" in done.text
    assert "data-mail-stopped" not in done.text


def test_the_page_that_says_a_code_was_mailed_is_for_who_asked_for_one(network: Network, app: Flask) -> None:
    phone = network.browser(app, "周明")
    assert phone.get("/account/address/prove").location == "/account/"
    assert network.letters(ZHOU) == []


@time_machine.travel(NOW, tick=False)
def test_too_many_codes_are_refused_with_a_sentence(network: Network, app: Flask) -> None:
    phone = network.browser(app, "周明")
    for _ in range(5):
        phone.post("/account/address/again")
    assert 'class="notice no"' in phone.post("/account/address/again", follow_redirects=True).text
    assert len(network.letters(ZHOU)) == 5


@pytest.mark.parametrize(
    "path", ["/account/address", "/account/address/again", "/account/address/prove", "/account/address/finish"]
)
def test_who_is_not_signed_in_is_asked_to(network: Network, app: Flask, path: str) -> None:
    answer = network.browser(app).post(path, data={"code": "000000"})
    assert "/account/sign-in" in answer.headers["Location"]


@time_machine.travel(NOW, tick=False)
def test_the_status_page_counts(network: Network, app: Flask) -> None:
    admin, manager = network.browser(app, "何主任"), network.browser(app, "林经理")
    assert "data-bounces" not in admin.get("/admin/jobs").text
    stop(network, "周明")
    assert "邮件送不到 1 个人" in admin.get("/admin/jobs").text
    assert "data-bounces" not in manager.get("/manage/cbd/running").text
