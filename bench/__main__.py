"""The whole table, or the parts and rows that are named: `python -m bench press_many page --rounds 2 --against REV`.

Results are kept in bench/out/results.json; rows measured before stay there.
"""

import argparse
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from bench import builds, draws, jobs, phones, presses, scale
from bench.load import Row
from tests.support.servers import Kind

RESULTS = Path(__file__).with_name("out") / "results.json"
Part = Callable[[argparse.Namespace], list[Row]]
# Each part with the rows that can be asked for by themselves.
PARTS: dict[str, tuple[Part, tuple[str, ...]]] = {
    "rush": (presses.measure, tuple(presses.ROWS)),
    "growth": (scale.growth, ()),
    "jobs": (jobs.jobs, tuple(chore.name for chore in jobs.CHORES)),
    "enter_hot": (draws.entering, ()),
    "draw_city": (draws.city, ()),
    "draw_page": (draws.page, ()),
    "simulation": (draws.simulation, ()),
    "letters": (jobs.letters, ()),
    "mail_down": (jobs.mail_down, ()),
    "embedded": (phones.everybody, ()),
    "paint": (phones.paint, ()),
    "city": (scale.city, ()),
}


def main() -> None:
    asked = _asked()
    wanted = [name for name, (_, rows) in PARTS.items() if {name, *rows} & asked.rows]
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    with builds.compared(asked.against) as asked.builds, builds.postgresql() as asked.url:
        for name in wanted or [name for name in PARTS if name != "city"]:
            print(f"\n{name}: {_machine()}", flush=True)
            rows = PARTS[name][0](asked)
            print(f"\n{_table(rows, asked.against)}\n{_machine()}", flush=True)
            known |= {row.name: vars(row) for row in rows}
            RESULTS.parent.mkdir(exist_ok=True)
            RESULTS.write_text(json.dumps(known, indent=2, default=str, ensure_ascii=False) + "\n")
    print(f"written to {RESULTS}")


def _asked() -> argparse.Namespace:
    names = [word for name, (_, rows) in PARTS.items() for word in (name, *rows)]
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("rows", nargs="*", metavar="ROW", help=f"all but city, or of: {', '.join(names)}")
    arguments.add_argument("--against", default="", metavar="REV", help="another commit, measured in turn")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=int, default=3, help="of each run")
    arguments.add_argument("--beside", type=int, default=8, help="seconds of the rush beside a job; 0 leaves it out")
    arguments.add_argument(
        "--servers", type=Kind.parsed, default="granian:2:64", help="name:workers:threads,… for rush and city"
    )
    arguments.add_argument("--stations", type=int, default=0, help="fewer, for a quick look")
    arguments.add_argument("--group", type=int, default=0, help="people for each kind of press, ≥ 2 × stations")
    arguments.add_argument("--bookings", type=int, default=1_000_000, help="of the grown city")
    arguments.add_argument("--letters", type=int, default=10_000)
    arguments.add_argument("--people", type=int, default=500, help="at one instant, on SQLite")
    asked = arguments.parse_args()
    asked.rows = set(asked.rows)
    if unknown := asked.rows - set(names):
        arguments.error(f"no such row: {', '.join(sorted(unknown))}")
    return asked


def _table(rows: list[Row], against: str) -> str:
    """Markdown, so that it can be read here and kept there."""
    other = (f"to {against}", "by CPU to it") if against else ()
    facts = list(dict.fromkeys(name for row in rows for name in row.facts))
    lines: list[Sequence[object]] = [("row", "asked", "ratio (spread)", "by CPU (spread)", *other, *facts)]
    for row in rows:
        figures = (row.ratio, row.by_cpu, row.against, row.against_cpu)[: 4 if against else 2]
        lines.append((row.name, row.asked, *map(_spread, figures), *(row.facts.get(name, "") for name in facts)))
    lines.insert(1, ["---"] * len(lines[0]))
    widths = [max(len(str(line[n])) for line in lines) for n in range(len(lines[0]))]
    return "\n".join(
        "| " + " | ".join(str(cell).ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in lines
    )


def _spread(values: list[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f}–{max(values):.2f})" if values else ""


def _machine() -> str:
    """How busy the machine is: to know how far to trust a figure."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main()
