"""Accounts without a password: every page that confirms by a password takes a mailed code instead."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from booking import clock, people
from booking.db import transactions
from booking.model import Person
from booking.people import totp
from tests.support.network_cast import MONDAY, PASSWORD, Network

ZHOU, NEW, OTHER = "zhou@example.com", "new@example.com", "su.wan@example.com"
WRONG = "验证码不对，或者已经过期。收到几封的话，用最新的一封。"
SENTENCE = re.compile(r'class="error" id="(\w+)-error">.*?<span>([^<]+)</span>', re.DOTALL)

pytestmark = pytest.mark.sqlite


@pytest.fixture
def moving() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def network(session: Session, moving: time_machine.Traveller) -> Network:
    """周明 and 林经理 have no password."""
    network = Network(session)
    with transactions.transaction(session):
        for name in ("周明", "林经理"):
            session.get_one(Person, network.ids[name]).password_hash = None
    return network


@pytest.fixture
def zhou(network: Network, app: Flask) -> FlaskClient:
    return network.browser(app, "周明")


def asked_and_told(network: Network, client: FlaskClient, page: str, email: str = ZHOU) -> str:
    """The code that this page's button mails; the page comes back and says where it is."""
    shown = client.get(page).text
    assert 'name="mailed_code"' in shown
    assert 'autocomplete="current-password"' not in shown
    back = client.post("/account/confirm", data={"next": page}, follow_redirects=True)
    assert back.request.path == page
    assert f"邮件已经发到 {email}" in back.text
    return network.code(email)


def test_registering_needs_an_address_and_a_code_alone(network: Network, client: FlaskClient) -> None:
    client.post("/account/register", data={"email": NEW})
    page = client.get("/account/register/finish").text
    assert "密码（可以不填）" in page
    assert f"{client.application.config['MAIL_FOLDER']} 里最新的 .eml 文件" in page
    (field,) = re.findall(r'<input[^>]*name="code"[^>]*>', page)
    assert 'inputmode="numeric"' in field
    assert 'autocomplete="one-time-code"' in field
    form = {"code": network.code(NEW), "name": "苏晚", "agree": "y"}
    assert client.post("/account/register/finish", data=form).status_code == 303
    client.post("/account/sign-out")
    for password in ("", "None", PASSWORD):
        assert client.post("/account/sign-in", data={"email": NEW, "password": password}).status_code == 422
    client.post("/account/sign-in/code", data={"email": NEW})
    client.post("/account/sign-in/finish", data={"code": network.code(NEW)})
    assert "设密码" in client.get("/account/").text


@pytest.mark.parametrize("settings", [{"MAIL_HOST": "mail.example.com"}, {"PRODUCTION": True}])
def test_where_the_letters_of_the_demo_are_is_said_of_the_demo_only(
    network: Network, app: Flask, settings: dict[str, Any]
) -> None:
    client = app.test_client()
    client.post("/account/register", data={"email": NEW})
    app.config.update(settings)
    assert ".eml" not in client.get("/account/register/finish").text


def test_a_first_password_is_set_with_a_code(network: Network, app: Flask, zhou: FlaskClient) -> None:
    code = asked_and_told(network, zhou, "/account/password")
    wrong = zhou.post("/account/password", data={"password": "noon-at-the-station", "mailed_code": "000000"})
    assert dict(SENTENCE.findall(wrong.text)) == {"mailed_code": WRONG}
    zhou.post("/account/password", data={"password": "noon-at-the-station", "mailed_code": code})
    form = {"email": ZHOU, "password": "noon-at-the-station"}
    assert app.test_client().post("/account/sign-in", data=form).status_code == 303
    assert 'name="old"' in zhou.get("/account/password").text


def test_the_address_is_changed_with_two_codes(network: Network, zhou: FlaskClient) -> None:
    code = asked_and_told(network, zhou, "/account/address")
    assert zhou.post("/account/address", data={"email": OTHER, "mailed_code": "000000"}).status_code == 422
    zhou.post("/account/address", data={"email": OTHER, "mailed_code": code})
    zhou.post("/account/address/finish", data={"code": network.code(OTHER)})
    assert network.person("周明").email == OTHER


def test_the_account_is_deleted_with_a_code(network: Network, zhou: FlaskClient) -> None:
    code = asked_and_told(network, zhou, "/account/delete")
    for wrong in ({}, {"mailed_code": "000000"}, {"password": PASSWORD}, {"password": ""}):
        assert zhou.post("/account/delete", data=wrong).status_code == 422
    assert network.person("周明").deleted_at is None
    assert zhou.post("/account/delete", data={"mailed_code": code}).location == "/"
    assert network.person("周明").deleted_at is not None


def test_a_code_takes_no_passwords_place(network: Network, app: Flask) -> None:
    """李静 has a password: with a stolen session and the mailbox alone nothing is confirmed here."""
    li = network.browser(app, "李静")
    li.post("/account/confirm", data={"next": "/account/delete"})
    form = {"mailed_code": network.code("li@example.com")}
    assert li.post("/account/delete", data=form).status_code == 422
    tried = people.attempt_by_code(
        network.session, network.ids["李静"], form["mailed_code"], "any", "10.0.0.1", clock.now()
    )
    assert tried is None


def test_a_forgotten_one_may_never_have_been_there(network: Network, client: FlaskClient) -> None:
    client.post("/account/forgotten", data={"email": ZHOU})
    form = {"code": network.code(ZHOU), "password": "noon-at-the-station"}
    assert client.post("/account/forgotten/finish", data=form).status_code == 303
    assert network.person("周明").password_hash is not None


def test_a_second_factor_is_set_up_after_a_code(network: Network, app: Flask, moving: time_machine.Traveller) -> None:
    lin, page = network.browser(app, "林经理"), "/account/second-factor"
    assert 'name="mailed_code"' not in lin.get(page).text  # signed in just now
    moving.shift(timedelta(hours=1))
    code = asked_and_told(network, lin, page, "lin@example.com")
    found = re.search(r'id="secret"[^>]* value="([A-Z2-7]{32})"', lin.get(page).text)
    assert found
    form = {"code": totp.code(found[1], clock.now())}
    assert lin.post(page, data=form).status_code == 422
    wrong = lin.post(page, data={"code": f"{(int(form['code']) + 1) % 10**6:06d}", "mailed_code": code})
    assert list(dict(SENTENCE.findall(wrong.text))) == ["code"]  # and the mailed code is not used up
    assert lin.post(page, data=form | {"mailed_code": code}).status_code == 303
    network.session.rollback()
    assert people.second_factor_of(network.session, network.ids["林经理"])
