"""The rows of the table, and how one of them is measured beside its ceiling."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench import servers, wrk
from bench.servers import APP, CEILINGS, Kind, Server
from bench.stage import Stage
from bench.wrk import Run


@dataclass(frozen=True)
class Row:
    """One kind of request. `least` is the ratio to `ceiling` that the issue asks for."""

    name: str
    feed: str
    ceiling: str
    least: float
    loops: bool = False

    def errors(self, pair: "Pair") -> int:
        """Answers that are not what the row is about: a refusal is right only where it is asked for, and no ceiling
        may run out of seats."""
        run, bare = pair.app, pair.ceiling.refused + pair.after.refused
        return bare + run.broken + (run.requests - run.refused if self.name == "press_refused" else run.refused)


ROWS = (
    Row("press_many", "many", "C", 0.5),
    Row("press_hot", "hot", "C_hot", 0.5),
    Row("press_line", "line", "C", 0.5),
    Row("press_refused", "refused", "B", 0.5),
    Row("page", "page", "A", 0.5, loops=True),
    Row("poll_304", "poll", "A", 0.8, loops=True),
)
LOOPING = ("A", "A_poll", "B")


@dataclass(frozen=True)
class Pair:
    """A row and its ceiling, measured one after the other: ceiling, app, ceiling."""

    app: Run
    ceiling: Run
    after: Run

    @property
    def ratio(self) -> float:
        """App to ceiling by requests a second."""
        return 2 * self.app.per_s / (self.ceiling.per_s + self.after.per_s)

    @property
    def by_cpu(self) -> float:
        """The same by CPU time of web server and database: steadier while others use the machine."""
        ceilings = [run.web_ms + run.database_ms for run in (self.ceiling, self.after)]
        return sum(ceilings) / 2 / (self.app.web_ms + self.app.database_ms)


@dataclass(frozen=True)
class Bench:
    """The app and the ceilings, both up, on the same kind of server."""

    stage: Stage
    app: Server
    ceilings: Server
    postmaster: int
    seconds: int
    stopped: dict[str, str] = field(default_factory=dict)

    def pair(self, row: Row) -> Pair:
        if row.loops:
            self.warm_up(row.feed)  # the presses before it have changed every page
        before = self.ceiling(row.ceiling)
        app = self.run(self.app, row.feed, loop=row.loops)
        return Pair(app, before, self.ceiling(row.ceiling))

    def ceiling(self, name: str) -> Run:
        return self.run(self.ceilings, name, loop=name in LOOPING)

    def run(self, server: Server, feed: str, *, loop: bool, seconds: int = 0, connections: int = 64) -> Run:
        at = "" if loop else self.stopped.get(feed, "")
        path, seconds = self.stage.feeds[feed], seconds or self.seconds
        run = wrk.drive(server, path, seconds, self.postmaster, connections=connections, loop=loop, at=at)
        self.stopped[feed] = run.at
        return run

    def warm_up(self, feed: str) -> None:
        """Each page is rendered once for each reader with bookings, in each process."""
        for _ in range(15):
            if self.run(self.app, feed, loop=True, seconds=2).requests > 8000:
                break

    def warm(self) -> None:
        """Templates compiled, statements cached, connections made."""
        for _ in range(5):
            if self.run(self.app, "warm", loop=False, seconds=2).requests > 200:
                break
        for name in ("A", "B", "C"):
            self.run(self.ceilings, name, loop=name in LOOPING, seconds=1)


@contextmanager
def up(stage: Stage, kind: Kind, seconds: int) -> Iterator[Bench]:
    """Both servers on a stage set back to the beginning."""
    stage.reset()
    place = stage.ground
    with (
        servers.serving(kind, CEILINGS, {"BENCH_DATABASE": place.plain}) as ceilings,
        servers.serving(kind, APP, place.settings()) as app,
    ):
        bench = Bench(stage, app, ceilings, place.postmaster, seconds)
        bench.warm()
        yield bench
