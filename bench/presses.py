"""Presses, pages and polls beside bare ceilings: ceiling, app, other build, ceiling, with new processes in each round."""

import argparse
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from sqlalchemy import URL

from bench import load
from bench.builds import Build, Database, prepared
from bench.load import Row, Run, Target, compared, middle
from tests.support import city as stock
from tests.support import visits
from tests.support.city import City
from tests.support.postgres import binary
from tests.support.servers import Kind, Server, serving
from tests.support.visits import IN_PLACE, PHONE, Visit

GROUP = 12_000  # people for each kind of press
STAGED = ("warm", "many", "hot", "line", "refused")
PAST = 20_000
POLLS = 200
AGAIN = 2  # slots that each of the refused presses
REFUSING = 100  # stations: the group comes forty to a slot, as in the city, where sixty of 75 are refused
LOOPING = ("A", "A_poll", "B", "page", "poll")
# Name, feed, ceiling, and the least ratio to it. What only reads comes first, while nothing has changed.
ROWS = {
    "page": ("page", "A", 0.5),
    "poll_304": ("poll", "A", 0.8),
    "press_many": ("many", "C", 0.5),
    "press_hot": ("hot", "C_hot", 0.5),
    "press_line": ("line", "C", 0.5),
    "press_refused": ("refused", "B", 0.5),
}


@dataclass
class Stage:
    """A city with signed-in people and the prepared requests of each row, on the database of one build."""

    ground: Database
    city: City
    visits: dict[str, list[Visit]]
    feeds: dict[str, Path] = field(default_factory=dict)

    def reset(self) -> None:
        """Back to the first second: nobody has pressed yet."""
        with self.ground.connect() as connection:
            connection.execute("SET session_replication_role = replica")  # no foreign-key checks row by row
            for statement in RESET:
                stock.execute(connection, statement)
            stock.settle(connection)

    @contextmanager
    def up(self, kind: Kind, seconds: int) -> Iterator[Target]:
        """The app with templates compiled, statements cached and connections made."""
        with self.ground.serving(kind) as server:
            target = Target(server, self.feeds, self.ground.postmaster, seconds)
            for _ in range(5):
                if target.run("warm", seconds=2).requests > 200:
                    break
            yield target


def stage(ground: Database, stations: int = 400, group: int = GROUP) -> Stage:
    """Build it; takes half a minute."""
    city = City(stations, people=group * len(STAGED))
    people = {name: range(1 + n * group, 1 + (n + 1) * group) for n, name in enumerate(STAGED)}
    values = vars(city) | {"first": people["refused"][0], "group": group, "refusing": min(stations, REFUSING)}
    with ground.connect() as connection:
        stock.build(connection, city)
        stock.add_past(connection, city, PAST)
        for statement in SCENE:
            stock.execute(connection, statement, values)
        signed_in = {name: visits.sign_in(connection, persons, stations) for name, persons in people.items()}
        for statement in KEEP:
            stock.execute(connection, statement)
    made = Stage(ground, city, signed_in)
    made.reset()
    with ground.serving(Kind("granian", 1, 4)) as server:
        feeds = _feeds(made, server)
    made.feeds = {name: load.write(ground.folder / name, requests) for name, requests in feeds.items()}
    made.reset()
    return made


