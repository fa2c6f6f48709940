"""Second factor: turned on by a code, asked for at each sign-in, each code once, recovery codes, off, reset, required."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from booking import invariants, people
from booking.db import transactions
from booking.errors import RuleViolation
from booking.model import Event, Letter, RecoveryCode, SecondFactor, SignIn
from booking.people import recovery_codes, second_factor, totp
from tests.support.network_cast import MONDAY, PASSWORD, PHONE, Network
from tests.support.together import together

KEY = "tests-only-0123456789-abcdefghijklmnopqrstuvwxyz"
SEED = "5eed" * 10
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
STEP = timedelta(seconds=totp.STEP)
LIN = "林经理"
ON = "second_factor_on"


def act(network: Network, verb: Callable[[Session], Any]) -> Any:
    with transactions.transaction(network.session) as session:
        return verb(session)


def code(now: datetime) -> str:
    """What the app shows."""
    return totp.code(totp.secret(KEY, SEED), now)


def sign_in(network: Network, name: str = LIN, now: datetime = MONDAY) -> Any:
    """The first step, by password."""
    email = network.person(name).email or ""
    tried = act(network, lambda rows: people.attempt(rows, email, "10.0.0.1", now))
    assert people.fits(PASSWORD, tried.password_hash)
    return act(network, lambda rows: people.complete(rows, tried, PHONE, now))


def turn_on(network: Network, name: str = LIN, now: datetime = MONDAY) -> list[str]:
    """Turned on in a new sign-in; returns the recovery codes."""
    token = act(network, lambda rows: people.begin(rows, network.person(name), PHONE, now))
    here = people.find_sign_in(network.session, token, now)
    assert here
    who = (here.person_id, here.sign_in_id)
    return list(act(network, lambda rows: people.turn_on_second_factor(rows, *who, SEED, code(now), KEY, now)))


def finish(network: Network, pending: people.PendingSignIn, typed: str, now: datetime, key: str = KEY) -> Any:
    whence = ("10.0.0.1", PHONE, now)
    return act(network, lambda rows: people.finish_sign_in(rows, pending, typed, key, *whence))


def turn_off(network: Network, typed: str, now: datetime) -> Any:
    who = network.ids[LIN]
    return act(network, lambda rows: people.turn_off_second_factor(rows, who, typed, KEY, "10.0.0.1", now))


def told(network: Network, name: str = LIN) -> list[str]:
    """What the person's letters about it say."""
    network.session.rollback()
    mine = select(Letter).where(Letter.person_id == network.ids[name], Letter.kind == "second_factor")
    return [letter.details["what"] for letter in network.session.scalars(mine.order_by(Letter.id))]


def history(network: Network, name: str = LIN) -> list[str]:
    network.session.rollback()
    mine = select(Event.kind).where(Event.person_id == network.ids[name]).order_by(Event.id)
    return [kind for kind in network.session.scalars(mine) if "second" in kind or "recovery" in kind]


def wrong(now: datetime) -> str:
    """Six digits that are of no step around now."""
    return next(f"{n:06d}" for n in range(10) if not any(totp.steps_of(totp.secret(KEY, SEED), f"{n:06d}", now)))


def test_who_has_none_signs_in_with_one_step(network: Network) -> None:
    assert isinstance(sign_in(network), str)


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_a_code_of_the_step_before_now_or_after_passes(network: Network, off: int) -> None:
    turn_on(network)
    now = MONDAY + 10 * MINUTE
    token = finish(network, sign_in(network, now=now), code(now + off * STEP), now)
    found = people.find_sign_in(network.session, token, now)
    assert found
    assert found.person_id == network.ids[LIN]


@pytest.mark.parametrize("off", [-3, -2, 2, 3])
def test_a_code_of_another_minute_does_not(network: Network, off: int) -> None:
    turn_on(network)
    now = MONDAY + 10 * MINUTE
    assert finish(network, sign_in(network, now=now), code(now + off * STEP), now) is None


