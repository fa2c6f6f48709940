"""Accounts: made by a mailed code or by an admin, changed by their owner, stopped and taken up again."""

import pytest
from sqlalchemy import Engine, func, select

from booking import people
from booking.db import transactions
from booking.errors import RuleViolation
from booking.model import Event, Person
from tests.support.network_cast import KEPT, MONDAY, Network
from tests.support.together import together

NEW = "new@example.com"


def asked(network: Network, email: str, purpose: str) -> str:
    with transactions.transaction(network.session) as session:
        people.ask_for_code(session, email, purpose, "en", MONDAY, "a browser", "10.0.0.1")
    return network.code(email)


def history(network: Network, person_id: int) -> list[Event]:
    network.session.rollback()
    return list(network.session.scalars(select(Event).where(Event.person_id == person_id).order_by(Event.id)))


def test_the_holder_of_the_code_gets_an_account(network: Network) -> None:
    code = asked(network, NEW, "register")
    with transactions.transaction(network.session) as session:
        person = people.register(session, NEW, code, " 苏 ", KEPT, "en", "a browser", "10.0.0.1", MONDAY)
    assert person
    assert (person.email, person.name, person.language, person.is_admin) == (NEW, "苏", "en", False)
    assert [line.kind for line in history(network, person.id)] == ["created", "privacy_agreed"]


def test_a_wrong_code_makes_no_account(network: Network) -> None:
    code = asked(network, NEW, "register")
    bad = f"{(int(code) + 1) % 10**6:06d}"
    with transactions.transaction(network.session) as session:
        assert people.register(session, NEW, bad, "苏", KEPT, "en", "a browser", "10.0.0.1", MONDAY) is None
    assert network.session.scalar(select(func.count(Person.id)).where(Person.email == NEW)) == 0


def test_registering_eight_times_at_once_makes_one_account(network: Network, engine: Engine) -> None:
    code = asked(network, NEW, "register")
    answers = together(
        engine,
        8,
        lambda rows, n: bool(people.register(rows, NEW, code, "苏", KEPT, "en", "a browser", f"10.0.1.{n}", MONDAY)),
    )
    assert answers.count(True) == 1
    network.session.rollback()
    assert network.session.scalar(select(func.count(Person.id)).where(Person.email == NEW)) == 1


def test_an_address_has_one_account(network: Network) -> None:
    with pytest.raises(RuleViolation, match="email_taken"), transactions.transaction(network.session) as session:
        people.create(session, " ZHOU@example.com", "周明二号", MONDAY)


def test_a_guest_has_a_name_and_nothing_else(network: Network) -> None:
    with transactions.transaction(network.session) as session:
        guest = people.guest(session, "门口的王女士", MONDAY, network.ids["林经理"])
    assert (guest.name, guest.email, guest.password_hash, guest.wants_digest) == ("门口的王女士", None, None, False)
    assert history(network, guest.id)[0].actor_id == network.ids["林经理"]


def test_the_history_names_what_changed_but_not_to_what(network: Network) -> None:
    with transactions.transaction(network.session) as session:
        people.change_profile(
            session,
            network.ids["周明"],
            MONDAY,
            name="周小明",
            phone="138-0013-8000",
            company="",
            language="zh_Hans_CN",
            wants_digest=True,
        )
    person = network.person("周明")
    assert (person.name, person.phone) == ("周小明", "13800138000")
    assert history(network, person.id)[-1].details == {"changed": ["name", "phone"]}


def test_changing_nothing_is_no_event(network: Network) -> None:
    with transactions.transaction(network.session) as session:
        people.speak(session, network.ids["周明"], "zh_Hans_CN", MONDAY)
    assert [line.kind for line in history(network, network.ids["周明"])] == ["created"]


def test_a_forgotten_password_is_replaced_by_code(network: Network) -> None:
    code = asked(network, "zhou@example.com", "reset")
    with transactions.transaction(network.session) as session:
        person = people.reset_password(session, "zhou@example.com", code, "new hash", "a browser", "10.0.0.1", MONDAY)
    assert person
    assert network.person("周明").password_hash == "new hash"


def test_stopping_and_taking_up_again_are_told(network: Network) -> None:
    zhou, he = network.ids["周明"], network.ids["何主任"]
    with transactions.transaction(network.session) as session:
        people.disable(session, zhou, MONDAY, he, "借用他人账号")
        people.disable(session, zhou, MONDAY, he, "再按一次")
    assert network.person("周明").disabled_at == MONDAY
    with transactions.transaction(network.session) as session:
        people.enable(session, zhou, MONDAY, he)
    assert network.person("周明").disabled_at is None
    lines = [(line.kind, line.actor_id, line.reason) for line in history(network, zhou)][1:]
    assert lines == [("disabled", he, "借用他人账号"), ("enabled", he, None)]


def test_nobody_stops_themselves(network: Network) -> None:
    he = network.ids["何主任"]
    with pytest.raises(RuleViolation, match="yourself"), transactions.transaction(network.session) as session:
        people.disable(session, he, MONDAY, he)
