"""Invariants I1 to I16 of the design, checked against the whole database: `flask check`.

`schema` checks that indexes, constraints and triggers exist, `capacity` counters and limits, `schedule` openings and
releases, `outbox` letters, `waitlist` free seats that were not offered, `replay` replays the history, `second_factor`
compares it with who has one, `follows` with who follows what, `temporary_roles` with who is a door helper,
`privacy_consent` with who agreed, `invitations` with who was invited, `draws` recomputes draws, `roll_ups` the numbers
of days, `inherited_policy` what applies at a station below a node, `integrity` checks foreign keys, `tenancy` who acted,
`rated_visits` what ratings are about.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from booking.invariants import (
    capacity,
    draws,
    follows,
    inherited_policy,
    integrity,
    invitations,
    outbox,
    privacy_consent,
    rated_visits,
    replay,
    roll_ups,
    schedule,
    schema,
    second_factor,
    temporary_roles,
    tenancy,
    waitlist,
)

Check = Callable[[Session, datetime], Iterator[str]]

CHECKS: tuple[Check, ...] = (
    schema.schema,
    capacity.seats,
    capacity.claims,
    schedule.openings,
    outbox.letters,
    waitlist.idle_seats,
    replay.replays,
    second_factor.second_factors,
    follows.follows,
    temporary_roles.door_helpers,
    privacy_consent.consents,
    invitations.invitations,
    draws.draws,
    draws.places,
    roll_ups.roll_ups,
    inherited_policy.inherited_policies,
    schedule.releases,
    integrity.integrity,
    tenancy.strangers,
    tenancy.organisers,
    rated_visits.rated_visits,
)


def breaches(session: Session, now: datetime, checks: Sequence[Check] = CHECKS) -> list[str]:
    """Every breach of an invariant, one line each, the invariant's code first.

    All checks read one snapshot, so that people may go on booking meanwhile.
    """
    session.rollback()
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        session.execute(text("SET LOCAL statement_timeout = 0"))
    try:
        return [told for check in checks for told in check(session, now)]
    finally:
        session.rollback()
