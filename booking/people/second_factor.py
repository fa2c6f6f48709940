"""Second factor: two-step verification by an authenticator app (TOTP): on, asked for at each sign-in, off, reset.

Whoever has it on is asked for it after the password or the mailed code. Each code counts once.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, scoped_session

from booking.db.transactions import transactional
from booking.enqueue import enqueue
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Person, RecoveryCode, SecondFactor
from booking.people import login_throttle, recovery_codes, totp
from booking.people.accounts import alive
from booking.people.sign_ins import Attempt, PendingSignIn, begin, confirm, end_sign_ins, proof
from booking.people.validation import clean_code

# Between the first and the second step of a sign-in.
SECOND_STEP_TIME = timedelta(minutes=10)


def second_factor_of(session: Session | scoped_session[Any], person_id: int) -> SecondFactor | None:
    """The person's second factor, if it is on."""
    return session.scalar(select(SecondFactor).where(SecondFactor.person_id == person_id))


@transactional
def turn_on_second_factor(
    session: Session,
    person_id: int,
    sign_in_id: int,
    seed: str,
    code: str,
    secret_key: str,
    now: datetime,
    tried: Attempt | None = None,
) -> list[str]:
    """Turn it on, proven by one code of the app. Returns the recovery codes, once. Sign-ins elsewhere end.

    `tried` is the confirmed password, where it was asked for. Raises `wrong_code`, or `second_factor_is_on`.
    """
    person = confirm(session, tried) if tried else alive(session, person_id)
    step = step_of_app(seed, code, secret_key, now)
    if second_factor_of(session, person.id):
        raise RuleViolation("second_factor_is_on")
    session.add(SecondFactor(person_id=person.id, seed=seed, key_id=totp.key_id(secret_key), last_step=step, since=now))
    session.flush()
    codes = recovery_codes.replace(session, person.id)
    end_sign_ins.inside(session, person.id, now, actor_id=person.id, but=sign_in_id)
    record(session, "second_factor_on", now, actor_id=person.id, person_id=person.id)
    _tell(session, person, "on", now)
    return codes


def step_of_app(seed: str, code: str, secret_key: str, now: datetime) -> int:
    """The time step of a code of the app that is being set up. Raises `wrong_code`."""
    step = next(totp.steps_of(totp.secret(secret_key, seed), clean_code(code), now), None)
    if step is None:
        raise RuleViolation("wrong_code")
    return step


@transactional
def finish_sign_in(
    session: Session,
    pending: PendingSignIn,
    typed: str,
    secret_key: str,
    address: str,
    agent: str,
    now: datetime,
    per_address: int = login_throttle.PER_ADDRESS,
) -> str | None:
    """The second step of a sign-in. Returns the token, or None for a wrong code, whose count must be committed too.

    Raises `sign_in_again` when what the first step proved is no longer so.
    """
    code = recovery_codes.clean_second_code(typed)
    failure = _reserve(session, pending.person_id, address, now, per_address)
    person = alive(session, pending.person_id)
    factor = second_factor_of(session, person.id)
    if factor is None or proof(person, factor) != pending.proof:
        raise RuleViolation("sign_in_again")
    if not _fits(session, factor, code, secret_key, now):
        return None
    login_throttle.take_back(session, failure)
    if recovery_codes.is_one(code):
        _recovery_code_used(session, person, now)
    return begin(session, person, agent, now)


@transactional
def renew_recovery_codes(
    session: Session,
    person_id: int,
    typed: str,
    secret_key: str,
    address: str,
    now: datetime,
    per_address: int = login_throttle.PER_ADDRESS,
) -> list[str] | None:
    """Ten new recovery codes; the old ones end. None for a wrong code, whose count must be committed too."""
    person = _proven(session, person_id, typed, secret_key, address, now, per_address)
    if person is None:
        return None
    record(session, "recovery_codes_renewed", now, actor_id=person.id, person_id=person.id)
    _tell(session, person, "new_codes", now)
    return recovery_codes.replace(session, person.id)


@transactional
def turn_off_second_factor(
    session: Session,
    person_id: int,
    typed: str,
    secret_key: str,
    address: str,
    now: datetime,
    per_address: int = login_throttle.PER_ADDRESS,
) -> bool:
    """Turn it off, proven by a code. False for a wrong one, whose count must be committed too."""
    person = _proven(session, person_id, typed, secret_key, address, now, per_address)
    if person is None:
        return False
    remove(session, person.id)
    record(session, "second_factor_off", now, actor_id=person.id, person_id=person.id)
    _tell(session, person, "off", now)
    return True


@transactional
def reset_second_factor(session: Session, person_id: int, now: datetime, actor_id: int | None = None) -> None:
    """Turn it off for somebody who has lost phone and recovery codes; their sign-ins end, and they are told.

    Without an actor it was done at the command line. Raises `own_second_factor` or `second_factor_is_off`.
    """
    if person_id == actor_id:
        raise RuleViolation("own_second_factor")
    person = alive(session, person_id)
    if second_factor_of(session, person_id) is None:
        raise RuleViolation("second_factor_is_off")
    remove(session, person_id)
    end_sign_ins.inside(session, person_id, now, actor_id=actor_id)
    record(session, "second_factor_reset", now, actor_id=actor_id, person_id=person_id)
    _tell(session, person, "reset", now)


def remove(session: Session, person_id: int) -> None:
    """Delete the second factor with its recovery codes."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    session.execute(delete(SecondFactor).where(SecondFactor.person_id == person_id))


def _proven(
    session: Session, person_id: int, typed: str, secret_key: str, address: str, now: datetime, per_address: int
) -> Person | None:
    """The person, locked, if the code is right; it is used up."""
    code = recovery_codes.clean_second_code(typed)
    failure = _reserve(session, person_id, address, now, per_address)
    person = alive(session, person_id)
    factor = second_factor_of(session, person_id)
    if factor is None:
        raise RuleViolation("second_factor_is_off")
    if not _fits(session, factor, code, secret_key, now):
        return None
    login_throttle.take_back(session, failure)
    return person


def _reserve(session: Session, person_id: int, address: str, now: datetime, per_address: int) -> int:
    return login_throttle.reserve(session, f"second factor of {person_id}", address, now, per_address).id


def _fits(session: Session, factor: SecondFactor, code: str, secret_key: str, now: datetime) -> bool:
    """Use up a code of the app, or a recovery code. Raises `other_secret_key` where no code of the app can fit."""
    if recovery_codes.is_one(code):
        return recovery_codes.spend(session, factor.person_id, code)
    if factor.key_id != totp.key_id(secret_key):
        raise RuleViolation("other_secret_key")
    steps = totp.steps_of(totp.secret(secret_key, factor.seed), code, now)
    return any(spend_step(session, factor.person_id, step) for step in steps)


def spend_step(session: Session, person_id: int, step: int) -> bool:
    """Use up the code of a time step. Of two at the same instant only one changes the row."""
    unused = (SecondFactor.person_id == person_id, SecondFactor.last_step < step)
    used = session.execute(update(SecondFactor).where(*unused).values(last_step=step).returning(SecondFactor.person_id))
    return used.one_or_none() is not None


def _recovery_code_used(session: Session, person: Person, now: datetime) -> None:
    left = recovery_codes.left(session, person.id)
    record(session, "recovery_code_used", now, actor_id=person.id, person_id=person.id, left=left)
    _tell(session, person, "recovery", now, left=left)


def _tell(session: Session, person: Person, what: str, now: datetime, left: int | None = None) -> None:
    enqueue(session, "second_factor", now, person_id=person.id, what=what, left=left)
