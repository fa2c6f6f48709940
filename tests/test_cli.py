"""What whoever runs a station's server types."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session

import config
from booking import clock, people
from booking.model import Manages, Person, SecondFactor, Station

PASSWORD = "five-quiet-lunches"
KEY = "tests-only-0123456789-abcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def station(session: Session) -> Station:
    station = Station(code="cbd", name="白领驿站")
    session.add(station)
    session.commit()
    return station


def create(run: FlaskCliRunner, *words: str, typed: str = f"{PASSWORD}\n") -> str:
    result = run.invoke(args=["create-user", *words, "--password-stdin"], input=typed)
    return f"{result.exit_code}: {result.output.strip()}"


@pytest.fixture
def run(app: Flask) -> FlaskCliRunner:
    return app.test_cli_runner()


def test_an_admin_can_be_made_and_signs_in_with_that_password(run: FlaskCliRunner, session: Session) -> None:
    assert create(run, "Boss@Example.com", "--role", "admin") == "0: admin Boss@Example.com created"
    boss = session.scalars(select(Person)).one()
    assert (boss.email, boss.name, boss.is_admin) == ("boss@example.com", "Boss", True)
    assert people.fits(PASSWORD, boss.password_hash)


def test_a_manager_gets_the_station(run: FlaskCliRunner, session: Session, station: Station) -> None:
    assert create(run, "m@example.com", "--role", "manager", "--station", "cbd", "--name", "林晓").startswith("0")
    manager = session.scalars(select(Person)).one()
    assert (manager.name, manager.is_admin) == ("林晓", False)
    assert session.get(Manages, (manager.id, station.id)) is not None


@pytest.mark.sqlite
def test_who_reads_english_is_written_to_in_english(run: FlaskCliRunner, session: Session) -> None:
    assert create(run, "a@example.com", "--role", "worker").startswith("0")
    assert create(run, "b@example.com", "--role", "worker", "--language", "en").startswith("0")
    assert session.scalars(select(Person.language).order_by(Person.email)).all() == ["zh_Hans_CN", "en"]


@pytest.mark.sqlite
def test_a_lost_second_factor_can_be_reset(run: FlaskCliRunner, session: Session) -> None:
    create(run, "boss@example.com", "--role", "admin")
    boss = session.scalars(select(Person.id)).one()

    def reset(email: str) -> str:
        result = run.invoke(args=["reset-second-factor", email])
        return f"{result.exit_code}: {result.output.strip()}"

    assert reset("boss@example.com") == "1: Error: refused: second_factor_is_off"
    assert reset("nobody@example.com") == "1: Error: refused: no_such_person"
    session.add(SecondFactor(person_id=boss, seed="5eed", key_id="", last_step=0, since=clock.now()))
    session.commit()
    assert reset("Boss@Example.com").startswith("0: Two-step verification of Boss@Example.com is off")
    assert people.second_factor_of(session, boss) is None


REFUSED = [
    (("m@example.com", "--role", "manager"), "a manager needs one"),
    (("m@example.com", "--role", "manager", "--station", "nowhere"), "there is no station 'nowhere'"),
    (("w@example.com", "--role", "worker", "--station", "cbd"), "belongs to --role manager"),
    (("nonsense", "--role", "worker"), "bad_email"),
    (("w@example.com", "--role", "king"), "not one of"),
    (("w@example.com", "--role", "worker", "--language", "xx"), "not one of"),
]


@pytest.mark.sqlite
@pytest.mark.parametrize(("words", "complaint"), REFUSED)
def test_a_wrong_wish_changes_nothing(
    run: FlaskCliRunner, session: Session, station: Station, words: tuple[str, ...], complaint: str
) -> None:
    answer = create(run, *words)
    assert not answer.startswith("0")
    assert complaint in answer
    assert session.scalars(select(Person)).all() == []


@pytest.mark.sqlite
def test_a_weak_password_and_a_second_account_are_refused(run: FlaskCliRunner, session: Session) -> None:
    assert "password_short" in create(run, "w@example.com", "--role", "worker", typed="short\n")
    assert create(run, "w@example.com", "--role", "worker").startswith("0")
    assert "email_taken" in create(run, "W@example.com", "--role", "worker")


WEAK = [
    ("password1", "password_common"),
    ("sunshine99", "password_common"),
    ("lunch-hour-demo", "password_common"),
    ("su.wan-2026", "password_known"),
    ("苏晚苏晚2026", "password_known"),
    ("cbd-cbd-cbd", "password_known"),
]


@pytest.mark.sqlite
@pytest.mark.parametrize(("password", "reason"), WEAK)
def test_a_password_that_others_would_try_is_refused(
    run: FlaskCliRunner, session: Session, station: Station, password: str, reason: str
) -> None:
    wish = ("su.wan@example.com", "--role", "manager", "--station", "cbd", "--name", "苏晚")
    assert reason in create(run, *wish, typed=f"{password}\n")
    assert session.scalars(select(Person)).all() == []


@pytest.mark.sqlite
@pytest.mark.parametrize("words", [["demo"], ["demo", "--if-empty"]])
@pytest.mark.parametrize("settings", [{"PUBLIC_URL": "https://lunch.example.com"}, {"APP_ENV": "production"}])
def test_there_is_no_demo_where_its_public_password_would_let_everybody_in(
    make_app: Callable[..., Flask], session: Session, words: list[str], settings: dict[str, str]
) -> None:
    asked = config.load({"SECRET_KEY": KEY} | settings)
    result = make_app(PRODUCTION=asked["PRODUCTION"]).test_cli_runner().invoke(args=words)
    assert result.exit_code == 1
    assert "The demo's password is public" in result.output
    assert session.scalars(select(Person)).all() == []


@pytest.mark.sqlite
def test_the_demo_refuses_a_database_that_is_in_use(run: FlaskCliRunner, session: Session) -> None:
    create(run, "w@example.com", "--role", "worker")
    refused = run.invoke(args=["demo"])
    assert (refused.exit_code, "already exist" in refused.output) == (1, True)
    assert run.invoke(args=["demo", "--if-empty"]).exit_code == 0
    assert session.scalars(select(Station)).all() == []


@pytest.mark.sqlite
def test_a_tick_says_what_it_did_and_a_second_one_has_nothing_to_do(run: FlaskCliRunner) -> None:
    first, second = run.invoke(args=["tick"]), run.invoke(args=["tick"])
    assert (first.exit_code, "learn_workdays" in first.output) == (0, True)
    assert (second.exit_code, second.output) == (0, "")


@pytest.mark.sqlite
def test_a_database_in_order_passes_the_check(run: FlaskCliRunner) -> None:
    assert run.invoke(args=["check"]).exit_code == 0
