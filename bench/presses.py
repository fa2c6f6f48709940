"""Presses, pages and polls beside bare ceilings: ceiling, app, other build, ceiling, with new processes in each round."""

import argparse
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import count, repeat
from pathlib import Path
from statistics import median
from time import sleep

from bench import load
from bench.builds import HERE, Build, Database, prepared, statements
from bench.load import Row, Run, Target, compared
from tests.support import city as stock
from tests.support import visits
from tests.support.city import City
from tests.support.servers import Kind, Server, serving
from tests.support.visits import IN_PLACE, PHONE, Visit

SQL = statements(__file__)
GROUP = 12_000  # people for each kind of press
STAGED = ("warm", "many", "hot", "line", "refused", "week")
PAST = 20_000
POLLS = 200  # stations whose polls are measured
EVERY = 0.2  # seconds between two seats of each of them in `poll_rush`
CHANGES = 3  # times that all stations change in `after_change`
NOTICED = 0.7  # seconds after which a process asks what has changed
AGAIN = 2  # slots that each of the refused presses
REFUSING = 100  # stations: the group comes forty to a slot, as in the city, where sixty of 75 are refused
LOOPING = ("A", "B", "B_page", "page", "poll", "polls")
WARMED_BY = {"looks": "known", "known": "known"}  # what is asked before a feed that does not loop
# Name, feed, ceiling, and what is asked. What only reads comes first, while nothing has changed.
ROWS = {
    "page": ("page", "A", "≥ 1.0 × A"),
    "poll_304": ("poll", "A", "≥ 2.0 × A"),
    "first_look": ("looks", "B_page", "≥ 0.6 × B, ≥ 10 × REV"),
    "press_many": ("many", "C", "≥ 1.5 × C or 2.5 × REV"),
    "press_week": ("week", "C", "as press_many"),
    "press_hot": ("hot", "C_hot", "≥ 1.8 × C or 2.5 × REV"),
    "press_line": ("line", "C", "≥ 1.6 × C or 2.5 × REV"),
    "press_refused": ("refused", "B", "≥ 1.0 × B"),
    "after_change": ("known", "", "≥ 3 × REV"),
    "poll_rush": ("polls", "A", "≥ 0.5 × A"),
}


@dataclass
class Stage:
    """A city with signed-in people and the prepared requests of each row, on the database of one build."""

    ground: Database
    city: City
    visits: dict[str, list[Visit]]
    feeds: dict[str, Path] = field(default_factory=dict)
    polls: dict[str, list[tuple[str, Visit]]] = field(default_factory=dict)  # who polls what, by the feed
    seats: Iterator[int] = field(default_factory=count)

    def reset(self) -> None:
        """Back to the first second: nobody has pressed yet."""
        self.ground.rewrite(SQL["reset"])

    def change(self, stations: int) -> None:
        """At each of so many stations a seat of the day's last slot goes, as a press would write it."""
        person = self.visits["warm"][next(self.seats) % len(self.visits["warm"])].person
        slots = [self.city.slot(station, 4) for station in range(1, stations + 1)]
        with self.ground.connect() as connection:
            connection.execute(SQL["seat_goes"][0], {"slots": slots, "person": person})

    def limit(self, numbers: str) -> None:
        """Give all stations these numbers of the policy, as JSON."""
        with self.ground.connect() as connection:
            connection.execute("UPDATE station SET policy = %s", [numbers])

    @contextmanager
    def up(self, kind: Kind, seconds: int) -> Iterator[Target]:
        """The app with templates compiled, statements cached and connections made."""
        with self.ground.serving(kind) as server:
            target = Target(server, self.feeds, self.ground.postmaster, seconds)
            for _ in range(5):
                if target.run("warm", seconds=2).requests > 200:
                    break
            yield target


