"""What the scheduler does, at scale: jobs beside one statement that writes the same rows, letters beside a bare loop.

Opening a slot of each of 3,933 stations, releasing 12,000 no-shows, writing 60,000 digests, changing the policy of a city;
each beside the rush, too. Each chore has days of its own in the city, so that the presses meet other slots.
"""

import argparse
import os
import smtplib
import socket
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from statistics import mean, median
from time import perf_counter, process_time
from typing import Any, BinaryIO, NamedTuple

from bench.builds import Build, Worker, prepared, statements
from bench.load import Cost, Row, compared, middle
from bench.presses import Stage, staged
from tests.support import city as stock
from tests.support.city import PER_DAY, City
from tests.support.servers import Kind, used, wait_until_idle

SQL = statements(__file__)
SEATS = 12_000  # no-shows to release
READERS = 15  # of digests at a station, in `letters`


@dataclass(frozen=True)
class Chore:
    """A job, and where its statements stand: its scene, the rows that it writes by one statement, how to undo it."""

    name: str
    job: str
    more: tuple[str, ...] = ()  # in place of all but the first statement of the scene

    def prepare(self, on: Stage) -> datetime:
        """Set the scene; returns the instant at which the job is due."""
        scene = SQL[f"{self.name} scene"]
        on.ground.rewrite((scene[0], *self.more) if self.more else scene, _places(on))
        moment: datetime = on.ground.value(SQL[f"{self.name} hour"][0], _places(on))
        return moment

    def back(self, on: Stage) -> None:
        """As if nobody had done it."""
        on.ground.rewrite(SQL[f"{self.name} undo"], _places(on))

    def at_once(self, on: Stage) -> Cost:
        """The same rows by one statement."""
        bulk, values = SQL[f"{self.name} bulk"][0], {"now": self.prepare(on), **_places(on)}
        cost = Cost.of(lambda: int(on.ground.value(bulk, values)), on.ground.postmaster)
        self.back(on)
        return cost

    def carry_out(self, on: Stage, worker: Worker) -> Cost:
        """The job as the scheduler runs it."""
        cost = worker.run(self.job, self.prepare(on))
        self.back(on)
        return cost


def _places(on: Stage) -> dict[str, Any]:
    """The first slot of each day, by name, and how much of everything."""
    days = {f"day{day}": on.city.slot(1, day=day) for day in range(on.city.days)}
    sizes = {"stations": on.city.stations, "people": on.city.people, "per_day": PER_DAY}
    return days | sizes | {"seats": SEATS, "readers": READERS}


def jobs(asked: argparse.Namespace) -> list[Row]:
    """Rounds go statement, job, other build's job, statement; then the rush alone, with the job next to it, alone."""
    found: dict[str, list[_Round]] = defaultdict(list)
    with ExitStack() as opened:
        stages = [_with_past(opened, asked, build) for build in asked.builds]
        workers = [opened.enter_context(one.ground.worker()) for one in stages]
        names = asked.rows & {chore.name for chore in CHORES}
        chores = [chore for chore in CHORES if chore.name in names or not names]
        if DIGESTS in chores:
            DIGESTS.carry_out(stages[0], workers[0])  # the statement writes what the app has written
        for _ in range(asked.rounds):
            for chore in chores:
                found[chore.name].append(_round(stages, workers, chore, asked.beside))
    return [_row(name, rounds) for name, rounds in found.items()]


def _with_past(opened: ExitStack, asked: argparse.Namespace, build: Build) -> Stage:
    """With letters and digests of the days before: empty tables mislead PostgreSQL's planner for the rest of a connection."""
    made = staged(opened, asked, "jobs", build, 3_933)
    with made.ground.connect() as connection:
        stock.add_papers(connection, made.city, made.city.people, ("letter", "digest"))
        stock.execute(connection, "UPDATE bench_last SET letter = (SELECT max(id) FROM letter)")
    return made


class _Round(NamedTuple):
    """A chore beside its statement, before and after, beside another build's, and beside the rush."""

    bulk: tuple[Cost, Cost]
    job: Cost
    theirs: list[Cost]
    left: float = 0
    took: float = 0
    taken: float = 0


