"""Loading: creates the demo in an empty database, all of it in one transaction."""

import random
from datetime import datetime, timedelta

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from booking import clock, people, workdays
from booking.db.transactions import transactional
from booking.demo import asking, city, content, crowd, draw, faces, online, posting, stage, today, vain, wishing
from booking.demo.past import Past, workdays_until
from booking.model import Letter, Person, Station

# Enough for the public headline: over 200 slots held and over 3,000 visits.
PAST_WORKDAYS = 48
# What the demo's worker follows, and since when.
FOLLOWED, FOLLOWED_FOR = "yoga", timedelta(days=4)
COLLEAGUE = "colleague@example.com"


class NotEmptyError(Exception):
    """Somebody has an account already: the database is theirs."""


@transactional
def load(session: Session, now: datetime, past_workdays: int = PAST_WORKDAYS, secret_key: str = "") -> stage.DemoData:
    """Make the demo station with its people and the last `past_workdays` workdays. Raises `NotEmptyError`."""
    if session.scalar(select(func.count(Person.id))):
        raise NotEmptyError
    workdays.seed(session)
    session.flush()
    station = content.open_station(session)
    zone = station.zone_name
    days = workdays_until(session, station.id, clock.at_station(now, zone).date(), past_workdays)
    founded = clock.instant(days[0], content.DAWN, zone) - timedelta(days=30)
    made = _set_up(session, station, founded)
    content.plan(session, made, days[0], founded)
    stage.remember(session, made, now)
    Past(session, made, days, zone, now).live()
    draw.show(session, made, secret_key, now)
    stage.keep_letters_in(session, made)
    vain.press_too_late(session, made)
    city.found_city(session, made, founded, session.scalars(select(Person.id).where(Person.is_admin)).one())
    people.follow.inside(session, made.worker_id, made.activities[FOLLOWED], now - FOLLOWED_FOR)
    asking.ask(session, made, now)
    online.broadcast(session, made, now)
    wishing.wish(session, made, now)
    faces.rate(session, made, now)
    posting.post(session, made, now, session.scalars(select(Person.id).where(Person.is_admin)).one())
    today.refresh.inside(session, now)
    helper = session.get_one(Person, made.crowd[0])
    people.grant_door.inside(session, station.id, helper.email or "", now, made.manager_id)
    _show_admin(session, made, now)
    _analyze(session)
    return made


def _analyze(session: Session) -> None:
    """Tell PostgreSQL's planner what there is now, as autovacuum would in a minute."""
    session.flush()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("ANALYZE"))


def _show_admin(session: Session, made: stage.DemoData, now: datetime) -> None:
    """What an admin sees of the station: a colleague who has been invited to manage it."""
    session.flush()
    admin_id = session.scalars(select(Person.id).where(Person.is_admin)).one()
    asked = now - timedelta(hours=3)
    people.invite_manager.inside(session, made.station_id, COLLEAGUE, "zh_Hans_CN", asked, admin_id)
    session.flush()
    sent = {"state": "sent", "sent_at": asked, "tries": 1, "details": {}}
    session.execute(update(Letter).where(Letter.to == COLLEAGUE).values(sent))


def _set_up(session: Session, station: Station, founded: datetime) -> stage.DemoData:
    worker, manager, admin, *_ = crowd.accounts(session, founded)
    people.appoint.inside(session, manager.id, station.id, founded, admin.id)
    return stage.DemoData(
        station_id=station.id,
        worker_id=worker.id,
        manager_id=manager.id,
        crowd=tuple(crowd.gather(session, founded, random.Random(250))),  # noqa: S311 - the same names each time
        zones=content.furnish(session, station.id, founded, manager.id),
        activities=content.offer(session, station.id, founded, manager.id),
    )
