"""Caches of the fast lane: nothing of a raw request is kept, and what differs to the eye has another key."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.errors import RuleViolation
from booking.seats.eligibility import CountedSlot
from booking.web.cache import store
from booking.web.i18n import formatting
from booking.web.worker import card_cache
from tests.support.lunch_hour import LunchHour, at
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import HTMX, Phone

pytestmark = pytest.mark.sqlite
MARK = "zqx7"  # in all that a client can write
PATH = "/s/cbd?day=2026-11-24"


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    with transactions.transaction(session):
        seed_workdays(session)
    return LunchHour(session)


def texts_in(value: Any, seen: set[int]) -> Iterator[str]:
    """All texts that can be reached from a kept value."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, str | bytes):
        yield value if isinstance(value, str) else value.decode("latin1")
    parts = [*value.keys(), *value.values()] if isinstance(value, dict) else []
    parts += value if isinstance(value, list | tuple | set | frozenset) else []
    if type(value).__module__.startswith(("booking.web", "booking.queries", "cachetools")):
        slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
        parts += [getattr(value, name, None) for name in slots] + [*getattr(value, "__dict__", {}).values()]
    for part in parts:
        yield from texts_in(part, seen)


def test_nothing_of_an_address_a_header_or_a_form_is_kept(app: Flask, lunch: LunchHour) -> None:
    headers = {
        "User-Agent": f"Mozilla MicroMessenger {MARK}",
        "Accept-Language": f"en;q=0.9, x-{MARK}",
        "Referer": f"http://localhost/{MARK}",
        "X-Forwarded-For": MARK,
        f"X-{MARK}": MARK,
    }
    lunch.book("李静", "Mon 10:00", lunch.slot("13:10"))
    for who, more in product(("周明", "李静"), ({}, HTMX | {"If-None-Match": f'"{MARK}"'})):
        phone = Phone(app, lunch, who)
        phone.client.set_cookie(MARK, MARK)
        form = {"back": "day", "key": f"{MARK}{who == '周明'}", MARK: MARK}
        for clock in ("Mon 09:00", "Mon 10:01"):
            phone.client.delete_cookie(store.JUST_ACTED)
            for _ in range(2):
                phone.get(f"{PATH}&{MARK}={MARK}&kind={MARK}", clock, headers=headers | more)
            for _ in range(2):
                phone.post(f"/slots/{lunch.slot_id}/book", clock, data=form, headers=HTMX | headers)
    kept = app.extensions["cache"]
    found = list(texts_in([*vars(kept).values(), app.extensions["page_request"], card_cache.fragments], set()))
    assert kept.texts.size, "refusals were answered"
    assert any("瑜伽" in text for text in found), "what is kept is found"
    assert [text for text in found if MARK in text] == []


DETAILS: list[tuple[str, dict[str, Any]]] = [
    ("day_limit", {"limit": 1, "slot_id": 1}),
    ("day_limit", {"limit": 1, "slot_id": 2}),
    ("day_limit", {"limit": 2, "slot_id": 1}),
    ("overlap", {"slot_id": 1}),
    ("overlap", {"slot_id": 2}),
    ("waiting_limit", {"limit": 2}),
    ("waiting_limit", {"limit": 3}),
    *(("paused", {"until": at("Mon 10:00") + timedelta(seconds=seconds)}) for seconds in (0, 1, 59.9, 60, 86400)),
    ("not_open", {"opens_at": at("Mon 10:00")}),
    ("not_open", {"opens_at": at("Mon 10:01")}),
    ("cancelled", {"why": "停电"}),
    ("cancelled", {"why": "停水"}),
    ("cancelled", {"why": None}),
    (
        "week_limit",
        {"limit": 1, "slots": (CountedSlot(at("12:10"), "瑜伽", "Yoga", "国贸驿站", "Guomao"),), "slot_id": 1},
    ),
    (
        "week_limit",
        {"limit": 1, "slots": (CountedSlot(at("13:10"), "瑜伽", "Yoga", "国贸驿站", "Guomao"),), "slot_id": 2},
    ),
    ("over", {}),
]


@pytest.mark.parametrize("language", ["zh_Hans_CN", "en"])
def test_refusals_share_a_key_exactly_where_they_read_alike(app: Flask, language: str) -> None:
    with app.test_request_context(), force_locale(language):
        seen = [
            (formatting.printed(no), formatting.reason(no), formatting.next_step(no))
            for no in (RuleViolation(code, **details) for code, details in DETAILS)
        ]
    for (key, *texts), (other_key, *other_texts) in product(seen, seen):
        assert (key == other_key) == (texts == other_texts), (key, other_key)