def _round(stages: list[Stage], workers: list[Worker], chore: Chore, seconds: int) -> _Round:
    before = chore.at_once(stages[0])
    job, *theirs = [chore.carry_out(*pair) for pair in zip(stages, workers, strict=True)]
    after = chore.at_once(stages[0])
    if before.did != job.did:
        raise RuntimeError(f"{chore.name}: the statement did {before.did}, the job {job.did}")
    return _Round((before, after), job, theirs, *(_beside_the_rush(stages[0], chore, seconds) if seconds else ()))


def _beside_the_rush(on: Stage, chore: Chore, seconds: int) -> tuple[float, float, float]:
    """The share of presses that is left, seconds of the job, and its share of the machine, while it rests as it will.

    Each run has a stage set back and processes of its own, or the last one would press on what the first has sold.
    """
    alone = _rush(on, seconds)
    on.reset()
    now = chore.prepare(on)
    with on.up(Kind(), seconds) as app, on.ground.worker(rests=True) as worker:
        pids = (worker.process.pid, worker.backend)
        before = sum(map(used, pids))
        worker.start(chore.job, now)
        run = app.run("many")
        taken = (sum(map(used, pids)) - before) / run.seconds / (os.cpu_count() or 1)
        took = worker.finish()[1] if worker.answers() else float("inf")
    chore.back(on)
    return run.per_s / mean((alone, _rush(on, seconds))), took, taken


def _rush(on: Stage, seconds: int) -> float:
    """Presses a second that all find a seat, on a stage set back; a few may be told that we are busy."""
    on.reset()
    with on.up(Kind(), seconds) as app:
        run = app.run("many")
    if run.refused > run.requests / 1000:
        raise RuntimeError(f"{run.refused} of {run.requests} presses were refused: that is no rush")
    return run.per_s


def _row(name: str, rounds: list[_Round]) -> Row:
    own, took = [one.job for one in rounds], median(one.took for one in rounds)
    facts = {
        "rows": own[0].did,
        "job s": f"{median(cost.seconds for cost in own):.2f}",
        "statement s": f"{median(cost.seconds for one in rounds for cost in one.bulk):.2f}",
        "rush left, ≥ 0.90": f"{median(one.left for one in rounds):.2f}",
        "machine taken": f"{median(one.taken for one in rounds):.0%}",
        "job s then": f"{took:.1f}" if took < float("inf") else "longer than the rush",
    }
    beside = (*compared(own, [one.bulk for one in rounds]), *compared(own, [one.theirs for one in rounds]))
    return Row(name, "≥ 0.30 × statement", *beside, facts)


CHORES = (
    Chore("open_slots", "open_slots"),
    Chore("release_no_shows", "release_no_shows"),
    Chore("write_digests", "write_worker_digests"),
    Chore("policy_change", "apply_policy"),
)
DIGESTS = CHORES[2]
MORNING = replace(DIGESTS, more=SQL["letters scene"])


def letters(asked: argparse.Namespace) -> list[Row]:
    """Digests rendered, sent to a server that says yes to everything and marked as sent, beside a bare smtplib loop.

    The loop sends the same bytes, ready made. By CPU the server is left out and PostgreSQL is counted in.
    """
    with ExitStack() as opened:
        port = opened.enter_context(_sink())
        sides = [_Sender.ready(opened, asked, build, port) for build in asked.builds]
        ready = sides[0].written()
        rounds = []
        for _ in range(asked.rounds):
            before = _loop(ready, port)
            own, *theirs = [side.send(side.worker) for side in sides]
            rounds.append((own, [before, _loop(ready, port)], theirs))
    own_costs, loops, others = zip(*rounds, strict=True)
    size = f"{sum(map(len, ready)) / len(ready) / 1000:.1f}"
    facts = {"letters": len(ready), "KB a letter": size, "per s": middle(cost.per_s for cost in own_costs)}
    return [Row("letters", "≥ 0.15 × smtplib", *compared(own_costs, loops), *compared(own_costs, others), facts)]


