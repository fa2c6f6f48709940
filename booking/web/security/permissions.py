"""Permissions: helpers that fetch *and* authorise, so that a view cannot do the one without the other.

What a reader may not see is a 404. A reader who is not signed in is asked to, and returns afterwards.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn, ParamSpec, TypeVar
from urllib.parse import urlencode

from flask import abort, request
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from booking import clock, network, people, tree
from booking.extensions import db
from booking.model import (
    Base,
    Booking,
    DoorArrival,
    ManagerInvitation,
    Manages,
    Node,
    Notice,
    Oversees,
    Person,
    Slot,
    StaffTransfer,
    Station,
)
from booking.queries import slot_cards, station_lookup
from booking.sanitise import is_visible
from booking.web import htmx
from booking.web.errors import DoorHelperEnded
from booking.web.security import security_log

P = ParamSpec("P")
T = TypeVar("T", bound=Base)


def sign_in_required(view: Callable[P, Any]) -> Callable[P, Any]:
    """Only for people who are signed in."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
        worker()
        return view(*args, **kwargs)

    return guarded


def reader() -> Person | None:
    """Who reads this page; None when nobody is signed in."""
    person: Person | None = current_user.person
    return person


def worker(come_back: str = "") -> Person:
    """The signed-in person; others are asked to sign in and then led to `come_back`, or to this page."""
    return reader() or ask_to_sign_in(come_back or _way_back())


def worker_id(come_back: str) -> int:
    """The signed-in person's id, where nothing else of them is needed; others as in `worker`."""
    return current_user.person_id or ask_to_sign_in(come_back)


def ask_to_sign_in(come_back: str) -> NoReturn:
    abort(htmx.go(f"/account/sign-in?{urlencode({'next': come_back})}"))


def admins_only() -> None:
    """404 unless the reader is an admin."""
    if not worker().is_admin:
        not_for_you()
    second_factor_first()


def second_factor_first() -> None:
    """Whoever must have a second factor and has not is led to its set-up, and then back."""
    if owes_second_factor():
        abort(htmx.go(f"/account/second-factor?{urlencode({'next': _way_back()})}"))


def owes_second_factor() -> bool:
    """Whether the signed-in person must have a second factor by now, and has none."""
    due = people.second_factor_due(db.session, current_user.person_id)
    return due is not None and due <= clock.now()


def not_for_you(**ids: int) -> NoReturn:
    """404 for what the reader has no right to; the security log names it by these ids."""
    _log_not_allowed(**ids)
    abort(404)


def _log_not_allowed(**ids: int) -> None:
    security_log.not_allowed(request.endpoint, current_user.person_id, **ids)


def open_station(code: str) -> Station:
    """A station that is open to everybody."""
    return station_lookup.station(db.session(), code) or abort(404)


def seen_card(slot_id: int, person_id: int | None) -> slot_cards.Card:
    """A slot of an open station, as this reader sees it."""
    card = slot_cards.card(db.session(), slot_id, person_id, clock.now())
    if card is None or card.slot.station.closed_at:
        abort(404)
    return card


def own_booking(booking_id: int, person: Person) -> Booking:
    """The person's own booking: another person's is a 404."""
    slot = joinedload(Booking.slot).joinedload
    whole = [slot(Slot.activity), slot(Slot.zone), slot(Slot.station)]
    booking = db.session.get(Booking, booking_id, options=whole)
    return booking if booking and booking.person_id == person.id else _missing(Booking, booking_id)


def managed_station(code: str) -> Station:
    """The station, for its managers and for admins."""
    worker()
    station = _station(code)
    if not current_user.manages(station.id):
        not_for_you(station=station.id)
    second_factor_first()
    return station


def any_station(code: str) -> Station:
    """A station, closed or not."""
    return _station(code)


def _station(code: str) -> Station:
    return db.session.scalar(select(Station).where(Station.code == code)) or abort(404)


def checkin_station(code: str) -> Station:
    """The station, for whoever may check in there: its managers, admins, and its door helpers of today."""
    worker()
    station = _station(code)
    if not current_user.manages(station.id) and not current_user.helps(station.id):
        helped = (current_user.person_id, station.id)
        if people.door_helper(db.session, *helped) or people.was_ended(db.session, *helped, clock.now()):
            raise DoorHelperEnded
        not_for_you(station=station.id)
    second_factor_first()
    return station


def checkin_slot(code: str, slot_id: int) -> Slot:
    """A slot of the station, for its managers and admins; for door helpers one of today."""
    station = checkin_station(code)
    slot = of_station(station, Slot, slot_id)
    if not may_check_in(slot):
        not_for_you(slot=slot_id)
    return slot


def checkin_booking(code: str, booking_id: int) -> Booking:
    """A booking of the station, by the same rule."""
    booking = of_station(checkin_station(code), Booking, booking_id)
    if not may_check_in(booking.slot):
        not_for_you(booking=booking_id)
    return booking


