"""Account pages as a browser without JavaScript sees them: every form, right and wrong, and attempts at deceit."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking import people
from booking.db import transactions
from booking.model import Code, Event, Person, SignIn
from tests.support.cookies import carry
from tests.support.lunch_hour import LunchHour, at
from tests.support.network_cast import MONDAY, PASSWORD, PHONE, Network
from tests.support.worker_cast import Phone

NEW, ZHOU = "new@example.com", "zhou@example.com"
TOO_KNOWN = "这个密码大半是你的邮箱、称呼或驿站的名字，太容易猜到了，换一个。"
SENTENCE = re.compile(r'class="error" id="(\w+)-error">.*?<span>([^<]+)</span>', re.DOTALL)


@pytest.fixture
def network(session: Session) -> Network:
    return Network(session)


@pytest.fixture
def zhou(network: Network, app: Flask) -> FlaskClient:
    """周明's phone, signed in."""
    return network.browser(app, "周明")


def said(answer: TestResponse) -> dict[str, str]:
    """The sentence at each field with an error."""
    return dict(SENTENCE.findall(answer.text))


def bare(answer: TestResponse, email: str) -> str:
    """A page without what differs each time: the address, the instant, the token."""
    return re.sub(r'data-now="[^"]*"|name="csrf_token" value="[^"]*"', "", answer.text.replace(email, "…"))


def sign_in(client: FlaskClient, email: str = ZHOU, password: str = PASSWORD, **form: str) -> TestResponse:
    return client.post("/account/sign-in", data={"email": email, "password": password} | form)


def is_signed_in(client: FlaskClient) -> bool:
    return client.get("/account/").status_code == 200


def count(network: Network, table: type[Any]) -> int:
    network.session.rollback()
    return network.session.scalar(select(func.count()).select_from(table)) or 0


# Signing in and out


def test_the_right_password_signs_in_and_leads_back(network: Network, client: FlaskClient) -> None:
    answer = sign_in(client, next="/me?day=2026-11-24")
    assert (answer.status_code, answer.location) == (303, "/me?day=2026-11-24")
    assert "周明" in client.get("/account/").text


@pytest.mark.parametrize("email", [ZHOU, "nobody@example.com", "not an address", "'; DROP TABLE person; --"])
def test_every_wrong_sign_in_gets_the_same_answer(network: Network, client: FlaskClient, email: str) -> None:
    answer = sign_in(client, email, "wrong password")
    assert (answer.status_code, said(answer)) == (422, {"password": "邮箱或密码不对。"})
    assert "wrong password" not in answer.text
    assert not is_signed_in(client)


@pytest.mark.parametrize("email", [ZHOU, "nobody@example.com"])
def test_too_many_failures_are_told_with_the_time(network: Network, client: FlaskClient, email: str) -> None:
    with time_machine.travel(MONDAY, tick=False):
        for _try in range(5):
            sign_in(client, email, "wrong password")
        answer = sign_in(client, email)
    assert (answer.status_code, said(answer)) == (422, {"password": "试错的次数太多了，今天 09:15 之后再试。"})


def test_what_was_typed_stays_but_never_a_password(network: Network, client: FlaskClient) -> None:
    answer = sign_in(client, "zhou@<b>example</b>", "hunter2-hunter2")
    assert "zhou@&lt;b&gt;example&lt;/b&gt;" in answer.text
    assert "hunter2" not in answer.text


def test_each_sign_in_gets_a_session_of_its_own(network: Network, client: FlaskClient) -> None:
    with client.session_transaction() as planted:
        planted["planted"] = "by somebody else"
    sign_in(client)
    with client.session_transaction() as kept:
        assert "planted" not in kept


def test_sign_out_ends_it_on_the_server_too(network: Network, app: Flask, zhou: FlaskClient) -> None:
    with zhou.session_transaction() as kept:
        token = kept["_user_id"]
    assert zhou.post("/account/sign-out").location == "/"
    thief = app.test_client()
    with thief.session_transaction() as stolen:
        stolen["_user_id"] = token
    assert not is_signed_in(thief)


def test_signing_out_is_no_link(zhou: FlaskClient) -> None:
    assert zhou.get("/account/sign-out").status_code == 405
    assert is_signed_in(zhou)