def staged(opened: ExitStack, asked: argparse.Namespace, name: str, build: Build = HERE, stations: int = 400) -> Stage:
    """Build it, of the size that is asked for; takes half a minute."""
    ground = opened.enter_context(prepared(asked, name, build))
    stations, group = asked.stations or stations, asked.group or GROUP
    city = City(stations, people=group * len(STAGED))
    people = {name: range(1 + n * group, 1 + (n + 1) * group) for n, name in enumerate(STAGED)}
    values = vars(city) | {"first": people["refused"][0], "group": group, "refusing": min(stations, REFUSING)}
    with ground.filling(city, PAST) as connection:
        for statement in SQL["scene"]:
            stock.execute(connection, statement, values)
        signed_in = {name: visits.sign_in(connection, persons, stations) for name, persons in people.items()}
        for statement in SQL["keep"]:
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
        "week": [city.slot(n % stations + 1, 4) for n in spread],
        "line": [city.slot(n % stations + 1, 2 + n // stations % 2) for n in spread],
        "hot": [city.hot[0] for _ in spread],
        "refused": [_refused_slot(city, n, k) for k in range(AGAIN) for n in spread],
    }
    day = made.ground.value("SELECT date FROM slot WHERE id = 1")

    def pages(persons: Iterable[Visit]) -> list[tuple[str, Visit]]:
        return [(f"/s/s{n % stations + 1}?day={day}", visit) for n, visit in enumerate(persons)]

    seen = pages(people["warm"][: 2 * stations])
    # They look before they press; the last of them, one for each station, never press.
    looking = max(len(people["line"]) // stations - 1, 0) * stations
    looks, known = pages(people["line"][:looking]), pages(people["line"][looking : looking + stations])
    feeds = {
        name: [visits.get(*pair) for pair in asked]
        for name, asked in (("page", seen), ("looks", looks), ("known", known))
    }
    made.polls |= {"poll": seen[:POLLS], "polls": known[:POLLS]}
    feeds |= {name: [_poll(server, *pair) for pair in polling] for name, polling in made.polls.items()}
    for name, slots in targets.items():
        feeds[name] = [visits.press(*pair) for pair in zip(slots, pressing[name], strict=True)]
    feeds["line"] = feeds["line"][: len(looks)]
    warm = [visits.press(slot, visit) for slot, visit in zip(targets["many"], people["warm"], strict=True)]
    feeds["warm"] = [one for three in zip(feeds["page"], warm, feeds["poll"] * 9, strict=False) for one in three]
    size = {name: _size(server, feeds[name][0]) for name in ("page", "refused", "many", "hot")}
    everybody = range(1, city.people + 1)

    def seats(route: str, kind: str, slots: Iterable[int], persons: Iterable[int]) -> list[bytes]:
        rest = f"HTTP/1.1\r\n{PHONE}Content-Length: 0\r\n\r\n"
        pairs = zip(slots, persons, strict=False)
        return [f"POST /{route}/{slot}/{person}/{size[kind]} {rest}".encode() for slot, person in pairs]

    def slots_of(day: int) -> list[int]:
        return [city.slot(n % stations + 1, n // stations % 5, day) for n in everybody]

    return feeds | {
        "A": [visits.get(f"/page/{size['page']}")] * load.THREADS,
        "B": [visits.get(f"/look/{slot}/{size['refused']}") for slot in targets["refused"][:2000]],
        "B_page": [visits.get(f"/look/{slot}/{size['page']}") for slot in targets["refused"][:2000]],
        "C": seats("seat", "many", slots_of(1), everybody),
        "C1": seats("seat1", "many", slots_of(6), everybody),
        "C_hot": seats("seat", "hot", repeat(city.hot[1]), everybody),
        "C1_hot": seats("seat1", "hot", repeat(city.hot[1]), reversed(everybody)),
    }


def _refused_slot(city: City, n: int, k: int) -> int:
    """Not open yet; one seat a day is held already; paused: in turn, each at one slot of a station, and again at another.

    The scene has made the second and third.
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


# One round of a row: this build's run, those of its ceiling, of C1 and of the other build, where there are any.
Found = tuple[Run, list[Run], list[Run], list[Run]]


def measure(asked: argparse.Namespace) -> list[Row]:
    """All rows, or those that were asked for, on each kind of server."""
    with ExitStack() as opened:
        stages = [staged(opened, asked, "rush", build) for build in asked.builds]
        found: list[Row] = []
        for kind in asked.servers:
            rows = _rows(stages, kind, asked)
            found += [replace(row, name=f"{row.name} ({kind})") for row in rows] if found else rows
    return found


def _rows(stages: list[Stage], kind: Kind, asked: argparse.Namespace) -> list[Row]:
    rounds: dict[str, list[Found]] = defaultdict(list)
    wanted = [name for name in ROWS if name in asked.rows or not asked.rows & ROWS.keys()]
    memory: list[int] = []
    for _ in range(asked.rounds):
        with up(stages, kind, asked.seconds) as (bare, *apps):
            for name in wanted:
                rounds[name].append(_round(name, bare, list(zip(stages, apps, strict=True))))
            memory = apps[0].server.memory()
    rows = [_row(name, found) for name, found in rounds.items()]
    for row in rows:
        row.facts["web MB"] = "/".join(map(str, memory))
    return rows


@contextmanager
def up(stages: list[Stage], kind: Kind, seconds: int) -> Iterator[list[Target]]:
    """The ceilings and each build's app, all up, on databases set back to the beginning."""
    for one in stages:
        one.reset()
    place = stages[0].ground
    with ExitStack() as opened:
        settings = {"BENCH_DATABASE": place.plain}
        server = opened.enter_context(serving(kind, "bench.ceilings:app", settings))
        bare = Target(server, stages[0].feeds, place.postmaster, seconds)
        apps = [opened.enter_context(one.up(kind, seconds)) for one in stages]
        for name in ("A", "B", "C", "C1"):
            bare.run(name, loop=name in LOOPING, seconds=1)
        yield [bare, *apps]


def _round(name: str, bare: Target, apps: list[tuple[Stage, Target]]) -> Found:
    feed, ceiling, _ = ROWS[name]
    for _, app in apps:
        _warm_up(app, feed if feed in LOOPING else WARMED_BY.get(feed))  # the presses before it have changed every page

    def to(ceiling: str) -> list[Run]:
        return [bare.run(ceiling, loop=ceiling in LOOPING)] if ceiling else []

    before = to(ceiling)
    own, *theirs = [_measured(name, *pair) for pair in apps]
    return own, before + to(ceiling), to(ceiling.replace("C", "C1") if "C" in ceiling else ""), theirs


def _warm_up(app: Target, feed: str | None) -> None:
    """Each page is rendered once for each reader with bookings, in each process: until it becomes no faster."""
    last, now = 0, 1
    while feed and now > 1.1 * last:
        last, now = now, app.run(feed, loop=True, seconds=2).requests


def _measured(name: str, on: Stage, app: Target) -> Run:
    feed = ROWS[name][0]
    if feed in on.polls:  # by who has seen what is there now
        app.feeds[feed] = load.write(app.feeds[feed], [_poll(app.server, *pair) for pair in on.polls[feed]])
    if name == "poll_rush":
        return app.run(feed, loop=True, beside=load.repeated(EVERY, lambda: on.change(min(POLLS, on.city.stations))))
    if name == "press_week":
        on.limit('{"city_week_seats": 40}')
        try:
            return app.run(feed)
        finally:
            on.limit("{}")
    if name != "after_change":
        return app.run(feed, loop=feed in LOOPING)
    runs = []
    for _ in range(CHANGES):
        on.change(on.city.stations)
        sleep(NOTICED)
        app.stopped.pop(feed, None)
        runs.append(app.run(feed, seconds=60, connections=16, every=True))
    return sorted(runs, key=lambda run: run.per_s)[CHANGES // 2]


def _row(name: str, found: list[Found]) -> Row:
    runs, ceilings, one_statement, theirs = zip(*found, strict=True)
    facts = load.facts(runs, ceilings) | {"errors": sum(_errors(name, one) for one in found)}
    if one_statement[0]:
        clock, by_cpu = compared(runs, one_statement)
        facts["to C1 (by CPU)"] = f"{median(clock):.2f} ({median(by_cpu):.2f})"
    return Row(name, ROWS[name][2], *compared(runs, ceilings), *compared(runs, theirs), facts=facts)


def _errors(name: str, found: Found) -> int:
    """Answers that are not what the row is about: only press_refused is refused, and no ceiling runs out of seats."""
    app, ceilings, one_statement, theirs = found
    wrong = sum(run.refused for run in ceilings + one_statement)
    for run in (app, *theirs):
        wrong += run.broken + (run.requests - run.refused if name == "press_refused" else run.refused)
    return wrong
