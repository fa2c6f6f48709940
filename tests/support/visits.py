"""Signed-in people, made beforehand (a sign-in, the session cookie and the CSRF token of each), and what they send."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer

from booking.people import SIGN_IN_LASTS
from tests.support.servers import SECRET

PHONE = (
    "Host: 127.0.0.1\r\n"
    "User-Agent: Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/134.0 Mobile Safari/537.36\r\n"
    "Accept: text/html,*/*\r\nAccept-Language: zh-CN,zh;q=0.9\r\n"
)
IN_PLACE = "HX-Request: true\r\nHX-Target: article#slot-card\r\n"


@dataclass(frozen=True)
class Visit:
    """One person's browser: who, and what it sends."""

    person: int
    cookie: str
    csrf: str


def sign_in(
    connection: psycopg.Connection[Any], persons: Iterable[int], stations: int = 1, secret: str = SECRET
) -> list[Visit]:
    """Sign these people in, as the app does."""
    made, now = tokens(persons), datetime.now(UTC)
    copy = "COPY sign_in (person_id, token_hash, agent, created_at, expires_at) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(copy) as rows:
        for person, token in made.items():
            rows.write_row((person, hashed(token), "bench", now, now + SIGN_IN_LASTS))
    return visits(made, stations, secret)


def tokens(persons: Iterable[int]) -> dict[int, str]:
    """A sign-in's secret for each."""
    return {person: secrets.token_urlsafe(32) for person in persons}


def hashed(token: str) -> str:
    """What the database keeps of it."""
    return hashlib.sha256(token.encode()).hexdigest()


def visits(tokens: dict[int, str], stations: int = 1, secret: str = SECRET) -> list[Visit]:
    """Session cookies as Flask and Flask-Login write them on plain http, for who has opened a station's page before."""
    signs = Flask(__name__)
    signs.secret_key = secret
    session, csrf = SecureCookieSessionInterface().get_signing_serializer(signs), _csrf(secret)
    if session is None:
        raise RuntimeError("no secret key")
    found = []
    for n, (person, token) in enumerate(tokens.items()):
        raw = secrets.token_hex(20)
        kept = {"_permanent": True, "_fresh": True, "_user_id": token, "csrf_token": raw}
        cookie = session.dumps({**kept, "station": f"s{n % stations + 1}"})
        found.append(Visit(person, f"lunch={cookie}", csrf.dumps(raw)))
    return found


def _csrf(secret: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret, salt="wtf-csrf-token")


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