def test_who_is_signed_in_is_led_on(zhou: FlaskClient) -> None:
    assert zhou.get("/account/sign-in?next=/me").location == "/me"


def test_a_code_by_mail_signs_in_without_a_password(network: Network, client: FlaskClient) -> None:
    answer = client.post("/account/sign-in/code", data={"email": ZHOU, "password": "", "next": "/me"})
    assert answer.location == "/account/sign-in/finish"
    assert ZHOU in client.get(answer.location).text
    answer = client.post("/account/sign-in/finish", data={"code": f" {network.code(ZHOU)} "})
    assert (answer.status_code, answer.location) == (303, "/me")
    assert is_signed_in(client)


def test_asking_for_a_code_tells_nobody_who_has_an_account(network: Network, app: Flask) -> None:
    pages = []
    for email in (ZHOU, "nobody@example.com"):
        client = app.test_client()
        asked = client.post("/account/sign-in/code", data={"email": email})
        wrong = client.post("/account/sign-in/finish", data={"code": "000000"})
        pages.append((asked.status_code, asked.location, wrong.status_code, bare(wrong, email)))
    assert pages[0] == pages[1]


NEXT = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example",
    "https:evil.example",
    "///evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "/\n/evil.example",
    "/\r\nSet-Cookie: x=y",
    "javascript:alert(1)",
    "evil.example",
    "/ｅ\u2028",
    "",
]


@pytest.mark.sqlite
@pytest.mark.parametrize("evil", NEXT)
def test_next_leads_nowhere_else(network: Network, client: FlaskClient, evil: str) -> None:
    assert sign_in(client, next=evil).location == "/"
    assert client.get("/account/sign-in", query_string={"next": evil}).location == "/"
    assert client.post("/account/language", data={"language": "en", "next": evil}).location == "/"


@pytest.mark.sqlite
def test_a_form_from_elsewhere_signs_nobody_in(network: Network, make_app: Callable[..., Flask]) -> None:
    client = make_app(WTF_CSRF_ENABLED=True).test_client()
    for path in ("/account/sign-in", "/account/register", "/account/sign-out", "/account/language"):
        answer = client.post(path, data={"email": ZHOU, "password": PASSWORD, "language": "en"})
        assert answer.status_code == 400
    assert not is_signed_in(client)


@pytest.mark.sqlite
@pytest.mark.parametrize("path", ["/account/forgotten", "/account/register", "/account/sign-in/code"])
def test_a_code_flood_from_one_network_is_stopped_across_processes(
    network: Network, make_app: Callable[..., Flask], path: str
) -> None:
    """Two processes, and each letter asked for from another address of one IPv6 client."""
    clients = [make_app(SIGN_IN_PER_ADDRESS=3).test_client() for _process in range(2)]
    with time_machine.travel(MONDAY, tick=False):
        answers = [
            clients[n % 2].post(
                path, data={"email": f"{n}@example.com"}, environ_base={"REMOTE_ADDR": f"2001:db8::{n}"}
            )
            for n in range(4)
        ]
        other = clients[0].post(path, data={"email": ZHOU}, environ_base={"REMOTE_ADDR": "2001:db8:0:1::1"})
    assert [answer.status_code for answer in answers] == [303, 303, 303, 422]
    assert said(answers[3]) == {"email": "验证码发得太多了，今天 10:00 之后再要。"}
    assert "3@example.com" in answers[3].text
    assert other.status_code == 303


@pytest.mark.sqlite
def test_the_pages_that_hash_have_a_process_share_of_the_limit(
    network: Network, make_app: Callable[..., Flask]
) -> None:
    client = make_app(RATELIMIT_ENABLED=True, SIGN_IN_PER_ADDRESS=3, WEB_WORKERS=2).test_client()
    forms = [client.post("/account/register/finish", environ_base={"REMOTE_ADDR": f"2001:db8::{n}"}) for n in range(4)]
    assert [answer.status_code for answer in forms] == [303, 303, 303, 429]


# A code is bound to its browser

FINISH = [
    ("/account/sign-in/code", "/account/sign-in/finish", ZHOU),
    ("/account/forgotten", "/account/forgotten/finish", ZHOU),
    ("/account/register", "/account/register/finish", NEW),
]