def checkin_arrival(code: str, arrival_id: int) -> DoorArrival:
    """Somebody who left their name at this station's door, by the same rule."""
    return of_station(checkin_station(code), DoorArrival, arrival_id)


def may_check_in(slot: Slot) -> bool:
    """Whether the signed-in person may see who is on this slot of a station where they may check in."""
    today = clock.at_station(clock.now(), slot.station.zone_name).date()
    return current_user.manages(slot.station_id) or slot.date == today


def overseen_node(code: str, *, to_change: bool = False) -> Node:
    """A node, for admins and for who oversees it or a node above it; `to_change`, for its organisers and admins."""
    worker()
    node = tree.node_by_code(db.session(), code) or abort(404)
    if not current_user.oversees(node, to_change=to_change):
        not_for_you(node=node.id)
    second_factor_first()
    return node


def node_below(node: Node, code: str) -> Node | None:
    """A node at or below this one, whose code was typed; None for any other code, which may be a slip."""
    found = tree.node_by_code(db.session(), code)
    if found is None or found.path.startswith(node.path):
        return found
    _log_not_allowed(node=found.id)
    return None


def overseen_station(node: Node, code: str) -> Station | None:
    """A station below this node, whose code was typed; None for any other code, which may be a slip."""
    found = db.session.scalar(select(Station).where(Station.code == code))
    if found is None or _is_below(node, found.id):
        return found
    _log_not_allowed(station=found.id)
    return None


def overseen_manager(node: Node, code: str, person_id: int) -> tuple[Station, Person]:
    """A station below this node with one of its managers, or with one who was dismissed: a second tap comes late."""
    station = overseen_station(node, code) or abort(404)
    if db.session.get(Manages, (person_id, station.id)) is None:
        people.was_dismissed(db.session, person_id, station.id) or abort(404)
    return station, db.session.get_one(Person, person_id)


def overseen_role(node: Node, code: str, person_id: int) -> Node:
    """A node at or below this one where this person has a role, or had one until it was ended."""
    there = node_below(node, code) or abort(404)
    if db.session.get(Oversees, (person_id, there.id)) is None:
        network.was_overseer(db.session, person_id, there.id) or abort(404)
    return there


def overseen_invitation(node: Node, code: str, invitation_id: int) -> ManagerInvitation:
    """An invitation to a station below this node."""
    station = overseen_station(node, code) or abort(404)
    return of_station(station, ManagerInvitation, invitation_id)


def overseen_transfer(node: Node, transfer_id: int) -> StaffTransfer:
    """A transfer between two stations below this node."""
    transfer = db.session.get(StaffTransfer, transfer_id) or abort(404)
    if not (_is_below(node, transfer.from_station) and _is_below(node, transfer.to_station)):
        not_for_you(transfer=transfer.id)
    return transfer


def overseen_notice(node: Node, notice_id: int) -> Notice:
    """A notice of this very node: one of a node below is changed there."""
    notice = db.session.get(Notice, notice_id)
    return notice if notice and notice.node_id == node.id else _missing(Notice, notice_id)


def _is_below(node: Node, station_id: int) -> bool:
    below = select(Station.id).where(Station.id == station_id, tree.stations_below(node))
    return db.session.scalar(below) is not None


def managed(code: str, kind: type[T], key: int) -> T:
    """One row of the station, for its managers and for admins: a Plan, Zone, Activity … by its id."""
    return of_station(managed_station(code), kind, key)


def of_station(station: Station, kind: type[T], key: int) -> T:
    """One row of a station that the reader may open, by its id: another station's is a 404."""
    thing = db.session.get(kind, key)
    if thing is None or getattr(thing, "station_id", None) != station.id:
        _missing(kind, key)
    return thing


def managed_slot(code: str, slot_id: int) -> Slot:
    return managed(code, Slot, slot_id)


def managed_booking(code: str, booking_id: int) -> Booking:
    return managed(code, Booking, booking_id)


def _missing(kind: type[Base], key: int) -> NoReturn:
    """404; logged as a refusal when the row exists at another station."""
    if db.session.get(kind, key) is None:
        abort(404)
    not_for_you(**{kind.__tablename__: key})


def safe_path(text: str | None, otherwise: str = "/") -> str:
    """`text` when it is a path of our own, else `otherwise`.

    Browsers read a backslash as a slash and drop tabs and line breaks, so none may be inside.
    """
    path = text or ""
    if not path.startswith("/") or path.startswith("//") or "\\" in path or not is_visible(path):
        return otherwise
    return path


def _way_back() -> str:
    """Where to go after signing in: this page, or for a POST the page that sent it."""
    if request.method in ("GET", "HEAD") and not htmx.asked():
        return request.full_path.rstrip("?")
    return safe_path(htmx.came_from())
