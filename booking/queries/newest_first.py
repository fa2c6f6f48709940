"""Newest first: events in the order of their time, not of their ids: what a phone without network did is heard late."""

from collections.abc import Sequence

from sqlalchemy import Select
from sqlalchemy.orm import Session

from booking.model import Event


def newest_first(session: Session, found: Select[Event], limit: int, also: Sequence[Event] = ()) -> Sequence[Event]:
    """The newest of these events, and of the ones that are read already.

    The indexes go by id: the newest by time are among twice as many by id, unless more than `limit` of them came late.
    """
    by_id = session.scalars(found.order_by(Event.id.desc()).limit(2 * limit)).all()
    return sorted([*by_id, *also], key=lambda event: (event.at, event.id), reverse=True)[:limit]
