"""Foreign bytes that once caused a server error: each parser refuses them properly. The fuzz test looks for more."""

import io
import random
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from booking import spreadsheets
from booking.errors import RuleViolation
from booking.spreadsheets import Table, packages
from booking.web import assets
from tests.support import odd
from tests.support.desk_cast import Desk, said
from tests.support.lunch_hour import LunchHour

pytestmark = pytest.mark.sqlite
BROKEN = ("http://[", "http://[::1", "//[", "http://[]/", "http://localhost:x/", "http://localhost:99999999/")


@pytest.mark.parametrize("header", ["Referer", "HX-Current-URL"])
@pytest.mark.parametrize("address", BROKEN)
def test_an_invalid_return_address_leads_to_the_front_page(client: FlaskClient, header: str, address: str) -> None:
    answer = client.post("/account/sign-ins/end-others", headers={header: address})
    assert (answer.status_code, answer.location) == (303, "/account/sign-in?next=%2F")


HOSTILE: dict[str, tuple[dict[str, str], int]] = {
    "a cookie of Flask-Login's that is not ASCII": ({"Cookie": "remember_token=1|\xe9"}, 200),
    "a session that is none": ({"Cookie": "lunch=.eJw.\xe9.a"}, 200),
    "a length of 5,000 digits": ({"Content-Length": "9" * 5000}, 200),
    "a length that is no number": ({"Content-Length": "\xb2"}, 200),
    "a range of 5,000 digits": ({"Range": f"bytes={'9' * 5000}-"}, 200),
    "a date that no clock shows": ({"If-Modified-Since": f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT"}, 200),
}


@pytest.mark.parametrize("path", ["/stations", "/account/sign-in"])
@pytest.mark.parametrize("what", HOSTILE)
def test_an_unreadable_header_is_no_server_error(client: FlaskClient, path: str, what: str) -> None:
    headers, status = HOSTILE[what]
    client.environ_base |= {"CONTENT_LENGTH": ""}
    given: dict[str, Any] = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    if "HTTP_CONTENT_LENGTH" in given:
        given["CONTENT_LENGTH"] = given.pop("HTTP_CONTENT_LENGTH")
    answer = client.get(path, environ_overrides=given)
    assert answer.status_code == status
    assert "<h1" in answer.text


@pytest.mark.parametrize("host", ["a" * 3000, f"{'a' * 64}.cn", "[", "[::1", "a b", "localhost:x", "\xff", ":", "@"])
def test_an_invalid_host_is_no_server_error_where_any_host_is_answered(client: FlaskClient, host: str) -> None:
    for path in ("/healthz", "/readyz"):
        assert client.get(path, environ_overrides={"HTTP_HOST": host}).status_code in (200, 400)


@pytest.mark.parametrize("name", ["If-Modified-Since", "If-Unmodified-Since", "If-Range"])
@pytest.mark.parametrize("year", ["9" * 10, "9" * 20, "9" * 5000, "0"])
def test_an_impossible_year_is_no_date(client: FlaskClient, name: str, year: str) -> None:
    headers = {name: f"Mon, 01 Jan {year} 00:00:00 GMT", "Range": "bytes=0-9"}
    assert client.get("/static/css/app.css", headers=headers).status_code in (200, 206)


@pytest.mark.parametrize("scheme", ["http://[::1", "[", "javascript", "\xff"])
def test_an_unknown_scheme_is_http(make_app: Callable[..., Flask], scheme: str) -> None:
    answer = make_app(TRUSTED_PROXIES=1).test_client().get("/s//cbd", headers={"X-Forwarded-Proto": scheme})
    assert (answer.status_code, answer.location) == (308, "http://localhost/s/cbd")


@pytest.mark.parametrize("csrf", [True, False])
def test_a_part_without_a_name_is_refused(app: Flask, csrf: bool) -> None:
    app.config["WTF_CSRF_ENABLED"] = csrf
    body = b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"
    kind = "multipart/form-data; boundary=b"
    assert app.test_client().post("/account/sign-in", data=body, content_type=kind).status_code == 400


def test_options_of_a_static_address_needs_no_file(client: FlaskClient) -> None:
    """Its name may be longer than a file name can be, and nothing of it is cached."""
    before = len(assets._stamps)
    for name in ("[" * 2000, "../setup.cfg", "no-such-file"):
        assert client.options(f"/static/{name}").status_code == 200
    assert len(assets._stamps) == before


# Sheets


def packed(flags: int = 0, **parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    content = bytearray(out.getvalue())
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(signature)
        content[at + place] |= flags
    return bytes(content)


WHOLE = spreadsheets.write_xlsx([Table("x", ("名称", "类别"), [("八段锦", "健身"), ("书法", 3)])])
SHEETS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "表格里一行也没有。"),
    "half of it": (WHOLE[: len(WHOLE) // 2], "这不是一份能读懂的表格"),
    "behind a password": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "这份表格有密码"),
    "with encrypted parts": (packed(1, a=b"x"), "这份表格有密码"),
    "a document of another program": (packed(a=b"<x/>"), "这不是一份能读懂的表格"),
    "a picture": (b"\x89PNG\r\n\x1a\n\xff\xff", "这不是一份能读懂的表格"),
    "cut UTF-16": ("名称,类别\n瑜伽,瑜伽\n".encode("utf-16")[:-1], "这不是一份能读懂的表格"),
    "UTF-16 without a mark": ("a,b\n1,2\n".encode("utf-16-le"), "这不是一份能读懂的表格"),
    "a quote that does not end": ('名称,类别\n"瑜伽,瑜伽\n'.encode(), "这不是一份能读懂的表格"),
    "a bomb": (packed(a=bytes(packages.LARGEST + 1)), "这不是一份能读懂的表格"),
    "entities in UTF-16": (packed(a='<!DOCTYPE x [<!ENTITY a "b">]><x/>'.encode("utf-16")), "这不是一份能读懂的表格"),
}


@pytest.mark.parametrize("what", SHEETS)
def test_a_file_that_is_no_sheet_is_an_error_at_the_field(session: Session, app: Flask, what: str) -> None:
    content, sentence = SHEETS[what]
    answer = Desk(app, LunchHour(session)).post("import/activities", sheet=(io.BytesIO(content), "表.xlsx"))
    assert answer.status_code == 422
    assert sentence in said(answer)
    assert 'id="sheet-error"' in answer.text


def test_a_damaged_sheet_is_read_or_refused(request: pytest.FixtureRequest) -> None:
    """Bytes of the file, and bytes of what is packed in it."""
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    for number in range(2600 if request.config.getoption("--whole") else 150):
        chance = random.Random(number)
        name = chance.choice(list(parts))
        for content in (odd.damaged(chance, WHOLE), packed(**parts | {name: odd.damaged(chance, parts[name])})):
            assert what_becomes_of(content) in ("read", "bad_sheet", "locked_sheet", "sheet_too_long"), number


def what_becomes_of(content: bytes) -> str:
    try:
        spreadsheets.read(content)
    except RuleViolation as no:
        return no.reason
    return "read"


# Actions


@pytest.mark.parametrize("state", ["released", "cancelled", "waiting", "booked"])
def test_undoing_a_check_in_that_is_gone_says_so(session: Session, app: Flask, state: str) -> None:
    lunch = LunchHour(session, capacity=2 if state != "waiting" else 1)
    lunch.book("李静", "Mon 10:00")
    lunch.book("周明", "Mon 10:01")
    if state == "cancelled":
        lunch.give_up("周明", "Mon 10:10")
    if state == "released":
        lunch.check_in("李静", "12:05")
        lunch.tick("12:16")
    assert lunch.state("周明") == state
    answer = Desk(app, lunch).post(f"bookings/{lunch.latest('周明').id}/undo", "12:17")
    assert answer.status_code == 200
    assert "周明" in said(answer)
