"""Claim: seats and waiting-list places of any kind are written by the same few statements."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from booking import invariants, seats, slots
from booking.db import transactions
from booking.model import Booking, Event, Letter, Slot
from booking.seats import claim
from booking.seats.claim import ARRIVED, BOOKED, STANDBY, ClaimRow, change, claim_in
from tests.support.lunch_hour import LunchHour, at, make_people
from tests.support.statements import heard

OPEN = "Mon 10:00"
DAY = timedelta(days=1)
MANY = [f"甲{n:02}" for n in range(12)]
Prepare = Callable[[LunchHour, list[str]], None]


def wait(lunch: LunchHour, names: list[str]) -> None:
    for who in names:
        lunch.book(who, OPEN)


def stand_by(lunch: LunchHour, names: list[str]) -> None:
    wait(lunch, names)
    lunch.check_in(names[0], "12:00")
    for who in names[1:]:
        lunch.stand_by(who, "12:01")
    lunch.tick("12:15")


def book(lunch: LunchHour, names: list[str]) -> None:
    lunch.resize(len(names), "Mon 09:00")
    wait(lunch, names)


def book_and_cancel(lunch: LunchHour, names: list[str]) -> None:
    book(lunch, names)
    lunch.cancel("11:00")


def locked(act: Callable[[Session, Slot, int], object]) -> Callable[[LunchHour], object]:
    """What the manager does to the locked slot."""
    return lambda lunch: lunch.do(
        lambda s: str(act(s, transactions.lock(s, slots={lunch.slot_id})[0], lunch.manager_id))
    )


ACTS: dict[str, tuple[Prepare, Callable[[LunchHour], object], str]] = {
    "promoted": (wait, lambda lunch: lunch.resize(20, "11:00"), "booked"),
    "seated from standby": (stand_by, lambda lunch: lunch.resize(20, "12:16"), "attended"),
    "moved down": (book, lambda lunch: lunch.resize(1, "11:00", move_newest=True), "waiting"),
    "everybody came": (
        book,
        locked(lambda s, slot, actor: seats.everybody_came(s, slot, at("12:40"), actor)),
        "attended",
    ),
    "brought back": (
        book_and_cancel,
        lambda lunch: lunch.do(lambda s: str(slots.bring_back(s, lunch.slot_id, at("11:00:20"), lunch.manager_id))),
        "booked",
    ),
}


@pytest.mark.both
@pytest.mark.parametrize("act", ACTS)
def test_twelve_people_at_once_cost_as_many_statements_as_one(session: Session, engine: Engine, act: str) -> None:
    prepare, write, state = ACTS[act]
    lunch = LunchHour(session, capacity=1)
    with transactions.transaction(session):
        lunch.people |= make_people(session, MANY)
    counts = []
    for names in (["周明", "李静"], ["王磊", *MANY]):
        prepare(lunch, names)
        with heard(engine) as sent:
            write(lunch)
        counts.append(len(sent))
        assert lunch.states(*names[1:]) == [state] * len(names[1:])
        lunch.slot_id = lunch.slot(capacity=1)
    assert counts[0] == counts[1]
    assert invariants.breaches(session, at("12:50")) == []


def every_kind(session: Session, lunch: LunchHour) -> list[Booking]:
    """Two promotions, a press, a walk-in, a place on standby and a seat that moves down, in one call."""
    slot = transactions.lock(session, slots={lunch.slot_id})[0]
    promoted, lowered = [lunch.latest("李静"), lunch.latest("赵敏")], lunch.latest("周明")
    new = [lunch.people[name] for name in ("王磊", "陈晨", "刘洋")]
    now, seat = at("12:00"), {"seated_at": at("12:00")}
    place = slot.waitlist_seq + 1
    rows = [
        *(change(slot, one, "booked", now, "promoted", via="line", letter="promoted", **seat) for one in promoted),
        ClaimRow(slot, "booked", new[0], now, new[0], BOOKED, letter="confirmed", **seat),
        ClaimRow(slot, "attended", new[1], now, lunch.manager_id, ARRIVED, via="door", checked_in_at=now, **seat),
        ClaimRow(slot, "waiting", new[2], now, new[2], STANDBY, via="door", waitlist_position=place, standby_at=now),
        change(
            slot,
            lowered,
            "waiting",
            now,
            "moved_down",
            lunch.manager_id,
            waitlist_position=0,
            letter="moved_down",
            wait=DAY,
        ),
    ]
    made = claim_in(session, rows)
    assert [booking.state for booking in made] == [row.state for row in rows]
    assert (slot.taken, slot.waiting, slot.waitlist_seq) == (4, 2, 3)
    return made


@pytest.fixture
def mixed(session: Session) -> LunchHour:
    """周明 has the only seat, 李静 and 赵敏 wait; then there is room for four."""
    lunch = LunchHour(session, capacity=1)
    wait(lunch, ["周明", "李静", "赵敏"])
    with transactions.transaction(session):
        session.execute(update(Slot).values(capacity=4))
        session.execute(update(Event).where(Event.kind == "planned").values(details={"capacity": 4}))
    return lunch


def columns(booking: Booking) -> dict[str, Any]:
    return {column.name: getattr(booking, column.name) for column in Booking.__table__.columns}


def test_rows_of_every_kind_are_written_by_one_call(mixed: LunchHour) -> None:
    with transactions.transaction(mixed.session) as session:
        made = every_kind(session, mixed)
        known = [columns(booking) for booking in made]
        for booking in made:
            session.refresh(booking)
        assert [columns(booking) for booking in made] == known
    events = mixed.lines("promoted", "walked_in", "checked_in", "standby", "moved_down")
    assert [(line.kind, line.before, line.after) for line in events] == [
        ("promoted", "waiting", "booked"),
        ("promoted", "waiting", "booked"),
        ("walked_in", None, "booked"),
        ("checked_in", "booked", "attended"),
        ("standby", None, None),
        ("moved_down", "booked", "waiting"),
    ]
    booking = mixed.latest("刘洋")
    assert (booking.via, booking.standby_at, booking.waitlist_position) == ("door", at("12:00"), 3)
    assert mixed.latest("李静").waitlist_position == 1  # as before
    letter = mixed.session.scalars(select(Letter).where(Letter.kind == "moved_down")).one()
    assert letter.next_try_at == letter.created_at + DAY
    assert [mixed.letters(who) for who in ("李静", "王磊", "陈晨")] == [["promoted"], ["confirmed"], []]
    assert invariants.breaches(mixed.session, at("12:01")) == []


def test_control_a_change_that_counts_nothing_is_found(mixed: LunchHour) -> None:
    with (
        mock.patch.object(claim, "_update", lambda line, rows: claim._CHANGED.run(line, **changed(rows))),
        transactions.transaction(mixed.session) as session,
        pytest.raises(AssertionError),
    ):
        every_kind(session, mixed)
    assert any(line.startswith("I1") for line in invariants.breaches(mixed.session, at("12:01")))


def changed(rows: Any) -> dict[str, Any]:
    written = [claim._changed(row) for row in rows]
    return {"rows": written, "ids": [row[0] for row in written]}
