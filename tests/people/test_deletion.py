"""Deleting an account: seats pass on, sign-ins end, the name goes, the history stays."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from booking import model, people, seats
from booking.db import transactions
from booking.errors import RuleViolation
from booking.history import replay
from booking.model import Booking, Code, Letter, Manages, Person, Slot
from booking.people import codes, deletion
from tests.support.lunch_hour import LunchHour, at
from tests.support.network_cast import MONDAY, Network
from tests.support.together import together, until_it_waits

NOON = at("Mon 12:00")


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Two seats on Tuesday: 周明 and 李静 have them, 王磊 and 陈晨 wait."""
    lunch = LunchHour(session)
    for name in ("周明", "李静", "王磊", "陈晨"):
        lunch.book(name, "Mon 11:00")
    return lunch


def leave(lunch: LunchHour, name: str, clock: str = "Mon 12:00") -> None:
    with transactions.transaction(lunch.session) as session:
        people.delete_account(session, lunch.people[name], at(clock))


def states(lunch: LunchHour, *names: str) -> list[str]:
    lunch.session.rollback()
    return [lunch.latest(name).state for name in names]


def test_the_seat_passes_on_to_the_line(lunch: LunchHour) -> None:
    leave(lunch, "周明")
    assert states(lunch, "周明", "李静", "王磊", "陈晨") == ["cancelled", "booked", "booked", "waiting"]
    assert lunch.letters("王磊") == ["promoted"]


def test_a_place_in_line_is_given_up_too(lunch: LunchHour) -> None:
    leave(lunch, "王磊")
    assert states(lunch, "王磊", "陈晨") == ["cancelled", "waiting"]
    assert (lunch.now().taken, lunch.now().waiting) == (2, 1)


def test_seats_of_several_slots_pass_on_at_once(lunch: LunchHour) -> None:
    friday = lunch.slot("Fri 12:10", capacity=1)
    lunch.book("周明", "Thu 10:00", friday)
    lunch.book("刘洋", "Thu 10:00", friday)
    leave(lunch, "周明", "Tue 10:00")
    lunch.session.rollback()
    assert lunch.latest("刘洋", friday).state in ("booked", "waiting")
    assert states(lunch, "王磊") == ["booked"]
    assert lunch.latest("周明", friday).state == "cancelled"


def test_leaving_late_brings_no_strike(lunch: LunchHour) -> None:
    leave(lunch, "周明", "Tue 12:09")
    lunch.tick("Tue 13:30")
    assert lunch.strikes("周明") == []
    assert states(lunch, "周明") == ["cancelled"]


def test_what_was_attended_stays_attended(lunch: LunchHour) -> None:
    lunch.check_in("周明", "Tue 12:05")
    leave(lunch, "周明", "Tue 12:30")
    assert states(lunch, "周明") == ["attended"]


def test_the_history_can_still_be_replayed(lunch: LunchHour) -> None:
    leave(lunch, "周明")
    told = replay(lunch.lines())
    assert told.jumps == []
    assert told.taken == lunch.now().taken == 2


def test_nothing_personal_is_left(lunch: LunchHour) -> None:
    person = lunch.session.get_one(Person, lunch.people["周明"])
    email, person_id = person.email, person.id
    with transactions.transaction(lunch.session) as session:
        people.change_profile(
            session,
            person_id,
            NOON,
            name="周明",
            phone="13800138000",
            company="某公司",
            language="en",
            wants_digest=True,
        )
        theirs = update(Letter).where(Letter.person_id == person_id)
        session.execute(theirs.values(state="failed", error=f"554 5.7.1 <{email}>: refused"))
        people.ask_for_code(session, "zhou@example.com", "register", "en", NOON, "a browser", "10.0.0.1")
    leave(lunch, "周明")
    gone = lunch.session.get_one(Person, person_id, populate_existing=True)
    assert (gone.email, gone.name, gone.phone, gone.company, gone.password_hash) == (None, "", "", "", None)
    assert gone.deleted_at
    kept = [*rows_of(lunch.session, model.Event), *rows_of(lunch.session, Letter), *rows_of(lunch.session, Code)]
    assert not [row for row in kept if "周明" in row or str(email) in row or "13800138000" in row]


def rows_of(session: Session, table: type[Any]) -> Iterator[str]:
    for row in session.scalars(select(table)):
        yield repr({name: value for name, value in vars(row).items() if not name.startswith("_")})


def test_letters_not_yet_sent_stay_here(lunch: LunchHour) -> None:
    leave(lunch, "周明")
    theirs = select(Letter.state).where(Letter.person_id == lunch.people["周明"])
    assert set(lunch.session.scalars(theirs)) <= {"dropped"}


def test_the_address_may_register_again(network: Network) -> None:
    with transactions.transaction(network.session) as session:
        people.delete_account(session, network.ids["周明"], MONDAY)
    with transactions.transaction(network.session) as session:
        people.ask_for_code(session, "zhou@example.com", "register", "en", MONDAY, "a browser", "10.0.0.1")
    code = network.code("zhou@example.com")
    with transactions.transaction(network.session) as session:
        again = people.register(
            session, "zhou@example.com", code, "周明", "hash", "en", "a browser", "10.0.0.1", MONDAY
        )
    assert again
    assert again.id != network.ids["周明"]


