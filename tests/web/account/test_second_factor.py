"""Two-step verification as a browser without JavaScript sees it: set up, signing in, recovery codes, required of staff."""

import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking import clock, people
from booking.db import transactions
from booking.model import Event, Letter, Person
from booking.people import totp
from tests.support.network_cast import MONDAY, PASSWORD, PHONE, Network

pytestmark = pytest.mark.sqlite

LIN, PAGE, STEP = "lin@example.com", "/account/second-factor", "/account/sign-in/second-step"
SENTENCE = re.compile(r'class="error" id="(\w+)-error">.*?<span>([^<]+)</span>', re.DOTALL)
WRONG = "不对，或者已经用过。请等验证器换一组新的数字再输；恢复码每个只能用一次。"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def moving() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def network(session: Session, moving: time_machine.Traveller) -> Network:
    return Network(session)


@pytest.fixture
def lin(network: Network, app: Flask) -> FlaskClient:
    """林经理's browser, signed in just now."""
    return network.browser(app, "林经理")


def said(answer: TestResponse) -> dict[str, str]:
    return dict(SENTENCE.findall(answer.text))


def shown_secret(client: FlaskClient) -> str:
    """The secret of the set-up page."""
    found = re.search(r'id="secret"[^>]* value="([A-Z2-7]{32})"', client.get(PAGE).text)
    assert found
    return found[1]


def set_up(client: FlaskClient, **form: str) -> tuple[str, list[str]]:
    """Turn it on; returns the app's secret and the recovery codes."""
    secret = shown_secret(client)
    answer = client.post(PAGE, data={"code": totp.code(secret, clock.now())} | form, follow_redirects=True)
    codes = re.findall(r"<code>([\d-]{23})</code>", answer.text)
    assert len(codes) == 10
    return secret, codes


def sign_in(client: FlaskClient, **form: str) -> TestResponse:
    return client.post("/account/sign-in", data={"email": LIN, "password": PASSWORD} | form)


def is_signed_in(client: FlaskClient) -> bool:
    return client.get("/account/").status_code == 200


def test_the_set_up_page_shows_one_secret_as_picture_text_and_link(lin: FlaskClient) -> None:
    page, secret = lin.get(PAGE).text, shown_secret(lin)
    link = urlsplit(re.findall(r'href="(otpauth:[^"]+)"', page)[0].replace("&amp;", "&"))
    assert (link.netloc, unquote(link.path)) == ("totp", f"/午间驿小时:{LIN}")
    assert parse_qs(link.query) == {"secret": [secret], "issuer": ["午间驿小时"]}
    assert "<svg" in page.partition('class="qr"')[2]
    assert shown_secret(lin) == secret, "a reload keeps it"


def test_recovery_codes_are_shown_once(lin: FlaskClient) -> None:
    set_up(lin)
    answer = lin.get("/account/second-factor/recovery-codes")
    assert answer.location == PAGE
    assert "还有 10 个没用过的恢复码。" in lin.get(PAGE).text
    assert "已开启" in lin.get("/account/").text


def test_the_file_of_recovery_codes_has_all_of_them(lin: FlaskClient, network: Network) -> None:
    secret = shown_secret(lin)
    page = lin.post(PAGE, data={"code": totp.code(secret, MONDAY)}, follow_redirects=True).text
    codes = re.findall(r"<code>([\d-]{23})</code>", page)
    found = re.search(r'download="recovery-codes.txt" href="data:text/plain;charset=utf-8,([^"]+)"', page)
    assert found
    assert unquote(found[1]).splitlines() == [f"午间驿小时 {LIN}", *codes]


def test_wechat_is_offered_nothing_that_it_cannot_open(lin: FlaskClient) -> None:
    wechat = {"User-Agent": PHONE}
    assert "otpauth:" not in lin.get(PAGE, headers=wechat).text
    secret = shown_secret(lin)
    page = lin.post(PAGE, data={"code": totp.code(secret, MONDAY)}, headers=wechat, follow_redirects=True).text
    assert "data:text" not in page


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "请填写验证器显示的 6 位数字。"),
        ("12345", "验证码是 6 位数字。"),
        ("old", "数字不对。请看看手机的时间准不准，再输入现在显示的数字。"),
    ],
)
def test_a_wrong_code_sets_nothing_up(lin: FlaskClient, typed: str, sentence: str) -> None:
    secret = shown_secret(lin)
    code = totp.code(secret, MONDAY - 5 * MINUTE) if typed == "old" else typed
    answer = lin.post(PAGE, data={"code": code})
    assert (answer.status_code, said(answer)) == (422, {"code": sentence})
    assert f'value="{code}"' in answer.text
    assert shown_secret(lin) == secret


