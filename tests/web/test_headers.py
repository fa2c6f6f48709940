"""Response headers: every answer carries the security headers, errors and files too."""

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask, abort, request
from flask.testing import FlaskClient
from flask_babel import gettext
from sqlalchemy.exc import OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.test import TestResponse

from booking.web.assets import static

ENGLISH = {"Accept-Language": "en-GB,en;q=0.9"}


@pytest.fixture
def failing(make_app: Callable[..., Flask]) -> FlaskClient:
    """An app with pages that fail in every way that has an error page."""
    app = make_app(PROPAGATE_EXCEPTIONS=False, WTF_CSRF_ENABLED=True)

    @app.get("/goes-wrong/<int:code>")
    def goes_wrong(code: int) -> str:
        raise {500: ValueError("a trace that nobody may see")}.get(code) or abort(code)

    @app.get("/busy/<why>")
    def busy(why: str) -> str:
        raise {
            "gone": OperationalError("SELECT 1", {}, Exception("server closed the connection")),
            "pool": PoolTimeout("pool exhausted"),
            "bug": StatementError("a trace that nobody may see", "SELECT 1", {}, Exception()),
        }[why]

    @app.post("/press")
    def press() -> str:
        return gettext("好")

    return app.test_client()


ADDRESSES = [
    "/healthz",
    "/no-such-page",
    "/static/css/app.css",
    "/static/no-such-file.css",
    "/goes-wrong/403",
    "/goes-wrong/500",
    "/busy/gone",
    "/press",
]


@pytest.mark.sqlite
@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_is_guarded(failing: FlaskClient, address: str) -> None:
    headers = failing.get(address).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers


@pytest.mark.sqlite
def test_hsts_is_sent_where_there_is_https(make_app: Callable[..., Flask]) -> None:
    secure = make_app(PUBLIC_URL="https://lunch.example.com").test_client()
    for address in ("/healthz", "/no-such-page", "/static/css/app.css"):
        promised = secure.get(address, base_url="https://lunch.example.com").headers["Strict-Transport-Security"]
        assert promised == f"max-age={int(timedelta(days=730).total_seconds())}; includeSubDomains"


@pytest.mark.sqlite
def test_a_file_keeps_for_a_year_at_its_stamped_address_only(app: Flask, client: FlaskClient) -> None:
    with app.test_request_context():
        stamped = static("css/app.css")
    assert re.fullmatch(r"/static/css/app.css\?v=[0-9a-f]{12}", stamped)
    assert client.get(stamped).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for other in ("/static/css/app.css", "/static/css/app.css?v=0123456789ab"):
        assert client.get(other).headers["Cache-Control"] == "public, no-cache"


@pytest.mark.sqlite
def test_files_are_compressed_and_answer_not_modified(client: FlaskClient) -> None:
    first = client.get("/static/css/app.css", headers={"Accept-Encoding": "br"})
    assert first.headers["Content-Encoding"] == "br"
    again = client.get("/static/css/app.css", headers={"If-None-Match": first.headers["ETag"], "Accept-Encoding": "br"})
    assert again.status_code == 304


@pytest.mark.sqlite
def test_pages_are_not_stored(client: FlaskClient) -> None:
    headers = client.get("/no-such-page").headers
    assert headers["Cache-Control"] == "no-store"
    assert {"HX-Request", "Cookie", "Accept-Language"} <= {name.strip() for name in headers["Vary"].split(",")}


SENTENCES = [
    ("/goes-wrong/400", 400, "这个请求我们读不懂"),
    ("/goes-wrong/403", 403, "这里不对你开放"),
    ("/goes-wrong/404", 404, "没有找到这个页面"),
    ("/press", 405, "不能这样打开这个地址"),
    ("/goes-wrong/413", 413, "提交的内容太大了"),
    ("/goes-wrong/429", 429, "操作太频繁了"),
    ("/goes-wrong/500", 500, "我们这边出错了"),
    ("/busy/bug", 500, "我们这边出错了"),
    ("/busy/gone", 503, "系统正忙"),
    ("/busy/pool", 503, "系统正忙"),
]


@pytest.mark.sqlite
@pytest.mark.parametrize(("address", "code", "words"), SENTENCES)
def test_an_error_is_a_static_page_in_the_readers_language(
    failing: FlaskClient, address: str, code: int, words: str
) -> None:
    for headers, language in (({}, "zh-CN"), (ENGLISH, "en")):
        answer = failing.get(address, headers=headers)
        assert answer.status_code == code
        assert f'<html lang="{language}">' in answer.text
        assert (words in answer.text) == (language == "zh-CN")
        assert "nobody may see" not in answer.text