@pytest.mark.parametrize(("ask", "finish", "email"), FINISH)
def test_a_code_that_another_browser_asked_for_signs_nobody_in(
    network: Network, app: Flask, ask: str, finish: str, email: str
) -> None:
    """A asks, B asks: the code of B typed at A is wrong, and each one's own still works."""
    a, b = app.test_client(), app.test_client()
    codes = []
    for browser in (a, b):
        browser.post(ask, data={"email": email})
        codes.append(network.code(email))
    form = {"name": "苏晚", "password": "a fine noon", "agree": "y"}
    answer = a.post(finish, data=form | {"code": codes[1]})
    assert (answer.status_code, said(answer)) == (
        422,
        {"code": "验证码不对，或者已经过期。收到几封的话，用最新的一封。"},
    )
    assert not is_signed_in(a)
    assert a.post(finish, data=form | {"code": codes[0]}).status_code == 303
    assert is_signed_in(a)


def test_a_code_of_ones_own_account_does_not_sign_another_browser_in(network: Network, app: Flask) -> None:
    """Login CSRF: a code requested in one browser is unknown in another."""
    mine, theirs = app.test_client(), app.test_client()
    mine.post("/account/sign-in/code", data={"email": ZHOU})
    answer = theirs.post("/account/sign-in/finish", data={"code": network.code(ZHOU)})
    assert answer.location == "/account/sign-in"
    assert not is_signed_in(theirs)


WEAK = [
    ("sunshine", "这个密码太容易猜到了，换一个长一点的。"),
    ("suwan-2026", TOO_KNOWN),
]


@pytest.mark.parametrize(("password", "sentence"), WEAK)
def test_a_password_that_others_would_try_is_refused_when_registering(
    network: Network, client: FlaskClient, password: str, sentence: str
) -> None:
    client.post("/account/register", data={"email": "su.wan@example.com"})
    code = network.code("su.wan@example.com")
    answer = finish_register(client, code=code, name="晚晚", password=password)
    assert (answer.status_code, said(answer)) == (422, {"password": sentence})
    assert f'value="{code}"' in answer.text
    assert 'value="晚晚"' in answer.text
    assert password not in answer.text
    assert finish_register(client, code=code, name="晚晚").status_code == 303


def test_what_the_account_is_called_is_told_only_to_who_has_the_code(network: Network, client: FlaskClient) -> None:
    with transactions.transaction(network.session) as session:
        session.get_one(Person, network.ids["周明"]).name = "Quentin"
    client.post("/account/forgotten", data={"email": ZHOU})
    code = network.code(ZHOU)
    guess = {"code": f"{(int(code) + 1) % 10**6:06d}", "password": "quentin-2026"}
    assert said(client.post("/account/forgotten/finish", data=guess)) == {
        "code": "验证码不对，或者已经过期。收到几封的话，用最新的一封。"
    }
    assert list(said(client.post("/account/forgotten/finish", data=guess | {"code": code}))) == ["password"]
    good = {"code": code, "password": "noon-at-the-station"}
    assert client.post("/account/forgotten/finish", data=good).status_code == 303


def test_a_manager_may_not_take_the_stations_name(network: Network, app: Flask) -> None:
    lin = network.browser(app, "林经理")
    answer = lin.post("/account/password", data={"old": PASSWORD, "password": "cbd-白领驿站-1"})
    assert list(said(answer)) == ["password"]


# Registering


def finish_register(client: FlaskClient, **form: str) -> TestResponse:
    return client.post(
        "/account/register/finish", data={"name": "苏晚", "password": "a fine noon", "agree": "y", **form}
    )


def test_registering_from_the_address_to_the_first_page(network: Network, client: FlaskClient) -> None:
    answer = client.post("/account/register", data={"email": " New@Example.com", "next": "/s/cbd"})
    assert answer.location == "/account/register/finish"
    answer = finish_register(client, code=network.code(NEW))
    assert (answer.status_code, answer.location) == (303, "/s/cbd")
    assert "苏晚" in client.get("/account/").text
    assert sign_in(client.application.test_client(), NEW, "a fine noon").status_code == 303