def test_the_first_step_alone_is_no_sign_in(network: Network) -> None:
    turn_on(network)
    before = network.session.scalar(select(func.count(SignIn.id)))
    assert isinstance(sign_in(network, now=MONDAY + MINUTE), people.PendingSignIn)
    assert network.session.scalar(select(func.count(SignIn.id))) == before


def test_a_code_by_mail_and_a_new_password_lead_to_the_second_step_too(network: Network) -> None:
    turn_on(network)
    email, now = "lin@example.com", MONDAY + MINUTE

    def mailed(purpose: str) -> str:
        act(network, lambda rows: people.ask_for_code(rows, email, purpose, "en", now, "browser", "10.0.0.1"))
        return network.code(email)

    by_mail = mailed("sign_in")
    whence = ("browser", "10.0.0.1", PHONE, now)
    assert isinstance(act(network, lambda rows: people.with_code(rows, email, by_mail, *whence)), people.PendingSignIn)
    reset = mailed("reset")
    change = (email, reset, "a new hash", "browser", "10.0.0.1", now)
    pending = act(
        network,
        lambda rows: people.sign_in_after(rows, lambda r: people.reset_password(r, *change), "noon-noon", PHONE, now),
    )
    assert isinstance(pending, people.PendingSignIn)
    assert isinstance(finish(network, pending, code(now), now), str)


def test_a_code_counts_once_and_the_one_that_turned_it_on_not_again(network: Network) -> None:
    turn_on(network)
    pending = sign_in(network)
    assert finish(network, pending, code(MONDAY), MONDAY) is None
    later = MONDAY + STEP
    assert isinstance(finish(network, pending, code(later), later), str)
    assert finish(network, sign_in(network, now=later), code(later), later + SECOND) is None
    assert finish(network, sign_in(network, now=later), code(MONDAY), later + SECOND) is None


