"""Network commands: `flask net import` and `flask net show`."""

from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import clock, tree
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Node
from booking.network.node_import import LARGEST, NodesRefused, import_nodes, read_nodes
from booking.queries import network_places

network_group = AppGroup("net", help="The network of a city.")
SENTENCES = {
    "broken_cell": "the cell {text!r} is a formula's error",
    "unknown_level": "{text!r} is no level: city, district or centre (市, 区, 中心)",
    "bad_code": "{text!r} is no code: 2 to 32 small letters, digits and hyphens, a letter first, and not new",
    "name_missing": "the name of {text!r} is missing",
    "parent_missing": "the code of the node above {text!r} is missing",
    "city_below": "{text!r} is a city, which stands below nothing",
    "too_long": "{text!r} is too long",
    "code_twice": "{text!r} stands in an earlier row already",
    "node_elsewhere": "{text!r} exists at another place or level; move it on its page",
    "no_such_node": "there is no node {text!r}, neither here nor in the sheet",
    "wrong_level": "{text!r} is not of the level above",
    "node_closed": "{text!r} is closed",
}
TOO_LONG = "the sheet has more than {limit} rows; import the city in parts, districts first. Nothing was imported"


@network_group.command("import")
@click.argument("file", type=click.File("rb"))
@with_appcontext
def import_file(file: BinaryIO) -> None:
    """Import nodes from a CSV or XLSX file: level, code, name, name_en, parent, grade, category."""
    try:
        done = import_nodes(db.session, read_nodes(file.read(LARGEST + 1)), clock.now(), None)
    except NodesRefused as nothing:
        for fault in nothing.faults:
            click.echo(f"row {fault.row}: {SENTENCES[fault.reason].format(text=fault.text)}", err=True)
        raise click.ClickException(f"{len(nothing.faults)} faults; nothing was imported") from nothing
    except RuleViolation as no:
        raise click.ClickException(_said(no)) from no
    click.echo(f"{done.added} nodes added, {done.changed} changed, {done.same} as they were")


@network_group.command("show")
@click.argument("code")
@with_appcontext
def show(code: str) -> None:
    """Show the node and all below, with the number of open stations of each."""
    node = tree.node_by_code(db.session(), code)
    if node is None:
        raise click.ClickException(f"there is no node {code!r}")
    for line in _lines(db.session(), node):
        click.echo(line)


def _lines(session: Session, node: Node) -> Iterator[str]:
    stations = Counter[int]()
    for path, count in network_places.stations_at(session, node).items():
        stations.update({int(one): count for one in path.split(".") if one})
    nodes = session.scalars(select(Node).where(tree.below(node)))
    for one in sorted(nodes, key=lambda one: one.path):
        depth = one.path.count(".") - node.path.count(".")
        told = ", ".join(filter(None, (f"{stations[one.id]} stations", one.grade, one.category, _closed(one))))
        yield f"{'  ' * depth}{one.code} {one.name} ({told})"


def _closed(node: Node) -> str:
    return f"closed {node.closed_at:%Y-%m-%d}" if node.closed_at else ""


def _said(no: RuleViolation) -> str:
    if no.reason == "sheet_too_long":
        return TOO_LONG.format(**no.details)
    details = ", ".join(f"{name} {value}" for name, value in no.details.items())
    return f"refused: {no.reason}{f' ({details})' if details else ''}"
