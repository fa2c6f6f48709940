"""Letters beside a bare smtplib loop, and presses while the mail server says nothing."""

import argparse
import smtplib
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from time import monotonic, perf_counter, process_time, sleep
from typing import BinaryIO

from sqlalchemy import URL

from bench.builds import Build, Cost, Database, Worker, prepared, statements
from bench.jobs import DIGESTS, READERS, rush
from bench.load import Row, middle
from bench.presses import GROUP, Stage, stage
from tests.support import city as stock
from tests.support.city import City
from tests.support.servers import Kind, used

SQL = statements(__file__)
CATCHES_UP = 120  # seconds at most


def letters(asked: argparse.Namespace, url: URL, builds: tuple[Build, ...]) -> list[Row]:
    """Digests rendered, sent to a server that says yes to everything and marked as sent, beside a bare smtplib loop.

    The loop sends the same bytes, ready made. By CPU the server is left out and PostgreSQL is counted in.
    """
    found = []
    with ExitStack() as opened:
        port = opened.enter_context(_sink())
        sides = [
            _Sender.ready(opened, opened.enter_context(prepared(url, "letters", build)), asked, port)
            for build in builds
        ]
        ready = sides[0].recorded()
        for _ in range(asked.rounds):
            before = _loop(ready, port)
            own, *theirs = [side.send() for side in sides]
            found.append(((before, _loop(ready, port)), own, theirs))
    return [
        Row(
            "letters",
            "≥ 0.15 × smtplib",
            [sum(loop.seconds for loop in loops) / 2 / own.seconds for loops, own, _ in found],
            [sum(loop.cpu for loop in loops) / 2 / own.cpu for loops, own, _ in found],
            [their.seconds / own.seconds for _, own, theirs in found for their in theirs],
            [their.cpu / own.cpu for _, own, theirs in found for their in theirs],
            {
                "letters": len(ready),
                "KB a letter": f"{sum(map(len, ready)) / len(ready) / 1000:.1f}",
                "per s": middle(own.did / own.seconds for _, own, _ in found),
            },
        )
    ]


