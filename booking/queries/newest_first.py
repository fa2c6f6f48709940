"""Newest first: events in the order of their time, not of their ids: what a phone without network did is heard late."""

from collections.abc import Callable, Sequence

from sqlalchemy import Select
from sqlalchemy.orm import Session

from booking.model import Event

PAGE = 200  # events
LAST_PAGE = 50  # whoever looks for older ones names a day, a slot or a person


def page_of(read: Callable[[int], Sequence[Event]], page: int) -> tuple[Sequence[Event], int | None]:
    """The events of a page, from 1, and the number of the next, None where there are no older ones. `read` takes a limit."""
    page = min(max(page, 1), LAST_PAGE)
    found, end = read(page * PAGE + 1), page * PAGE
    return found[end - PAGE : end], page + 1 if len(found) > end and page < LAST_PAGE else None


def newest_first(session: Session, found: Select[Event], limit: int, also: Sequence[Event] = ()) -> Sequence[Event]:
    """The newest of these events, and of the ones that are read already.

    The indexes go by id: the newest by time are among twice as many by id, unless more than `limit` of them came late.
    """
    by_id = session.scalars(found.order_by(Event.id.desc()).limit(2 * limit)).all()
    return sorted([*by_id, *also], key=lambda event: (event.at, event.id), reverse=True)[:limit]
