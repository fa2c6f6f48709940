"""Demo requests: twenty requests to the demo station, in all states."""

from datetime import datetime, time, timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session

from booking import clock, services
from booking.demo import content
from booking.demo.past import workdays_until
from booking.demo.stage import DemoData
from booking.model import Station
from booking.workdays import ONE_DAY

PROPERTY, THEIR_NO = "大厦物业", "WY-{:04d}"
EVENING, FORENOON = time(17, 40), time(10, 20)


class DemoRequest(NamedTuple):
    """One request of the file: what was asked, how far it has come, the answer, and "solved satisfied" in yes and no."""

    kind: str
    text: str
    state: str
    answer: str
    said: str


def ask(session: Session, made: DemoData, now: datetime) -> None:
    """Let the crowd and the demo's worker ask, one on each workday, the last two on the one before today."""
    asked = [DemoRequest(*row) for row in content.read("requests")]
    station = session.get_one(Station, made.station_id)
    today = clock.at_station(now, station.zone_name).date()
    days = [*workdays_until(session, station.id, today - ONE_DAY, len(asked) - 1), today]
    people = (*made.crowd[: len(asked) - 3], made.worker_id, *made.crowd[-2:])
    for n, (one, person_id) in enumerate(zip(asked, people, strict=True)):
        asked_on = min(n, len(asked) - 2)
        hours = zip(days[asked_on:], (EVENING, FORENOON), strict=False)
        sent, next_day = (clock.instant(day, hour, station.zone_name) for day, hour in hours)
        _live(session, made, one, person_id, n, sent, next_day)


def _live(
    session: Session, made: DemoData, one: DemoRequest, person_id: int, n: int, sent: datetime, next_day: datetime
) -> None:
    request = services.send_request.inside(session, made.station_id, person_id, one.kind, one.text, sent)
    told = (request.id, one.answer)
    if one.state in ("passed_on", "solved_elsewhere"):
        number = THEIR_NO.format(310 + n)
        services.pass_on.inside(session, request.id, PROPERTY, number, one.answer, next_day, made.manager_id)
    elif one.state == "working":
        services.take_up.inside(session, *told, next_day, made.manager_id)
    if one.state.startswith("solved"):
        services.solve.inside(session, *told, next_day + timedelta(hours=2), made.manager_id)
    if one.said:
        solved, satisfied = (word == "yes" for word in one.said.split())
        services.rate.inside(session, request.id, solved, satisfied, next_day + timedelta(hours=8))
