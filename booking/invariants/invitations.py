"""Invitations, I7 for managers: each invitation that was accepted or withdrawn has an event that says so."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import and_, case, exists, or_, select
from sqlalchemy.orm import Session

from booking.model import Event, ManagerInvitation


def invitations(session: Session, _now: datetime) -> Iterator[str]:
    """They are deleted soon, so there are few."""
    table = ManagerInvitation
    said = exists().where(
        Event.station_id == table.station_id,
        or_(
            and_(Event.kind == "invitation_accepted", Event.at == table.accepted_at),
            and_(Event.kind == "invitation_withdrawn", Event.at == table.withdrawn_at),
        ),
    )
    how = case((table.accepted_at.is_not(None), "accepted"), else_="withdrawn")
    ended = or_(table.accepted_at.is_not(None), table.withdrawn_at.is_not(None))
    for number, word in session.execute(select(table.id, how).where(ended, ~said).order_by(table.id)):
        yield f"I7 invitation {number}: {word}, and its station's history does not say so"