def test_a_code_of_a_secret_that_this_browser_was_not_shown_sets_nothing_up(
    lin: FlaskClient, network: Network, app: Flask
) -> None:
    secret = shown_secret(network.browser(app, "吴经理"))
    for other in (secret, totp.secret(app.config["SECRET_KEY"], "")):
        assert lin.post(PAGE, data={"code": totp.code(other, MONDAY)}).status_code == 422


def test_who_signed_in_long_ago_is_asked_for_the_password(lin: FlaskClient, moving: time_machine.Traveller) -> None:
    assert 'type="password"' not in lin.get(PAGE).text
    moving.move_to(MONDAY + 20 * MINUTE)
    code = totp.code(shown_secret(lin), clock.now())
    assert said(lin.post(PAGE, data={"code": code})) == {"password": "请填写密码。"}
    assert said(lin.post(PAGE, data={"code": code, "password": "wrong one"})) == {"password": "密码不对。"}
    set_up(lin, password=PASSWORD)


def test_other_sign_ins_end_and_this_one_stays(network: Network, app: Flask, lin: FlaskClient) -> None:
    other = network.browser(app, "林经理")
    set_up(lin)
    assert (is_signed_in(lin), is_signed_in(other)) == (True, False)


# Signing in


@pytest.fixture
def secret(lin: FlaskClient, moving: time_machine.Traveller) -> str:
    """The app's secret of 林经理, who turned it on a minute ago."""
    secret, _codes = set_up(lin)
    moving.move_to(MONDAY + MINUTE)
    return secret


def test_the_second_step_leads_where_the_person_wanted_to_go(client: FlaskClient, secret: str) -> None:
    answer = sign_in(client, next="/manage/cbd/slots?from=2026-11-23")
    assert (answer.status_code, answer.location) == (303, STEP)
    page = client.get(STEP).text
    assert re.search(r'<input[^>]*autocomplete="one-time-code"[^>]*inputmode="numeric"', page)
    answer = client.post(STEP, data={"code": totp.code(secret, clock.now())})
    assert (answer.status_code, answer.location) == (303, "/manage/cbd/slots?from=2026-11-23")
    assert is_signed_in(client)


def test_between_the_steps_no_page_opens(client: FlaskClient, secret: str) -> None:
    sign_in(client)
    for path in ("/account/", "/me", "/manage/cbd/", "/account/export", PAGE):
        assert "/account/sign-in?" in client.get(path).headers["Location"], path
    assert client.post("/account/sign-ins/end-others").location.startswith("/account/sign-in")
    assert client.post("/account/password", data={"old": PASSWORD, "password": "a fine noon"}).status_code == 303
    assert not is_signed_in(client)


@pytest.mark.parametrize("shape", ["{0}", " {0} ", "{0:.3} {1}", "{2}", "验证码：{0}"])
def test_a_code_may_be_typed_as_phones_type_it(client: FlaskClient, secret: str, shape: str) -> None:
    code = totp.code(secret, clock.now())
    wide = code.translate({ord("0") + n: ord("０") + n for n in range(10)})
    sign_in(client)
    assert client.post(STEP, data={"code": shape.format(code, code[3:], wide)}).status_code == 303
    assert is_signed_in(client)


def test_a_wrong_code_is_said_and_may_be_corrected(client: FlaskClient, secret: str) -> None:
    sign_in(client)
    old = totp.code(secret, MONDAY - 5 * MINUTE)
    answer = client.post(STEP, data={"code": old})
    assert (answer.status_code, said(answer)) == (422, {"code": WRONG})
    assert f'value="{old}"' in answer.text
    assert client.post(STEP, data={"code": totp.code(secret, clock.now())}).status_code == 303


def test_too_many_wrong_codes_are_told_with_the_time(client: FlaskClient, secret: str) -> None:
    sign_in(client)
    for _ in range(5):
        client.post(STEP, data={"code": totp.code(secret, MONDAY - 5 * MINUTE)})
    answer = client.post(STEP, data={"code": totp.code(secret, clock.now())})
    assert (answer.status_code, said(answer)) == (422, {"code": "试错的次数太多了，今天 09:16 之后再试。"})


def test_after_ten_minutes_the_first_step_is_asked_for_again(
    client: FlaskClient, secret: str, moving: time_machine.Traveller
) -> None:
    sign_in(client, next="/me?day=2026-11-24")
    moving.shift(10 * MINUTE + timedelta(seconds=1))
    answer = client.post(STEP, data={"code": totp.code(secret, clock.now())})
    assert answer.location == "/account/sign-in?next=/me?day%3D2026-11-24"
    assert "超过 10 分钟没有输入，请重新登录。" in client.get(answer.location).text
    assert client.get(STEP).location == "/account/sign-in"
    assert not is_signed_in(client)