def test_a_registration_whose_answer_was_lost_is_not_called_a_wrong_code(network: Network, client: FlaskClient) -> None:
    """The second tap of a double one, without script: it comes with the cookie of before."""
    client.post("/account/register", data={"email": NEW})
    with client.session_transaction() as kept:
        before = dict(kept)
    code = network.code(NEW)
    assert finish_register(client, code=code).status_code == 303
    with client.session_transaction() as kept:
        kept.clear()
        kept.update(before)
    assert said(finish_register(client, code=code)) == {
        "code": "这个验证码已经用过了，刚才那次多半成功了：先到“我”看看，没成功再要一个新的。"
    }


def test_a_known_address_gets_the_same_page_and_another_mail(network: Network, app: Flask) -> None:
    pages = []
    for email in (ZHOU, NEW):
        client = app.test_client()
        answer = client.post("/account/register", data={"email": email}, follow_redirects=True)
        pages.append(bare(answer, email))
    assert pages[0] == pages[1]
    assert [network.letters(email)[0].kind for email in (ZHOU, NEW)] == ["already_registered", "code"]


WRONG_REGISTRATIONS = [
    ({"code": ""}, {"code": "请填写邮件里的 6 位验证码。"}),
    ({"code": "12345"}, {"code": "验证码是 6 位数字。"}),
    ({"code": "１２３４５"}, {"code": "验证码是 6 位数字。"}),
    ({"code": "-12345"}, {"code": "验证码是 6 位数字。"}),
    ({"code": "1" * 2000}, {"code": "验证码是 6 位数字。"}),
    ({"name": ""}, {"name": "请填写称呼。"}),
    ({"name": " \u200b "}, {"name": "请填写称呼。"}),
    ({"name": "名" * 41}, {"name": "称呼最多 40 个字。"}),
    ({"name": "看 evil.com"}, {"name": "这里不能写网址、邮箱或一长串号码。"}),
    ({"password": "short"}, {"password": "密码至少 8 位。"}),
    ({"agree": ""}, {"agree": "要注册，请先同意隐私说明。"}),
    ({"password": "x" * 129}, {"password": "密码最多 128 位。"}),
    ({"password": "12345678"}, {"password": "这个密码太容易猜到了，换一个长一点的。"}),
    ({"password": NEW}, {"password": TOO_KNOWN}),
]


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "paste", ["{0}", " {0}\u200b", "{0:.3} {0[3]}{0[4]}{0[5]}", "【白领驿站】验证码：{0}，15 分钟内有效"]
)
def test_a_code_may_be_pasted_with_what_was_around_it(network: Network, client: FlaskClient, paste: str) -> None:
    client.post("/account/register", data={"email": NEW.replace("@", "＠") + "\u200b"})
    wide = network.code(NEW).translate({ord("0") + n: ord("０") + n for n in range(10)})
    assert finish_register(client, code=paste.format(wide)).status_code == 303


@pytest.mark.sqlite
@pytest.mark.parametrize(("form", "sentences"), WRONG_REGISTRATIONS)
def test_a_wrong_field_is_told_at_the_field(
    network: Network, client: FlaskClient, form: dict[str, str], sentences: dict[str, str]
) -> None:
    client.post("/account/register", data={"email": NEW})
    answer = finish_register(client, **({"code": network.code(NEW)} | form))
    assert (answer.status_code, said(answer)) == (422, sentences)
    if "name" not in form:
        assert 'value="苏晚"' in answer.text
    assert "a fine noon" not in answer.text
    assert not is_signed_in(client)
    assert finish_register(client, code=network.code(NEW)).status_code == 303  # and no code was used up


def test_a_wrong_code_is_told_at_the_code(network: Network, client: FlaskClient) -> None:
    client.post("/account/register", data={"email": NEW})
    before = count(network, Person)
    answer = finish_register(client, code=f"{(int(network.code(NEW)) + 1) % 10**6:06d}")
    assert (answer.status_code, said(answer)) == (
        422,
        {"code": "验证码不对，或者已经过期。收到几封的话，用最新的一封。"},
    )
    assert count(network, Person) == before


