"""Recovery codes: ten for each second factor, shown once, stored as hashes; each counts once.

Twenty digits: they can be typed on a phone's numeric keypad, and 66 random bits need no slow hash.
"""

import hashlib
import re
import secrets
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, scoped_session

from booking import sanitise
from booking.errors import RuleViolation
from booking.model import RecoveryCode
from booking.people.validation import clean_code

HOW_MANY = 10
LENGTH = 20


def replace(session: Session, person_id: int) -> list[str]:
    """Ten new codes in the place of the old ones, returned as they are to be shown."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    codes = [f"{secrets.randbelow(10**LENGTH):0{LENGTH}d}" for _ in range(HOW_MANY)]
    session.add_all([RecoveryCode(person_id=person_id, code_hash=_hash(person_id, code)) for code in codes])
    return ["-".join(re.findall(".{5}", code)) for code in codes]


def spend(session: Session, person_id: int, code: str) -> bool:
    """Use up a code. Of two at the same instant only one deletes the row."""
    theirs = (RecoveryCode.person_id == person_id, RecoveryCode.code_hash == _hash(person_id, code))
    used = session.execute(delete(RecoveryCode).where(*theirs).returning(RecoveryCode.person_id))
    return used.one_or_none() is not None


def left(session: Session | scoped_session[Any], person_id: int) -> int:
    """How many codes the person has not used."""
    return session.scalar(select(func.count()).where(RecoveryCode.person_id == person_id)) or 0


def clean_second_code(text: str) -> str:
    """What was typed at the second step: the six digits of the app, or the twenty of a recovery code.

    Raises `no_second_code` for what is neither.
    """
    digits = re.sub("[^0-9]", "", sanitise.plain(text))
    if len(digits) == LENGTH:
        return digits
    try:
        return clean_code(text)
    except RuleViolation as no:
        raise RuleViolation("no_second_code") from no


def is_one(cleaned: str) -> bool:
    """Whether a cleaned text is a recovery code, and not of the app."""
    return len(cleaned) == LENGTH


def _hash(person_id: int, code: str) -> str:
    return hashlib.sha256(f"{person_id}|{code}".encode()).hexdigest()
