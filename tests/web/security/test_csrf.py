"""Signed tokens: with derived keys they are those of itsdangerous and of Flask, and nothing else is accepted."""

from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import BadData, URLSafeTimedSerializer

from booking.web.security.csrf import SALT, SignedTokens, is_valid

LIBRARY = URLSafeTimedSerializer(["an old secret", "a secret of this test"], salt="salt")
DERIVED = SignedTokens(LIBRARY)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=200), lambda v: st.lists(v, max_size=9)
)


def opened(serializer: URLSafeTimedSerializer, token: str, lasts: int | None = None) -> Any:
    try:
        return serializer.loads(token, max_age=lasts)
    except BadData as error:
        return type(error)


@given(value=VALUES)
def test_each_opens_what_the_other_signed(value: Any) -> None:
    assert DERIVED.loads(LIBRARY.dumps(value)) == LIBRARY.loads(DERIVED.dumps(value)) == value


def test_a_token_of_an_old_key_is_opened() -> None:
    assert DERIVED.loads(URLSafeTimedSerializer("an old secret", salt="salt").dumps("x")) == "x"


@given(value=st.text(max_size=50), place=st.integers(0, 200), put=st.characters(codec="utf-8"))
def test_a_changed_token_is_judged_as_by_the_library(value: str, place: int, put: str) -> None:
    token = LIBRARY.dumps(value)
    changed = token[: place % len(token)] + put + token[place % len(token) + 1 :]
    assert opened(DERIVED, changed) == opened(LIBRARY, changed)


@pytest.mark.parametrize(
    ("clock", "is_good"), [("10:00:00", True), ("10:01:00", True), ("10:01:01", False), ("09:59:59", False)]
)
def test_a_token_expires_as_with_the_library(clock: str, is_good: bool) -> None:
    with time_machine.travel("2026-11-23 10:00:00Z", tick=False):
        token = DERIVED.dumps("x")
    with time_machine.travel(f"2026-11-23 {clock}Z", tick=False):
        assert opened(DERIVED, token, 60) == opened(LIBRARY, token, 60)
        assert (opened(DERIVED, token, 60) == "x") is is_good


@pytest.mark.sqlite
def test_a_session_is_signed_as_by_flask(app: Flask) -> None:
    signer: Any = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    flasks: Any = SecureCookieSessionInterface().get_signing_serializer(app)
    content = {"_user_id": "token", "_flashes": [("good", "约上了")], "long": "x" * 3000}
    assert signer.loads(flasks.dumps(content)) == flasks.loads(signer.dumps(content)) == content


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("session", "is_good"),
    [({"csrf_token": "raw"}, True), ({"csrf_token": "other"}, False), ({"csrf_token": "约"}, False), ({}, False)],
)
def test_a_csrf_token_is_good_for_its_session_only(app: Flask, session: dict[str, str], is_good: bool) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    assert is_valid(app, URLSafeTimedSerializer(app.secret_key or "", salt=SALT).dumps("raw"), session) is is_good
    assert not is_valid(app, URLSafeTimedSerializer(app.secret_key or "", salt="another").dumps("raw"), session)
    assert not is_valid(app, "", session)