def test_a_kept_cookie_of_the_first_step_and_a_used_code_open_nothing(
    app: Flask, client: FlaskClient, secret: str
) -> None:
    sign_in(client)
    cookie = client.get_cookie("lunch")
    assert cookie
    code = totp.code(secret, clock.now())
    assert client.post(STEP, data={"code": code}).status_code == 303
    thief = app.test_client()
    thief.set_cookie("lunch", cookie.value)
    assert said(thief.post(STEP, data={"code": code})) == {"code": WRONG}


def test_a_recovery_code_takes_the_place_of_the_app(client: FlaskClient, lin: FlaskClient) -> None:
    _secret, codes = set_up(lin)
    sign_in(client, next="/me")
    answer = client.post(STEP, data={"code": codes[0]})
    assert answer.location == "/me"
    assert "用掉了一个恢复码，还剩 9 个。" in client.get("/me").text


def test_a_code_by_mail_and_a_forgotten_password_lead_to_the_second_step(
    network: Network, app: Flask, secret: str
) -> None:
    for ask, finish in (("sign-in/code", "sign-in/finish"), ("forgotten", "forgotten/finish")):
        client = app.test_client()
        client.post(f"/account/{ask}", data={"email": LIN})
        form = {"code": network.code(LIN), "password": "noon-at-the-park"}
        assert client.post(f"/account/{finish}", data=form).location == STEP
        assert not is_signed_in(client)


def test_new_recovery_codes_and_turning_it_off_need_a_code(lin: FlaskClient, secret: str) -> None:
    for path in ("recovery-codes", "off"):
        answer = lin.post(f"{PAGE}/{path}", data={"code": totp.code(secret, MONDAY)})
        assert (answer.status_code, said(answer)) == (422, {"code": WRONG})
    new = lin.post(f"{PAGE}/recovery-codes", data={"code": totp.code(secret, clock.now())}, follow_redirects=True)
    assert len(re.findall(r"<code>[\d-]{23}</code>", new.text)) == 10
    later = clock.now() + MINUTE
    with time_machine.travel(later, tick=False):
        answer = lin.post(f"{PAGE}/off", data={"code": totp.code(secret, later)}, follow_redirects=True)
    assert "两步验证已经关闭。" in answer.text
    assert "开启两步验证" in answer.text


def test_a_worker_is_not_offered_it(network: Network, app: Flask) -> None:
    zhou = network.browser(app, "周明")
    assert PAGE not in zhou.get("/account/").text
    assert zhou.get(PAGE).status_code == 404


def test_a_dismissed_manager_can_turn_it_off(network: Network, lin: FlaskClient, secret: str) -> None:
    with transactions.transaction(network.session) as rows:
        people.dismiss(rows, network.ids["林经理"], network.stations["cbd"], MONDAY)
    assert PAGE in lin.get("/account/").text
    lin.post(f"{PAGE}/off", data={"code": totp.code(secret, clock.now())})
    assert lin.get(PAGE).status_code == 404


# Required by an admin


@pytest.fixture
def he(network: Network, app: Flask) -> FlaskClient:
    """何主任's browser: the admin, with two-step verification."""
    he = network.browser(app, "何主任")
    set_up(he)
    return he


def require(he: FlaskClient, of: str, since: str = "2026-11-23") -> TestResponse:
    return he.post("/admin/second-factor", data={"required_of": of, "since": since})


def test_an_admin_without_it_cannot_require_it(network: Network, app: Flask) -> None:
    answer = require(network.browser(app, "何主任"), "staff")
    assert (answer.status_code, said(answer)) == (422, {"required_of": "先给自己开启两步验证，才能要求别人。"})


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"required_of": "everybody", "since": "2026-11-23"}, "required_of"),
        ({"required_of": "staff", "since": ""}, "since"),
        ({"required_of": "staff", "since": "next year"}, "since"),
    ],
)
def test_a_requirement_that_cannot_be_is_said_at_its_field(he: FlaskClient, form: dict[str, str], field: str) -> None:
    answer = he.post("/admin/second-factor", data=form)
    assert answer.status_code == 422
    assert field in said(answer)
    assert not re.search("Not a valid", answer.text)


def managers_pages(app: Flask) -> set[str]:
    """Every page of managers and admins whose address needs no more than a station."""
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith(("/manage/", "/admin/"))]
    fit = [rule for rule in rules if "GET" in (rule.methods or ()) and rule.arguments <= {"code"}]
    return {rule.rule.replace("<code>", "cbd") for rule in fit}


