"""The history, read as it grows: whatever is kept is known to be old as soon as something of it has changed."""

from time import sleep
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, delete
from sqlalchemy.orm import Session

from booking import seats
from booking.db import transactions
from booking.history import record
from booking.model import Event
from booking.queries import station_day
from booking.queries.change_feed import SWEEP, ChangeFeed, LastChanged
from booking.web.cache.poll_pace import PollPace
from booking.web.cache.store import Cache
from tests.support.lunch_hour import LunchHour, at
from tests.support.snapshots import seed_workdays

SIZE = 3
ONES = st.integers(1, 12)


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    with transactions.transaction(session):
        seed_workdays(session)
    return LunchHour(session)


@given(st.lists(ONES, max_size=60))
def test_who_has_changed_is_never_taken_for_unchanged(changed: list[int]) -> None:
    changes, truth = LastChanged(SIZE), dict.fromkeys(range(1, 13), 0)
    for count, one in enumerate(changed, start=1):
        changes.note(one, count)
        truth[one] = count
        assert all(truth[any_] <= changes.last(any_) <= count for any_ in truth)
        lately = sorted(truth, key=lambda any_: -truth[any_])[:SIZE]
        assert all(changes.last(any_) == truth[any_] for any_ in lately if truth[any_])


def test_as_many_are_remembered_as_there_is_room_for() -> None:
    changes = LastChanged(SIZE)
    for count in range(1, 1000):
        changes.note(count, count)
    assert [changes.last(one) for one in (999, 998, 997)] == [999, 998, 997]
    assert {changes.last(one) for one in range(1, 990)} == {changes.last(1)}
    assert 990 <= changes.last(1) < 999


@pytest.mark.postgresql
def test_an_event_that_commits_late_is_news_all_the_same(engine: Engine, lunch: LunchHour) -> None:
    news = ChangeFeed(engine, every=0)
    with Session(engine) as slow, Session(engine) as quick:
        record(slow, "skipped", at("Mon 10:00"), station_id=lunch.station_id)
        slow.flush()
        record(quick, "skipped", at("Mon 10:00"), person_id=lunch.people["周明"])
        quick.commit()
        news.look()
        before = news.noted
        assert news.changed(lunch.station_id, lunch.people["周明"]) <= before
        slow.commit()
        sleep(SWEEP)
        news.look()
    assert news.changed(lunch.station_id, None) > before
    assert news.changed(None, lunch.people["周明"]) <= before


def test_another_database_in_its_place_is_news(engine: Engine, lunch: LunchHour) -> None:
    news = ChangeFeed(engine, every=0)
    lunch.book("周明", "Mon 10:00")
    news.look()
    before = news.noted
    with engine.begin() as connection:
        connection.execute(delete(Event))
    sleep(SWEEP)
    news.look()
    assert news.changed(lunch.station_id) > before


def test_a_day_outlives_what_happens_elsewhere_while_it_is_read(engine: Engine, lunch: LunchHour) -> None:
    lunch.other_station("west")
    cache = Cache(engine, ChangeFeed(engine, every=0), PollPace(1))
    cache.news.look()
    here, there = (cache.day(code, None, at("Mon 10:00")) for code in ("cbd", "west"))
    assert cache.day("cbd", None, at("Mon 10:00")) is here
    lunch.book("周明", "Mon 10:00")
    cache.news.look()
    assert cache.day("cbd", None, at("Mon 10:00")) is not here
    assert cache.day("west", None, at("Mon 10:00")) is there


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How each day was read: in whole, or again."""
    found: list[str] = []

    def told(name: str) -> Any:
        read = getattr(station_day, name)
        return lambda *asked: found.append(name) or read(*asked)

    for name in ("find", "recount"):
        monkeypatch.setattr(station_day, name, told(name))
    return found


def test_where_only_bookings_have_changed_a_day_is_not_read_in_whole(
    engine: Engine, lunch: LunchHour, reads: list[str]
) -> None:
    lunch.slot("Wed 12:10")
    cache = Cache(engine, ChangeFeed(engine, every=0), PollPace(1))

    def day(clock: str) -> Any:
        cache.look()
        return cache.day("cbd", None, at(clock))

    before = day("Mon 10:00")
    assert [slot.taken for slot in before.slots] == [0]
    lunch.book("周明", "Mon 10:00")
    after = day("Mon 10:00:01")
    assert [slot.taken for slot in after.slots] == [1]
    assert after == station_day.find(engine, "cbd", None, at("Mon 10:00:01"))
    lunch.slot("Wed 13:10")
    lunch.cancel("Mon 10:00:02")
    assert day("Mon 10:00:03").days != after.days, "control: where more has changed"
    assert reads == ["find", "recount", "find", "find"]
    lunch.book("周明", "Mon 10:00:04", lunch.slot("Mon 13:10"))
    day("Mon 10:00:04")
    lunch.give_up("周明", "Mon 10:00:05")
    assert day("Mon 10:01:04"), "it is read in whole each minute all the same"
    assert reads[4:] == ["find", "find"]


def test_seats_that_open_later_are_counted_again(engine: Engine, lunch: LunchHour, session: Session) -> None:
    """A manager gives some away before the opening; the page says how many there will be."""
    coming = lunch.slot("Thu 12:10")
    cache = Cache(engine, ChangeFeed(engine, every=0), PollPace(1))

    def seats_coming() -> int:
        cache.look()
        day = cache.day("cbd", None, at("Mon 10:00"))
        return sum(opening.seats for opening in day.openings) if day else 0

    before = seats_coming()
    with transactions.transaction(session):
        seats.reserve(session, coming, lunch.people["周明"], at("Mon 10:00"), lunch.manager_id)
    assert seats_coming() == before - 1