def _feeds(made: Stage, server: Server) -> dict[str, list[bytes]]:
    city, people, stations = made.city, made.visits, made.city.stations
    spread = range(len(people["many"]))
    pressing = people | {"refused": people["refused"] * AGAIN}
    targets = {
        "many": [city.slot(n % stations + 1, n // stations % 2) for n in spread],
        "line": [city.slot(n % stations + 1, 2 + n // stations % 2) for n in spread],
        "hot": [city.hot[0] for _ in spread],
        "refused": [_refused_slot(city, n, k) for k in range(AGAIN) for n in spread],
    }
    with made.ground.connect() as connection:
        day = connection.execute("SELECT date FROM slot WHERE id = 1").fetchone()
    pages = [
        (f"/s/s{n % stations + 1}?day={day and day[0]}", people["warm"][n % len(people["warm"])])
        for n in range(2 * stations)
    ]
    feeds = {"page": [visits.get(path, visit) for path, visit in pages]}
    feeds["poll"] = [_poll(server, path, visit) for path, visit in pages[:POLLS]]
    for name, slots in targets.items():
        feeds[name] = [visits.press(*pair) for pair in zip(slots, pressing[name], strict=True)]
    warm = [visits.press(slot, visit) for slot, visit in zip(targets["many"], people["warm"], strict=True)]
    feeds["warm"] = [one for three in zip(feeds["page"], warm, feeds["poll"] * 9, strict=False) for one in three]
    size = {name: _size(server, feeds[name][0]) for name in ("page", "refused", "many", "hot")}
    everybody = range(1, city.people + 1)

    def seat(slot: int, person: int, size: int) -> bytes:
        return f"POST /seat/{slot}/{person}/{size} HTTP/1.1\r\n{PHONE}Content-Length: 0\r\n\r\n".encode()

    return feeds | {
        "A": [visits.get(f"/page/{size['page']}")] * load.THREADS,
        "A_poll": [visits.get("/page/0")] * load.THREADS,
        "B": [visits.get(f"/look/{slot}/{size['refused']}") for slot in targets["refused"][:2000]],
        "C": [seat(city.slot(n % stations + 1, n // stations % 5, 1), n, size["many"]) for n in everybody],
        "C_hot": [seat(city.hot[1], n, size["hot"]) for n in everybody],
    }


def _refused_slot(city: City, n: int, k: int) -> int:
    """Not open yet; one seat a day is held already; paused: in turn, each at one slot of a station, and again at another.

    `SCENE` has made the second and third.
    """
    station = n // 3 % min(city.stations, REFUSING) + 1
    return (city.slot(station, k, 2), city.slot(station, k), city.slot(station, 2 + k))[n % 3]


def _poll(server: Server, path: str, visit: Visit) -> bytes:
    status, headers, _ = load.ask(server, visits.get(path, visit, IN_PLACE))
    if status != 200 or "ETag" not in headers:
        raise RuntimeError(f"the poll of {path} answers {status} {headers}")
    return visits.get(path, visit, f"{IN_PLACE}If-None-Match: {headers['ETag']}\r\n")


def _size(server: Server, request: bytes) -> int:
    status, _, body = load.ask(server, request)
    if status not in (200, 409):
        raise RuntimeError(f"{request[:60]!r} answers {status}: {body.decode()[:2000]}")
    return len(body)


@dataclass(frozen=True)
class Found:
    """One round of a row. `theirs` is the other build's run."""

    app: Run
    ceilings: tuple[Run, Run]
    theirs: list[Run]

    @property
    def ratio(self) -> float:
        """App to ceiling by requests a second."""
        return 2 * self.app.per_s / sum(run.per_s for run in self.ceilings)

    @property
    def by_cpu(self) -> float:
        """The same by CPU time of web server and database: steadier while others use the machine."""
        return sum(run.cpu_ms for run in self.ceilings) / 2 / self.app.cpu_ms


def measure(asked: argparse.Namespace, url: URL, builds: tuple[Build, ...]) -> list[Row]:
    """All rows, or those that were asked for, on each kind of server."""
    with ExitStack() as opened:
        stages = [
            stage(opened.enter_context(prepared(url, "rush", build)), asked.stations or 400, asked.group or GROUP)
            for build in builds
        ]
        found: list[Row] = []
        for kind in Kind.parsed(asked.servers):
            rows = _rows(stages, kind, asked)
            found += [replace(row, name=f"{row.name} ({kind})") for row in rows] if found else rows
        _print_pgbench(stages[0], asked.seconds)
    return found


def _rows(stages: list[Stage], kind: Kind, asked: argparse.Namespace) -> list[Row]:
    rounds: dict[str, list[Found]] = defaultdict(list)
    wanted = [name for name in ROWS if name in asked.rows or not asked.rows & ROWS.keys()]
    memory: list[int] = []
    for _ in range(asked.rounds):
        with _up(stages, kind, asked.seconds) as (bare, *apps):
            for name in wanted:
                rounds[name].append(_round(name, bare, apps))
            memory = apps[0].server.memory()
    rows = [_row(name, found) for name, found in rounds.items()]
    for row in rows:
        row.facts["web MB"] = "/".join(map(str, memory))
    return rows


@contextmanager
def _up(stages: list[Stage], kind: Kind, seconds: int) -> Iterator[list[Target]]:
    """The ceilings and each build's app, all up, on databases set back to the beginning."""
    for one in stages:
        one.reset()
    place = stages[0].ground
    with ExitStack() as opened:
        settings = {"BENCH_DATABASE": place.plain}
        server = opened.enter_context(serving(kind, "bench.ceilings:app", settings))
        bare = Target(server, stages[0].feeds, place.postmaster, seconds)
        apps = [opened.enter_context(one.up(kind, seconds)) for one in stages]
        for name in ("A", "B", "C"):
            bare.run(name, loop=name in LOOPING, seconds=1)
        yield [bare, *apps]


def _round(name: str, bare: Target, apps: list[Target]) -> Found:
    feed, ceiling, _ = ROWS[name]
    loop = feed in LOOPING
    for app in apps if loop else ():
        _warm_up(app, feed)  # the presses before it have changed every page
    before = bare.run(ceiling, loop=ceiling in LOOPING)
    own, *theirs = [app.run(feed, loop=loop) for app in apps]
    return Found(own, (before, bare.run(ceiling, loop=ceiling in LOOPING)), theirs)


def _warm_up(app: Target, feed: str) -> None:
    """Each page is rendered once for each reader with bookings, in each process."""
    for _ in range(15):
        if app.run(feed, loop=True, seconds=2).requests > 8000:
            break


def _row(name: str, found: list[Found]) -> Row:
    _, ceiling, least = ROWS[name]
    runs = [one.app for one in found]
    facts = {
        "per s": middle(run.per_s for run in runs),
        "ceiling": middle(one.ceilings[0].per_s for one in found),
        "web ms": f"{median(run.web_ms for run in runs):.2f}",
        "db ms": f"{median(run.database_ms for run in runs):.2f}",
        "p99 ms": middle(run.p99_ms for run in runs),
        "errors": sum(_errors(name, one) for one in found),
    }
    against = compared(runs, [run for one in found for run in one.theirs])
    ratios = [one.ratio for one in found], [one.by_cpu for one in found]
    return Row(name, f"≥ {least:.2f} × {ceiling}", *ratios, **against, facts=facts)


def _errors(name: str, found: Found) -> int:
    """Answers that are not what the row is about: only press_refused is refused, and no ceiling runs out of seats."""
    wrong = sum(run.refused for run in found.ceilings)
    for run in (found.app, *found.theirs):
        wrong += run.broken + (run.requests - run.refused if name == "press_refused" else run.refused)
    return wrong


def _print_pgbench(made: Stage, seconds: int) -> None:
    """Ceiling P: the transaction of ceiling C, sent by pgbench."""
    for connections in (2, 64):
        made.reset()
        many, hot = (_pgbench(made, connections, seconds, hot=hot) for hot in (False, True))
        print(f"ceiling P, pgbench with {connections} connections: {many:.0f}/s over many slots, {hot:.0f}/s on one")


def _pgbench(made: Stage, connections: int, seconds: int, *, hot: bool) -> float:
    city = made.city
    many = f"{city.slot(1, 0, 1)} + (:n * {connections} + :client_id) % {city.slots_a_day}"
    script = made.ground.folder / "seat.sql"
    slot = str(city.hot[1]) if hot else many
    script.write_text(PGBENCH.format(connections=connections, people=city.people, slot=slot))
    command = [binary("pgbench"), "-n", "-M", "prepared", "-D", "n=0", "-f", str(script), f"-T{seconds}"]
    command += [f"-c{connections}", "-j2", made.ground.plain]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"tps = ([\d.]+)", told)
    return float(found[1]) if found else 0.0


PGBENCH = """
\\set n :n + 1
\\set person 1 + (:n * {connections} + :client_id) % {people}
\\set slot {slot}
BEGIN;
UPDATE slot SET taken = taken + 1 WHERE id = :slot AND taken < capacity AND state IN ('planned', 'open')
  AND opens_at <= now() AND starts_at > now() RETURNING station_id AS station \\gset
INSERT INTO booking (slot_id, station_id, person_id, state, via, ticket, created_at, seated_at, late)
  VALUES (:slot, :station, :person, 'booked', 'tap', md5(:person || '-' || :slot || '-' || :n), now(), now(), false)
  RETURNING id AS booking \\gset
INSERT INTO event (at, kind, station_id, slot_id, booking_id, person_id, actor_id, after, details)
  VALUES (now(), 'booked', :station, :slot, :booking, :person, :person, 'booked', '{{}}');
COMMIT;
"""
SCENE = (
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
KEEP = (
    "CREATE TABLE bench_slot AS SELECT id, taken, waiting, waitlist_seq, state FROM slot",
    """CREATE TABLE bench_last AS SELECT (SELECT max(id) FROM booking) AS booking, (SELECT max(id) FROM event) AS event,
       (SELECT coalesce(max(id), 0) FROM letter) AS letter""",
)
RESET = (
    "DELETE FROM letter WHERE id > (SELECT letter FROM bench_last)",
    "DELETE FROM event WHERE id > (SELECT event FROM bench_last)",
    "DELETE FROM booking WHERE id > (SELECT booking FROM bench_last)",
    """UPDATE slot SET taken = b.taken, waiting = b.waiting, waitlist_seq = b.waitlist_seq, state = b.state
       FROM bench_slot b WHERE b.id = slot.id AND (slot.taken, slot.waiting, slot.state)
       IS DISTINCT FROM (b.taken, b.waiting, b.state)""",
)
