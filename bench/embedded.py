"""The embedded database: 500 people press at one station at the same instant. `python -m bench.embedded`.

SQLite, one web process with threads, as `make run` starts it. Everybody must get a seat or a place in line,
and nobody "database is locked".
"""

import argparse
import asyncio
import os
import tempfile
from collections import Counter
from pathlib import Path
from statistics import quantiles

from sqlalchemy import create_engine, text

from bench import crowd, feed, ground, report, servers, small
from bench.ground import Ground
from bench.servers import APP, Kind

FOLDER = Path(os.environ.get("BENCH_FOLDER", "/var/tmp"))  # a real disk: each commit waits for it


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--people", type=int, default=500)
    arguments.add_argument("--threads", type=int, default=64)
    arguments.add_argument("--rounds", type=int, default=3)
    asked = arguments.parse_args()
    for number in range(asked.rounds):
        found = _round(asked.people, Kind("granian", 1, asked.threads))
        print(f"round {number + 1}: {found}", flush=True)
        report.keep("embedded", {f"round_{number + 1}": found})


def _round(people: int, kind: Kind) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="lunch-hour-bench-", dir=FOLDER) as folder:
        place = Ground(f"sqlite:///{folder}/lunch.sqlite3", Path(folder))
        ground.migrate(place.url)
        warm, *requests = [feed.press(slot, visit) for slot, visit in small.station(place, people + 1)]
        with servers.serving(kind, APP, place.settings(), log=Path(folder) / "log") as server:
            asyncio.run(crowd.press_together(server.port, [warm]))
            answers = asyncio.run(crowd.press_together(server.port, requests))
            memory = [round(mb) for mb in server.memory()]
        times = sorted(answer.seconds for answer in answers)
        return {
            "answers": dict(Counter(answer.status for answer in answers)),
            "given": _given(place.url),
            "p50_s": round(times[len(times) // 2], 3),
            "p99_s": round(quantiles(times, n=100)[-1], 3),
            "all_after_s": round(times[-1], 3),
            "locked": (Path(folder) / "log").read_text().count("database is locked"),
            "memory_mb": memory,
            "machine": report.load(),
        }


def _given(url: str) -> dict[str, int]:
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT state, count(*) FROM booking GROUP BY state")).all()
    engine.dispose()
    return {str(state): int(count) for state, count in rows}


if __name__ == "__main__":
    main()
