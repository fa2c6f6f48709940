"""Allowed hosts: only the host of PUBLIC_URL, and every loopback name where PUBLIC_URL is one."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import EnvironBuilder, run_wsgi_app

pytestmark = pytest.mark.sqlite

LUNCH, HOME = "https://lunch.example.com", "http://127.0.0.1:8000"
SAID = "Please open {}\n"
HOSTS = [
    (LUNCH, "lunch.example.com", True),
    (LUNCH, "LUNCH.example.COM", True),
    (LUNCH, "lunch.example.com:443", True),
    (LUNCH, "lunch.example.com:8000", True),  # a proxy's own port
    (LUNCH, "evil.example", False),
    (LUNCH, "lunch.example.com.evil.example", False),
    (LUNCH, "evil.example:443", False),
    (LUNCH, "lunch.example.com@evil.example", False),
    (LUNCH, "lunch.example.com,evil.example", False),  # two headers, as granian joins them
    (LUNCH, "lunch.example.com:http", False),
    (LUNCH, "localhost", False),
    (LUNCH, "127.0.0.1:8000", False),
    (LUNCH, "", False),
    (LUNCH, "x" * 5000, False),
    ("https://lunch.example.com:8443", "lunch.example.com:8443", True),
    ("https://lunch.example.com:8443", "lunch.example.com", True),  # $host in nginx
    ("https://LUNCH.example.com", "lunch.example.com", True),
    ("https://午间.example", "xn--rkro56m.example", True),
    ("http://[2001:db8::1]:8000", "[2001:db8::1]:8000", True),
    ("http://[2001:db8::1]:8000", "[2001:db8::2]:8000", False),
    (HOME, "127.0.0.1:8000", True),
    (HOME, "localhost:8000", True),
    (HOME, "[::1]:8000", True),
    (HOME, "evil.example:8000", False),  # a foreign name that resolves to this machine
    ("http://localhost:8000", "127.0.0.1:8000", True),
]


def ask(app: Flask, host: str, path: str = "/account/sign-in", method: str = "GET", **headers: str) -> tuple[int, str]:
    environ: dict[str, Any] = EnvironBuilder(path, method=method, headers=headers).get_environ()
    environ["HTTP_HOST"] = host
    body, status, _headers = run_wsgi_app(app.wsgi_app, environ)
    return int(status[:3]), b"".join(body).decode()


def test_only_the_host_of_public_url_is_answered(app: Flask) -> None:
    for url, host, answered in HOSTS:
        app.config["PUBLIC_URL"] = url
        status, text = ask(app, host)
        assert status == (200 if answered else 421), (url, host)
        assert text.endswith(SAID.format(url)) != answered


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_checks_are_answered_for_any_host(app: Flask, path: str) -> None:
    assert ask(app, "10.0.0.7:8000", path)[0] == 200


@pytest.mark.parametrize("path", ["/healthz/", "/healthz?", "/static/css/app.css", "/s/cbd", "/sw.js", "/no-such-page"])
def test_no_page_is_answered_for_another_host(app: Flask, path: str) -> None:
    wanted = 200 if path == "/healthz?" else 421
    assert ask(app, "evil.example", path)[0] == wanted
    assert ask(app, "evil.example", path, "HEAD")[1] == ""


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_a_booking_for_another_host_is_not_even_read(app: Flask, headers: dict[str, str]) -> None:
    assert ask(app, "evil.example", "/slots/1/book", "POST", **headers)[0] == 421


FORWARDED = [
    (0, "lunch.example.com", "evil.example", True),
    (0, "evil.example", "lunch.example.com", False),
    (1, "127.0.0.1:8000", "lunch.example.com", True),
    (1, "127.0.0.1:8000", "evil.example, lunch.example.com", True),
    (1, "127.0.0.1:8000", "lunch.example.com, evil.example", False),
    (2, "127.0.0.1:8000", "lunch.example.com, inner.example", True),
    (2, "lunch.example.com", "evil.example", True),  # fewer than our proxies: none of them set it
    (1, "lunch.example.com", "", True),
    (1, "evil.example", "", False),
]


def test_a_proxy_of_ours_tells_the_host_and_nobody_else_does(make_app: Callable[..., Flask]) -> None:
    for proxies, host, told, answered in FORWARDED:
        app = make_app(PUBLIC_URL=LUNCH, TRUSTED_PROXIES=proxies)
        status, _text = ask(app, host, **{"X-Forwarded-Host": told} if told else {})
        assert status == (200 if answered else 421), (proxies, host, told)
