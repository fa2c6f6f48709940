"""Presses while the mail server takes connections and says nothing, beside presses without any mail: `python -m bench.mail_down`.

Each press that gives a seat writes a letter; a scheduler of its own, which has caught up with all else, tries to send
them. Rounds go without, with, without.
"""

import argparse
import socket
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import monotonic, sleep

from sqlalchemy import select

from bench import cpu, ground, report, servers, stage
from bench.ground import Ground
from bench.rows import Bench
from bench.servers import APP, BIN, Kind
from bench.stage import Stage
from booking import workdays
from booking.db import transactions
from booking.extensions import db
from booking.model import Slot, Station

LEAST = 0.9
CATCHES_UP = 120  # seconds at most
MONDAY = 1  # the plans of the city run from Monday to Friday


def main() -> None:
    asked = _asked()
    with ground.server() as url, ground.prepared(url, "mail") as place:
        staged = stage.make(place, asked.stations, asked.group)
        _is_workday(staged)
        found = [_round(staged, asked.seconds) for _ in range(asked.rounds)]
    ratio = report.spread([ratio for ratio, _ in found])
    rows = [("mail_down", LEAST, ratio, round(sum(per_s for _, per_s in found) / len(found)))]
    print(f"{report.load()}\n{report.table(('row', 'at least', 'ratio (spread)', 'presses a second'), rows)}")
    kept = {"ratio": round(ratio.middle, 3), "min": round(ratio.least, 3), "max": round(ratio.most, 3)}
    print(f"written to {report.keep('results', {'mail_down': kept})}")


def _asked() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--stations", type=int, default=400)
    arguments.add_argument("--group", type=int, default=stage.GROUP)
    arguments.add_argument("--seconds", type=int, default=8)
    return arguments.parse_args()


def _is_workday(staged: Stage) -> None:
    """The first day of the city is tomorrow; were it a day of rest, a scheduler would withdraw its slots."""
    with staged.ground.app().app_context(), transactions.transaction(db.session) as session:
        first = session.scalars(select(Slot.date).where(Slot.id == staged.city.slot(1))).one()
        for station_id in session.scalars(select(Station.id)):
            workdays.override(session, station_id, first, works=True, follows=MONDAY, note="")


def _round(staged: Stage, seconds: int) -> tuple[float, float]:
    before = _rush(staged, seconds, nullcontext())
    with _silent() as port:
        down = _rush(staged, seconds, _scheduler(staged.ground, f"smtp://127.0.0.1:{port}"))
    after = _rush(staged, seconds, nullcontext())
    return 2 * down / (before + after), down


def _rush(staged: Stage, seconds: int, beside: AbstractContextManager[None]) -> float:
    staged.reset()
    with servers.serving(Kind(), APP, staged.ground.settings()) as server, beside:
        bench = Bench(staged, server, server, staged.ground.postmaster, seconds)
        for _ in range(3):
            bench.run(server, "warm", loop=False, seconds=2)
        run = bench.run(server, "many", loop=False)
    if run.refused:
        raise RuntimeError(f"{run.refused} of {run.requests} presses were refused: that is no rush")
    return run.per_s


@contextmanager
def _silent() -> Iterator[int]:
    """The port of a server that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        yield server.getsockname()[1]


@contextmanager
def _scheduler(place: Ground, mail_url: str) -> Iterator[None]:
    settings = {**servers.environment(), **place.settings(), "MAIL_URL": mail_url}
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", str(BIN / "flask"), "scheduler"],
        env=settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_idle(process.pid)
        yield
    finally:
        process.kill()
        process.wait()


def _wait_until_idle(pid: int) -> None:
    """Until a scheduler that has just begun has planned, opened and finished all that its new city has for it."""
    idle, since = 0, monotonic()
    while idle < 5 and monotonic() - since < CATCHES_UP:
        before = cpu.used(pid)
        sleep(1)
        idle = idle + 1 if cpu.used(pid) - before < 0.1 else 0


if __name__ == "__main__":
    main()
