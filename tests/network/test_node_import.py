"""Node import: `flask net import` takes a whole sheet or nothing, and `flask net show` shows what is there."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import network_commands, spreadsheets
from booking.model import Event, Node
from booking.network import node_import
from booking.network.node_import import MOST_NODES, NodesRefused, read_nodes
from tests.support.tree_cast import city_tree

HEADS = "level,code,name,name_en,parent,grade,category"
CITY = """
市,bj,北京市,Beijing,,,
centre,guomao,国贸中心,Guomao centre,chaoyang,一级,商务楼宇
区,chaoyang,朝阳区,Chaoyang,bj,,
"""


def run(app: Flask, tmp_path: Path, rows: str, heads: str = HEADS) -> str:
    file = tmp_path / "nodes.csv"
    file.write_text(f"{heads}\n{rows.strip()}\n")
    done = app.test_cli_runner().invoke(args=["net", "import", str(file)])
    return f"{done.exit_code}: {done.output.strip()}"


def nodes(session: Session) -> int:
    session.rollback()
    return session.scalar(select(func.count(Node.id))) or 0


def test_a_city_is_imported_in_any_order_and_again_without_change(app: Flask, session: Session, tmp_path: Path) -> None:
    assert run(app, tmp_path, CITY) == "0: 3 nodes added, 0 changed, 0 as they were"
    centre = session.scalars(select(Node).where(Node.code == "guomao")).one()
    assert (centre.level, centre.name_en, centre.grade, centre.category) == (
        "centre",
        "Guomao centre",
        "一级",
        "商务楼宇",
    )
    assert centre.parent is not None
    assert centre.parent.code == "chaoyang"
    events = session.scalar(select(func.count(Event.id)))
    assert run(app, tmp_path, CITY) == "0: 0 nodes added, 0 changed, 3 as they were"
    session.rollback()
    assert session.scalar(select(func.count(Event.id))) == events
    assert run(app, tmp_path, CITY.replace("一级", "二级")) == "0: 0 nodes added, 1 changed, 2 as they were"


def test_an_xlsx_with_chinese_heads_is_read_too(app: Flask, session: Session, tmp_path: Path) -> None:
    file = tmp_path / "nodes.xlsx"
    table = spreadsheets.Table("单位", ["级别", "代码", "名称", "上级代码"], [["市", "bj", "北京市", ""]])
    file.write_bytes(spreadsheets.write_xlsx([table]))
    done = app.test_cli_runner().invoke(args=["net", "import", str(file)])
    assert done.output == "1 nodes added, 0 changed, 0 as they were\n"
    assert nodes(session) == 1


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("村,x1,某村,,bj,,", "row 5: '村' is no level"),
        ("区,朝阳,朝阳区,,bj,,", "row 5: '朝阳' is no code"),
        ("区,xicheng,,,bj,,", "row 5: the name of 'xicheng' is missing"),
        ("区,xicheng,西城区,,,,", "row 5: the code of the node above 'xicheng' is missing"),
        ("市,tj,天津市,,bj,,", "row 5: 'tj' is a city, which stands below nothing"),
        ("区,chaoyang,朝阳区,,bj,,", "row 5: 'chaoyang' stands in an earlier row already"),
        ("区,xicheng,西城区,,tj,,", "row 5: there is no node 'tj', neither here nor in the sheet"),
        ("中心,jinrong,金融街中心,,bj,,", "row 5: 'bj' is not of the level above"),
        ("区,one,某区,,guomao,,", "row 5: 'guomao' is not of the level above"),
        ("区,loop,某区,,loop,,", "row 5: 'loop' is not of the level above"),
        (f"区,xicheng,西城区,,bj,{'特' * 21},", f"row 5: '{'特' * 21}' is too long"),
    ],
)
def test_one_wrong_row_leaves_everything_out(
    app: Flask, session: Session, tmp_path: Path, rows: str, told: str
) -> None:
    said = run(app, tmp_path, f"{CITY.strip()}\n{rows}")
    assert said.startswith("1: ")
    assert told in said
    assert "1 faults; nothing was imported" in said
    assert nodes(session) == 0


def test_a_node_that_stands_elsewhere_is_not_moved_by_a_sheet(app: Flask, session: Session, tmp_path: Path) -> None:
    city_tree(session)
    said = run(app, tmp_path, "centre,cbd-centre,CBD 中心,,xicheng,,\ncity,tj,天津市,,,,")
    assert "row 2: 'cbd-centre' exists at another place or level; move it on its page" in said
    assert nodes(session) == 6


@pytest.mark.one_database
def test_a_file_of_50_000_rows_is_refused_in_a_sentence(app: Flask, session: Session, tmp_path: Path) -> None:
    many = "\n".join(f"district,d{n},区 {n},,bj,," for n in range(50_000))
    said = run(app, tmp_path, f"city,bj,北京市,,,,\n{many}")
    assert said.startswith(f"1: Error: the sheet has more than {MOST_NODES} rows")
    assert nodes(session) == 0


@pytest.mark.one_database
def test_a_city_of_more_nodes_than_a_managers_sheet_has_rows(app: Flask, session: Session, tmp_path: Path) -> None:
    many = "\n".join(f"centre,c{n},中心 {n},,d1,," for n in range(spreadsheets.MOST_ROWS))
    said = run(app, tmp_path, f"city,bj,北京市,,,,\ndistrict,d1,朝阳区,,bj,,\n{many}")
    assert said == f"0: {spreadsheets.MOST_ROWS + 2} nodes added, 0 changed, 0 as they were"


@pytest.mark.one_database
def test_a_file_without_the_heads_is_refused(app: Flask, tmp_path: Path) -> None:
    assert "refused: bad_heads (missing 代码 code" in run(app, tmp_path, "市,北京市", heads="level,name")


@pytest.mark.sqlite
def test_every_fault_has_a_sentence() -> None:
    source = Path(node_import.__file__).read_text()
    reasons = {line.partition('"')[2].partition('"')[0] for line in source.splitlines() if "yield Fault(" in line}
    assert {*reasons, "city_below"} == set(network_commands.SENTENCES)
    with pytest.raises(NodesRefused) as nothing:
        read_nodes(f"{HEADS}\n村,X,,,,,".encode())
    assert [fault.reason for fault in nothing.value.faults] == [
        "bad_code",
        "name_missing",
        "parent_missing",
        "unknown_level",
    ]


@pytest.mark.one_database
def test_a_node_is_shown_with_all_below_and_their_stations(app: Flask, session: Session, tmp_path: Path) -> None:
    city_tree(session)
    run(app, tmp_path, "centre,guomao,国贸中心,,chaoyang,一级,")
    shown = app.test_cli_runner().invoke(args=["net", "show", "chaoyang"])
    assert shown.output.splitlines() == [
        "chaoyang 朝阳区 (4 stations)",
        "  cbd-centre CBD 中心 (2 stations)",
        "  wangjing-centre 望京中心 (2 stations)",
        "  guomao 国贸中心 (0 stations, 一级)",
    ]
    missing = app.test_cli_runner().invoke(args=["net", "show", "nowhere"])
    assert (missing.exit_code, missing.output) == (1, "Error: there is no node 'nowhere'\n")
