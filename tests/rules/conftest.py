"""Each rule gets its own lunch hour, on both databases."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from tests.lunch_hour import LunchHour


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Two seats on Tuesday at 12:10; they open on Monday at 10:00."""
    return LunchHour(session)


@pytest.fixture
def lunch_with(session: Session) -> Callable[..., LunchHour]:
    """The same with other numbers: `lunch_with(capacity=1, seats_a_day=2)`."""
    return lambda **options: LunchHour(session, **options)
