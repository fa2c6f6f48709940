"""A fuzz over every route: odd text, odd headers, damaged bodies and files. Nothing of it is answered with 500."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from booking import audit
from tests.fuzz_cast import END, Fuzz

SEED = 2026


def test_nothing_that_anybody_sends_is_answered_with_500(
    session: Session, make_app: Callable[..., Flask], backend: str
) -> None:
    fuzz = Fuzz(make_app(TRUSTED_PROXIES=1), session, SEED)
    import os
    fuzz.run(int(os.environ.get("N", "400")))
    print(dict(fuzz.statuses))
    assert "\n".join(f"{what}\n    {request}"[:900] for what, request in fuzz.found.items()) == ""
    assert audit.breaches(session, END) == []