@pytest.mark.sqlite
@pytest.mark.parametrize("email", ["", "new", "new@", "a b@example.com", "x" * 300 + "@example.com", "<b>@example.com"])
@pytest.mark.parametrize("path", ["/account/register", "/account/forgotten", "/account/sign-in/code"])
def test_what_is_no_address_gets_no_mail(network: Network, client: FlaskClient, path: str, email: str) -> None:
    answer = client.post(path, data={"email": email})
    assert (answer.status_code, list(said(answer))) == (422, ["email"])
    assert count(network, Code) == 0


@pytest.mark.sqlite
def test_the_sixth_code_within_an_hour_is_refused_with_the_time(network: Network, client: FlaskClient) -> None:
    with time_machine.travel(MONDAY, tick=False):
        answers = [client.post("/account/register", data={"email": NEW}) for _n in range(6)]
    assert [answer.status_code for answer in answers] == [303] * 5 + [422]
    assert said(answers[-1]) == {"email": "验证码发得太多了，今天 10:00 之后再要。"}


def test_finishing_what_was_not_begun_leads_to_the_beginning(client: FlaskClient) -> None:
    for path in ("register", "forgotten", "sign-in"):
        assert client.get(f"/account/{path}/finish").location == f"/account/{path}"


# A forgotten password


def test_a_forgotten_password_is_replaced_and_every_other_browser_leaves(
    network: Network, client: FlaskClient, zhou: FlaskClient
) -> None:
    client.post("/account/forgotten", data={"email": ZHOU})
    answer = client.post("/account/forgotten/finish", data={"code": network.code(ZHOU), "password": "another noon"})
    assert (answer.status_code, answer.location) == (303, "/account/")
    assert is_signed_in(client)
    assert not is_signed_in(zhou)
    assert sign_in(client.application.test_client(), ZHOU, PASSWORD).status_code == 422
    assert sign_in(client.application.test_client(), ZHOU, "another noon").status_code == 303


@pytest.mark.sqlite
def test_a_foreign_host_header_gets_into_no_mail(network: Network, client: FlaskClient) -> None:
    answer = client.post("/account/forgotten", data={"email": ZHOU}, headers={"Host": "evil.example"})
    assert (answer.status_code, network.letters(ZHOU)) == (421, [])


# Profile


PROFILE = {"name": "周明", "phone": "", "company": "", "language": "zh_Hans_CN", "wants_digest": "y"}


def test_a_profile_is_saved(network: Network, zhou: FlaskClient) -> None:
    form = PROFILE | {"name": " 周 小明 ", "phone": "138 0013 8000", "company": "国贸某公司", "language": "en"}
    del form["wants_digest"]
    assert zhou.post("/account/", data=form).status_code == 303
    person = network.person("周明")
    assert (person.name, person.phone, person.company, person.language, person.wants_digest) == (
        "周 小明",
        "13800138000",
        "国贸某公司",
        "en",
        False,
    )
    assert '<html lang="en">' in zhou.get("/account/").text


WRONG_PROFILES = [
    ({"name": ""}, "name"),
    ({"name": "名" * 41}, "name"),
    ({"name": "https://evil.example"}, "name"),
    ({"phone": "12"}, "phone"),
    ({"phone": "not a number"}, "phone"),
    ({"phone": "1" * 21}, "phone"),
    ({"company": "司" * 81}, "company"),
    ({"company": "a@b.cn"}, "company"),
    ({"language": "fr"}, "language"),
    ({"language": ""}, "language"),
]


@pytest.mark.sqlite
@pytest.mark.parametrize(("form", "field"), WRONG_PROFILES)
def test_a_wrong_profile_is_told_and_changes_nothing(
    network: Network, zhou: FlaskClient, form: dict[str, str], field: str
) -> None:
    answer = zhou.post("/account/", data=PROFILE | {"company": "新公司"} | form)
    assert (answer.status_code, list(said(answer))) == (422, [field])
    typed = form[field]
    assert field == "language" or f'value="{typed}"' in answer.text
    assert network.person("周明").company == ""


@pytest.mark.sqlite
def test_extra_fields_change_nothing(network: Network, zhou: FlaskClient) -> None:
    extra = {"is_admin": "1", "id": "3", "person_id": "3", "email": "evil@example.com", "password_hash": "x"}
    zhou.post("/account/", data=PROFILE | extra)
    person = network.person("周明")
    assert (person.is_admin, person.email) == (False, ZHOU)


