"""What was measured, as a table to read and as a file for machines."""

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

OUT = Path(__file__).with_name("out")


@dataclass(frozen=True)
class Spread:
    """The middle of several rounds, and how far they lie apart."""

    middle: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.middle:.2f} ({self.least:.2f}–{self.most:.2f})"


def spread(values: Sequence[float]) -> Spread:
    return Spread(median(values), min(values), max(values))


def table(head: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    """Markdown, so that it can be read here and kept there."""
    rows = [[str(cell) for cell in line] for line in (head, ["---"] * len(head), *lines)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(head))]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    )


def keep(name: str, results: Mapping[str, Any]) -> Path:
    """Add the results to bench/out/<name>.json; rows measured before stay."""
    OUT.mkdir(exist_ok=True)
    path = OUT / f"{name}.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(known | dict(results), indent=2) + "\n")
    return path


def said(log: Path) -> str:
    """What a server has complained about, and how often: no error in a table stays without its reason."""
    counted = Counter(log.read_text(errors="replace").splitlines())
    return "".join(f"{times} × {line}\n" for line, times in counted.most_common(20))


def load() -> str:
    """How busy the machine is: to know how far to trust a figure."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
