"""Signed-in people, made beforehand: a sign-in row, the session cookie and the CSRF token of each."""

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from flask import Flask, session
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer

from booking import people
from booking.model import SignedIn
from booking.web.security import user
from booking.web.security.user import CurrentUser


@dataclass(frozen=True)
class Visit:
    """One person's browser: who, and what it sends."""

    person: int
    cookie: str
    csrf: str


def sign_in(connection: psycopg.Connection[Any], app: Flask, persons: range, stations: int = 1) -> list[Visit]:
    """Sign these people in, as the app's own code would."""
    made = tokens(persons)
    now = datetime.now(UTC)
    copy = "COPY sign_in (person_id, token_hash, agent, created_at, expires_at) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(copy) as rows:
        for person, token in made.items():
            rows.write_row((person, hashed(token), "bench", now, now + people.SIGN_IN_LASTS))
    return list(visits(app, made, stations))


def tokens(persons: Iterable[int]) -> dict[int, str]:
    """A sign-in's secret for each."""
    return {person: secrets.token_urlsafe(32) for person in persons}


def hashed(token: str) -> str:
    """What the database keeps of it."""
    return hashlib.sha256(token.encode()).hexdigest()


def visits(app: Flask, tokens: dict[int, str], stations: int = 1) -> Iterator[Visit]:
    """One session is begun by the app's own code; the others are like it, each with secrets of its own."""
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    if signer is None:
        raise RuntimeError("the app has no SECRET_KEY")
    csrf = URLSafeTimedSerializer(app.secret_key or "", salt="wtf-csrf-token")
    with app.test_request_context():
        user.enter(CurrentUser("", SignedIn(0, 0, "zh_Hans_CN", is_admin=False)))
        like = dict(session)
    for n, (person, token) in enumerate(tokens.items()):
        raw = secrets.token_hex(20)
        # They have opened their station's page before.
        cookie = signer.dumps({**like, "_user_id": token, "csrf_token": raw, "station": f"s{n % stations + 1}"})
        yield Visit(person, f"{app.config['SESSION_COOKIE_NAME']}={cookie}", csrf.dumps(raw))
