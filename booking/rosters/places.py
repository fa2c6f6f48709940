"""Which stations there are."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from booking.model import Manages, Station


def station(session: Session, code: str) -> Station | None:
    """The open station with that code."""
    return session.scalar(select(Station).where(Station.code == code, Station.closed_at.is_(None)))


def stations(session: Session, sought: str = "", limit: int = 50) -> Sequence[Station]:
    """Open stations, by name or address if `sought`."""
    found = select(Station).where(Station.closed_at.is_(None))
    if sought:
        columns = (Station.name, Station.name_en, Station.address, Station.address_en, Station.code)
        found = found.where(or_(*(column.icontains(sought, autoescape=True) for column in columns)))
    return session.scalars(found.order_by(Station.id).limit(limit)).all()


def managed_stations(session: Session, person_id: int) -> Sequence[Station]:
    """The stations that a person runs."""
    mine = select(Station).join(Manages, Manages.station_id == Station.id).where(Manages.person_id == person_id)
    return session.scalars(mine.order_by(Station.id)).all()
