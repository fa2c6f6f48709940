"""The admin's page after a restore: what is held, and the two ways to decide, in both languages."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.enqueue import enqueue
from booking.mail import held
from booking.model import Letter, Person
from tests.support.lunch_hour import at
from tests.support.network_cast import Network

NOW = at("Mon 10:30")
WORDS = {
    "zh_Hans_CN": ("恢复数据后扣住的邮件", "放行这些邮件", "全部丢弃", "2 封邮件在恢复数据后扣住了"),
    "en": ("Letters held after a restore", "Let these letters go", "Discard all", "2 letters have been held"),
}


@pytest.fixture
def network(session: Session) -> Network:
    network = Network(session)
    with transactions.transaction(session):
        for name in ("zhou", "li"):
            enqueue(session, "already_registered", NOW, to=f"{name}@example.com", language="en")
        held.hold(session, NOW)
    return network


@pytest.fixture
def admin(network: Network, app: Flask) -> FlaskClient:
    return network.browser(app, "何主任")


def speak(network: Network, language: str) -> None:
    with transactions.transaction(network.session):
        network.session.get_one(Person, network.ids["何主任"]).language = language


@pytest.mark.parametrize("language", WORDS)
def test_the_admin_sees_what_is_held_on_every_page(network: Network, admin: FlaskClient, language: str) -> None:
    speak(network, language)
    title, let_go, discard, banner = WORDS[language]
    page = admin.get("/admin/letters").text
    assert 'data-letters-held="2"' in page
    assert all(words in page for words in (title, let_go, discard))
    assert banner in admin.get("/admin/").text
    assert banner not in page


@pytest.mark.parametrize(
    ("act", "said", "state"), [("let-go", "2 封邮件马上发出。", "queued"), ("discard", "丢弃了 2 封邮件。", "dropped")]
)
def test_the_decision_is_done_and_said(network: Network, admin: FlaskClient, act: str, said: str, state: str) -> None:
    page = admin.post(f"/admin/letters/held/{act}", follow_redirects=True).text
    assert said in page
    assert "data-letters-held" not in page
    network.session.rollback()
    assert set(network.session.scalars(select(Letter.state))) == {state}
    assert held.count(network.session) == 0


@pytest.mark.parametrize("who", ["周明", "林经理", ""])
@pytest.mark.parametrize("act", ["let-go", "discard"])
def test_nobody_else_decides(network: Network, app: Flask, who: str, act: str) -> None:
    assert network.browser(app, who).post(f"/admin/letters/held/{act}").status_code in (302, 303, 404)
    assert held.count(network.session) == 2


def test_without_a_restore_there_is_nothing_to_decide(network: Network, admin: FlaskClient) -> None:
    held.discard(network.session, NOW)
    assert "data-letters-held" not in admin.get("/admin/letters").text
    assert "#held" not in admin.get("/admin/").text
