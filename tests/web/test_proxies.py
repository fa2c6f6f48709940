"""Proxies: one that TRUSTED_PROXIES does not know of is told, once in the log and on the page about the system."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.support.network_cast import Network

pytestmark = pytest.mark.sqlite
SAID = "a proxy is in front: set TRUSTED_PROXIES, or all clients share one limit on sign-ins"
SEEN = [
    # TRUSTED_PROXIES, the address that connects, X-Forwarded-For, whether a proxy was forgotten
    (0, "127.0.0.1", "203.0.113.7", True),
    (0, "10.1.2.3", "203.0.113.7", True),
    (0, "172.18.0.5", "203.0.113.7", True),
    (0, "192.168.1.9", "203.0.113.7", True),
    (0, "fd00::9", "203.0.113.7", True),
    (0, "::1", "203.0.113.7", True),
    (0, "", "203.0.113.7", True),  # a Unix socket
    (0, "8.8.8.8", "203.0.113.7", False),  # anybody may send the header
    (0, "2400:3200::1", "203.0.113.7", False),
    (0, "127.0.0.1", None, False),
    (0, "no address", "203.0.113.7", False),
    (1, "127.0.0.1", "203.0.113.7", False),
]


@pytest.mark.parametrize(("trusted", "address", "forwarded", "forgotten"), SEEN)
def test_a_forgotten_proxy_is_told_once_in_the_log_and_on_the_page(
    make_app: Callable[..., Flask],
    session: Session,
    caplog: pytest.LogCaptureFixture,
    trusted: int,
    address: str,
    forwarded: str | None,
    forgotten: bool,
) -> None:
    client = Network(session).browser(make_app(TRUSTED_PROXIES=trusted), "何主任")
    client.get("/admin/jobs")
    environ = {"REMOTE_ADDR": address} | ({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {})
    pages = [client.get("/admin/jobs", environ_overrides=environ).text for _twice in range(2)]
    assert caplog.messages.count(SAID) == int(forgotten)
    assert ["TRUSTED_PROXIES" in page for page in pages] == [forgotten] * 2
