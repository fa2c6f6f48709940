"""Ten thousand digests worded and delivered, beside a bare smtplib loop: `python -m bench.letters --rounds 3`.

The sink is a process of its own that says yes to everything. The loop sends the same bytes over one connection, in
ready messages; the app claims, looks up, words, packs and sends them, and writes down each that was taken.
"""

import argparse
import smtplib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from statistics import median
from time import perf_counter, process_time
from typing import BinaryIO

from sqlalchemy import update

import config
from bench import cpu, ground, jobs, readers, report, stage
from bench.chores import DIGESTS, Chore
from bench.stage import Stage
from booking.app import create_app
from booking.db import transactions
from booking.extensions import db
from booking.jobs import backpressure
from booking.jobs.batches import Turn
from booking.jobs.schedule import send_digests
from booking.mail import outbox, rendering
from booking.model import Letter

LEAST = 0.5
FROM = "lunch-hour@localhost"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--letters", type=int, default=10_000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument(
        "--mixed", action="store_true", help="everybody goes to many stations, as nobody really does"
    )
    arguments.add_argument(
        "--one-by-one", action="store_true", help="the sink does not offer PIPELINING, as mail servers do"
    )
    asked = arguments.parse_args()
    backpressure.NEED = float("inf")
    with ground.server() as url, ground.prepared(url, "letters") as place, _sink(not asked.one_by_one) as port:
        if asked.mixed:
            staged, chore = (
                stage.make(place, min(400, asked.letters // 20), asked.letters // len(stage.STAGED)),
                DIGESTS,
            )
        else:
            staged, chore = readers.make(place, asked.letters), readers.MORNING
        now = _write(staged, chore)
        ready = _ready(staged, now)
        found = [_round(staged, ready, port, now) for _ in range(asked.rounds)]
    ratio, by_cpu = (report.spread([pair[n] for pair in found]) for n in (0, 1))
    per_s = median(pair[2] for pair in found)
    name = "letters_mixed" if asked.mixed else "letters"
    head = ("row", "at least", "ratio (spread)", "by CPU (spread)", "letters", "a letter", "per s")
    size = f"{sum(map(len, ready)) / len(ready) / 1000:.1f} KB"
    print(f"{report.load()}\n{report.table(head, [(name, LEAST, ratio, by_cpu, len(ready), size, round(per_s))])}")
    row = {"ratio": ratio.middle, "min": ratio.least, "max": ratio.most, "per_s": per_s, "by_cpu": by_cpu.middle}
    print(f"written to {report.keep('results', {name: {kind: round(n, 3) for kind, n in row.items()}})}")


def _write(staged: Stage, chore: Chore) -> datetime:
    """A digest for everybody, as the job writes them. Returns their hour."""
    now = chore.prepare(staged)
    jobs.carry_out(staged.ground, chore, now)
    return now


def _ready(staged: Stage, now: datetime) -> list[bytes]:
    """The same letters in bytes."""
    with staged.ground.app().app_context():
        ids = db.session.scalars(db.select(Letter.id).where(Letter.state == "queued").order_by(Letter.id)).all()
        made = []
        for start in range(0, len(ids), 200):
            kept = rendering.load(db.session(), ids[start : start + 200])
            made += [rendering.compose(db.session(), letter, now, kept).mime for letter in kept.letters]
    return made


def _round(staged: Stage, ready: list[bytes], port: int, now: datetime) -> tuple[float, float, float]:
    """Ratio by the clock and by CPU, and letters a second: loop, app, loop."""
    before = _loop(ready, port)
    app = _app(staged, port, now, len(ready))
    after = _loop(ready, port)
    return (before[0] + after[0]) / 2 / app[0], (before[1] + after[1]) / 2 / app[1], len(ready) / app[0]


def _loop(ready: list[bytes], port: int) -> tuple[float, float]:
    """Seconds, by the clock and of CPU, of a bare loop."""
    began, own = perf_counter(), process_time()
    with smtplib.SMTP("127.0.0.1", port, local_hostname="localhost") as talk:
        for n, message in enumerate(ready):
            talk.sendmail(FROM, [f"p{n}@example.com"], message)
    return perf_counter() - began, process_time() - own


def _app(staged: Stage, port: int, now: datetime, count: int) -> tuple[float, float]:
    place = staged.ground
    app = jobs.stood(create_app(config.load(place.settings() | {"MAIL_URL": f"smtp://127.0.0.1:{port}"})))
    with app.app_context():
        with transactions.transaction(db.session) as session:
            again = {"state": "queued", "sent_at": None, "tries": 0, "next_try_at": now}
            session.execute(update(Letter).where(outbox.IS_DIGEST, Letter.created_at == now).values(again))
        began, own, database = perf_counter(), process_time(), cpu.used(place.postmaster)
        sent = send_digests(Turn(now))
        took = perf_counter() - began
        used = process_time() - own + cpu.used(place.postmaster) - database
    if sent != count:
        raise RuntimeError(f"{sent} of {count} letters were sent")
    return took, used


@contextmanager
def _sink(pipelines: bool) -> Iterator[int]:
    """The port of a server in a process of its own."""
    spawned = get_context("spawn")
    here, there = spawned.Pipe()
    process = spawned.Process(target=_serve, args=(there, pipelines), daemon=True)
    process.start()
    yield here.recv()
    process.kill()
    process.join()


def _serve(here: Connection, pipelines: bool) -> None:
    """One talk at a time: yes to every line, and to every body."""
    hello = b"250-sink\r\n250 PIPELINING\r\n" if pipelines else b"250 sink\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        here.send(listener.getsockname()[1])
        while True:
            line, _ = listener.accept()
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with line, line.makefile("rb") as heard:
                _talk(line, heard, hello)


def _talk(line: socket.socket, heard: BinaryIO, hello: bytes) -> None:
    line.sendall(b"220 sink\r\n")
    for said in heard:
        word = said[:4].upper()
        if word == b"DATA":
            line.sendall(b"354 go on\r\n")
            while heard.readline() not in (b".\r\n", b""):
                pass
        line.sendall({b"QUIT": b"221 bye\r\n", b"EHLO": hello}.get(word, b"250 yes\r\n"))


if __name__ == "__main__":
    main()
