"""Codes by mail: six digits, good once, for a quarter of an hour, five tries, five an hour."""

from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from booking import people
from booking.db import transactions
from booking.errors import RuleViolation
from booking.model import Code, Failure
from booking.people import codes
from tests.support.network_cast import MONDAY, Network
from tests.support.together import together

MINUTE = timedelta(minutes=1)
ZHOU, NEW = "zhou@example.com", "new@example.com"
HERE, ELSEWHERE = "a browser", "another browser"


def ask(
    network: Network, email: str, purpose: str, minutes: int = 0, browser: str = HERE, address: str = "10.0.0.1"
) -> None:
    with transactions.transaction(network.session) as session:
        people.ask_for_code(session, email, purpose, "en", MONDAY + minutes * MINUTE, browser, address)


def redeem(
    network: Network,
    email: str,
    purpose: str,
    code: str,
    minutes: int = 0,
    address: str = "10.0.0.1",
    browser: str = HERE,
) -> bool:
    with transactions.transaction(network.session) as session:
        return codes.redeem(session, email, purpose, code, browser, address, MONDAY + minutes * MINUTE, 20)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_a_code_is_mailed_in_the_language_of_the_person(network: Network) -> None:
    ask(network, " Zhou@Example.com ", "sign_in")
    (letter,) = network.letters(ZHOU)
    assert (letter.kind, letter.language, letter.details["purpose"]) == ("code", "zh_Hans_CN", "sign_in")
    assert len(letter.details["code"]) == 6


def test_a_code_works_once_and_is_not_called_wrong_when_its_own_browser_presses_again(network: Network) -> None:
    ask(network, ZHOU, "sign_in")
    code = network.code(ZHOU)
    assert redeem(network, ZHOU, "sign_in", code)
    for _again in range(6):  # no guesses, so not counted
        with pytest.raises(RuleViolation, match="code_used"):
            redeem(network, ZHOU, "sign_in", code, 14)
    assert not redeem(network, ZHOU, "sign_in", code, browser=ELSEWHERE)
    assert not redeem(network, ZHOU, "sign_in", wrong(code))
    assert not redeem(network, ZHOU, "sign_in", code, 15)


def test_only_a_hash_of_the_code_is_kept(network: Network) -> None:
    ask(network, ZHOU, "sign_in")
    assert network.code(ZHOU) not in network.session.scalars(select(Code.code_hash)).one()


@pytest.mark.parametrize(("minutes", "good"), [(14, True), (15, False)])
def test_a_code_is_good_for_a_quarter_of_an_hour(network: Network, minutes: int, good: bool) -> None:
    ask(network, ZHOU, "sign_in")
    assert redeem(network, ZHOU, "sign_in", network.code(ZHOU), minutes) is good


def test_a_code_is_for_one_purpose_and_one_address(network: Network) -> None:
    ask(network, ZHOU, "sign_in")
    ask(network, "li@example.com", "reset")
    code = network.code(ZHOU)
    assert not redeem(network, ZHOU, "reset", code)
    assert not redeem(network, "li@example.com", "sign_in", code)
    assert redeem(network, ZHOU, "sign_in", code)


def test_a_new_code_ends_the_one_before(network: Network) -> None:
    ask(network, ZHOU, "reset")
    first = network.code(ZHOU)
    ask(network, ZHOU, "reset", 1)
    assert not redeem(network, ZHOU, "reset", first, 1)
    assert redeem(network, ZHOU, "reset", network.code(ZHOU), 1)


@pytest.mark.parametrize("purpose", codes.PURPOSES)
def test_a_code_counts_only_in_the_browser_that_asked(network: Network, purpose: str) -> None:
    email = NEW if purpose == "register" else ZHOU
    ask(network, email, purpose)
    first = network.code(email)
    ask(network, email, purpose, browser=ELSEWHERE)
    second = network.code(email)
    assert not redeem(network, email, purpose, second)
    assert not redeem(network, email, purpose, first, browser=ELSEWHERE)
    assert not redeem(network, email, purpose, first, browser="")
    assert redeem(network, email, purpose, first)
    assert redeem(network, email, purpose, second, browser=ELSEWHERE)


def test_five_wrong_tries_end_a_code(network: Network) -> None:
    ask(network, ZHOU, "sign_in")
    code = network.code(ZHOU)
    for _try in range(5):
        assert not redeem(network, ZHOU, "sign_in", wrong(code))
    with transactions.transaction(network.session) as session:
        session.execute(delete(Failure))  # the limit on accounts is another test's
    assert not redeem(network, ZHOU, "sign_in", code)


def test_who_guesses_codes_is_stopped_by_address_too(network: Network) -> None:
    for n in range(20):
        assert not redeem(network, f"somebody{n}@example.com", "sign_in", "123456")
    with pytest.raises(RuleViolation, match="too_many_tries"):
        redeem(network, ZHOU, "sign_in", "123456")
    assert not redeem(network, ZHOU, "sign_in", "123456", address="10.0.0.2")


