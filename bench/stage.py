"""Sets the stage for the table: a city, signed-in people, and for each row its prepared requests."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import LiteralString

from flask import Flask

from bench import feed, inside, stock
from bench.ground import Ground
from bench.stock import City
from bench.visitors import Visit, sign_in

GROUP = 12_000  # people for each kind of press
STAGED = ("warm", "many", "hot", "line", "refused")
PAST = 20_000
POLLS = 200
AGAIN = 2  # slots that each of the refused presses
REFUSING = 100  # stations: the group comes forty to a slot, as in the city, where sixty of 75 are refused


@dataclass
class Stage:
    """A city with its feeds. `size` is how many bytes the app's answer of a row has."""

    ground: Ground
    city: City
    visits: dict[str, list[Visit]]
    feeds: dict[str, Path] = field(default_factory=dict)
    size: dict[str, int] = field(default_factory=dict)

    def reset(self) -> None:
        """Back to the first second: nobody has pressed yet."""
        with self.ground.connect() as connection:
            connection.execute("SET session_replication_role = replica")  # no foreign-key checks row by row
            for statement in RESET:
                connection.execute(statement)
            stock.settle(connection)

    def booked(self) -> dict[str, int]:
        """How many seats and places in line were given since the reset."""
        with self.ground.connect() as connection:
            return dict(connection.execute(GIVEN).fetchall())


def make(ground: Ground, stations: int = 400, group: int = GROUP) -> Stage:
    """Build it; takes half a minute."""
    city = City(stations, people=group * len(STAGED))
    with ground.connect() as connection:
        stock.build(connection, city)
        stock.add_past(connection, city, PAST)
        people = {name: range(1 + n * group, 1 + (n + 1) * group) for n, name in enumerate(STAGED)}
        for statement in SCENE:
            connection.execute(
                statement, vars(city) | {"first": people["refused"][0], "group": group, "refusing": _refusing(city)}
            )
        app = ground.app()
        visits = {name: sign_in(connection, app, persons, stations) for name, persons in people.items()}
        for statement in KEEP:
            connection.execute(statement)
    stage = Stage(ground, city, visits)
    stage.reset()
    _write(stage, app)
    stage.reset()
    return stage


