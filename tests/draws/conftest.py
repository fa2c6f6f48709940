"""Fixtures: each test gets its own day of draws, on both databases, which it shares with others of the rules."""

import pytest
from sqlalchemy.orm import Session

from tests.seats.conftest import engine, kept_postgresql, kept_sqlite, session
from tests.support.draw_cast import DrawDay

__all__ = ["engine", "kept_postgresql", "kept_sqlite", "session"]


@pytest.fixture
def day(session: Session) -> DrawDay:
    """Two seats in each of three slots."""
    return DrawDay(session)