@dataclass(frozen=True)
class _Sender:
    """A build with a morning's digests written, and its process that sends them."""

    stage: Stage
    worker: Worker
    now: datetime

    @classmethod
    def ready(cls, opened: ExitStack, place: Database, asked: argparse.Namespace, port: int) -> "_Sender":
        """Readers as a city has them: an office worker goes to one station, which has fifteen readers.

        Of the fifteen nine hold a seat today, in one of five slots, four wait in two lists, all hear what opens; two
        have a strike, and every tenth reads English.
        """
        city = City(asked.letters // READERS, people=asked.letters // READERS * READERS)
        with place.connect() as connection:
            stock.build(connection, city)
            stock.add_past(connection, city, city.people)
        made = Stage(place, city, visits={})
        now = MORNING.prepare(made)
        worker = opened.enter_context(place.worker(MAIL_URL=f"smtp://127.0.0.1:{port}"))
        worker.run(MORNING.job, now)
        return cls(made, worker, now)

    def send(self) -> Cost:
        with self.stage.ground.connect() as connection:
            again = "UPDATE letter SET state = 'queued', sent_at = NULL, tries = 0, next_try_at = %s"
            count = connection.execute(again, [self.now]).rowcount
        cost = self.worker.run("send_digests", self.now)
        if cost.did != count:
            raise RuntimeError(f"{cost.did} of {count} letters were sent")
        return cost

    def recorded(self) -> list[bytes]:
        """The same letters in bytes, as they come over the wire."""
        record = self.stage.ground.folder / "letters"
        with _sink(record) as port, self.stage.ground.worker(MAIL_URL=f"smtp://127.0.0.1:{port}") as worker:
            replace(self, worker=worker).send()
        return [one.replace(b"\r\n..", b"\r\n.") for one in record.read_bytes().split(b"\r\n.\r\n") if one]


def _loop(ready: list[bytes], port: int) -> Cost:
    began, own = perf_counter(), process_time()
    with smtplib.SMTP("127.0.0.1", port, local_hostname="localhost") as talk:
        for n, message in enumerate(ready):
            talk.sendmail("lunch-hour@localhost", [f"p{n}@example.com"], message)
    return Cost(len(ready), perf_counter() - began, process_time() - own)


@contextmanager
def _sink(record: Path | None = None) -> Iterator[int]:
    """The port of a mail server in a process of its own, which may record what comes."""
    spawned = get_context("spawn")
    here, there = spawned.Pipe()
    process = spawned.Process(target=_serve, args=(there, record), daemon=True)
    process.start()
    yield here.recv()
    process.kill()
    process.join()


def _serve(here: Connection, record: Path | None) -> None:
    """One connection at a time: yes to every line, and to every body. It offers PIPELINING, as mail servers do."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        here.send(listener.getsockname()[1])
        while True:
            line, _ = listener.accept()
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with line, line.makefile("rb") as heard, Path(record or "/dev/null").open("ab") as kept:
                _talk(line, heard, kept)


def _talk(line: socket.socket, heard: BinaryIO, kept: BinaryIO) -> None:
    line.sendall(b"220 sink\r\n")
    for said in heard:
        word = said[:4].upper()
        if word == b"DATA":
            line.sendall(b"354 go on\r\n")
            while (text := heard.readline()) not in (b".\r\n", b""):
                kept.write(text)
            kept.write(b".\r\n")
            kept.flush()
        answer = {b"QUIT": b"221 bye\r\n", b"EHLO": b"250-sink\r\n250 PIPELINING\r\n"}
        line.sendall(answer.get(word, b"250 yes\r\n"))


def mail_down(asked: argparse.Namespace, url: URL, builds: tuple[Build, ...]) -> list[Row]:
    """Presses while the mail server takes connections and says nothing, beside presses without any mail.

    Each press that gives a seat writes a letter; a scheduler, which has caught up with all else, tries to send them.
    """
    seconds = asked.beside or asked.seconds
    with ExitStack() as opened:
        stages = [
            stage(opened.enter_context(prepared(url, "mail", build)), asked.stations or 400, asked.group or GROUP)
            for build in builds
        ]
        for one in stages:
            _make_workday(one)
        found = [[_left_without_mail(one, seconds) for one in stages] for _ in range(asked.rounds)]
    own, *theirs = zip(*found, strict=True)
    left = [left for left, _ in own]
    against = [mine / other for mine, (other, _) in zip(left, theirs[0], strict=True)] if theirs else []
    facts = {"per s": middle(per_s for _, per_s in own)}
    return [Row("mail_down", "≥ 0.90 × without", left, against=against, facts=facts)]


def _make_workday(on: Stage) -> None:
    """The first day of the city is tomorrow; were it a day of rest, a scheduler would withdraw its slots."""
    with on.ground.connect() as connection:
        monday = (
            "SELECT station.id AS station_id, date, true AS works, 1 AS follows FROM station, slot WHERE slot.id = 1"
        )
        stock.fill(connection, "day_override", monday, {})


def _left_without_mail(on: Stage, seconds: int) -> tuple[float, float]:
    """The share of presses that is left, and presses a second."""
    before = rush(on, seconds).per_s
    on.reset()
    with (
        socket.create_server(("127.0.0.1", 0), backlog=128) as silent,
        on.ground.scheduler(MAIL_URL=f"smtp://127.0.0.1:{silent.getsockname()[1]}") as scheduler,
    ):
        _wait_until_idle(scheduler)
        with on.up(Kind(), seconds) as app:
            down = app.run("many").per_s
    return 2 * down / (before + rush(on, seconds).per_s), down


def _wait_until_idle(pid: int) -> None:
    """Until a scheduler that has just begun has planned, opened and finished all that its new city has for it."""
    idle, since = 0, monotonic()
    while idle < 5 and monotonic() - since < CATCHES_UP:
        before = used(pid)
        sleep(1)
        idle = idle + 1 if used(pid) - before < 0.1 else 0


MORNING = replace(DIGESTS, scene=(DIGESTS.scene[0], *SQL["scene"]))
