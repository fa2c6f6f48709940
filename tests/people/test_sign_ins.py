"""Signing in: counted tries, one answer for known and unknown, and sign-ins that end from here."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from booking import people
from booking.db import transactions
from booking.errors import RuleViolation
from booking.model import Event, Failure, SignIn
from tests.support.network_cast import KEPT, MONDAY, PASSWORD, PHONE, Network
from tests.support.together import together

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
EMAILS = ["zhou@example.com", "nobody@example.com", "not an address", "x" * 5000]


def attempt(network: Network, email: str, now: datetime = MONDAY, address: str = "10.0.0.1") -> people.Attempt:
    with transactions.transaction(network.session) as session:
        return people.attempt(session, email, address, now)


def sign_in(network: Network, email: str = "zhou@example.com", now: datetime = MONDAY) -> str:
    tried = attempt(network, email, now)
    assert people.fits(PASSWORD, tried.password_hash)
    with transactions.transaction(network.session) as session:
        return people.complete(session, tried, PHONE, now)


def act(network: Network, verb: Callable[[Session], object]) -> None:
    with transactions.transaction(network.session) as session:
        verb(session)


def test_the_token_finds_its_person(network: Network) -> None:
    found = people.find_sign_in(network.session, sign_in(network), MONDAY)
    assert found
    assert (found.person_id, found.language, found.is_admin) == (network.ids["周明"], "zh_Hans_CN", False)


@pytest.mark.parametrize("token", ["", "x", "x" * 100_000, "'; --"])
def test_a_made_up_token_finds_nobody(network: Network, token: str) -> None:
    assert people.find_sign_in(network.session, token, MONDAY) is None


def test_the_token_itself_is_not_kept(network: Network) -> None:
    token = sign_in(network)
    row = network.session.scalars(select(SignIn)).one()
    assert token not in (row.token_hash, row.agent)


def test_a_good_sign_in_is_no_failure(network: Network) -> None:
    sign_in(network)
    assert network.session.scalar(select(func.count(Failure.id))) == 0


@pytest.mark.parametrize("email", EMAILS)
def test_after_five_failures_the_account_rests_a_quarter_of_an_hour(network: Network, email: str) -> None:
    for n in range(5):
        attempt(network, email, MONDAY + n * MINUTE, f"10.0.0.{n}")
    with pytest.raises(RuleViolation, match="too_many_tries") as no:
        attempt(network, email, MONDAY + 14 * MINUTE, "10.0.0.9")
    assert no.value.details["until"] == MONDAY + 15 * MINUTE
    attempt(network, email, MONDAY + 15 * MINUTE, "10.0.0.9")


@pytest.mark.parametrize("email", EMAILS)
def test_ten_failures_a_day(network: Network, email: str) -> None:
    for n in range(10):
        attempt(network, email, MONDAY + n * HOUR)
    with pytest.raises(RuleViolation, match="too_many_tries"):
        attempt(network, email, MONDAY + 23 * HOUR)
    attempt(network, email, MONDAY + 24 * HOUR)


def test_spelling_an_address_otherwise_is_no_way_around(network: Network) -> None:
    for email in ("zhou@example.com", "ZHOU@example.com", " zhou@EXAMPLE.com ", "Zhou@Example.Com", "zhou@example.COM"):
        attempt(network, email)
    with pytest.raises(RuleViolation, match="too_many_tries"):
        attempt(network, "zhou@example.com")


def test_twenty_failures_an_hour_for_one_network_address(network: Network) -> None:
    for n in range(20):
        attempt(network, f"{n}@example.com")
    with pytest.raises(RuleViolation, match="too_many_tries"):
        attempt(network, "zhou@example.com")
    attempt(network, "zhou@example.com", address="10.0.0.2")
    attempt(network, "li@example.com", MONDAY + HOUR)


def test_an_office_may_be_given_more(network: Network) -> None:
    for n in range(25):
        act(network, lambda rows, n=n: people.attempt(rows, f"{n}@example.com", "10.0.0.1", MONDAY, 30))


def test_parallel_guesses_are_counted_before_they_are_checked(network: Network, engine: Engine) -> None:
    answers = together(
        engine, 12, lambda rows, n: people.attempt(rows, "zhou@example.com", f"10.0.1.{n}", MONDAY).person_id
    )
    assert (answers.count(network.ids["周明"]), answers.count("no: too_many_tries")) == (5, 7)


def test_parallel_guesses_from_one_address_too(network: Network, engine: Engine) -> None:
    def guess(rows: Session, n: int) -> int:
        return people.attempt(rows, f"{n}@example.com", "10.0.0.1", MONDAY, 6).failure_id

    answers = together(engine, 12, guess)
    assert answers.count("no: too_many_tries") == 6


def test_a_password_changed_meanwhile_no_longer_signs_in(network: Network) -> None:
    tried = attempt(network, "zhou@example.com")
    act(network, lambda rows: people.set_password(rows, network.ids["周明"], "another hash", MONDAY))
    with pytest.raises(RuleViolation, match="changed"):
        act(network, lambda rows: people.complete(rows, tried, PHONE, MONDAY))


def test_a_stopped_account_is_told_so_only_with_its_password(network: Network) -> None:
    act(network, lambda rows: people.disable(rows, network.ids["周明"], MONDAY, network.ids["何主任"]))
    tried = attempt(network, "zhou@example.com")
    with pytest.raises(RuleViolation, match="disabled"):
        act(network, lambda rows: people.complete(rows, tried, PHONE, MONDAY))


def test_signing_in_by_code(network: Network) -> None:
    act(
        network,
        lambda rows: people.ask_for_code(rows, "zhou@example.com", "sign_in", "en", MONDAY, "a browser", "10.0.0.1"),
    )
    code = network.code("zhou@example.com")
    with transactions.transaction(network.session) as rows:
        token = people.with_code(rows, "zhou@example.com", code, "a browser", "10.0.0.1", PHONE, MONDAY)
    assert token
    assert people.find_sign_in(network.session, token, MONDAY)


ENDS: dict[str, Callable[[Network, Session], object]] = {
    "by itself": lambda net, rows: people.end_sign_in(
        rows, net.ids["周明"], rows.scalars(select(SignIn.id)).one(), MONDAY
    ),
    "all of them": lambda net, rows: people.end_sign_ins(rows, net.ids["周明"], MONDAY),
    "a new password": lambda net, rows: people.set_password(rows, net.ids["周明"], KEPT, MONDAY),
    "stopping the account": lambda net, rows: people.disable(rows, net.ids["周明"], MONDAY, net.ids["何主任"]),
    "deleting the account": lambda net, rows: people.delete_account(rows, net.ids["周明"], MONDAY),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_sign_in_ends_at_once(network: Network, end: str) -> None:
    token = sign_in(network)
    act(network, lambda rows: ENDS[end](network, rows))
    assert people.find_sign_in(network.session, token, MONDAY) is None


def test_it_ends_after_thirty_days(network: Network) -> None:
    token = sign_in(network)
    assert people.find_sign_in(network.session, token, MONDAY + 30 * DAY - MINUTE)
    assert people.find_sign_in(network.session, token, MONDAY + 30 * DAY) is None


# Sliding expiry of staff

STAFF = [("林经理", "lin@example.com"), ("何主任", "he@example.com")]


def is_in(network: Network, token: str, now: datetime) -> bool:
    network.session.rollback()
    return people.find_sign_in(network.session, token, now) is not None


def renew(network: Network, token: str, now: datetime) -> None:
    row = network.session.scalars(select(SignIn).where(SignIn.token_hash == people.hash_token(token))).one()
    act(network, lambda rows: people.renew(rows, row.id, now))


@pytest.mark.parametrize(("name", "email"), STAFF)
def test_a_sign_in_of_staff_ends_after_twelve_idle_hours(network: Network, name: str, email: str) -> None:
    token = sign_in(network, email)
    assert is_in(network, token, MONDAY + 12 * HOUR - MINUTE)
    assert not is_in(network, token, MONDAY + 12 * HOUR)
    assert people.was_idle(network.session, token, MONDAY + 12 * HOUR)


def test_what_is_done_moves_the_end_of_a_sign_in_of_staff_on(network: Network) -> None:
    token = sign_in(network, "lin@example.com")
    for hours in (11, 22, 33):
        renew(network, token, MONDAY + hours * HOUR)
    assert is_in(network, token, MONDAY + 45 * HOUR - MINUTE)
    assert not is_in(network, token, MONDAY + 45 * HOUR)
    renew(network, token, MONDAY + 45 * HOUR)
    assert not is_in(network, token, MONDAY + 45 * HOUR)


def test_the_end_is_written_at_most_every_ten_minutes(network: Network) -> None:
    token = sign_in(network, "lin@example.com")
    to_renew = []
    for minutes in (0, 5, 10, 11):
        found = people.find_sign_in(network.session, token, MONDAY + minutes * MINUTE)
        assert found
        to_renew.append(found.to_renew)
    assert to_renew == [False, False, False, True]
    renew(network, token, MONDAY + 5 * MINUTE)
    assert not is_in(network, token, MONDAY + 12 * HOUR)


def test_no_renewal_outlives_thirty_days_or_a_sign_out(network: Network) -> None:
    token = sign_in(network, "lin@example.com")
    for half_days in range(1, 62):
        renew(network, token, MONDAY + half_days * 12 * HOUR - half_days * MINUTE)
    assert not is_in(network, token, MONDAY + 30 * DAY)
    other = sign_in(network, "lin@example.com")
    act(network, lambda rows: people.end_sign_ins(rows, network.ids["林经理"], MONDAY))
    renew(network, other, MONDAY + HOUR)
    assert not is_in(network, other, MONDAY + HOUR)
    assert not people.was_idle(network.session, other, MONDAY + 13 * HOUR)


def test_a_workers_sign_in_is_never_idle(network: Network) -> None:
    token = sign_in(network)
    renew(network, token, MONDAY + 30 * DAY - HOUR)
    assert is_in(network, token, MONDAY + 30 * DAY - MINUTE)
    assert not is_in(network, token, MONDAY + 30 * DAY)
    assert not people.was_idle(network.session, token, MONDAY + 30 * DAY)


def test_who_becomes_a_manager_is_staff_from_then_on_and_who_is_none_any_more_is_not(network: Network) -> None:
    token, zhou, cbd = sign_in(network), network.ids["周明"], network.stations["cbd"]
    act(network, lambda rows: people.appoint(rows, zhou, cbd, MONDAY + HOUR))
    assert is_in(network, token, MONDAY + 13 * HOUR - MINUTE)
    assert not is_in(network, token, MONDAY + 13 * HOUR)
    act(network, lambda rows: people.dismiss(rows, zhou, cbd, MONDAY + 2 * HOUR))
    assert is_in(network, token, MONDAY + 30 * DAY - MINUTE)


def test_who_is_no_manager_of_one_station_may_be_of_another(network: Network) -> None:
    token, lin = sign_in(network, "lin@example.com"), network.ids["林经理"]
    act(network, lambda rows: people.appoint(rows, lin, network.stations["west"], MONDAY))
    act(network, lambda rows: people.dismiss(rows, lin, network.stations["west"], MONDAY + HOUR))
    assert not is_in(network, token, MONDAY + 12 * HOUR)


def test_a_stopped_account_that_is_taken_up_again_must_sign_in_again(network: Network) -> None:
    token, zhou, he = sign_in(network), network.ids["周明"], network.ids["何主任"]
    act(network, lambda rows: people.disable(rows, zhou, MONDAY, he))
    act(network, lambda rows: people.enable(rows, zhou, MONDAY, he))
    assert people.find_sign_in(network.session, token, MONDAY) is None
    assert people.find_sign_in(network.session, sign_in(network), MONDAY)


def test_ending_the_others_keeps_this_one(network: Network) -> None:
    tokens = [sign_in(network) for _n in range(3)]
    here = people.find_sign_in(network.session, tokens[1], MONDAY)
    assert here
    act(network, lambda rows: people.end_sign_ins(rows, here.person_id, MONDAY, but=here.sign_in_id))
    assert [bool(people.find_sign_in(network.session, token, MONDAY)) for token in tokens] == [False, True, False]
    assert [row.id for row in people.sign_ins(network.session, here.person_id, MONDAY)] == [here.sign_in_id]


def test_nobody_ends_the_sign_in_of_another(network: Network) -> None:
    token = sign_in(network)
    row = network.session.scalars(select(SignIn.id)).one()
    act(network, lambda rows: people.end_sign_in(rows, network.ids["李静"], row, MONDAY))
    assert people.find_sign_in(network.session, token, MONDAY)


def test_the_history_tells_of_it(network: Network) -> None:
    sign_in(network)
    act(network, lambda rows: people.end_sign_ins(rows, network.ids["周明"], MONDAY))
    mine = select(Event.kind).where(Event.person_id == network.ids["周明"]).order_by(Event.id)
    assert list(network.session.scalars(mine)) == ["created", "signed_in", "signed_out"]


def test_what_no_limit_looks_at_is_forgotten(network: Network) -> None:
    sign_in(network)
    attempt(network, "zhou@example.com", MONDAY)
    act(
        network,
        lambda rows: people.ask_for_code(rows, "zhou@example.com", "reset", "en", MONDAY, "a browser", "10.0.0.1"),
    )
    with transactions.transaction(network.session) as rows:
        assert people.forget(rows, MONDAY + 23 * HOUR) == 0
        assert people.forget(rows, MONDAY + 25 * HOUR) == 2
        assert people.forget(rows, MONDAY + 61 * DAY) == 1
