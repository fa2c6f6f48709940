"""Limits that protect accounts: one count for all processes, and one for a network client with many addresses."""

from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from booking import people
from booking.db import transactions
from booking.enqueue import enqueue
from booking.errors import RuleViolation
from booking.model import Failure
from booking.people import login_throttle
from tests.support.network_cast import MONDAY, Network
from tests.support.together import together

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::FFFF:c000:207", "192.0.2.7"),
        ("64:ff9b::192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:0DB8:0001:0002::", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("127.0.0.1", "127.0.0.1"),
        ("2001:db8:1:2::/64", "2001:db8:1:2::/64"),
        ("unix:", "unix:"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_a_network_client_is_an_ipv4_address_or_a_64(address: str | None, counted: str) -> None:
    assert people.client_network(address) == counted


def test_the_longest_address_fits_its_column() -> None:
    longest = "abcd:" * 7 + "abcd"
    assert len(people.client_network(longest)) <= 64
    assert len(people.client_network("x" * 1000)) == 64


def test_sign_ins_from_one_64_count_as_one(network: Network) -> None:
    for n in range(20):
        with transactions.transaction(network.session) as session:
            people.attempt(session, f"{n}@example.com", f"2001:db8::{n:x}", MONDAY)
    with transactions.transaction(network.session) as session, pytest.raises(RuleViolation, match="too_many_tries"):
        people.attempt(session, "zhou@example.com", "2001:db8::beef", MONDAY)
    with transactions.transaction(network.session) as session:
        people.attempt(session, "zhou@example.com", "2001:db8:0:1::beef", MONDAY)


def guess(network: Network, seconds: int, who: str = "person 1", *, right: bool = False) -> str:
    try:
        with transactions.transaction(network.session) as session:
            people.guess_door_code(session, who, MONDAY + seconds * SECOND, right=right)
    except RuleViolation as no:
        return no.reason
    return "counted"


def test_ten_wrong_guesses_a_minute_at_the_door(network: Network) -> None:
    assert {guess(network, 0, right=True) for _n in range(30)} == {"counted"}
    assert [guess(network, n) for n in range(11)] == ["counted"] * 10 + ["too_many_tries"]
    assert guess(network, 11, right=True) == "too_many_tries"
    assert guess(network, 11, "person 2") == "counted"
    assert guess(network, 60) == "counted"


def test_sixty_wrong_guesses_an_hour_at_the_door(network: Network) -> None:
    assert {guess(network, 7 * n) for n in range(60)} == {"counted"}
    assert guess(network, 600, right=True) == "too_many_tries"
    assert guess(network, 3600) == "counted"


def test_a_guess_at_the_door_costs_nobody_there_a_sign_in(network: Network) -> None:
    for n in range(60):
        guess(network, 7 * n, "192.0.2.7")
    with transactions.transaction(network.session) as session:
        people.attempt(session, "zhou@example.com", "192.0.2.7", MONDAY + HOUR / 2)


def guess_once(rows: Session, _n: int) -> None:
    people.guess_door_code(rows, "person 1", MONDAY, right=False)


def test_parallel_guesses_at_the_door_are_no_more_than_ten(network: Network, engine: Engine) -> None:
    answers = together(engine, 14, guess_once)
    assert (answers.count(None), answers.count("no: too_many_tries")) == (10, 4)


@pytest.mark.postgresql
def test_without_the_lock_more_guesses_would_pass(
    network: Network, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {guess(network, 0) for _n in range(8)} == {"counted"}
    monkeypatch.setattr(transactions, "advisory_lock", lambda *_args: None)
    all_have_looked = Barrier(5)

    def slow(rows: Session, n: int) -> None:
        guess_once(rows, n)
        rows.flush()
        all_have_looked.wait(10)

    assert together(engine, 5, slow) == [None] * 5
    assert network.session.scalar(select(func.count(Failure.id))) == 13


def ask_for_letter(rows: Session, _n: int) -> None:
    people.ask_for_letter(rows, 1, "calendar", MONDAY)
    enqueue(rows, "calendar", MONDAY, person_id=1)


def test_ten_letters_an_hour_to_oneself_however_many_ask_at_once(network: Network, engine: Engine) -> None:
    answers = together(engine, 14, ask_for_letter)
    assert (answers.count(None), answers.count("no: too_many_letters")) == (10, 4)
    with transactions.transaction(network.session) as session:
        people.ask_for_letter(session, 1, "calendar", MONDAY + HOUR)


@pytest.mark.parametrize(
    "limit",
    [
        *login_throttle.PER_ACCOUNT,
        *login_throttle.DOOR_GUESSES,
        *login_throttle.DRAW_GUESSES,
        login_throttle.LETTERS_ASKED,
    ],
)
def test_what_a_limit_counts_is_kept_as_long_as_it_looks_back(network: Network, limit: login_throttle.Limit) -> None:
    guess(network, 0)
    with transactions.transaction(network.session) as session:
        people.forget(session, MONDAY + limit.span - SECOND)
        assert session.scalar(select(func.count(Failure.id))) == 1
