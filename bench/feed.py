"""Prepared requests, as they go over the wire, in files that `feed.lua` reads."""

from collections.abc import Iterable
from pathlib import Path

from bench.visitors import Visit

THREADS = 2
PHONE = (
    "Host: 127.0.0.1\r\n"
    "User-Agent: Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/134.0 Mobile Safari/537.36\r\n"
    "Accept: text/html,*/*\r\nAccept-Language: zh-CN,zh;q=0.9\r\n"
)
IN_PLACE = "HX-Request: true\r\nHX-Target: article#slot-card\r\n"


def write(path: Path, requests: Iterable[bytes]) -> Path:
    """Deal the requests out to wrk's threads."""
    files = [path.with_name(f"{path.name}.{n}").open("wb") for n in range(THREADS)]
    for n, request in enumerate(requests):
        files[n % THREADS].write(b"%06d%b" % (len(request), request))
    for file in files:
        file.close()
    return path


def get(path: str, visit: Visit | None = None, headers: str = "") -> bytes:
    cookie = f"Cookie: {visit.cookie}\r\n" if visit else ""
    return f"GET {path} HTTP/1.1\r\n{PHONE}{cookie}{headers}\r\n".encode()


def press(slot: int, visit: Visit, headers: str = IN_PLACE) -> bytes:
    """The button on the card of a day: what htmx sends, and what a browser without it sends but for `headers`."""
    body = f"csrf_token={visit.csrf}&key=bench-{visit.person}-{slot}&back=day"
    return (
        f"POST /slots/{slot}/book HTTP/1.1\r\n{PHONE}Cookie: {visit.cookie}\r\n{headers}"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def bare_press(slot: int, person: int, size: int) -> bytes:
    """The same to ceiling C."""
    return f"POST /seat/{slot}/{person}/{size} HTTP/1.1\r\n{PHONE}Content-Length: 0\r\n\r\n".encode()


def read(path: Path) -> list[bytes]:
    """The requests of a feed again."""
    found = []
    for n in range(THREADS):
        rest = path.with_name(f"{path.name}.{n}").read_bytes()
        while rest:
            size = 6 + int(rest[:6])
            found.append(rest[6:size])
            rest = rest[size:]
    return found
