"""The table of issue "The rush": `make bench`, or `python -m bench --rounds 5 --seconds 3 --server granian`.

Rounds go ceiling, app, ceiling, app …; both are new processes on the same kind of server in every round.
"""

import argparse
from collections import defaultdict
from statistics import median

from bench import ground, pgbench, report, rows, stage
from bench.ground import Ground
from bench.rows import ROWS, Pair
from bench.servers import Kind
from bench.stage import Stage


def main() -> None:
    asked = _asked()
    kinds = [Kind(name, int(w), int(t)) for name, w, t in (word.split(":") for word in asked.servers.split(","))]
    print(f"{report.load()}; {asked.rounds} rounds of {asked.seconds} s, 64 connections")
    with ground.server() as url, ground.prepared(url, "bench") as place:
        staged = stage.make(place, asked.stations, asked.group)
        print(f"bytes of an answer: {staged.size}")
        for kind in kinds:
            found = _measure(staged, kind, asked.rounds, asked.seconds)
            print(f"\n{kind}, {report.load()}\n{_table(found)}", flush=True)
            if kind == kinds[0]:
                print(f"written to {report.keep('results', _results(found))}")
        _print_pgbench(place, staged, asked.seconds)


def _asked() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=int, default=3)
    arguments.add_argument("--stations", type=int, default=400)
    arguments.add_argument("--group", type=int, default=stage.GROUP, help="people ready for each kind of press")
    arguments.add_argument("--servers", default="granian:2:1", help="name:workers:threads,…; the first one is kept")
    return arguments.parse_args()


def _measure(staged: Stage, kind: Kind, rounds: int, seconds: int) -> dict[str, list[Pair]]:
    found: dict[str, list[Pair]] = defaultdict(list)
    for number in range(rounds):
        with rows.up(staged, kind, seconds) as bench:
            for row in (ROWS[4], ROWS[5], *ROWS[:4]):  # what only reads comes first, while nothing has changed
                found[row.name].append(bench.pair(row))
            given = staged.booked()
            print(
                f"round {number + 1}: given {given}, memory {[round(mb) for mb in bench.app.memory()]} MB", flush=True
            )
    return found


def _table(found: dict[str, list[Pair]]) -> str:
    head = (
        "row",
        "at least",
        "ratio (spread)",
        "by CPU (spread)",
        "per s",
        "ceiling",
        "web ms",
        "db ms",
        "p99 ms",
        "errors",
    )
    lines = []
    for row in ROWS:
        pairs = found[row.name]
        runs = [pair.app for pair in pairs]
        lines.append(
            (
                row.name,
                f"{row.least:.2f} × {row.ceiling}",
                report.spread([pair.ratio for pair in pairs]),
                report.spread([pair.by_cpu for pair in pairs]),
                round(median(run.per_s for run in runs)),
                round(median(pair.ceiling.per_s for pair in pairs)),
                f"{median(run.web_ms for run in runs):.2f}",
                f"{median(run.database_ms for run in runs):.2f}",
                round(median(run.p99_ms for run in runs)),
                sum(row.errors(pair) for pair in pairs),
            )
        )
    return report.table(head, lines)


def _results(found: dict[str, list[Pair]]) -> dict[str, dict[str, float]]:
    results = {}
    for name, pairs in found.items():
        ratio = report.spread([pair.ratio for pair in pairs])
        results[name] = {
            "ratio": round(ratio.middle, 3),
            "min": round(ratio.least, 3),
            "max": round(ratio.most, 3),
            "per_s": round(median(pair.app.per_s for pair in pairs), 1),
            "by_cpu": round(median(pair.by_cpu for pair in pairs), 3),
        }
    return results


def _print_pgbench(place: Ground, staged: Stage, seconds: int) -> None:
    for connections in (2, 64):
        staged.reset()
        many = pgbench.per_second(place, staged.city, connections, seconds)
        hot = pgbench.per_second(place, staged.city, connections, seconds, hot=True)
        print(f"ceiling P, pgbench with {connections} connections: {many:.0f}/s over many slots, {hot:.0f}/s on one")


if __name__ == "__main__":
    main()