@dataclass(frozen=True)
class _Sender:
    """A build with a morning's digests written, and its process that sends them."""

    stage: Stage
    worker: Worker
    now: datetime

    @classmethod
    def ready(cls, opened: ExitStack, asked: argparse.Namespace, build: Build, port: int) -> "_Sender":
        """Readers as a city has them: an office worker goes to one station, which has fifteen readers.

        Of the fifteen nine hold a seat today, in one of five slots, four wait in two lists, all hear what opens; two
        have a strike, and every tenth reads English.
        """
        place = opened.enter_context(prepared(asked, "letters", build))
        city = City(asked.letters // READERS, people=asked.letters // READERS * READERS)
        with place.filling(city, city.people):
            pass
        made = Stage(place, city, visits={})
        now = MORNING.prepare(made)
        worker = opened.enter_context(place.worker(MAIL_URL=f"smtp://127.0.0.1:{port}"))
        worker.run(MORNING.job, now)
        return cls(made, worker, now)

    def send(self, worker: Worker) -> Cost:
        with self.stage.ground.connect() as connection:
            again = "UPDATE letter SET state = 'queued', sent_at = NULL, tries = 0, next_try_at = %s"
            count = connection.execute(again, [self.now]).rowcount
        cost = worker.run("send_digests", self.now)
        if cost.did != count:
            raise RuntimeError(f"{cost.did} of {count} letters were sent")
        return cost

    def written(self) -> list[bytes]:
        """The same letters as files."""
        with self.stage.ground.worker() as worker:
            self.send(worker)
        return [path.read_bytes() for path in (self.stage.ground.folder / "instance").rglob("*.eml")]


def _loop(ready: Sequence[bytes], port: int) -> Cost:
    began, own = perf_counter(), process_time()
    with smtplib.SMTP("127.0.0.1", port, local_hostname="localhost") as talk:
        for n, message in enumerate(ready):
            talk.sendmail("lunch-hour@localhost", [f"p{n}@example.com"], message)
    return Cost(len(ready), perf_counter() - began, process_time() - own)


@contextmanager
def _sink() -> Iterator[int]:
    """The port of a mail server in a process of its own."""
    spawned = get_context("spawn")
    here, there = spawned.Pipe()
    process = spawned.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    yield here.recv()
    process.kill()
    process.join()


def _serve(here: Connection) -> None:
    """One connection at a time: yes to every line, and to every body. It offers PIPELINING, as mail servers do."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        here.send(listener.getsockname()[1])
        while True:
            line, _ = listener.accept()
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with line, line.makefile("rb") as heard:
                _talk(line, heard)


def _talk(line: socket.socket, heard: BinaryIO) -> None:
    line.sendall(b"220 sink\r\n")
    for said in heard:
        word = said[:4].upper()
        if word == b"DATA":
            line.sendall(b"354 go on\r\n")
            while heard.readline() not in (b".\r\n", b""):
                pass
        answer = {b"QUIT": b"221 bye\r\n", b"EHLO": b"250-sink\r\n250 PIPELINING\r\n"}
        line.sendall(answer.get(word, b"250 yes\r\n"))


def mail_down(asked: argparse.Namespace) -> list[Row]:
    """Presses while the mail server takes connections and says nothing, beside presses without any mail.

    Each press that gives a seat writes a letter; a scheduler, which has caught up with all else, tries to send them.
    """
    with ExitStack() as opened:
        stages = [staged(opened, asked, "mail", build) for build in asked.builds]
        for one in stages:  # were the first day of the city a day of rest, a scheduler would withdraw its slots
            with one.ground.connect() as connection:
                stock.fill(connection, "day_override", SQL["workday"][0], {})
        found = [[_without_mail(one, asked.beside or asked.seconds) for one in stages] for _ in range(asked.rounds)]
    (left, per_s), *theirs = [tuple(zip(*side, strict=True)) for side in zip(*found, strict=True)]
    against = [mine / other for other_left, _ in theirs for mine, other in zip(left, other_left, strict=True)]
    return [Row("mail_down", "≥ 0.90 × without", list(left), against=against, facts={"per s": middle(per_s)})]


def _without_mail(on: Stage, seconds: int) -> tuple[float, float]:
    """The share of presses that is left, and presses a second."""
    before = _rush(on, seconds)
    on.reset()
    with (
        socket.create_server(("127.0.0.1", 0), backlog=128) as silent,
        on.ground.scheduler(MAIL_URL=f"smtp://127.0.0.1:{silent.getsockname()[1]}") as scheduler,
    ):
        # It has planned, opened and finished all that its new city has for it.
        wait_until_idle(scheduler, pause=1, times=5, patience=120, busy=0.1)
        with on.up(Kind(), seconds) as app:
            down = app.run("many").per_s
    return down / mean((before, _rush(on, seconds))), down
