"""City: the network around the demo station: a city, its districts and centres, and who oversees it.

What the city sets by itself are the defaults, so that the demo station keeps its numbers.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import inheritance, network, people, policy, slots, stations, tree
from booking.demo.content import read
from booking.demo.stage import DemoData
from booking.model import Activity, Node, Oversees, Person, Station, Zone

# Whom the accounts of the network oversee, and as what.
ROLES = {"organiser@example.com": ("bj", "organiser"), "reader@example.com": ("chaoyang", "reader")}


def found_city(session: Session, made: DemoData, founded: datetime, admin_id: int) -> None:
    """Make the tree with its stations, and let the demo station belong to it."""
    nodes = _grow(session, founded, admin_id)
    home = session.get_one(Station, made.station_id)
    network.join_centre.inside(session, home, nodes[read("city")["home"]], founded, admin_id)
    home.policy_due = False
    for words in read("city")["stations"]:
        _open_neighbour(session, words, nodes[words["centre"]], founded, admin_id)
    for email, (code, role) in ROLES.items():
        person_id = session.scalars(select(Person.id).where(Person.email == email)).one()
        session.add(Oversees(person_id=person_id, node_id=nodes[code].id, role=role, since=founded))
    session.flush()


def neighbours(session: Session) -> list[tuple[Station, dict[str, Any]]]:
    """The other stations of the demo's city that are still open, each with what is written about it."""
    words = {one["code"]: one for one in read("city")["stations"]}
    open_ones = (Station.code.in_(words), Station.closed_at.is_(None), Station.centre_id.is_not(None))
    return [(one, words[one.code]) for one in session.scalars(select(Station).where(*open_ones).order_by(Station.id))]


def _grow(session: Session, founded: datetime, admin_id: int) -> Mapping[str, Node]:
    nodes: dict[str, Node] = {}
    for words in read("city")["nodes"]:
        about = {name: words[name] for name in ("name", "name_en", "grade", "category") if name in words}
        details, parent = network.NodeDetails(**about), nodes.get(words.get("above", ""))
        node = network.add_node.inside(session, parent, words["level"], words["code"], details, founded, admin_id)
        node.own_policy, node.locks = words.get("own_policy", {}), words.get("locks", [])
        nodes[node.code] = node
    return nodes


def _open_neighbour(session: Session, words: dict[str, Any], centre: Node, founded: datetime, admin_id: int) -> None:
    about = {name: words[name] for name in ("name", "name_en", "address", "address_en", "latitude", "longitude")}
    details = stations.Details(**about)
    station = stations.create_station.inside(session, words["code"], details, founded, admin_id)
    network.join_centre.inside(session, station, centre, founded, admin_id)
    station.own_policy = words.get("own_policy", {})
    numbers = inheritance.effective_policy(tree.ancestors(session, centre), station.own_policy)
    station.policy, station.policy_due = policy.write(numbers), False
    if "manager" in words:
        name, address = words["manager"]
        manager = people.create.inside(session, f"{address}@example.com", name, founded, actor_id=admin_id)
        manager.wants_manager_digest = manager.wants_digest = False
        people.appoint.inside(session, manager.id, station.id, founded, admin_id)
    for key, zone in zip(words["activities"], read("city")["zones"], strict=False):
        texts, own = slots.ready_made().get(key, {}), {"host": words["host"]}
        slots.save_zone.inside(session, Zone(station_id=station.id, **zone), founded, admin_id)
        slots.save_activity.inside(session, Activity(station_id=station.id, **texts, **own), founded, admin_id)
