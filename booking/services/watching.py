"""Watching online: counts who opened the link of a slot, once a person. It is no visit, no booking and never a strike.

Where the link leads we host nothing, and do not know for how long anybody watches.
"""

import hmac
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.db import upsert
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.model import Slot, WatchLink, WatchOpen
from booking.queries.watch_links import OPENS_BEFORE
from booking.slots.watch_link import is_allowed

# Who opened a link is known for so long, and by which browser without an account.
OPENER_KEPT = timedelta(days=180)
BROWSER_KEPT = timedelta(days=1)
SHOWN = select(WatchLink.url, Slot.state, Slot.cancel_reason, Slot.starts_at, Slot.ends_at).join(WatchLink.slot)


@transactional
def open_watch(
    session: Session, slot_id: int, hosts: Collection[str], now: datetime, *, person_id: int | None, browser: str = ""
) -> str:
    """Count this person, or without one this browser, and return the link. The unique keys make it once for each.

    Raises `cancelled`, `watch_soon`, `over`, `watch_missing`.
    """
    slot = session.execute(SHOWN.where(WatchLink.slot_id == slot_id)).one_or_none()
    if slot is None:
        raise RuleViolation("watch_missing")
    _check_open(slot, now)
    if not is_allowed(slot.url, hosts):
        raise RuleViolation("watch_missing")
    row = {"slot_id": slot_id, "opened_at": now, "person_id": person_id, "browser": None if person_id else browser}
    connection = session.connection()
    connection.execute(upsert.insert(connection, WatchOpen).values(row).on_conflict_do_nothing())
    url: str = slot.url
    return url


def browser_tag(secret_key: str, slot_id: int, token: str) -> str:
    """What a browser without an account counts as at this slot. A slot is of one day, so nothing links two days."""
    return hmac.new(secret_key.encode(), f"watch {slot_id} {token}".encode(), "sha256").hexdigest()[:32]


@transactional
def forget_opens(session: Session, now: datetime) -> int:
    """Forget who opened links long ago, and the browsers of yesterday. They still count. Safe to repeat."""
    named: list[Any] = [
        update(WatchOpen)
        .where(column.is_not(None), WatchOpen.opened_at <= now - kept)
        .values({column: None})
        .returning(WatchOpen.id)
        for column, kept in ((WatchOpen.person_id, OPENER_KEPT), (WatchOpen.browser, BROWSER_KEPT))
    ]
    return sum(len(session.scalars(statement).all()) for statement in named)


def _check_open(slot: Any, now: datetime) -> None:
    if slot.state == "cancelled":
        raise RuleViolation("cancelled", why=slot.cancel_reason)
    if now < slot.starts_at - OPENS_BEFORE:
        raise RuleViolation("watch_soon", since=slot.starts_at - OPENS_BEFORE)
    if slot.state == "done" or now >= slot.ends_at:
        raise RuleViolation("over")