def test_a_manager_who_leaves_runs_nothing_any_more(network: Network) -> None:
    with transactions.transaction(network.session) as session:
        people.delete_account(session, network.ids["林经理"], MONDAY)
    assert network.session.get(Manages, (network.ids["林经理"], network.stations["cbd"])) is None
    told = select(model.Event.kind).where(model.Event.station_id == network.stations["cbd"])
    assert list(network.session.scalars(told)) == ["appointed", "dismissed"]


def test_the_last_admin_stays(network: Network) -> None:
    with pytest.raises(RuleViolation, match="last_admin"), transactions.transaction(network.session) as session:
        people.delete_account(session, network.ids["何主任"], MONDAY)
    assert network.person("何主任").email == "he@example.com"


def go_at_once(network: Network, engine: Engine, how: str) -> tuple[str, int]:
    """What the second of two admins is told, who begins before the first has committed; and how many are left."""
    with transactions.transaction(network.session) as session:
        first, second = (network.ids[name] for name in ("何主任", "周明"))
        session.get_one(Person, second).is_admin = True
    acts = {
        "leaves": lambda rows, goes, _other: people.delete_account(rows, goes, MONDAY),
        "disables": lambda rows, other, goes: people.disable(rows, goes, MONDAY, other),
    }

    def later(act: Any) -> str:
        with Session(engine) as session:
            try:
                act(session, second, first)
            except RuleViolation as no:
                return no.reason
        return "gone"

    with ThreadPoolExecutor(1) as pool:
        with transactions.transaction(network.session) as session:
            acts[how](session, first, second)
            session.flush()
            told = pool.submit(later, acts[how])
            until_it_waits(engine, told)
        said = told.result()
    admins = (Person.is_admin, Person.disabled_at.is_(None), Person.deleted_at.is_(None))
    return said, network.session.scalar(select(func.count()).where(*admins)) or 0


@pytest.mark.postgresql
@pytest.mark.parametrize("how", ["leaves", "disables"])
def test_of_two_admins_who_go_at_once_one_stays(network: Network, engine: Engine, how: str) -> None:
    assert go_at_once(network, engine, how) == ("last_admin", 1)


@pytest.mark.postgresql
@pytest.mark.parametrize("how", ["leaves", "disables"])
def test_without_the_lock_both_admins_would_go(
    network: Network, engine: Engine, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(transactions, "advisory_lock", lambda *_: None)
    assert go_at_once(network, engine, how) == ("gone", 0)


def test_twice_is_once(lunch: LunchHour) -> None:
    leave(lunch, "周明")
    with pytest.raises(RuleViolation, match="no_such_person"):
        leave(lunch, "周明")


def test_leaving_against_booking_leaves_no_seat_behind(lunch: LunchHour, engine: Engine) -> None:
    slots = [lunch.slot(f"{day} 12:10", capacity=3) for day in ("Wed", "Thu", "Fri")]
    who, late = lunch.people["刘洋"], at("Fri 10:00") - timedelta(days=1)

    def act(rows: Session, number: int) -> str:
        if number == 3:
            people.delete_account(rows, who, at("Tue 10:30"))
            return "left"
        return seats.book_in_transaction(rows, who, slots[number], late if number else at("Tue 10:30")).booking.state

    answers = together(engine, 4, act)
    assert "left" in answers
    lunch.session.rollback()
    live = select(Booking.id).where(Booking.person_id == who, Booking.state.in_(("booked", "waiting")))
    assert lunch.session.scalars(live).all() == []
    assert list(lunch.session.scalars(select(Slot.taken).where(Slot.id.in_(slots)))) == [0, 0, 0]


def test_a_press_between_the_look_and_the_lock_is_seen(lunch: LunchHour, monkeypatch: pytest.MonkeyPatch) -> None:
    wednesday, looked = lunch.slot("Wed 12:10"), []
    real = deletion.live_bookings

    def live_bookings(session: Any, person_id: int) -> Any:
        found = real(session, person_id)
        looked.append(len(found))
        if len(looked) == 1:  # here somebody's other tab gets in between
            seats.book_in_transaction(session, person_id, wednesday, at("Tue 10:30"))
        return found

    monkeypatch.setattr(deletion, "live_bookings", live_bookings)
    leave(lunch, "周明", "Tue 10:31")
    assert looked[:3] == [1, 2, 2]
    assert lunch.latest("周明", wednesday).state == "cancelled"


@pytest.mark.postgresql
def test_leaving_waits_for_a_code_in_use_before_it_locks_anything(
    network: Network, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    zhou, redeemed, locked = network.ids["周明"], Event(), Event()
    with transactions.transaction(network.session) as session:
        people.ask_for_code(session, "zhou@example.com", "reset", "en", MONDAY, "a browser", "10.0.0.1")
    code, hold = network.code("zhou@example.com"), deletion._hold_everything

    def hold_and_tell(*arguments: Any) -> seats.LockedSlots:
        held = hold(*arguments)
        locked.set()
        return held

    def act(rows: Session, number: int) -> str:
        if number:
            redeemed.wait(10)
            people.delete_account(rows, zhou, MONDAY)
            return "left"
        codes.redeem(rows, "zhou@example.com", "reset", code, "a browser", "10.0.0.1", MONDAY, 20)
        redeemed.set()
        locked.wait(1)  # without the turnstile the person is locked by now, and this is a deadlock
        people.set_password(rows, zhou, "another hash", MONDAY)
        return "reset"

    monkeypatch.setattr(deletion, "_hold_everything", hold_and_tell)
    assert together(engine, 2, act) == ["reset", "left"]