def test_one_code_used_by_many_at_the_same_instant_passes_once(
    network: Network, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn_on(network)
    person_id = network.ids[LIN]

    def passed(step: int) -> int:
        answers = together(engine, 8, lambda rows, _n: second_factor.spend_step(rows, person_id, step))
        return answers.count(True)

    step = totp.step_at(MONDAY + DAY)
    assert passed(step) == 1

    def without_condition(session: Session, person_id: int, step: int) -> bool:
        mine = update(SecondFactor).where(SecondFactor.person_id == person_id)
        return bool(session.execute(mine.values(last_step=step).returning(SecondFactor.person_id)).all())

    monkeypatch.setattr(second_factor, "spend_step", without_condition)
    assert passed(step + 1) == 8, "the control does not race"


def test_whole_sign_ins_with_one_code_at_the_same_instant_pass_once(network: Network, engine: Engine) -> None:
    turn_on(network)
    now = MONDAY + 10 * MINUTE
    pending = sign_in(network, now=now)

    def finish_one(rows: Session, n: int) -> bool:
        return bool(people.finish_sign_in(rows, pending, code(now), KEY, f"10.0.1.{n}", PHONE, now))

    assert together(engine, 4, finish_one).count(True) == 1


def test_one_recovery_code_used_by_many_at_the_same_instant_passes_once(network: Network, engine: Engine) -> None:
    digits = turn_on(network)[0].replace("-", "")
    answers = together(engine, 8, lambda rows, _n: recovery_codes.spend(rows, network.ids[LIN], digits))
    assert answers.count(True) == 1


def test_a_recovery_code_signs_in_once_and_is_told(network: Network) -> None:
    codes = turn_on(network)
    assert len(set(codes)) == 10
    assert isinstance(finish(network, sign_in(network), codes[3], MONDAY), str)
    assert finish(network, sign_in(network), codes[3], MONDAY) is None
    assert isinstance(finish(network, sign_in(network), codes[4], MONDAY), str)
    assert recovery_codes.left(network.session, network.ids[LIN]) == 8
    assert told(network) == ["on", "recovery", "recovery"]
    assert history(network) == ["second_factor_on", "recovery_code_used", "recovery_code_used"]


@pytest.mark.parametrize(
    "typed",
    ["{0}", " {0} ", "{1}", "{2}", "我的恢复码：{0}。", "{0:.11}\u2013{0:.0}{3}"],
    ids=["as shown", "spaces around", "without dashes", "full width", "in a sentence", "other dashes"],
)
def test_a_recovery_code_may_be_typed_in_many_ways(network: Network, typed: str) -> None:
    shown = turn_on(network)[0]
    wide = shown.translate({ord("0") + n: ord("０") + n for n in range(10)} | {ord("-"): "　"})
    text = typed.format(shown, shown.replace("-", ""), wide, shown[12:])
    assert isinstance(finish(network, sign_in(network), text, MONDAY), str)


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abc def", "1" * 19, "1" * 21, "1" * 5000])
def test_what_is_no_code_is_said_and_not_counted(network: Network, typed: str) -> None:
    turn_on(network)
    pending = sign_in(network)
    for _ in range(20):
        with pytest.raises(RuleViolation, match="no_second_code"):
            finish(network, pending, typed, MONDAY)
    assert isinstance(finish(network, pending, code(MONDAY + STEP), MONDAY + STEP), str)


def test_five_wrong_codes_and_the_person_waits_a_quarter_of_an_hour(network: Network) -> None:
    codes = turn_on(network)
    now = MONDAY + 10 * MINUTE
    pending = sign_in(network, now=now)
    for _ in range(5):
        assert finish(network, pending, wrong(now), now) is None
    for typed in (code(now), codes[0]):
        with pytest.raises(RuleViolation, match="too_many_tries") as no:
            finish(network, pending, typed, now)
    assert no.value.details["until"] == now + 15 * MINUTE
    assert isinstance(sign_in(network, now=now), people.PendingSignIn), "the password is counted apart"


def test_turning_it_on_needs_a_right_code_and_ends_sign_ins_elsewhere(network: Network) -> None:
    elsewhere = sign_in(network)
    with pytest.raises(RuleViolation, match="wrong_code"):
        act(
            network,
            lambda rows: people.turn_on_second_factor(
                rows, network.ids[LIN], 1, SEED, code(MONDAY + 5 * MINUTE), KEY, MONDAY
            ),
        )
    assert people.find_sign_in(network.session, elsewhere, MONDAY)
    turn_on(network)
    assert people.find_sign_in(network.session, elsewhere, MONDAY) is None
    assert len(people.sign_ins(network.session, network.ids[LIN], MONDAY)) == 1
    assert (told(network), history(network)) == (["on"], ["second_factor_on"])


def test_it_is_turned_on_once(network: Network) -> None:
    turn_on(network)
    with pytest.raises(RuleViolation, match="second_factor_is_on"):
        turn_on(network, now=MONDAY + MINUTE)


@pytest.mark.parametrize("by", ["code", "recovery code"])
def test_turning_it_off_needs_a_code(network: Network, by: str) -> None:
    codes, now = turn_on(network), MONDAY + MINUTE
    assert not turn_off(network, wrong(now), now)
    assert turn_off(network, code(now) if by == "code" else codes[0], now)
    assert isinstance(sign_in(network, now=now), str)
    assert network.session.scalar(select(func.count()).select_from(RecoveryCode)) == 0
    assert (told(network), history(network)) == (["on", "off"], ["second_factor_on", "second_factor_off"])
    with pytest.raises(RuleViolation, match="second_factor_is_off"):
        turn_off(network, code(now + STEP), now)


def test_new_recovery_codes_end_the_old_ones(network: Network) -> None:
    old, now = turn_on(network), MONDAY + MINUTE
    who = network.ids[LIN]

    def renew(typed: str) -> Any:
        return act(network, lambda rows: people.renew_recovery_codes(rows, who, typed, KEY, "10.0.0.1", now))

    assert renew(wrong(now)) is None
    new = renew(code(now))
    assert set(new).isdisjoint(old)
    assert finish(network, sign_in(network, now=now), old[0], now) is None
    assert isinstance(finish(network, sign_in(network, now=now), new[0], now), str)
    assert told(network) == ["on", "new_codes", "recovery"]


def test_an_admin_resets_anothers_but_not_their_own(network: Network) -> None:
    turn_on(network)
    token = finish(network, sign_in(network, now=MONDAY + MINUTE), code(MONDAY + MINUTE), MONDAY + MINUTE)
    admin, who = network.ids["何主任"], network.ids[LIN]
    with pytest.raises(RuleViolation, match="own_second_factor"):
        act(network, lambda rows: people.reset_second_factor(rows, who, MONDAY, actor_id=who))
    act(network, lambda rows: people.reset_second_factor(rows, who, MONDAY + DAY, actor_id=admin))
    assert people.find_sign_in(network.session, token, MONDAY + MINUTE) is None
    assert isinstance(sign_in(network, now=MONDAY + DAY), str)
    assert told(network) == ["on", "reset"]
    assert network.session.scalar(select(Event.actor_id).where(Event.kind == "second_factor_reset")) == admin
    with pytest.raises(RuleViolation, match="second_factor_is_off"):
        act(network, lambda rows: people.reset_second_factor(rows, who, MONDAY, actor_id=admin))


CHANGES: dict[str, Callable[[Session, int], object]] = {
    "a new password": lambda rows, who: people.set_password(rows, who, "another hash", MONDAY),
    "a reset": lambda rows, who: people.reset_second_factor(rows, who, MONDAY),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_pending_sign_in_ends_with_what_it_was_proven_by(network: Network, change: str) -> None:
    turn_on(network)
    pending = sign_in(network)
    act(network, lambda rows: CHANGES[change](rows, network.ids[LIN]))
    with pytest.raises(RuleViolation, match="sign_in_again"):
        finish(network, pending, code(MONDAY + STEP), MONDAY + STEP)


def test_a_disabled_person_is_told_at_the_first_step_and_stopped_at_the_second(network: Network) -> None:
    turn_on(network)
    pending = sign_in(network)
    act(network, lambda rows: people.disable(rows, network.ids[LIN], MONDAY, network.ids["何主任"]))
    with pytest.raises(RuleViolation, match="disabled"):
        finish(network, pending, code(MONDAY + STEP), MONDAY + STEP)
    with pytest.raises(RuleViolation, match="disabled"):
        sign_in(network)


def test_a_made_up_pending_sign_in_is_nobodys(network: Network) -> None:
    turn_on(network)
    for pending in (people.PendingSignIn(network.ids[LIN], "x"), people.PendingSignIn(network.ids["周明"], "x")):
        with pytest.raises(RuleViolation, match="sign_in_again"):
            finish(network, pending, code(MONDAY + STEP), MONDAY + STEP)


def test_after_a_new_secret_key_only_recovery_codes_count(network: Network) -> None:
    codes, later, key = turn_on(network), MONDAY + MINUTE, KEY[::-1]
    pending = sign_in(network, now=later)
    with pytest.raises(RuleViolation, match="other_secret_key"):
        finish(network, pending, code(later), later, key)
    assert isinstance(finish(network, pending, codes[0], later, key), str)


def test_neither_the_secret_nor_a_recovery_code_is_in_the_database(network: Network) -> None:
    codes = turn_on(network)
    finish(network, sign_in(network), codes[0], MONDAY)
    connection = network.session.connection()
    everything = "".join(repr(connection.execute(select(table)).all()) for table in SecondFactor.metadata.sorted_tables)
    for hidden in (totp.secret(KEY, SEED), *codes, *(one.replace("-", "") for one in codes)):
        assert hidden not in everything


def test_ones_own_data_says_since_when_and_nothing_else(network: Network) -> None:
    turn_on(network)
    export = people.everything_about(network.session, network.ids[LIN])
    assert export["second_factor"] == [{"since": "2026-11-23T01:00:00+00:00"}]
    assert SEED not in repr(export)


def test_a_deleted_account_has_none(network: Network) -> None:
    turn_on(network)
    act(network, lambda rows: people.delete_account(rows, network.ids[LIN], MONDAY))
    assert network.session.scalar(select(func.count()).select_from(SecondFactor)) == 0
    assert invariants.breaches(network.session, MONDAY) == []


def test_a_dismissed_manager_is_still_asked(network: Network) -> None:
    turn_on(network)
    act(network, lambda rows: people.dismiss(rows, network.ids[LIN], network.stations["cbd"], MONDAY))
    assert isinstance(sign_in(network), people.PendingSignIn)


# Required by an admin


def require(network: Network, of: str, since: datetime = MONDAY, now: datetime = MONDAY) -> None:
    act(network, lambda rows: people.require_second_factor(rows, of, since, now, network.ids["何主任"]))


def due(network: Network) -> dict[str, datetime | None]:
    network.session.rollback()
    return {name: people.second_factor_due(network.session, network.ids[name]) for name in network.ids}


def test_an_admin_without_one_requires_it_of_nobody(network: Network) -> None:
    for of in ("admins", "staff"):
        with pytest.raises(RuleViolation, match="second_factor_first"):
            require(network, of)
    require(network, "nobody")


@pytest.mark.parametrize(("of", "owing"), [("nobody", []), ("admins", []), ("staff", [LIN, "吴经理"])])
def test_who_must_have_it_and_has_not(network: Network, of: str, owing: list[str]) -> None:
    turn_on(network, "何主任")
    require(network, of, MONDAY + DAY)
    assert {name: since for name, since in due(network).items() if since} == dict.fromkeys(owing, MONDAY + DAY)
    assert {name: told(network, name) for name in CAST_OF_STAFF if name in owing} == {
        one: ["required"] for one in owing
    }


CAST_OF_STAFF = (LIN, "吴经理", "何主任")


def test_another_admin_owes_it_from_the_day_on_and_not_after_the_set_up(network: Network) -> None:
    turn_on(network, "何主任")
    act(
        network, lambda rows: setattr(rows.get_one(type(network.person("周明")), network.ids["周明"]), "is_admin", True)
    )
    require(network, "admins")
    assert due(network) == dict.fromkeys(network.ids) | {"周明": MONDAY}
    turn_on(network, "周明")
    assert due(network) == dict.fromkeys(network.ids)


def test_the_same_requirement_again_writes_no_second_letter(network: Network) -> None:
    turn_on(network, "何主任")
    for _ in range(2):
        require(network, "staff", MONDAY + DAY)
    assert told(network) == ["required"]
    events = select(func.count(Event.id)).where(Event.kind == "second_factor_required")
    assert network.session.scalar(events) == 1


def test_how_far_the_staff_are(network: Network) -> None:
    turn_on(network)
    assert people.second_factor_coverage(network.session) == (3, 1)
    names = [person.name for person in people.staff_without_second_factor(network.session, 9)]
    assert names == ["何主任", "吴经理"]


# flask check


def test_the_invariants_know_it(network: Network) -> None:
    turn_on(network)
    assert invariants.breaches(network.session, MONDAY) == []
    who = network.ids[LIN]
    act(network, lambda rows: second_factor.remove(rows, who))
    assert invariants.breaches(network.session, MONDAY) == [f"I7 person {who}: no second factor, its history says on"]


def test_the_invariants_miss_no_second_factor_without_its_event(network: Network) -> None:
    turn_on(network)
    who = network.ids[LIN]
    act(
        network,
        lambda rows: rows.execute(
            update(Event).values(kind="second_factor_off").where(Event.kind == "second_factor_on")
        ),
    )
    assert invariants.breaches(network.session, MONDAY) == [f"I7 person {who}: a second factor, its history says off"]