@pytest.mark.sqlite
@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "{{7*7}} %(x)s", "' onmouseover='x", "{0.__class__}"])
def test_markup_in_a_name_is_only_words(network: Network, zhou: FlaskClient, name: str) -> None:
    zhou.post("/account/", data=PROFILE | {"name": name})
    page = zhou.get("/account/").text
    assert network.person("周明").name == name
    assert "<script>alert" not in page
    assert "onmouseover='x" not in page
    assert "49" not in re.findall(r"<h1>(.*?)</h1>", page)[0]


def test_a_new_password_ends_the_other_sign_ins_and_keeps_this_one(
    network: Network, app: Flask, zhou: FlaskClient
) -> None:
    elsewhere = network.browser(app, "周明")
    answer = zhou.post("/account/password", data={"old": PASSWORD, "password": "another noon"})
    assert answer.status_code == 303
    assert (is_signed_in(zhou), is_signed_in(elsewhere)) == (True, False)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [("wrong one", "another noon", "old"), ("", "another noon", "old"), (PASSWORD, "short", "password")],
)
def test_a_password_is_changed_only_by_who_knows_it(
    network: Network, zhou: FlaskClient, old: str, new: str, field: str
) -> None:
    kept = network.person("周明").password_hash
    answer = zhou.post("/account/password", data={"old": old, "password": new})
    assert (answer.status_code, list(said(answer))) == (422, [field])
    assert network.person("周明").password_hash == kept


@pytest.mark.sqlite
def test_guessing_the_old_password_has_the_same_limit(network: Network, zhou: FlaskClient) -> None:
    for _try in range(5):
        zhou.post("/account/password", data={"old": "wrong one", "password": "another noon"})
    answer = zhou.post("/account/password", data={"old": PASSWORD, "password": "another noon"})
    assert answer.status_code == 422
    assert "试错的次数太多了" in said(answer)["old"]


def test_where_i_am_signed_in_and_ending_the_others(network: Network, app: Flask, zhou: FlaskClient) -> None:
    elsewhere = network.browser(app, "周明")
    assert zhou.get("/account/").text.count("微信 · iPhone") == 2
    zhou.post("/account/sign-ins/end-others")
    assert (is_signed_in(zhou), is_signed_in(elsewhere)) == (True, False)
    assert zhou.get("/account/").text.count("微信 · iPhone") == 1


def test_a_stopped_account_is_out_at_once(network: Network, zhou: FlaskClient, client: FlaskClient) -> None:
    with transactions.transaction(network.session) as session:
        people.disable(session, network.ids["周明"], MONDAY, network.ids["何主任"])
    assert not is_signed_in(zhou)
    assert said(sign_in(client)) == {"password": "这个账号已经停用，请联系驿站。"}
    assert said(sign_in(client, password="wrong password")) == {"password": "邮箱或密码不对。"}


# The language


def test_a_stranger_chooses_a_language_by_cookie(client: FlaskClient) -> None:
    answer = client.post("/account/language", data={"language": "en", "next": "/account/sign-in"})
    assert answer.location == "/account/sign-in"
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert '<html lang="en">' in client.get("/account/sign-in").text


def test_a_persons_language_is_kept_with_the_person(network: Network, zhou: FlaskClient) -> None:
    zhou.post("/account/language", data={"language": "en"})
    assert network.person("周明").language == "en"


@pytest.mark.sqlite
@pytest.mark.parametrize("language", ["", "fr", "en; Secure", "../../etc"])
def test_a_language_that_we_do_not_speak_is_refused(client: FlaskClient, language: str) -> None:
    assert client.post("/account/language", data={"language": language}).status_code == 400


# Deletion


def test_a_person_takes_everything_along_in_one_click(session: Session, app: Flask) -> None:
    lunch = LunchHour(session)
    lunch.book("周明", "Mon 11:00")
    lunch.book("李静", "Mon 11:00")
    lunch.stand_by("王磊", "Tue 12:12")
    lunch.tick("Tue 12:16")
    with transactions.transaction(session):
        token = people.begin(session, session.get_one(Person, lunch.people["周明"]), PHONE, MONDAY)
    client = carry(app.test_client(), token, MONDAY)
    with time_machine.travel(at("Tue 13:00"), tick=False):
        answer = client.get("/account/export")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    told = answer.get_json()
    assert told["profile"]["name"] == "周明"
    assert [(row["activity"], row["state"]) for row in told["bookings"]] == [("白领瑜伽课堂", "released")]
    assert [row["reason"] for row in told["strikes"]] == ["no_show"]
    assert [row["kind"] for row in told["history"]] == ["signed_in", "booked", "released", "strike"]
    assert "李静" not in answer.text
    assert token not in answer.text