@pytest.mark.parametrize("email", [ZHOU, NEW])
@pytest.mark.parametrize("purpose", ["register", "reset", "sign_in"])
def test_five_codes_an_hour_for_known_and_unknown(network: Network, email: str, purpose: str) -> None:
    for n in range(5):
        ask(network, email, purpose, n)
    with pytest.raises(RuleViolation, match="too_many_codes") as no:
        ask(network, email, purpose, 59)
    assert no.value.details["until"] == MONDAY + 60 * MINUTE
    ask(network, email, purpose, 61)


def test_an_unknown_address_leaves_the_same_rows_but_gets_no_mail(network: Network) -> None:
    ask(network, NEW, "reset")
    ask(network, NEW, "sign_in")
    assert network.letters(NEW) == []
    assert len(network.session.scalars(select(Code).where(Code.email == NEW)).all()) == 2


def test_registering_a_known_address_tells_its_owner(network: Network) -> None:
    ask(network, ZHOU, "register")
    assert [letter.kind for letter in network.letters(ZHOU)] == ["already_registered"]


def test_a_stopped_account_gets_no_code(network: Network) -> None:
    with transactions.transaction(network.session) as session:
        people.disable(session, network.ids["周明"], MONDAY, network.ids["何主任"])
    for purpose in codes.PURPOSES:
        ask(network, ZHOU, purpose)
    assert network.letters(ZHOU) == []


def test_a_code_used_eight_times_at_once_works_once(network: Network, engine: Engine) -> None:
    ask(network, ZHOU, "sign_in")
    code = network.code(ZHOU)
    answers = together(
        engine, 8, lambda rows, n: codes.redeem(rows, ZHOU, "sign_in", code, HERE, f"10.0.1.{n}", MONDAY, 20)
    )
    assert answers.count(True) == 1


def test_parallel_guesses_are_no_more_than_five(network: Network, engine: Engine) -> None:
    ask(network, ZHOU, "sign_in")
    bad = wrong(network.code(ZHOU))
    together(engine, 12, lambda rows, n: codes.redeem(rows, ZHOU, "sign_in", bad, HERE, f"10.0.1.{n}", MONDAY, 20))
    network.session.rollback()
    assert network.session.scalars(select(Code.tries)).one() == 5


def test_parallel_requests_mail_no_more_than_five_codes(network: Network, engine: Engine) -> None:
    answers = together(
        engine, 12, lambda rows, _n: people.ask_for_code(rows, ZHOU, "reset", "en", MONDAY, HERE, "10.0.0.1")
    )
    assert (answers.count(None), answers.count("no: too_many_codes")) == (5, 7)
    assert len(network.letters(ZHOU)) == 5


@pytest.mark.postgresql
def test_without_the_turnstile_more_codes_would_leave(
    network: Network, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "advisory_lock", lambda *_args: None)
    ask(network, ZHOU, "sign_in")
    all_have_looked = Barrier(5)

    def slow(rows: Session, _n: int) -> None:
        people.ask_for_code(rows, ZHOU, "reset", "en", MONDAY, HERE, "10.0.0.1")
        rows.flush()
        all_have_looked.wait(10)

    together(engine, 5, slow)
    assert len(network.letters(ZHOU)) > 5


def test_a_network_client_asks_for_twenty_codes_an_hour_of_each_purpose(network: Network) -> None:
    def ask_from(address: str, n: int, purpose: str = "reset") -> None:
        ask(network, f"{n}@example.com", purpose, browser=str(n), address=address)

    for n in range(20):
        ask_from(f"2001:db8::{n:x}", n)
    with pytest.raises(RuleViolation, match="too_many_codes") as no:
        ask_from("2001:db8::ffff", 20)
    assert no.value.details["until"] == MONDAY + 60 * MINUTE
    ask_from("2001:db8::ffff", 20, "sign_in")
    ask_from("2001:db8:0:1::", 21)


def ask_from_one_network(rows: Session, n: int) -> None:
    people.ask_for_code(rows, f"{n}@example.com", "reset", "en", MONDAY, str(n), f"2001:db8::{n:x}", 3)


def test_parallel_requests_from_one_network_get_no_more_codes_than_one_process_gives(
    network: Network, engine: Engine
) -> None:
    answers = together(engine, 12, ask_from_one_network)
    assert (answers.count(None), answers.count("no: too_many_codes")) == (3, 9)


@pytest.mark.postgresql
def test_without_the_lock_by_network_more_would_ask(
    network: Network, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "advisory_lock", lambda *_args: None)
    all_have_looked = Barrier(5)

    def slow(rows: Session, n: int) -> None:
        ask_from_one_network(rows, n)
        rows.flush()
        all_have_looked.wait(10)

    assert together(engine, 5, slow) == [None] * 5
