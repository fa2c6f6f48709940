"""Second factor policy: an admin may require it of admins, or of all staff (managers and admins), from a day on.

Whoever must have it and has not is led to the set-up page; as a worker they can book all the same.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session, scoped_session

from booking.db import transactions
from booking.db.transactions import transactional
from booking.enqueue import enqueue
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Manages, Person, SecondFactor, SecondFactorPolicy
from booking.people.second_factor import second_factor_of

AnySession = Session | scoped_session[Any]

MANAGES = select(Manages.person_id).where(Manages.person_id == Person.id).exists()
STAFF = or_(Person.is_admin, MANAGES)
HAS_IT = select(SecondFactor.person_id).where(SecondFactor.person_id == Person.id).exists()
OF: dict[str, Any] = {"admins": Person.is_admin, "staff": STAFF}
COVERED = or_(*(and_(SecondFactorPolicy.required_of == who, theirs) for who, theirs in OF.items()))


class Coverage(NamedTuple):
    """How many of the staff there are, and how many of them have a second factor."""

    total: int
    on: int


@transactional
def require_second_factor(session: Session, required_of: str, since: datetime, now: datetime, actor_id: int) -> None:
    """Set who must have it. Those who have not are told by letter.

    Raises `second_factor_first` for an admin who has none: they would lock themselves out.
    """
    transactions.advisory_lock(session, "second factor policy")
    if required_of != "nobody" and second_factor_of(session, actor_id) is None:
        raise RuleViolation("second_factor_first")
    policy = session.get(SecondFactorPolicy, 1, populate_existing=True)
    if policy and (policy.required_of, policy.since) == (required_of, since):
        return
    session.merge(SecondFactorPolicy(id=1, required_of=required_of, since=since))
    record(
        session,
        "second_factor_required",
        now,
        actor_id=actor_id,
        required_of=required_of,
        since=since.isoformat(),
    )
    if required_of in OF:
        for person_id in session.scalars(_without(OF[required_of])).all():
            enqueue(session, "second_factor", now, person_id=person_id, what="required")


def second_factor_requirement(session: AnySession) -> SecondFactorPolicy | None:
    return session.scalar(select(SecondFactorPolicy))


def second_factor_due(session: AnySession, person_id: int) -> datetime | None:
    """From when on this person must have a second factor that they have not; None if they need none."""
    owed = select(SecondFactorPolicy.since).select_from(Person).join(SecondFactorPolicy, COVERED)
    return session.scalar(owed.where(Person.id == person_id, ~HAS_IT))


def is_staff(session: AnySession, person_id: int) -> bool:
    """Whether the person is a manager or an admin."""
    return bool(session.scalar(select(Person.id).where(Person.id == person_id, STAFF)))


def second_factor_coverage(session: AnySession) -> Coverage:
    here = (STAFF, Person.deleted_at.is_(None), Person.disabled_at.is_(None))
    counted = select(func.count(Person.id), func.count(SecondFactor.person_id))
    return Coverage(*session.execute(counted.outerjoin(SecondFactor).where(*here)).one())


def staff_without_second_factor(session: AnySession, limit: int) -> Sequence[Person]:
    """Managers and admins who have no second factor: admins first, then by id."""
    found = select(Person).where(Person.id.in_(_without(STAFF)))
    return session.scalars(found.order_by(Person.is_admin.desc(), Person.id).limit(limit)).all()


def _without(who: Any) -> Select[int]:
    return select(Person.id).where(who, ~HAS_IT, Person.deleted_at.is_(None), Person.disabled_at.is_(None))
