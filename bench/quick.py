"""A quick look at some rows: `python -m bench.quick press_many page --seconds 3 --rounds 2 --server granian`."""

import argparse

from bench import ground, rows, stage
from bench.rows import ROWS, Pair
from bench.servers import Kind


def main() -> None:
    names = [row.name for row in ROWS]
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(names))
    arguments.add_argument("--seconds", type=int, default=3)
    arguments.add_argument("--rounds", type=int, default=2)
    arguments.add_argument("--server", default="granian", choices=("granian", "gthread", "sync"))
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--group", type=int, default=4000, help="people ready for each kind of press")
    asked = arguments.parse_args()
    kind = Kind(asked.server, asked.workers, asked.threads)
    print(HEAD)
    with ground.server() as url, ground.prepared(url, "quick") as place:
        staged = stage.make(place, stations=400, group=asked.group)
        for _ in range(asked.rounds):
            with rows.up(staged, kind, asked.seconds) as bench:
                for row in (row for row in ROWS if row.name in (asked.rows or names)):
                    print(line(row.name, bench.pair(row)), flush=True)
                print(f"given: {staged.booked()}")


TITLES = ("ratio", "by CPU", "per s", "ceiling", "web ms", "db ms", "c web", "c db", "p99 ms", ">=400")
HEAD = f"{'row':14}" + "".join(f" {title:>7}" for title in TITLES)


def line(name: str, pair: Pair) -> str:
    app, bare = pair.app, pair.ceiling
    figures = (
        pair.ratio,
        pair.by_cpu,
        app.per_s,
        bare.per_s,
        app.web_ms,
        app.database_ms,
        bare.web_ms,
        bare.database_ms,
    )
    return f"{name:14}" + "".join(f" {figure:7.2f}" for figure in figures) + f" {app.p99_ms:7.0f} {app.refused:7d}"


if __name__ == "__main__":
    main()
