"""Granian's handling of odd headers, started as in README: forged ones are ignored in either spelling."""

import json
from pathlib import Path

import pytest

from tests.support import phones, servers
from tests.support.rush import Shipped, asked
from tests.support.servers import APP, Ground

pytestmark = pytest.mark.sqlite
LATER = b"X_Forwarded_Host: 127.0.0.1\r\nX-Forwarded_Host: 127.0.0.1\r\nX-Forwarded-Host: 127.0.0.1\r\n"
CASES = [
    (b"Host: evil.example\r\n", "/account/sign-in", 421),
    (b"Host: evil.example\r\n" + LATER, "/account/sign-in", 421),
    (b"Host_: 127.0.0.1\r\nHost: evil.example\r\n", "/account/sign-in", 421),
    (b"Host: evil.example\r\nHost: 127.0.0.1\r\n", "/account/sign-in", 421),
    (b"", "/account/sign-in", 421),
    (b"Host: evil.example\r\n", "/healthz", 200),
    (b"Host: localhost\r\n", "/account/sign-in", 200),
    (b"Host: 127.0.0.1\r\nX_Forwarded_Host: evil.example\r\n", "/account/sign-in", 200),
]


def test_the_host_is_what_the_host_header_says(database_url: str, tmp_path: Path) -> None:
    place = Ground(database_url, tmp_path)
    phones.station(place, 1)
    with servers.serving(Shipped(1), APP, place.settings()) as server:
        for headers, path, status in CASES:
            request = b"GET " + path.encode() + b" HTTP/1.1\r\n" + headers + b"\r\n"
            assert asked(server.port, request)[0] == status, (headers, path)
        assert json.loads(asked(server.port, b"GET /healthz HTTP/1.1\r\n\r\n")[1]) == {"status": "ok"}
