"""Oversight: who oversees a node and what is below it, who manages the stations there, and who is to move."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Row, or_, select
from sqlalchemy.orm import Session, joinedload

from booking import sanitise, tree
from booking.model import Letter, ManagerInvitation, Manages, Node, Oversees, Person, StaffTransfer, Station
from booking.queries.pagination import ResultPage, result_page

# So many of a list are shown, and asked for with one more, which says that there are others.
MOST = 200


def overseers(session: Session, node: Node) -> Sequence[Oversees]:
    """The organisers and readers of the node and of all below, from the top."""
    found = select(Oversees).join(Oversees.node).where(tree.below(node)).options(joinedload(Oversees.person))
    return session.scalars(found.order_by(Node.path, Oversees.role, Oversees.person_id).limit(MOST + 1)).all()


def managers(session: Session, node: Node, sought: str, page: int) -> ResultPage:
    """The managers of the stations below, by station, or those who match by name, address, or the station's name or code."""
    found = select(Manages).join(Manages.person).join(Manages.station).where(tree.stations_below(node), *_open())
    if text := sanitise.plain(sought):
        columns = (Person.name, Person.email, Station.name, Station.name_en, Station.code)
        found = found.where(or_(*(column.icontains(text, autoescape=True) for column in columns)))
    whole = (joinedload(Manages.person), joinedload(Manages.station))
    return result_page(session, found.order_by(Station.code, Person.id).options(*whole), page)


def without_manager(session: Session, node: Node) -> Sequence[Row[str, str, str]]:
    """Code, name and name_en of the open stations below that nobody manages: all of them, for their number is told."""
    able = (Person.disabled_at.is_(None), Person.deleted_at.is_(None))
    theirs = select(Manages.person_id).join(Manages.person).where(Manages.station_id == Station.id, *able)
    found = select(Station.code, Station.name, Station.name_en)
    alone = found.where(tree.stations_below(node), *_open(), ~theirs.exists())
    return session.execute(alone.order_by(Station.code)).all()


def invitations(session: Session, node: Node, now: datetime) -> Sequence[tuple[ManagerInvitation, Station, bool]]:
    """The invitations to stations below that can still be accepted, the newest first; whether the letter was not delivered."""
    table = ManagerInvitation
    open_ = (table.accepted_at.is_(None), table.withdrawn_at.is_(None), table.expires_at > now)
    found = (
        select(table, Station, Letter.state)
        .join(Station, table.station_id == Station.id)
        .outerjoin(Letter, Letter.key == table.letter_key())
        .where(tree.stations_below(node), *open_)
    )
    in_order = found.order_by(table.sent_at.desc(), table.id).limit(MOST + 1)
    return [(row[0], row[1], row[2] == "failed") for row in session.execute(in_order)]


def transfers(session: Session, node: Node) -> Sequence[StaffTransfer]:
    """The pending transfers from or to a station below, by day."""
    below = select(Station.id).where(tree.stations_below(node))
    pending = (StaffTransfer.done_at.is_(None), StaffTransfer.withdrawn_at.is_(None))
    here = or_(StaffTransfer.from_station.in_(below), StaffTransfer.to_station.in_(below))
    found = (
        select(StaffTransfer).where(*pending, here).order_by(StaffTransfer.on_date, StaffTransfer.id).limit(MOST + 1)
    )
    people = (StaffTransfer.person, StaffTransfer.leaves, StaffTransfer.joins)
    return session.scalars(found.options(*(joinedload(one) for one in people))).all()


def _open() -> tuple[ColumnElement[bool], ...]:
    return (Station.closed_at.is_(None),)