@pytest.mark.sqlite
def test_a_busy_database_says_when_to_come_back(failing: FlaskClient) -> None:
    assert failing.get("/busy/gone").headers["Retry-After"] == "3"


@pytest.mark.sqlite
def test_a_wrong_method_says_which_is_right(failing: FlaskClient) -> None:
    assert "POST" in failing.get("/press").headers["Allow"]


@pytest.mark.sqlite
def test_a_form_without_its_token_is_refused_with_a_clear_sentence(failing: FlaskClient) -> None:
    answer = failing.post("/press")
    assert answer.status_code == 400
    assert "按浏览器的“后退”，重新提交" in answer.text
    assert "/account/sign-in?next=/" in answer.text
    answer = failing.post("/press", headers={"Referer": "http://localhost/slots/1?back=day"})
    assert "/account/sign-in?next=/slots/1?back%3Dday" in answer.text
    assert "/account/sign-in?next" not in failing.get("/no-such-page").text


@pytest.mark.sqlite
def test_a_refused_press_is_told_in_place_what_to_do(failing: FlaskClient) -> None:
    """`app.js` shows the notice; only a page that is too old is worth another load."""
    press = {"HX-Request": "true"}
    for answer, words, reload in (
        (failing.post("/press", headers=press), "登录变了，或者页面放得太久了", True),
        (failing.get("/goes-wrong/403", headers=press), "这里不对你开放", True),
        (failing.get("/goes-wrong/429", headers=press), "请稍等一会儿再试", False),
    ):
        assert is_calm(answer)
        assert words in answer.text
        assert answer.text.strip().startswith('<div class="notice no"')
        assert ('href="">刷新</a>' in answer.text) is reload


@pytest.mark.sqlite
def test_a_body_over_64_kib_is_refused(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    app.add_url_rule("/press", "press", lambda: "ok", methods=["POST"])
    client = app.test_client()
    assert client.post("/press", data={"text": "x" * 60_000}).status_code == 200
    assert client.post("/press", data={"text": "x" * 140_000}).status_code == 413
    assert client.post("/press", data={f"field{n}": "x" for n in range(1000)}).status_code == 200


def is_calm(answer: TestResponse) -> bool:
    return 400 <= answer.status_code < 500


HOSTILE = [
    "/%00",
    "/s/%00",
    "/slots/%00",
    "/?day=%00",
    "/?%00=1",
    "/s/%ED%A0%80",
    "/slots/" + "9" * 19,
    "/slots/" + "9" * 5000,
    "/slots/-1",
    "/slots/%EF%BC%91",  # a full-width 1
    "/slots/1e9",
]


@pytest.mark.parametrize("address", HOSTILE)
def test_unstorable_text_is_refused_before_any_view(client: FlaskClient, address: str) -> None:
    assert is_calm(client.get(address))


def test_nul_in_a_form_is_refused_before_any_view(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    app.add_url_rule("/press", "press", lambda: "ok", methods=["POST"])
    for form in ({"text": "a\0b"}, {"a\0b": "text"}):
        assert app.test_client().post("/press", data=form).status_code == 400


@pytest.mark.sqlite
def test_made_up_proxy_headers_count_for_nothing_unless_asked_for(make_app: Callable[..., Flask]) -> None:
    for proxies, wanted in ((0, "127.0.0.1"), (1, "203.0.113.9")):
        app = make_app(TRUSTED_PROXIES=proxies)
        app.add_url_rule("/who", "who", lambda: {"address": request.remote_addr})
        answer = app.test_client().get("/who", headers={"X-Forwarded-For": "203.0.113.9"})
        assert answer.json["address"] == wanted


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("headers", "cookie", "language"),
    [
        ({}, None, "zh-CN"),
        ({"Accept-Language": "fr"}, None, "zh-CN"),
        (ENGLISH, None, "en"),
        ({"Accept-Language": "zh-HK, en;q=0.8"}, None, "zh-CN"),
        (ENGLISH, "zh_Hans_CN", "zh-CN"),
        ({}, "en", "en"),
        ({}, "<script>", "zh-CN"),
    ],
)
def test_the_browser_chooses_the_language(
    client: FlaskClient, headers: dict[str, str], cookie: str | None, language: str
) -> None:
    if cookie:
        client.set_cookie("lang", cookie)
    assert f'<html lang="{language}">' in client.get("/no-such-page", headers=headers).text


def test_no_header_or_error_page_loads_from_a_stranger(client: FlaskClient) -> None:
    text = client.get("/no-such-page").text
    addresses = re.findall(r'(?:src|href|action)="([^"]+)"', text)
    assert [address for address in addresses if urlsplit(address).netloc] == []