def test_the_account_is_deleted_with_the_password(network: Network, zhou: FlaskClient) -> None:
    answer = zhou.post("/account/delete", data={"password": PASSWORD}, follow_redirects=True)
    assert "账号已经注销" in answer.text
    assert not is_signed_in(zhou)
    assert network.person("周明").email is None
    assert sign_in(zhou).status_code == 422


def test_where_no_file_can_be_taken_no_button_promises_one(zhou: FlaskClient) -> None:
    """WeChat's browser does nothing with a download."""
    assert 'href="/account/export"' in zhou.get("/account/").text
    inside = zhou.get("/account/", headers={"User-Agent": "Mozilla/5.0 (iPhone) MicroMessenger/8.0"}).text
    assert 'href="/account/export"' not in inside
    assert "请用手机浏览器登录" in inside


def test_a_place_in_line_is_not_called_a_booking_before_a_deletion(session: Session, app: Flask) -> None:
    lunch = LunchHour(session, capacity=1)
    for who in ("李静", "周明"):
        lunch.book(who, "Mon 11:00")
    page = Phone(app, lunch, "周明").get("/account/delete", "Mon 11:05").text
    assert "下面这些预约和候补会取消" in page
    assert "候补中" in page
    assert "个预约" not in page


def test_a_wrong_password_deletes_nothing(network: Network, zhou: FlaskClient) -> None:
    answer = zhou.post("/account/delete", data={"password": "wrong one"})
    assert (answer.status_code, said(answer)) == (422, {"password": "密码不对。"})
    assert network.person("周明").email == ZHOU


@pytest.mark.sqlite
def test_the_last_admin_is_told_why_not(network: Network, app: Flask) -> None:
    answer = network.browser(app, "何主任").post("/account/delete", data={"password": PASSWORD})
    assert said(answer) == {"password": "全网管理员至少要有一位：先有另一位，才能注销或停用这一位。"}


# What no page offers


@pytest.mark.sqlite
def test_a_person_sees_the_way_to_their_stations_only(network: Network, app: Flask, zhou: FlaskClient) -> None:
    assert "/manage/" not in zhou.get("/account/").text
    page = network.browser(app, "林经理").get("/account/").text
    assert "/manage/cbd/" in page
    assert "/manage/west/" not in page
    assert "/admin/" in network.browser(app, "何主任").get("/account/").text


@pytest.mark.sqlite
@pytest.mark.parametrize("twice", [{"email": [ZHOU, NEW]}, {"password": [PASSWORD, "x"]}])
def test_the_same_field_twice_is_no_trouble(network: Network, client: FlaskClient, twice: dict[str, list[str]]) -> None:
    answer = client.post("/account/sign-in", data={"email": ZHOU, "password": PASSWORD} | twice)
    assert answer.status_code in (303, 422)


@pytest.mark.sqlite
def test_a_long_name_of_a_browser_is_cut(network: Network, client: FlaskClient) -> None:
    client.post(
        "/account/sign-in", data={"email": ZHOU, "password": PASSWORD}, headers={"User-Agent": PHONE + "x" * 5000}
    )
    assert network.session.scalars(select(func.length(SignIn.agent))).one() == 200


@pytest.mark.sqlite
def test_the_history_says_who_came_and_went(network: Network, client: FlaskClient) -> None:
    sign_in(client)
    client.post("/account/sign-out")
    mine = select(Event.kind).where(Event.person_id == network.ids["周明"]).order_by(Event.id)
    assert list(network.session.scalars(mine)) == ["created", "signed_in", "signed_out"]


def test_a_browser_has_its_english_name_on_the_english_page(network: Network, zhou: FlaskClient) -> None:
    zhou.post("/account/language", data={"language": "en"})
    assert "WeChat · iPhone" in zhou.get("/account/").text
