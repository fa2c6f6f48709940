"""Signed-token reader: it accepts what itsdangerous has signed, and nothing else."""

from typing import Any

import pytest
import time_machine
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import BadData, URLSafeTimedSerializer

from booking.web.seal import Seal

SERIALIZER = URLSafeTimedSerializer("a secret of this test", salt="salt")
SEAL = Seal(SERIALIZER)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=200), lambda v: st.lists(v, max_size=9)
)


def by_the_library(sealed: str, lasts: int | None) -> Any:
    try:
        return SERIALIZER.loads(sealed, max_age=lasts)
    except BadData:
        return None


@given(value=VALUES)
def test_what_was_signed_is_opened(value: Any) -> None:
    assert SEAL.open(SERIALIZER.dumps(value)) == value


@given(value=st.text(max_size=50), place=st.integers(0, 200), put=st.characters(codec="utf-8"))
def test_a_changed_token_is_not_opened(value: str, place: int, put: str) -> None:
    sealed = SERIALIZER.dumps(value)
    changed = sealed[: place % len(sealed)] + put + sealed[place % len(sealed) + 1 :]
    assert SEAL.open(changed) in (None, by_the_library(changed, None))


@given(text=st.text(max_size=60) | st.from_regex(r"[\w-]*(\.[\w-]*){0,3}", fullmatch=True))
def test_what_nobody_signed_is_not_opened(text: str) -> None:
    assert SEAL.open(text) is None


@pytest.mark.parametrize("salt", ["another", "cookie-session"])
def test_a_token_with_another_salt_is_not_opened(salt: str) -> None:
    assert SEAL.open(URLSafeTimedSerializer("a secret of this test", salt=salt).dumps("x")) is None


@pytest.mark.parametrize(
    ("clock", "is_good"), [("10:00:00", True), ("10:01:00", True), ("10:01:01", False), ("09:59:59", False)]
)
def test_a_token_expires_as_with_the_library(clock: str, is_good: bool) -> None:
    with time_machine.travel("2026-11-23 10:00:00Z", tick=False):
        sealed = SERIALIZER.dumps("x")
    with time_machine.travel(f"2026-11-23 {clock}Z", tick=False):
        assert SEAL.open(sealed, 60) == by_the_library(sealed, 60) == ("x" if is_good else None)


def test_a_session_of_flask_s_is_opened_as_flask_does(app: Flask) -> None:
    signer: Any = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    sealed = signer.dumps({"_user_id": "token", "_flashes": [("good", "约上了")], "long": "x" * 3000})
    assert Seal(signer).open(sealed) == signer.loads(sealed)
