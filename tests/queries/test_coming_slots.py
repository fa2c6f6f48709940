"""Coming slots of a station."""

from datetime import date, timedelta

from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.model import Slot
from booking.queries import coming_slots, station_day
from tests.support.lunch_hour import TUESDAY, LunchHour, at

FIRST, LAST = date(2026, 11, 24), date(2026, 11, 27)


def test_all_days_are_found_in_order_without_what_cannot_be_booked(session: Session, engine: Engine) -> None:
    lunch = LunchHour(session)
    later, earlier, last = lunch.slot("Wed 12:10"), lunch.slot("Tue 11:00"), lunch.slot("Fri 12:10")
    left_out = [lunch.slot("Wed 11:00", station_id=lunch.other_station()), lunch.slot("Mon 12:10")]
    states = {"cancelled": lunch.slot("Thu 11:00"), "running": lunch.slot("Thu 12:00"), "done": lunch.slot("Thu 13:00")}
    with transactions.transaction(session):
        for state, slot_id in states.items():
            session.execute(update(Slot).where(Slot.id == slot_id).values(state=state))
        session.execute(update(Slot).where(Slot.id == later).values(state="open"))
    found = [slot.id for slot in coming_slots.find(engine, lunch.station_id, FIRST, LAST)]
    assert found == [earlier, lunch.slot_id, later, last]
    assert not {*found} & {*left_out, *states.values()}


def test_an_opening_counts_the_slots_of_one_date(session: Session) -> None:
    """Two dates may open at one instant: what is said of tomorrow counts those of tomorrow."""
    lunch = LunchHour(session)
    lunch.slot("12:20", 3)
    later = lunch.slot("Wed 12:10", 5)
    with transactions.transaction(session):
        session.execute(update(Slot).where(Slot.id == later).values(opens_at=at("Mon 10:00")))
    found = station_day.openings(session, lunch.station_id, at("Mon 09:00"))
    assert [(one.opens_at, one.when, one.slots, one.seats) for one in found] == [
        (at("Mon 10:00"), TUESDAY, 2, 5),
        (at("Mon 10:00"), TUESDAY + timedelta(days=1), 1, 5),
    ]
