"""Tickets and message ids: nobody can guess them, and an index of them is written at its end."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking import identifiers
from booking.model import Booking, Letter

MOMENTS = st.integers(1767225600, 7258118400).map(lambda at: datetime.fromtimestamp(at, UTC))
KINDS = [(identifiers.ticket, Booking.ticket), (identifiers.message_id, Letter.message_id)]


@pytest.mark.parametrize(("make", "column"), KINDS, ids=["ticket", "message id"])
@given(now=MOMENTS, later=st.timedeltas(timedelta(minutes=1), timedelta(days=9000)))
def test_what_is_made_later_sorts_behind_and_fits(make, column, now: datetime, later: timedelta) -> None:  # type: ignore[no-untyped-def]
    before, after = make(now), make(now + later)
    assert before < after
    assert len(after) <= column.type.length


@pytest.mark.parametrize(("make", "_column"), KINDS, ids=["ticket", "message id"])
def test_a_thousand_of_one_minute_are_all_different(make, _column) -> None:  # type: ignore[no-untyped-def]
    now = datetime(2026, 11, 23, 10, tzinfo=UTC)
    made = {make(now) for _ in range(1000)}
    assert len(made) == 1000
    assert len({name[:7] for name in made}) == 1
    assert len({name[7:] for name in made}) == 1000
