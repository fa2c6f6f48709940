"""Admin queries: a station with its managers, and the people of the network, with pagination."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from booking import sanitise
from booking.db.arrays import in_array
from booking.model import Manages, Node, Oversees, Person, Station
from booking.queries import person_lookup
from booking.queries.pagination import ResultPage, result_page


def station(session: Session, code: str) -> Station | None:
    """The station with that code, closed or not."""
    return session.scalar(select(Station).where(Station.code == code))


def managers(session: Session, station_id: int) -> Sequence[Person]:
    """The managers of a station, the longest-serving first."""
    theirs = select(Person).join(Manages, Manages.person_id == Person.id).where(Manages.station_id == station_id)
    return session.scalars(theirs.order_by(Manages.since, Person.id)).all()


def people(session: Session, sought: str, page: int) -> ResultPage:
    """Accounts by name or e-mail, the newest first; without deleted ones and guests, who have no address."""
    accounts = (Person.deleted_at.is_(None), Person.email.is_not(None))
    found = select(Person).where(*accounts)
    if sought:
        text = sanitise.plain(sought)
        in_part = [column.icontains(text, autoescape=True) for column in (Person.name, Person.email) if text]
        found = found.where(
            or_(*in_part, Person.id.in_(in_array(person_lookup.in_network(session, sought, *accounts))))
        )
    roles = selectinload(Person.manages).joinedload(Manages.station)
    return result_page(session, found.order_by(Person.id.desc()).options(roles), page)


def oversight(session: Session, persons: Iterable[Person]) -> Mapping[int, Sequence[Oversees]]:
    """What these people oversee of a network, from the top, by the person's id."""
    theirs = select(Oversees).join(Oversees.node).where(Oversees.person_id.in_([person.id for person in persons]))
    found: defaultdict[int, list[Oversees]] = defaultdict(list)
    for role in session.scalars(theirs.order_by(Node.path).options(joinedload(Oversees.node))):
        found[role.person_id].append(role)
    return found
