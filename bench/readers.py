"""Readers of a morning's digests, as a city has them: an office worker goes to one station, which has fifteen readers.

Of the fifteen nine hold a seat today, in one of five slots, four wait in two lines, all hear what opens; two have a
strike, and every tenth reads English.
"""

from dataclasses import replace
from typing import LiteralString

from bench import stock
from bench.chores import DIGESTS
from bench.ground import Ground
from bench.stage import Stage
from bench.stock import City

A_STATION = 15
HOME: tuple[LiteralString, ...] = (
    DIGESTS.scene[0],
    # Each has been at the station of theirs once lately.
    f"UPDATE booking SET person_id = station_id + (id - 1) %% {A_STATION} * %(stations)s WHERE state = 'attended'",
    f"""INSERT INTO booking (slot_id, station_id, person_id, state, via, ticket, created_at, seated_at, waitlist_position, late)
       SELECT %(day4)s + s * %(per_day)s + CASE WHEN k < 9 THEN k %% %(per_day)s ELSE k %% 2 END, s + 1,
              1 + s + k * %(stations)s, CASE WHEN k < 9 THEN 'booked' ELSE 'waiting' END, 'tap', 'today-' || s || '-' || k,
              now(), CASE WHEN k < 9 THEN now() END, CASE WHEN k >= 9 THEN k END, false
       FROM generate_series(0, %(stations)s - 1) s, generate_series(0, {A_STATION} - 3) k""",
    "UPDATE slot SET taken = capacity WHERE id >= %(day4)s AND id < %(day5)s",
    """INSERT INTO strike (person_id, station_id, slot_id, booking_id, at, reason, forgive_reason)
       SELECT person_id, station_id, slot_id, id, now() - interval '1 day', 'no_show', '' FROM booking
       WHERE state = 'attended' AND (person_id - 1) / %(stations)s IN (3, 10)""",
    "UPDATE person SET language = 'en' WHERE id %% 10 = 0",
)
MORNING = replace(DIGESTS, scene=HOME)


def make(ground: Ground, readers: int) -> Stage:
    """Stations, people and their past."""
    stations = readers // A_STATION
    city = City(stations, people=stations * A_STATION)
    with ground.connect() as connection:
        stock.build(connection, city)
        stock.add_past(connection, city, city.people)
    return Stage(ground, city, visits={})
