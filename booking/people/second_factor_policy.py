"""Second factor policy: an admin may require it of admins, or of all staff (managers, organisers, readers, admins).

Whoever must have it and has not is led to the set-up page; as a worker they can book all the same.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, func, or_, select, union
from sqlalchemy.orm import Session, scoped_session

from booking.db import transactions
from booking.db.transactions import transactional
from booking.enqueue import enqueue
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Manages, Oversees, Person, SecondFactor, SecondFactorPolicy
from booking.people.second_factor import second_factor_of

AnySession = Session | scoped_session[Any]

ROLES = (Manages, Oversees)
STAFF = or_(Person.is_admin, *(select(role.person_id).where(role.person_id == Person.id).exists() for role in ROLES))
HAS_IT = select(SecondFactor.person_id).where(SecondFactor.person_id == Person.id).exists()
# The ids of all staff, found without reading every person.
STAFF_IDS = union(*(select(role.person_id) for role in ROLES), select(Person.id).where(Person.is_admin)).subquery()
ACTIVE_STAFF = (Person.id.in_(select(STAFF_IDS)), Person.deleted_at.is_(None), Person.disabled_at.is_(None))
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
        lacking = select(Person.id).where(*ACTIVE_STAFF, OF[required_of], ~HAS_IT)
        for person_id in session.scalars(lacking.order_by(Person.id)).all():
            enqueue(session, "second_factor", now, person_id=person_id, what="required")


def second_factor_requirement(session: AnySession) -> SecondFactorPolicy | None:
    return session.get(SecondFactorPolicy, 1)


def second_factor_due(session: AnySession, person_id: int) -> datetime | None:
    """From when on this person must have a second factor that they have not; None if they need none."""
    owed = select(SecondFactorPolicy.since).select_from(Person).join(SecondFactorPolicy, COVERED)
    return session.scalar(owed.where(Person.id == person_id, SecondFactorPolicy.id == 1, ~HAS_IT))


def second_factor_coverage(session: AnySession) -> Coverage:
    counted = select(func.count(Person.id), func.count(SecondFactor.person_id)).select_from(Person)
    return Coverage(*session.execute(counted.outerjoin(SecondFactor).where(*ACTIVE_STAFF)).one())


def staff_without_second_factor(session: AnySession, limit: int) -> Sequence[Person]:
    """Staff who have no second factor: admins first, then by id."""
    found = select(Person).where(*ACTIVE_STAFF, ~HAS_IT)
    return session.scalars(found.order_by(Person.is_admin.desc(), Person.id).limit(limit)).all()
