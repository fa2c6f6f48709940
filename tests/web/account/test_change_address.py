"""Changing one's e-mail address: confirmed by the password and a code from the new one, and it tells of nobody's account."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import invariants
from booking.mail import bounces
from booking.model import Event
from booking.people import suppression
from tests.support.network_cast import MONDAY, PASSWORD, Network
from tests.support.reports import report, sent_letter

OLD, NEW, TAKEN = "zhou@example.com", "new@example.com", "li@example.com"
NOW = MONDAY + timedelta(minutes=1)


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def network(session: Session) -> Network:
    return Network(session)


@pytest.fixture
def phone(network: Network, app: Flask) -> FlaskClient:
    return network.browser(app, "周明")


def ask(phone: FlaskClient, email: str = NEW, password: str = PASSWORD) -> tuple[int, str]:
    answer = phone.post("/account/address", data={"email": email, "password": password})
    return answer.status_code, answer.text


def finish(phone: FlaskClient, code: str) -> tuple[int, str]:
    answer = phone.post("/account/address/finish", data={"code": code}, follow_redirects=True)
    return answer.status_code, answer.text


def test_a_code_from_the_new_address_changes_it(network: Network, app: Flask, phone: FlaskClient) -> None:
    other = network.browser(app, "周明")
    suppression.suppress(network.session, network.ids["周明"], "hard", "", MONDAY)
    older = sent_letter(network.session, MONDAY, person_id=network.ids["周明"])
    assert ask(phone)[0] == 303
    assert network.person("周明").email == OLD
    status, page = finish(phone, network.code(NEW))
    assert (status, "邮箱换好了" in page, "data-mail-stopped" in page) == (200, True, False)
    assert network.person("周明").email == NEW
    assert other.get("/account/").status_code == 303
    assert bounces.receive(network.session, report("postfix", older, OLD), NOW) is bounces.BounceOutcome.KNOWN
    assert network.session.scalars(select(Event.kind).where(Event.kind == "address_changed")).all() == [
        "address_changed"
    ]
    assert invariants.breaches(network.session, NOW) == []
    signed_in = app.test_client().post("/account/sign-in", data={"email": NEW, "password": PASSWORD})
    assert signed_in.status_code == 303


def test_the_letter_says_what_the_code_is_for(network: Network, phone: FlaskClient) -> None:
    ask(phone)
    assert network.letters(NEW)[-1].details["purpose"] == "address"


WRONG = [
    (NEW, "not my password", "密码不对"),
    (OLD, PASSWORD, "这就是你现在的邮箱"),
    ("no address", PASSWORD, "邮箱"),
    (NEW, "", "请填写密码"),
]


@pytest.mark.parametrize(("email", "password", "words"), WRONG)
def test_what_is_wrong_is_said_and_no_code_is_mailed(
    network: Network, phone: FlaskClient, email: str, password: str, words: str
) -> None:
    status, page = ask(phone, email, password)
    assert (status, words in page) == (422, True)
    assert f'value="{email}"' in page
    assert network.letters(NEW) == network.letters(OLD) == []


def test_a_taken_address_gets_no_code_and_the_answer_is_the_same(network: Network, phone: FlaskClient) -> None:
    assert ask(phone, TAKEN) == ask(phone, NEW)
    ask(phone, TAKEN)
    assert [letter.kind for letter in network.letters(TAKEN)] == ["already_registered"] * 2
    assert finish(phone, "000000")[0] == 422
    assert network.person("周明").email == OLD


def test_that_a_taken_address_gets_no_code_is_said_whatever_it_is(network: Network, phone: FlaskClient) -> None:
    for email in (TAKEN, NEW):
        ask(phone, email)
        assert "这个邮箱已经有账号的话，信里没有验证码" in phone.get("/account/address/finish").text
    phone.post("/account/address/again")
    assert "信里没有验证码" not in phone.get("/account/address/prove").text


def test_the_code_counts_only_in_the_browser_that_asked(network: Network, app: Flask, phone: FlaskClient) -> None:
    ask(phone)
    other = network.browser(app, "李静")
    ask(other, "another@example.com")
    assert finish(other, network.code(NEW))[0] == 422
    assert (network.person("周明").email, network.person("李静").email) == (OLD, TAKEN)


def test_an_address_that_was_taken_meanwhile_is_refused(network: Network, phone: FlaskClient) -> None:
    ask(phone)
    network.person("李静").email = NEW
    network.session.commit()
    status, page = finish(phone, network.code(NEW))
    assert (status, "这个邮箱已经有账号了" in page) == (422, True)
    assert network.person("周明").email == OLD


def test_who_asked_for_nothing_is_sent_to_ask(network: Network, phone: FlaskClient) -> None:
    assert phone.get("/account/address/finish").headers["Location"].endswith("/account/address")
