"""Where the time of a press goes, within one process: `python -m bench.profile_press [ROW] [--presses 300]`.

CPU time of this process is counted, so a busy machine blurs it little. Rows: many, hot, line, refused, page, poll.
"""

import argparse
import cProfile
import os
import pstats
from collections import defaultdict
from pathlib import Path
from time import process_time

from flask import Flask

from bench import ceilings, feed, ground, inside, stage, statements
from bench.inside import Environ
from booking.extensions import db

CEILING = {"page": "A", "poll": "A_poll", "refused": "B", "hot": "C_hot"}
ROWS = ("many", "hot", "line", "refused", "page", "poll")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("row", nargs="?", default="many", choices=ROWS)
    arguments.add_argument("--presses", type=int, default=300)
    arguments.add_argument("--top", type=int, default=25)
    asked = arguments.parse_args()
    with ground.server() as url, ground.prepared(url, "profile") as place:
        os.environ["BENCH_DATABASE"] = place.plain
        staged = stage.make(place, stations=max(50, asked.presses // 5), group=asked.presses * 3)
        app = place.app()
        todo = _environs(staged, asked.row)
        _print_costs(app, staged, asked.row, todo, asked.presses)
        _print_statements(app, todo)
        _print_profile(app, todo, asked.presses, asked.top)


def _environs(staged: stage.Stage, row: str) -> list[Environ]:
    """Prepared requests; a looping feed comes again as often as it is needed."""
    found = [inside.environ(request) for request in feed.read(staged.feeds[row])]
    return found if len(found) > 500 else [dict(each) for _ in range(20) for each in found]


def _print_costs(app: Flask, staged: stage.Stage, row: str, todo: list[Environ], presses: int) -> None:
    name = CEILING.get(row, "C")
    bare = _environs(staged, name)
    costs: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for target, requests in ((app, todo), (ceilings.app, bare)):
        inside.cost(target, [requests.pop() for _ in range(50)])  # warm
    for _ in range(5):
        costs[row].append(inside.cost(app, [todo.pop() for _ in range(presses // 5)]))
        costs[name].append(inside.cost(ceilings.app, [bare.pop() for _ in range(presses // 5)]))
    best = {which: (min(c for c, _ in found), min(w for _, w in found)) for which, found in costs.items()}
    for which, (cpu, wall) in best.items():
        print(f"{which:>8}: {cpu:6.2f} ms CPU of this process, {wall:6.2f} ms by the clock")
    print(f"ratio to the ceiling by CPU: {best[name][0] / best[row][0]:.2f}\n")


def _print_statements(app: Flask, todo: list[Environ]) -> None:
    with app.app_context():
        engine = db.engine
    runs = []
    for _ in range(20):
        with statements.heard(engine) as sent:
            inside.send(app, todo.pop())
        runs.append(sent)
    print(f"{len(runs[-1])} statements (ms until the answer, best of 20):")
    for n, statement in enumerate(runs[-1]):
        best = min((run[n].seconds for run in runs if len(run) > n), default=0.0)
        print(f"  {best * 1000:5.2f}  {' '.join(statement.text.split())[:150]}")
    print()


def _print_profile(app: Flask, todo: list[Environ], presses: int, top: int) -> None:
    wanted = [todo.pop() for _ in range(min(presses, len(todo)))]
    profile = cProfile.Profile(process_time)  # waiting is not counted
    profile.enable()
    for request in wanted:
        inside.send(app, request)
    profile.disable()
    stats = pstats.Stats(profile)
    _print_packages(stats, len(wanted))
    for order in ("cumulative", "tottime"):
        print(f"--- by {order}, {len(wanted)} requests")
        stats.sort_stats(order).print_stats(top)


def _print_packages(stats: pstats.Stats, requests: int) -> None:
    """Own time by package: who is busy. What C code does is counted to it as `built-in`."""
    spent: dict[str, float] = defaultdict(float)
    found: dict[tuple[str, int, str], tuple[int, int, float, float, object]] = stats.stats  # type: ignore[attr-defined]
    for (file, _line, _name), (_calls, _all, own, _deep, _callers) in found.items():
        parts = Path(file).parts
        at = parts.index("site-packages") + 1 if "site-packages" in parts else -1
        spent[parts[at] if at > 0 else "/".join(parts[-2:]) if "booking" in parts else "built-in, library"] += own
    print("own time by package, ms a request under the profiler (about twice the real one):")
    for package, seconds in sorted(spent.items(), key=lambda pair: -pair[1])[:14]:
        print(f"  {seconds / requests * 1000:6.2f}  {package}")
    print()


if __name__ == "__main__":
    main()
