"""One station through the models, for databases that cannot take the city's SQL."""

from datetime import date, timedelta

from sqlalchemy.orm import Session

from bench import visitors
from bench.ground import Ground
from bench.visitors import Visit
from booking import clock
from booking.model import Activity, Person, SignIn, Slot, Station, Zone
from booking.people import SIGN_IN_LASTS
from tests.support.databases import connect_engine

SLOTS, SEATS = 5, 15


def station(place: Ground, people: int) -> list[tuple[int, Visit]]:
    """An open station and its people, signed in; who presses which slot."""
    engine = connect_engine(place.url)
    with Session(engine) as session:
        here = Station(code="s1", name="驿站")
        session.add(here)
        session.flush()
        slots = [_slot(session, here.id, n) for n in range(SLOTS)]
        now = clock.now()
        persons = [Person(email=f"p{n}@example.com", name=f"员工 {n}", created_at=now) for n in range(people)]
        session.add_all([*slots, *persons])
        session.flush()
        tokens = visitors.tokens(person.id for person in persons)
        lasts = now + SIGN_IN_LASTS
        for person, token in tokens.items():
            hashed = visitors.hashed(token)
            session.add(SignIn(person_id=person, token_hash=hashed, created_at=now, expires_at=lasts))
        ids = [slot.id for slot in slots]
        session.commit()
    engine.dispose()
    visits = visitors.visits(place.app(), tokens)
    return [(ids[n % SLOTS], visit) for n, visit in enumerate(visits)]


def _slot(session: Session, station_id: int, number: int) -> Slot:
    zone = Zone(station_id=station_id, name=f"板块 {number}", capacity=100)
    activity = Activity(station_id=station_id, kind="yoga", title="白领瑜伽课堂")
    session.add_all([zone, activity])
    session.flush()
    now = clock.now()
    noon, minute = now + timedelta(days=1), timedelta(minutes=1)
    day: date = noon.date()
    return Slot(
        station_id=station_id,
        activity_id=activity.id,
        zone_id=zone.id,
        date=day,
        opens_at=now - minute,
        free_until=noon - 60 * minute,
        waitlist_until=noon - 30 * minute,
        checkin_from=noon - 15 * minute,
        starts_at=noon,
        release_at=noon + 5 * minute,
        ends_at=noon + 50 * minute,
        capacity=SEATS,
        state="open",
    )
