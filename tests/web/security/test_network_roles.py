"""Roles in a network: every route of a node, requested by everybody, with ids of another branch in every path and field.

A new route under /net is covered by itself: a new variable of a rule gets its values in `PATHS`, a field that names a
station, node or row gets one of another branch in `FOREIGN`, and what a reader may see stands in `READ`.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from booking import network, people
from booking.db import transactions
from booking.model import (
    Base,
    DoorHelper,
    ManagerInvitation,
    Manages,
    Node,
    Notice,
    Oversees,
    Person,
    StaffTransfer,
    Station,
    StationImport,
)
from tests.support.cookies import carry, lasting
from tests.support.lunch_hour import LONG_BEFORE, LunchHour, at, make_manager, make_people
from tests.support.tree_cast import city_tree
from tests.web.security.test_routes import TABLE, World, expected, routes

NOW = at("Tue 12:05")
# What a reader may see: numbers.
READ = {"/net/", "/net/<code>", "/net/<code>/numbers.xlsx", "/net/<code>/stations/<station_code>"}
# For who organises the node above, or an admin.
FROM_ABOVE = {"/net/<code>/move", "/net/<code>/close"}
# By the name of a field: what it may be given of 朝阳区 by the organiser of 西城区.
FOREIGN = {
    **dict.fromkeys(("station", "leaves", "model", "model_station", "move_to_station"), "guomao"),
    "joins": "wangjing",
    **dict.fromkeys(("node", "parent", "district"), "chaoyang"),
    **dict.fromkeys(("centre", "to", "move_to", "new_centre"), "cbd-centre"),
}
OWN = {"station": "yuetan", "leaves": "yuetan", "joins": "fuxingmen", "node": "xicheng", "on_date": "2026-12-01"}

pytestmark = pytest.mark.one_database


class Branches:
    """李统筹 organises 西城区, 孙查看 reads it; 朝阳区 has an organiser, managers, a transfer and an invitation of its own."""

    def __init__(self, session: Session, app: Flask) -> None:
        self.session, self.app, self.tree = session, app, city_tree(session)
        self.tokens: dict[str, str] = {}
        nodes, stations = self.tree.nodes, self.tree.stations
        with transactions.transaction(session):
            names = ("周明", "何主任", "李统筹", "孙查看", "韩统筹", "钱查看", "许助手")
            self.ids = make_people(session, names)
            for name, code in (
                ("月坛经理", "yuetan"),
                ("月坛副经理", "yuetan"),
                ("国贸经理", "guomao"),
                ("国贸副经理", "guomao"),
            ):
                self.ids[name] = make_manager(session, stations[code], name)
            for person_id in self.ids.values():
                session.get_one(Person, person_id).email = f"p{person_id}@example.com"
            session.get_one(Person, self.ids["何主任"]).is_admin = True
            for name, code, role in (
                ("李统筹", "xicheng", "organiser"),
                ("孙查看", "xicheng", "reader"),
                ("韩统筹", "chaoyang", "organiser"),
                ("钱查看", "chaoyang", "reader"),
            ):
                session.add(Oversees(person_id=self.ids[name], node_id=nodes[code], role=role, since=LONG_BEFORE))
            helper = {"person_id": self.ids["许助手"], "station_id": stations["yuetan"]}
            session.add(DoorHelper(**helper, until=at("Wed 00:00"), granted_by=self.ids["月坛经理"]))
            session.flush()
            for code, who, leaves, joins in (
                ("own", "月坛副经理", "yuetan", "fuxingmen"),
                ("foreign", "国贸副经理", "guomao", "wangjing"),
            ):
                both = (session.get_one(Station, stations[leaves]), session.get_one(Station, stations[joins]))
                wish = network.TransferWish(f"p{self.ids[who]}@example.com", *both, at("Thu 12:00").date())
                network.plan_transfers.inside(session, [wish], LONG_BEFORE, self.ids["何主任"])
                people.invite_manager.inside(
                    session, stations[leaves], f"{code}@example.com", "en", LONG_BEFORE, self.ids["何主任"]
                )
            imports = [
                StationImport(
                    node_id=nodes[code],
                    person_id=self.ids[who],
                    language="en",
                    rows=[],
                    total=1,
                    created_at=LONG_BEFORE,
                )
                for code, who in (("xicheng", "李统筹"), ("chaoyang", "韩统筹"))
            ]
            days = {"first": NOW.date(), "last": NOW.date(), "created_at": LONG_BEFORE}
            told = [Notice(node_id=nodes[code], title=code, **days) for code in ("xicheng", "chaoyang")]
            session.add_all([*imports, *told])
            session.flush()
            transfers = list(session.scalars(select(StaffTransfer.id).order_by(StaffTransfer.id)))
            invitations = list(session.scalars(select(ManagerInvitation.id).order_by(ManagerInvitation.id)))
            for name, person_id in self.ids.items():
                self.tokens[name] = lasting(session, session.get_one(Person, person_id), "browser", NOW)
        ids = self.ids
        # By the variable of a rule: of 西城区, and of 朝阳区.
        self.paths: dict[str, tuple[Any, Any]] = {
            "code": ("xicheng", "chaoyang"),
            "node_code": ("xicheng", "chaoyang"),
            "station_code": ("yuetan", "guomao"),
            "person_id": (ids["月坛经理"], ids["国贸经理"]),
            "transfer_id": tuple(transfers),
            "import_id": (imports[0].id, imports[1].id),
            "invitation_id": tuple(invitations),
            "notice_id": (told[0].id, told[1].id),
        }

    def browser(self, who: str) -> FlaskClient:
        client = self.app.test_client()
        if who:
            carry(client, self.tokens[who], NOW)
        return client

    def ask(
        self, who: str, method: str, rule: Rule, foreign: set[str], form: dict[str, str] | None = None
    ) -> int | str:
        """The status; "ask" for the way to the sign-in. These variables of the rule are of 朝阳区, the others of 西城区."""
        values = {name: self.paths[name][name in foreign] for name in rule.arguments}
        if "overseers" in rule.rule and "person_id" not in foreign:
            values["person_id"] = self.ids["孙查看"]
        _host, path = rule.build(values) or ("", "")
        answer = self.browser(who).open(path, method=method, data=form)
        to_sign_in = answer.status_code == 303 and "/account/sign-in" in answer.headers["Location"]
        return "ask" if to_sign_in else answer.status_code

    def everything(self) -> dict[str, list[Any]]:
        """All rows, but for the sign-ins."""
        self.session.rollback()
        tables = [table for table in Base.metadata.sorted_tables if table.name != "sign_in"]
        return {table.name: sorted(map(repr, self.session.execute(select(table)))) for table in tables}


@pytest.fixture
def branches(session: Session, app: Flask) -> Iterator[Branches]:
    with time_machine.travel(NOW, tick=False):
        yield Branches(session, app)


def of_nodes(app: Flask) -> list[tuple[str, Rule]]:
    return [pair for name, pair in sorted(routes(app).items()) if " /net/" in name]


@pytest.mark.parametrize("who", ["", "周明", "月坛经理", "许助手", "韩统筹", "钱查看"])
def test_nobody_from_elsewhere_opens_or_changes_anything_of_a_node(branches: Branches, who: str) -> None:
    before = branches.everything()
    elsewhere = [(method, rule) for method, rule in of_nodes(branches.app) if rule.arguments]
    answers = {branches.ask(who, method, rule, set()) for method, rule in elsewhere}
    assert answers == ({404} if who else {"ask"})
    assert branches.everything() == before


def test_a_reader_sees_the_numbers_and_nothing_else(branches: Branches) -> None:
    before = branches.everything()
    for method, rule in of_nodes(branches.app):
        may = method == "GET" and rule.rule in READ
        assert (branches.ask("孙查看", method, rule, set()) == 404) is not may, f"{method} {rule.rule}"
    assert branches.everything() == before


@pytest.mark.parametrize("who", ["李统筹", "何主任"])
def test_an_organiser_and_an_admin_open_every_page(branches: Branches, who: str) -> None:
    for method, rule in of_nodes(branches.app):
        if method == "GET" and not (rule.rule in FROM_ABOVE and who == "李统筹"):
            assert branches.ask(who, method, rule, set()) in (200, 303), rule.rule


def test_ids_of_another_branch_in_a_path_lead_nowhere(branches: Branches) -> None:
    before, everything_foreign = branches.everything(), list[str]()
    for method, rule in of_nodes(branches.app):
        for foreign in [{name} for name in rule.arguments] + [rule.arguments - {"code"}]:
            if foreign:
                answer = branches.ask("李统筹", method, rule, foreign)
                everything_foreign += [] if answer == 404 else [f"{method} {rule.rule} {foreign}: {answer}"]
    assert everything_foreign == []
    assert branches.everything() == before


def test_codes_of_another_branch_in_a_field_lead_nowhere(branches: Branches) -> None:
    """The forms as the pages have them, each field that names something in turn with a name of 朝阳区."""
    before, tried, wrong = branches.everything(), 0, list[str]()
    for path, names in forms(branches):
        for name in names & FOREIGN.keys():
            sent = {"email": f"p{branches.ids['月坛经理']}@example.com", "role": "organiser"} | OWN
            answer = branches.browser("李统筹").post(path, data=sent | {name: FOREIGN[name]})
            tried += 1
            is_unknown = answer.status_code == 422 and f"没有代码是“{FOREIGN[name]}”的" in answer.text
            wrong += [] if is_unknown else [f"{path} {name}: {answer.status_code}"]
    assert (wrong, tried >= 4) == ([], True)
    assert branches.everything() == before


def test_codes_of_another_branch_in_a_sheet_lead_nowhere(branches: Branches) -> None:
    before, head = branches.everything(), "邮箱,调出驿站代码,调入驿站代码,哪天起"
    path, email = "/net/xicheng/people/transfers/sheet", f"p{branches.ids['月坛经理']}@example.com"
    for row in ("yuetan,guomao", "guomao,yuetan"):
        answer = branches.browser("李统筹").post(path, data={"rows": f"{head}\n{email},{row},2026-12-01\n"})
        assert (answer.status_code, "没有代码是“guomao”的驿站" in answer.text) == (422, True)
    assert branches.everything() == before


def test_control_the_same_codes_of_ones_own_branch_do_something(branches: Branches) -> None:
    before, sent = (
        branches.everything(),
        {"email": f"p{branches.ids['月坛经理']}@example.com", "role": "organiser", "confirmed": "y"} | OWN,
    )
    for path in ("overseers", "managers", "transfers"):
        assert branches.browser("李统筹").post(f"/net/xicheng/people/{path}", data=sent).status_code == 303
    now = branches.everything()
    assert {name for name in now if len(now[name]) > len(before[name])} == {
        "event",
        "letter",
        "oversees",
        "staff_transfer",
    }


def forms(branches: Branches) -> list[tuple[str, set[str]]]:
    """Each form that acts, of the pages of 西城区: its address and the names of its fields."""
    found: dict[str, set[str]] = {}
    client = branches.browser("李统筹")
    for method, rule in of_nodes(branches.app):
        if method == "GET":
            values = {name: branches.paths[name][0] for name in rule.arguments}
            _host, here = rule.build(values) or ("", "")
            answer = client.get(here)
            page = answer.text if answer.mimetype == "text/html" else ""
            for tag, inside in re.findall(r"(<form[^>]*method=.post.[^>]*>)(.*?)</form>", page, re.DOTALL):
                address = re.search('action="([^"]*)"', tag)
                found.setdefault(address[1] if address else here, set()).update(re.findall('name="([^"]+)"', inside))
    return sorted(found.items())


@pytest.fixture
def world(session: Session, app: Flask) -> Iterator[World]:
    with time_machine.travel(NOW, tick=False):
        yield World(LunchHour(session), app)


@pytest.mark.parametrize("role", ["organiser", "reader"])
def test_an_overseer_gets_nothing_of_a_station_below(world: World, role: str) -> None:
    """No roster, name, booking or ticket: the same 404 as for the manager of another station."""
    with transactions.transaction(world.lunch.session) as session:
        city = Node(level="city", code="bj", name="北京市", path="bj")
        session.add(city)
        session.flush()
        city.path = f"{city.id}."
        session.get_one(Station, world.lunch.station_id).centre_id = city.id
        person_id = make_people(session, ["韩统筹"])["韩统筹"]
        session.add(Oversees(person_id=person_id, node_id=city.id, role=role, since=LONG_BEFORE))
        world.readers["overseer"] = person_id
    closed = [name for name in TABLE if expected(name)["other station's manager"] == "404"]
    answers = {name: world.answer("overseer", *routes(world.app)[name]) for name in closed}
    assert {name: answer for name, answer in answers.items() if answer != "404"} == {}
    assert any(name.startswith("GET /manage/") for name in closed)
    held = select(Manages).where(Manages.person_id == person_id)
    assert world.lunch.session.scalars(held).all() == []
