"""Demo notices: two of the demo station, one of the city above it."""

from datetime import datetime, time

from sqlalchemy.orm import Session

from booking import clock, services, tree
from booking.demo.content import read
from booking.demo.stage import DemoData
from booking.model import Node, Station
from booking.workdays import ONE_DAY

MORNING = time(9, 20)


def post(session: Session, made: DemoData, now: datetime, admin_id: int) -> None:
    """Each was published in the morning of its first day."""
    station = session.get_one(Station, made.station_id)
    today = clock.at_station(now, station.zone_name).date()
    for one in read("notices"):
        first = today + ONE_DAY * one["from"]
        words = services.NoticeWords(one["title"], one["text"], first, first + ONE_DAY * one["days"], one["picture"])
        place: Station | Node = tree.node_by_code(session, one.get("node", "")) or station
        writer = made.manager_id if place is station else admin_id
        at = min(now, clock.instant(first, MORNING, station.zone_name))
        services.publish_notice.inside(session, place, words, at, writer)