def test_who_must_have_it_is_led_to_the_set_up_before_every_page(
    network: Network, app: Flask, he: FlaskClient, lin: FlaskClient
) -> None:
    assert require(he, "staff").status_code == 303
    with transactions.transaction(network.session) as rows:
        rows.get_one(Person, network.ids["周明"]).is_admin = True
    other_admin = network.browser(app, "周明")
    pages = managers_pages(app)
    assert len(pages) > 20
    for client, theirs in ((lin, [one for one in pages if "/admin/" not in one]), (other_admin, pages)):
        for path in theirs:
            answer = client.get(path)
            assert answer.status_code == 303, path
            assert answer.location.startswith(f"{PAGE}?next="), path
    assert lin.post("/manage/cbd/taps").location.startswith(PAGE)
    assert lin.get("/admin/").status_code == 404
    for path in ("/me", "/account/", "/s/cbd"):
        assert lin.get(path).status_code == 200, path
    assert {path: he.get(path).status_code for path in ("/admin/", "/manage/cbd/")} == {
        "/admin/": 200,
        "/manage/cbd/": 200,
    }


def test_after_the_set_up_they_go_on_to_the_page_they_wanted(he: FlaskClient, lin: FlaskClient) -> None:
    require(he, "staff")
    leads = lin.get("/manage/cbd/slots?from=2026-11-23").location
    page = lin.get(leads).text
    assert "管理页面要求两步验证" in page
    assert 'name="next" value="/manage/cbd/slots?from=2026-11-23"' in page
    code = totp.code(shown_secret(lin), clock.now())
    answer = lin.post(PAGE, data={"code": code, "next": "/manage/cbd/slots?from=2026-11-23"}, follow_redirects=True)
    assert 'href="/manage/cbd/slots?from=2026-11-23"' in answer.text
    assert lin.get("/manage/cbd/slots?from=2026-11-23").status_code == 200


def test_signing_in_leads_to_the_set_up_and_past_it_to_a_workers_page(
    he: FlaskClient, network: Network, client: FlaskClient
) -> None:
    require(he, "staff")
    answer = sign_in(client, next="/me?day=2026-11-24")
    assert answer.location == f"{PAGE}?next=/me?day%3D2026-11-24"
    assert 'href="/me?day=2026-11-24">以后再说，继续' in client.get(answer.location).text
    assert "以后再说" not in client.get(f"{PAGE}?next=/manage/cbd/").text
    worker = client.application.test_client()
    assert sign_in(worker, email="zhou@example.com", next="/me").location == "/me"


def test_until_the_day_it_is_only_announced(
    he: FlaskClient, lin: FlaskClient, network: Network, app: Flask, moving: time_machine.Traveller
) -> None:
    require(he, "staff", "2026-11-24")
    assert lin.get("/manage/cbd/").status_code == 200
    assert "起，管理页面要求两步验证" in lin.get(PAGE).text
    mailed = select(Letter.details).where(Letter.person_id == network.ids["林经理"])
    assert [details["what"] for details in network.session.scalars(mailed)] == ["required"]
    moving.move_to(MONDAY + timedelta(hours=15))
    assert network.browser(app, "林经理").get("/manage/cbd/").location.startswith(PAGE)


@pytest.mark.parametrize("evil", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_next_leads_nowhere_else(lin: FlaskClient, evil: str) -> None:
    assert 'name="next" value="//' not in lin.get(PAGE, query_string={"next": evil}).text
    code = totp.code(shown_secret(lin), clock.now())
    assert lin.post(PAGE, data={"code": code, "next": evil}).location == f"{PAGE}/recovery-codes"


def test_an_admin_resets_the_one_of_a_manager(network: Network, he: FlaskClient, lin: FlaskClient, secret: str) -> None:
    person = f"/admin/people/{network.ids['林经理']}"
    assert "重置两步验证" in he.get(person).text
    answer = he.post(f"{person}/second-factor/reset", follow_redirects=True)
    assert "两步验证已重置" in answer.text
    assert not is_signed_in(lin)
    assert he.post(f"{person}/second-factor/reset", follow_redirects=True).text.count("两步验证已经关闭了。") == 1
    own = f"/admin/people/{network.ids['何主任']}"
    assert "重置两步验证" not in he.get(own).text
    assert "自己的两步验证" in he.post(f"{own}/second-factor/reset", follow_redirects=True).text
    network.session.rollback()
    assert (
        network.session.scalar(select(Event.actor_id).where(Event.kind == "second_factor_reset"))
        == network.ids["何主任"]
    )


def test_who_has_none_yet_is_listed_for_the_admin(he: FlaskClient) -> None:
    page = he.get("/admin/second-factor").text
    assert "管理员共 3 位，1 位已经开启。" in page
    assert [name for name in ("林经理", "吴经理", "周明") if name in page] == ["林经理", "吴经理"]
