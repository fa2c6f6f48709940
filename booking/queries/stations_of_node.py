"""Stations of a node: all that a sheet has of the open stations below it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import tree
from booking.model import Node, Station, Zone


@dataclass(frozen=True)
class NodeStations:
    """Stations by code, their centres by id, and their open zones by the station's id."""

    stations: Sequence[Station]
    centres: Mapping[int, Node]
    zones: Mapping[int, Sequence[Zone]]


def all_of(session: Session, node: Node) -> NodeStations:
    """The open stations at or below the node."""
    open_ones = (tree.stations_below(node), Station.closed_at.is_(None))
    stations = session.scalars(select(Station).where(*open_ones).order_by(Station.code)).all()
    centres = {one.id: one for one in session.scalars(select(Node).where(tree.below(node)))}
    zones: dict[int, list[Zone]] = defaultdict(list)
    theirs = select(Zone).join(Station, Zone.station_id == Station.id).where(*open_ones, Zone.closed_at.is_(None))
    for zone in session.scalars(theirs.order_by(Zone.id)):
        zones[zone.station_id].append(zone)
    return NodeStations(stations, centres, zones)
