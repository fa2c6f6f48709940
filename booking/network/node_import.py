"""Node import: the nodes of a city from a sheet, all of them or none; the same sheet again changes nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import sanitise, spreadsheets
from booking.db import transactions
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.model import LEVELS, Node
from booking.network.nodes import TREE, NodeDetails, add_node, change_node
from booking.stations import CODE

# The heads of a sheet, in Chinese and English, and the field of each.
HEADS = {
    "级别": "level",
    "level": "level",
    "代码": "code",
    "code": "code",
    "名称": "name",
    "name": "name",
    "英文名称": "name_en",
    "name_en": "name_en",
    "上级代码": "parent",
    "parent": "parent",
    "等级": "grade",
    "grade": "grade",
    "类型": "category",
    "category": "category",
    "层级": "level",
    "编号": "code",
    "编码": "code",
    "单位代码": "code",
    "单位名称": "name",
    "英文名": "name_en",
    "上级": "parent",
    "上级编号": "parent",
    "上级编码": "parent",
    "分级": "grade",
    "分类": "category",
}
REQUIRED = {"level": "级别 level", "code": "代码 code", "name": "名称 name"}
LEVEL_OF = {"市": "city", "区": "district", "中心": "centre"} | {level: level for level in LEVELS}
LONGEST = {"name": 80, "name_en": 120, "grade": 20, "category": 20}
LARGEST = 4 * 1024 * 1024  # bytes
MOST_NODES = 2_000  # rows; a city has some hundreds


class Fault(NamedTuple):
    """An error in a row, numbered as a spreadsheet shows it: the reason, and the text that is wrong."""

    row: int
    reason: str
    text: str


class NodesRefused(Exception):
    """Nothing was imported: the faults of the sheet."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__()
        self.faults = faults


@dataclass(frozen=True)
class NodeRow:
    """One node of a sheet; `parent` is the code of the node above, empty for a city."""

    row: int
    level: str
    code: str
    parent: str
    details: NodeDetails


class Imported(NamedTuple):
    """How many nodes an import added and changed, and how many it found as they are."""

    added: int
    changed: int
    same: int


def read_nodes(content: bytes) -> list[NodeRow]:
    """The rows of a CSV, XLSX, ODS or XLS file. Raises what reading a sheet raises (`sheet_too_large`, `sheet_too_long`,
    `bad_heads` …), and `NodesRefused` with the faults of single rows."""
    if len(content) > LARGEST:
        raise RuleViolation("sheet_too_large", limit=LARGEST // 1024 // 1024)
    layout = spreadsheets.lay_out(spreadsheets.read(content), HEADS, REQUIRED, MOST_NODES)
    rows = [_row(number, cells) for number, cells in layout.rows.items()]
    if faults := [*_broken(layout.broken), *(fault for row in rows for fault in _faults(row)), *_twice(rows)]:
        raise NodesRefused(sorted(faults))
    return rows


@transactional
def import_nodes(session: Session, rows: Sequence[NodeRow], now: datetime, actor_id: int | None) -> Imported:
    """Add the nodes that are new and change the names, grades and categories of the others. A node moves by its page only.

    Raises `NodesRefused`.
    """
    transactions.advisory_lock(session, TREE)
    known = {node.code: node for node in session.scalars(select(Node))}
    if faults := sorted(_misplaced(rows, known)):
        raise NodesRefused(faults)
    added = changed = 0
    for row in sorted(rows, key=lambda row: LEVELS.index(row.level)):
        node = known.get(row.code)
        if node is None:
            parent = known.get(row.parent)
            known[row.code] = add_node.inside(session, parent, row.level, row.code, row.details, now, actor_id)
            added += 1
        elif any(getattr(node, name) != value for name, value in asdict(row.details).items()):
            change_node.inside(session, node, row.details, now, actor_id)
            changed += 1
    return Imported(added, changed, len(rows) - added - changed)


def _row(number: int, cells: Mapping[str, str]) -> NodeRow:
    text = {name: sanitise.one_line(cells.get(name, "")) for name in {*HEADS.values()}}
    details = NodeDetails(**{name: text[name] for name in LONGEST})
    level = LEVEL_OF.get(text["level"].lower(), text["level"])
    code, parent = (sanitise.plain(text[name]).casefold() for name in ("code", "parent"))
    return NodeRow(number, level, code, parent, details)


def _broken(cells: set[tuple[int, str]]) -> Iterator[Fault]:
    for row, name in cells:
        yield Fault(row, "broken_cell", name)


def _faults(row: NodeRow) -> Iterator[Fault]:
    if row.level not in LEVELS:
        yield Fault(row.row, "unknown_level", row.level)
    if not CODE.fullmatch(row.code):
        yield Fault(row.row, "bad_code", row.code)
    if not row.details.name:
        yield Fault(row.row, "name_missing", row.code)
    if bool(row.parent) == (row.level == "city"):
        yield Fault(row.row, "parent_missing" if row.level != "city" else "city_below", row.code)
    for name, longest in LONGEST.items():
        if len(getattr(row.details, name)) > longest:
            yield Fault(row.row, "too_long", getattr(row.details, name))


def _twice(rows: Sequence[NodeRow]) -> Iterator[Fault]:
    seen: set[str] = set()
    for row in rows:
        if row.code in seen:
            yield Fault(row.row, "code_twice", row.code)
        seen.add(row.code)


def _misplaced(rows: Sequence[NodeRow], known: Mapping[str, Node]) -> Iterator[Fault]:
    """Rows whose node above is not there, is closed or of another level, and those that a node of this code contradicts."""
    level_of = {node.code: node.level for node in known.values()} | {row.code: row.level for row in rows}
    for row in rows:
        node, above = known.get(row.code), known.get(row.parent)
        if node and (node.level != row.level or (node.parent.code if node.parent else "") != row.parent):
            yield Fault(row.row, "node_elsewhere", row.code)
        elif row.parent and row.parent not in level_of:
            yield Fault(row.row, "no_such_node", row.parent)
        elif row.parent and LEVELS.index(level_of[row.parent]) + 1 != LEVELS.index(row.level):
            yield Fault(row.row, "wrong_level", row.parent)
        elif node is None and above is not None and above.closed_at:
            yield Fault(row.row, "node_closed", row.parent)
