"""Fuzz test of every route: odd text, odd headers, damaged bodies and files. Nothing of it is answered with 500."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from booking import invariants
from tests.support.fuzz_cast import END, Fuzz

# Requests of one seed, and seeds: small in `make test`, 10,000 requests on each database in `make test-all`.
SMALL, WHOLE = (200, range(1)), (1000, range(10))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    count, seeds = WHOLE if metafunc.config.getoption("--whole") else SMALL
    metafunc.parametrize(("seed", "count"), [(seed, count) for seed in seeds])


# Werkzeug leaves the file of a body, or of an answer, that it gives up half-way to the garbage collector.
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in.*(SpooledTemporaryFile|FileIO):pytest.PytestUnraisableExceptionWarning"
)
def test_nothing_that_anybody_sends_is_answered_with_500(
    session: Session, make_app: Callable[..., Flask], seed: int, count: int
) -> None:
    """With a proxy in front, whose headers are trusted. The invariants hold afterwards."""
    fuzz = Fuzz(make_app(TRUSTED_PROXIES=1), session, seed)
    fuzz.run(count)
    assert fuzz.sent() >= count
    if fuzz.found:
        pytest.fail("\n\n".join(f"{what}\n{str(request)[:4000]}" for what, request in fuzz.found.items()))
    assert invariants.breaches(session, END) == []
