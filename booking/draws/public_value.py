"""Public value: the number that counts in a draw beside its secret, typed by whoever looks it up, and corrected in public.

What is typed stands for some minutes before the draw takes it: until then anybody who entered may put another version
beside it, and the last one counts. What is typed after the draw would change nothing, and is refused.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from booking.db.transactions import transactional
from booking.draws.planning import CORRECTION
from booking.errors import RuleViolation
from booking.history import record
from booking.model import UNDECIDED, Draw, DrawEntry, DrawValue, Manages, Person
from booking.parsing import public_values
from booking.parsing.public_values import Misshapen

# Versions that one person may put into a draw.
MOST_VERSIONS = 5


@transactional
def type_value(session: Session, draw_id: int, person_id: int, first: str, again: str, now: datetime) -> DrawValue:
    """Put in the public value of a draw, typed twice. The value that stands already changes nothing.

    Raises `value_not_yours`, `value_closed`, `too_early`, `value_shape`, `value_differs` or `value_limit`.
    """
    locked = select(Draw).where(Draw.id == draw_id).with_for_update()
    draw = session.scalars(locked.execution_options(populate_existing=True)).one()
    role = role_in(session, draw, person_id)
    if role is None:
        raise RuleViolation("value_not_yours")
    if not wanted(draw, now):
        raise RuleViolation("value_closed")
    if draw.state != "frozen" or draw.value_from is None or now < draw.value_from:
        raise RuleViolation("too_early", opens_at=draw.value_from)
    value = _read(draw.value_kind, first)
    if not _same(draw.value_kind, value, again):
        raise RuleViolation("value_differs")
    present = versions(session, draw.id)
    if present and present[-1].value == value:
        return present[-1]
    if sum(one.person_id == person_id for one in present) >= MOST_VERSIONS:
        raise RuleViolation("value_limit", limit=MOST_VERSIONS)
    typed = DrawValue(draw_id=draw.id, version=len(present) + 1, value=value, role=role)
    typed.person_id, typed.typed_at = person_id, now
    session.add(typed)
    session.flush()
    about: dict[str, Any] = {"station_id": draw.station_id, "person_id": person_id, "draw": draw.id}
    record(session, "value_typed", now, actor_id=person_id, **about, version=typed.version, value=value)
    return typed


def wanted(draw: Draw, now: datetime) -> bool:
    """Whether a public value counts in the draw and may still be typed, now or later."""
    return draw.value_until is not None and draw.state in UNDECIDED and now < draw.value_until


def role_in(session: Session, draw: Draw, person_id: int) -> str | None:
    """As what the person may type the value: who works for the station does it as that, also with an entry."""
    manages = select(Manages.person_id).where(Manages.station_id == draw.station_id, Manages.person_id == person_id)
    admin = select(Person.id).where(Person.id == person_id, Person.is_admin)
    if session.scalar(manages) or session.scalar(admin):
        return "manager"
    mine = (DrawEntry.draw_id == draw.id, DrawEntry.person_id == person_id, DrawEntry.left_at.is_(None))
    return "entrant" if session.scalar(select(DrawEntry.id).where(*mine)) else None


def versions(session: Session, draw_id: int) -> Sequence[DrawValue]:
    """Everything that was typed, the last one that counts at the end."""
    typed = select(DrawValue).where(DrawValue.draw_id == draw_id).order_by(DrawValue.version)
    return session.scalars(typed.execution_options(populate_existing=True)).all()


def standing(session: Session, draws: Sequence[Draw], now: datetime) -> dict[int, str]:
    """The value to draw with, by draw: empty where none counts; without those for which none has stood long enough."""
    found = {one.id: "" for one in draws if one.value_kind == "none"}
    last = {one.id: versions(session, one.id)[-1:] for one in draws if one.id not in found}
    stood = ((draw_id, typed) for draw_id, each in last.items() for typed in each if typed.typed_at <= now - CORRECTION)
    return found | {draw_id: typed.value for draw_id, typed in stood}


def is_missing(session: Session, draw: Draw, now: datetime) -> bool:
    """Whether nobody has typed the value in time."""
    return draw.value_until is not None and now >= draw.value_until and not versions(session, draw.id)


def is_settled(now: datetime) -> ColumnElement[bool]:
    """Condition: a draw for which there is no value to wait for."""
    last = select(func.max(DrawValue.typed_at)).where(DrawValue.draw_id == Draw.id).scalar_subquery()
    in_vain = and_(last.is_(None), Draw.value_until <= now)
    return or_(Draw.value_kind == "none", last <= now - CORRECTION, in_vain)


def _read(kind: str, text: str) -> str:
    try:
        return public_values.read(kind, text)
    except Misshapen as no:
        raise RuleViolation("value_shape", fault=no.fault, **no.details) from no


def _same(kind: str, value: str, again: str) -> bool:
    try:
        return public_values.read(kind, again) == value
    except Misshapen:
        return False
