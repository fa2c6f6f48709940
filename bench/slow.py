"""Do fifty slow phones stop the others? `python -m bench.slow --servers granian:2:64,gthread:2:4`.

The p95 of quick users' pages, without and with fifty clients that send a press a byte a second: slow in the
headers (a bad network) and slow in the form (headers at once, then the body).
"""

import argparse
from collections.abc import Callable
from functools import partial
from statistics import median

from bench import crowd, feed, ground, report, servers, stage
from bench.rows import Bench
from bench.servers import APP, Kind
from bench.stage import Stage
from bench.wrk import Run

QUICK = 8  # connections of the others: they should wait for the app, not for each other


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--servers", default="granian:2:64,granian:2:1,gthread:2:64,gthread:2:4")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--seconds", type=int, default=4)
    asked = arguments.parse_args()
    lines = []
    with ground.server() as url, ground.prepared(url, "slow") as place:
        staged = stage.make(place, stations=20, group=200)
        for word in asked.servers.split(","):
            name, workers, threads = word.split(":")
            lines.append(_line(staged, Kind(name, int(workers), int(threads)), asked.rounds, asked.seconds))
            print(*lines[-1], flush=True)
    head = ("server", "p95 ms alone", "with slow headers", "with slow forms", "ratio, headers", "ratio, forms")
    print(f"{report.load()}\n{report.table(head, lines)}")
    report.keep("slow", {str(line[0]): dict(zip(head[1:], line[1:], strict=True)) for line in lines})


def _line(staged: Stage, kind: Kind, rounds: int, seconds: int) -> tuple[object, ...]:
    with servers.serving(kind, APP, staged.ground.settings()) as server:
        bench = Bench(staged, server, server, staged.ground.postmaster, seconds)
        look = partial(bench.run, server, "page", loop=True, connections=QUICK)
        look(seconds=2)
        press = feed.read(staged.feeds["many"])[0]
        found = [_round(server.port, press, look) for _ in range(rounds)]
    alone, headers, forms = (median(runs) for runs in zip(*found, strict=True))
    return (
        str(kind),
        *(round(ms) for ms in (alone, headers, forms)),
        round(headers / alone, 2),
        round(forms / alone, 2),
    )


def _round(port: int, press: bytes, look: Callable[[], Run]) -> tuple[float, float, float]:
    alone = look()
    with crowd.dawdling(port, press):
        headers = look()
    with crowd.dawdling(port, press, whole_head=True):
        forms = look()
    return _p95(alone), _p95(headers), _p95(forms)


def _p95(run: Run) -> float:
    """Nobody served at all counts as the whole run."""
    return run.p95_ms if run.requests else run.seconds * 1000


if __name__ == "__main__":
    main()
