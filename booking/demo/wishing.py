"""Demo wishes: twelve wishes at the demo station, in all states, and who wants them."""

from datetime import datetime, time, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import clock, services
from booking.demo import content
from booking.demo.past import workdays_until
from booking.demo.stage import DemoData
from booking.model import Slot, Station
from booking.workdays import ONE_DAY

NOON, FORENOON = time(13, 5), time(9, 40)
# What the demo's worker wants too.
WORKER_WANTS = ("想学植物拓印", "午间颈椎放松课", "瑜伽多开一场", "尊巴")


class DemoWish(NamedTuple):
    """One wish of the file: how many want it, what became of it, the answer; and the words that it was merged into, or the
    activity that it became."""

    text: str
    kind: str
    weekday: int | None
    people: int
    state: str
    answer: str
    into: str


def wish(session: Session, made: DemoData, now: datetime) -> None:
    """Let the crowd wish on one workday after the other, and the manager answer on the last one."""
    wished = [DemoWish(*row) for row in content.read("wishes")]
    station = session.get_one(Station, made.station_id)
    today = clock.at_station(now, station.zone_name).date()
    *days, last = workdays_until(session, station.id, today - ONE_DAY, len(wished) + 1)
    ids = {
        one.text: _wished(session, made, one, n, clock.instant(day, NOON, station.zone_name))
        for n, (one, day) in enumerate(zip(wished, days, strict=True))
    }
    for one in wished:
        _answer(session, made, one, ids, clock.instant(last, FORENOON, station.zone_name))


def _wished(session: Session, made: DemoData, one: DemoWish, n: int, moment: datetime) -> int:
    """Some of the crowd want it, the first of them makes it."""
    first, *others = [made.crowd[(5 * n + place) % len(made.crowd)] for place in range(one.people)]
    wish = services.make_wish.inside(session, made.station_id, first, one.text, one.kind, one.weekday, moment)
    session.flush()
    if one.text in WORKER_WANTS:
        others.append(made.worker_id)
    for minutes, person_id in enumerate(others, start=1):
        services.want_wish.inside(session, wish.id, person_id, moment + timedelta(minutes=minutes))
    return wish.id


def _answer(session: Session, made: DemoData, one: DemoWish, ids: dict[str, int], moment: datetime) -> None:
    wish_id, told = ids[one.text], (one.answer, moment, made.manager_id)
    if one.state == "planned":
        services.plan_wish.inside(session, wish_id, *told)
    elif one.state == "held":
        services.hold_wish.inside(session, wish_id, _next_slot(session, made, one.into, moment), *told)
    elif one.state == "declined":
        services.decline_wish.inside(session, wish_id, *told)
    elif one.state == "merged":
        services.merge_wish.inside(session, wish_id, ids[one.into], moment, made.manager_id)


def _next_slot(session: Session, made: DemoData, activity: str, moment: datetime) -> int:
    of_it = (Slot.station_id == made.station_id, Slot.activity_id == made.activities[activity])
    coming = select(Slot.id).where(*of_it, Slot.starts_at > moment, Slot.state != "cancelled")
    return session.scalars(coming.order_by(Slot.starts_at).limit(1)).one()
