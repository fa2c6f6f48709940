"""Security log of failed sign-ins and refusals of permission: ids, and nothing that was typed."""

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from booking.people import totp
from booking.web.security import security_log
from tests.support.network_cast import MONDAY, PASSWORD, Network

pytestmark = pytest.mark.sqlite
FORGED = "zhou@example.com\r\nWARNING not allowed: forged"


@pytest.fixture
def network(session: Session) -> Network:
    return Network(session)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """The lines of the log, in the order in which they were written."""
    heard: list[str] = []

    class Hear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            assert record.levelno >= logging.WARNING
            heard.append(record.getMessage())

    listener = Hear()
    security_log.log.addHandler(listener)
    yield heard
    security_log.log.removeHandler(listener)


@pytest.mark.parametrize("email", ["zhou@example.com", "nobody@example.com", FORGED])
def test_a_wrong_password_is_one_line_of_ids(
    network: Network, client: FlaskClient, lines: list[str], email: str
) -> None:
    client.post("/account/sign-in", data={"email": email, "password": "wrong\r\npassword"})
    who = network.ids["周明"] if email == "zhou@example.com" else "-"
    assert lines == [f"sign-in failed: how=password reason=wrong person={who}"]


def test_a_try_too_many_says_so(network: Network, client: FlaskClient, lines: list[str]) -> None:
    with time_machine.travel(MONDAY, tick=False):
        for _try in range(6):
            client.post("/account/sign-in", data={"email": "zhou@example.com", "password": "wrong password"})
    assert lines[-1] == f"sign-in failed: how=password reason=too_many_tries person={network.ids['周明']}"
    assert len(lines) == 6


def test_a_wrong_second_step_is_one_line_of_ids_too(network: Network, app: Flask, lines: list[str]) -> None:
    with time_machine.travel(MONDAY, tick=False):
        lin, who = network.browser(app, "林经理"), network.ids["林经理"]
        page = lin.get("/account/second-factor").text
        secret = page.partition('id="secret"')[2].partition('value="')[2].partition('"')[0]
        code = totp.code(secret, MONDAY)
        lin.post("/account/second-factor", data={"code": code})
        lin.post("/account/sign-out")
        lin.post("/account/sign-in", data={"email": "lin@example.com", "password": PASSWORD})
        lin.post("/account/sign-in/second-step", data={"code": code})
        lin.post("/account/sign-in/second-step", data={"code": "not a code"})
        lin.post("/account/sign-in/second-step", data={"code": "12345-67890-12345-67890"})
    assert lines == [f"sign-in failed: how=second_factor reason=wrong person={who}"] * 2


def test_a_successful_sign_in_is_not_logged(network: Network, client: FlaskClient, lines: list[str]) -> None:
    client.post("/account/sign-in", data={"email": "zhou@example.com", "password": PASSWORD})
    assert lines == []


CODES = [
    ("/account/sign-in/code", "/account/sign-in/finish", "code", "zhou@example.com"),
    ("/account/forgotten", "/account/forgotten/finish", "reset", "zhou@example.com"),
    ("/account/register", "/account/register/finish", "registering", "new@example.com"),
]


@pytest.mark.parametrize(("ask", "finish", "how", "email"), CODES)
def test_a_wrong_code_is_one_line_of_ids(
    network: Network, client: FlaskClient, lines: list[str], ask: str, finish: str, how: str, email: str
) -> None:
    client.post(ask, data={"email": email})
    wrong = f"{(int(network.code(email)) + 1) % 10**6:06d}"
    client.post(finish, data={"code": wrong, "password": "noon-at-the-station", "name": "周明", "agree": "y"})
    who = "-" if how == "registering" else network.ids["周明"]
    assert lines == [f"sign-in failed: how={how} reason=wrong person={who}"]


@pytest.mark.parametrize(
    ("name", "path", "line"),
    [
        ("周明", "/manage/cbd/", "endpoint=manager.today person={周明} station={cbd}"),
        ("林经理", "/manage/west/", "endpoint=manager.today person={林经理} station={west}"),
        ("林经理", "/admin/", "endpoint=admin.all_stations person={林经理}"),
        ("林经理", "/manage/cbd/people/{周明}", "endpoint=manager.regular person={林经理} station={cbd} wanted={周明}"),
        ("", "/door/cbd", "endpoint=kiosk.screen person=- station={cbd}"),
    ],
)
def test_what_somebody_has_no_right_to_is_one_line(
    network: Network, app: Flask, lines: list[str], name: str, path: str, line: str
) -> None:
    ids = network.ids | network.stations
    answer = network.browser(app, name).get(path.format_map(ids))
    assert answer.status_code in (403, 404)
    assert lines == [f"not allowed: {line.format_map(ids)}"]


@pytest.mark.parametrize("path", ["/manage/nowhere%0d%0aWARNING/", "/nowhere", "/bookings/9/calendar.ics"])
def test_what_is_not_there_is_no_line(network: Network, app: Flask, lines: list[str], path: str) -> None:
    assert network.browser(app, "周明").get(path).status_code == 404
    assert lines == []


def test_an_idle_manager_is_told_so_and_comes_back(network: Network, app: Flask, client: FlaskClient) -> None:
    with time_machine.travel(MONDAY, tick=False):
        browser = network.browser(app, "林经理")
        assert browser.get("/manage/cbd/slots").status_code == 200
    with time_machine.travel(MONDAY + timedelta(hours=13), tick=False):
        away = browser.get("/manage/cbd/slots")
        page = browser.get(away.location)
        assert "12 小时没有操作，已经自动退出" in page.text
        form = {"email": "lin@example.com", "password": "wrong password", "next": "/manage/cbd/slots"}
        assert "12 小时没有操作" in browser.post("/account/sign-in", data=form).text
        back = browser.post("/account/sign-in", data=form | {"password": PASSWORD})
        assert back.location == "/manage/cbd/slots"
        assert "12 小时" not in client.get("/account/sign-in").text


HTMX = {"HX-Request": "true"}


@pytest.mark.parametrize(("headers", "status"), [({}, 200), (HTMX, 303)])
def test_polling_keeps_no_manager_signed_in(network: Network, app: Flask, headers: dict[str, str], status: int) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        browser = network.browser(app, "林经理")
        for _hour in range(11):
            clock.shift(timedelta(hours=1))
            browser.get("/account/", headers=headers)
        clock.shift(timedelta(hours=2))
        assert browser.get("/account/").status_code == status