def _write(stage: Stage, app: Flask) -> None:
    city, visits = stage.city, stage.visits
    stations = city.stations
    spread = range(len(visits["many"]))
    pressing = visits | {"refused": visits["refused"] * AGAIN}
    targets = {
        "many": [city.slot(n % stations + 1, n // stations % 2) for n in spread],
        "line": [city.slot(n % stations + 1, 2 + n // stations % 2) for n in spread],
        "hot": [city.hot[0] for _ in spread],
        "refused": [_refused_slot(city, n, k) for k in range(AGAIN) for n in spread],
    }
    day = "?day=" + _first_day(stage)
    pages = [(f"/s/s{n % stations + 1}{day}", visits["warm"][n]) for n in range(2 * stations)]
    polls = [_poll(app, path, visit) for path, visit in pages[:POLLS]]
    feeds = {
        "page": [feed.get(path, visit) for path, visit in pages],
        "page_packed": [feed.get(path, visit, "Accept-Encoding: gzip, deflate, br\r\n") for path, visit in pages],
        "poll": polls,
        **{
            name: [feed.press(*pair) for pair in zip(slots, pressing[name], strict=True)]
            for name, slots in targets.items()
        },
    }
    warm = [feed.press(slot, visit) for slot, visit in zip(targets["many"], visits["warm"], strict=True)]
    feeds["warm"] = [request for three in zip(feeds["page"], warm, polls * 9, strict=False) for request in three]
    stage.size["page"] = _size(app, feeds["page"][0])
    stage.size |= {name: _size(app, feeds[name][0]) for name in ("refused", "many", "hot", "line")}
    size = stage.size
    everybody = range(1, city.people + 1)
    feeds |= {
        "A": [feed.get(f"/page/{size['page']}")] * feed.THREADS,
        "A_poll": [feed.get("/page/0")] * feed.THREADS,
        "B": [feed.get(f"/look/{slot}/{size['refused']}") for slot in targets["refused"][:2000]],
        "C": [feed.bare_press(city.slot(n % stations + 1, n // stations % 5, 1), n, size["many"]) for n in everybody],
        "C_hot": [feed.bare_press(city.hot[1], n, size["hot"]) for n in everybody],
    }
    stage.feeds = {name: feed.write(stage.ground.folder / name, requests) for name, requests in feeds.items()}


def _refused_slot(city: City, n: int, k: int) -> int:
    """Not open yet; one seat a day is held already; paused: in turn, each at one slot of a station, and again at another.

    `SCENE` has made the second and third.
    """
    station = n // 3 % _refusing(city) + 1
    return (city.slot(station, k, 2), city.slot(station, k), city.slot(station, 2 + k))[n % 3]


def _refusing(city: City) -> int:
    return min(city.stations, REFUSING)


def _first_day(stage: Stage) -> str:
    with stage.ground.connect() as connection:
        row = connection.execute("SELECT date FROM slot WHERE id = 1").fetchone()
    return str(row and row[0])


def _poll(app: Flask, path: str, visit: Visit) -> bytes:
    answer = inside.send(app, inside.environ(feed.get(path, visit, feed.IN_PLACE)))
    if answer.code != 200 or "ETag" not in answer.headers:
        raise RuntimeError(f"the poll of {path} answers {answer.code} {answer.headers}")
    return feed.get(path, visit, f"{feed.IN_PLACE}If-None-Match: {answer.headers['ETag']}\r\n")


def _size(app: Flask, request: bytes) -> int:
    answer = inside.send(app, inside.environ(request))
    if answer.code not in (200, 409):
        raise RuntimeError(f"{request[:60]!r} answers {answer.code}: {answer.body.decode()[:2000]}")
    return len(answer.body)


SCENE: tuple[LiteralString, ...] = (
    # Ceiling C has the second day to itself.
    """UPDATE slot SET opens_at = now() - interval '1 hour', state = 'open'
       WHERE date = (SELECT date + 1 FROM slot WHERE id = 1)""",
    # Runs 2 and 3 of each first day are full.
    """UPDATE slot SET taken = capacity WHERE date = (SELECT date FROM slot WHERE id = 1)
       AND plan_id IS NOT NULL AND (id - 1) %% 5 IN (2, 3)""",
    # Every third of the refused holds the last run of the day at their station …
    """INSERT INTO booking (slot_id, station_id, person_id, state, via, ticket, created_at, seated_at, late)
       SELECT s * 5 + 5, s + 1, %(first)s + n, 'booked', 'tap', 'limit-' || n, now(), now(), false
       FROM (SELECT n, n / 3 %% %(refusing)s AS s FROM generate_series(1, %(group)s - 1, 3) n) held""",
    """UPDATE slot SET taken = held.n, capacity = greatest(capacity, held.n) FROM (SELECT slot_id, count(*) AS n FROM booking
       WHERE ticket LIKE 'limit-%%' GROUP BY slot_id) held WHERE id = held.slot_id""",
    # … and every other third has missed three slots there.
    """INSERT INTO booking (slot_id, station_id, person_id, state, via, ticket, created_at, seated_at, ended_at, late)
       SELECT past.id, past.station_id, %(first)s + n, 'released', 'tap', 'gone-' || past.id || '-' || n,
              past.opens_at, past.opens_at, past.release_at, false
       FROM generate_series(2, %(group)s - 1, 3) n CROSS JOIN LATERAL (
            SELECT * FROM slot WHERE station_id = n / 3 %% %(refusing)s + 1 AND state = 'done'
            ORDER BY date DESC LIMIT 3) past""",
    """INSERT INTO strike (person_id, station_id, slot_id, booking_id, at, reason, forgive_reason)
       SELECT person_id, station_id, slot_id, id, now() - (interval '1 day'), 'no_show', ''
       FROM booking WHERE ticket LIKE 'gone-%%'""",
)
KEEP: tuple[LiteralString, ...] = (
    "CREATE TABLE bench_slot AS SELECT id, taken, waiting, waitlist_seq, state FROM slot",
    """CREATE TABLE bench_last AS SELECT (SELECT max(id) FROM booking) AS booking, (SELECT max(id) FROM event) AS event,
       (SELECT coalesce(max(id), 0) FROM letter) AS letter""",
)
RESET: tuple[LiteralString, ...] = (
    "DELETE FROM letter WHERE id > (SELECT letter FROM bench_last)",
    "DELETE FROM event WHERE id > (SELECT event FROM bench_last)",
    "DELETE FROM booking WHERE id > (SELECT booking FROM bench_last)",
    """UPDATE slot SET taken = b.taken, waiting = b.waiting, waitlist_seq = b.waitlist_seq, state = b.state
       FROM bench_slot b WHERE b.id = slot.id AND (slot.taken, slot.waiting, slot.state)
       IS DISTINCT FROM (b.taken, b.waiting, b.state)""",
)
GIVEN: LiteralString = """
    SELECT state, count(*) FROM booking WHERE id > (SELECT booking FROM bench_last) GROUP BY state
"""
