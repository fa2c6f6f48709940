"""Stations from a sheet: what a row would do, nothing or everything, in chunks that survive a kill."""

import subprocess
import sys
from datetime import time
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

import config
from booking import network, people, slots, stations
from booking.db import transactions
from booking.errors import RuleViolation
from booking.model import (
    Activity,
    Event,
    Letter,
    ManagerInvitation,
    Manages,
    Person,
    Plan,
    Slot,
    Station,
    StationImport,
    Zone,
)
from booking.network import SheetPreview, SheetRow, station_import
from booking.stations import Details
from tests.support import log_guard
from tests.support.network_cast import KEPT, MONDAY
from tests.support.snapshots import seed_workdays
from tests.support.tree_cast import CityTree, city_tree

NEW = SheetRow(
    2,
    "dawang",
    "大望路驿站",
    "cbd-centre",
    "Dawang Road station",
    "建国路 93 号",
    position=(39.9092, 116.4790),
    zones=(("健身区", 20), ("会议室", 16)),
)
SAME = SheetRow(3, "guomao", "国贸驿站", "cbd-centre", position=(39.9087, 116.4605))


class Bulk:
    """The tree of 北京 with its organiser 何主任, who is an admin where `adopts`."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.tree: CityTree = city_tree(session)
        with transactions.transaction(session):
            seed_workdays(session)
            self.he = people.create(session, "he@example.com", "何主任", MONDAY, password_hash=KEPT).id

    def look(self, *rows: SheetRow, node: str = "bj", adopts: bool = False) -> SheetPreview:
        self.session.rollback()
        return network.preview(self.session, self.tree.node(node), rows, MONDAY, adopts=adopts)

    def reasons(self, *rows: SheetRow, **how: Any) -> list[tuple[int, str, str]]:
        return [(wrong.number, wrong.field, wrong.no.reason) for wrong in self.look(*rows, **how).wrongs]

    def confirm(self, *rows: SheetRow, node: str = "bj", near_is_right: bool = False) -> int:
        made = network.draft_import(self.session, self.tree.node(node), rows, "zh_Hans_CN", MONDAY, self.he)
        import_id = made.id
        network.confirm_import(self.session, import_id, MONDAY, near_is_right=near_is_right)
        return import_id

    def work(self) -> None:
        while network.import_chunk(self.session, MONDAY):
            pass

    def bring(self, *rows: SheetRow, **how: Any) -> StationImport:
        import_id = self.confirm(*rows, **how)
        self.work()
        self.session.rollback()
        return self.session.get_one(StationImport, import_id)

    def station(self, code: str) -> Station:
        self.session.rollback()
        return self.session.scalars(select(Station).where(Station.code == code)).one()

    def zones(self, code: str) -> dict[str, int]:
        theirs = select(Zone).where(Zone.station_id == self.station(code).id).order_by(Zone.id)
        return {zone.name: zone.capacity for zone in self.session.scalars(theirs)}

    def count(self, table: Any) -> int:
        self.session.rollback()
        return self.session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def bulk(session: Session) -> Bulk:
    return Bulk(session)


def like(row: SheetRow, **other: Any) -> SheetRow:
    return SheetRow(**{**row.stored(), **other})


def test_a_new_station_comes_with_its_centre_zones_and_readings(bulk: Bulk) -> None:
    done = bulk.bring(NEW, SAME)
    assert [result[:3] for result in done.results] == [[2, "dawang", "new"], [3, "guomao", "same"]]
    assert (done.done, done.total, done.finished_at, done.rows) == (2, 2, MONDAY, [])
    station = bulk.station("dawang")
    assert (station.centre_id, station.policy_due) == (bulk.tree.nodes["cbd-centre"], True)
    assert (station.latitude, station.longitude, station.initials) == (39.9092, 116.4790, "dwlyz")
    assert bulk.zones("dawang") == {"健身区": 20, "会议室": 16}
    kinds = select(Event.kind).where(Event.actor_id == bulk.he, Event.kind != "created").order_by(Event.id)
    assert bulk.session.scalars(kinds).all() == [
        "station_created",
        "station_joined",
        "zone_saved",
        "zone_saved",
        "stations_imported",
    ]


def test_the_same_sheet_again_changes_nothing(bulk: Bulk) -> None:
    row = like(NEW, managers=("wang@example.com",))
    bulk.bring(row, SAME)
    events, letters = bulk.count(Event), bulk.count(Letter)
    again = bulk.look(row, SAME)
    assert (len(again.of("same")), again.near) == (2, [])
    with pytest.raises(RuleViolation, match="nothing_to_import"):
        bulk.confirm(row, SAME)
    assert (bulk.count(Event), bulk.count(Letter)) == (events, letters)


def test_an_edited_sheet_updates_and_never_deletes(bulk: Bulk) -> None:
    bulk.bring(NEW)
    edited = like(NEW, name="大望路白领驿站", address="", centre="wangjing-centre", zones=(("健身区", 30), ("茶室", 8)))
    changed = bulk.look(edited).changes[0].changed
    assert changed == {
        "name": ("大望路驿站", "大望路白领驿站"),
        "centre": ("CBD 中心", "望京中心"),
        "zones": ("健身区:20", "健身区:30; 茶室:8"),
    }
    bulk.bring(edited)
    station = bulk.station("dawang")
    assert (station.name, station.address, station.initials[:6]) == ("大望路白领驿站", "建国路 93 号", "dwlbly")
    assert station.centre_id == bulk.tree.nodes["wangjing-centre"]
    assert bulk.zones("dawang") == {"健身区": 30, "会议室": 16, "茶室": 8}


def test_each_wrong_cell_is_named(bulk: Bulk) -> None:
    with transactions.transaction(bulk.session):
        bulk.session.add(Station(code="alone", name="独自驿站"))
        bulk.session.add(Station(code="gone", name="旧驿站", centre_id=bulk.tree.nodes["cbd-centre"], closed_at=MONDAY))
    rows = [
        like(NEW, number=2),
        like(NEW, number=3),
        like(NEW, number=4, code="a1", centre="nowhere"),
        like(NEW, number=5, code="a2", centre="chaoyang"),
        like(NEW, number=6, code="alone"),
        like(NEW, number=7, code="gone"),
        like(NEW, number=8, code="a3", model="nobody"),
    ]
    assert bulk.reasons(*rows) == [
        (3, "code", "code_twice"),
        (4, "centre", "no_such_centre"),
        (5, "centre", "no_such_centre"),
        (6, "code", "code_taken"),
        (7, "code", "station_closed"),
        (8, "model", "no_such_model"),
    ]
    assert bulk.reasons(rows[4], adopts=True) == []


def test_an_organiser_of_one_branch_reaches_nothing_of_another(bulk: Bulk) -> None:
    """What is elsewhere is as if it were not there."""
    rows = [
        like(NEW, number=2, centre="financial-centre"),
        like(NEW, number=3, code="yuetan"),
        like(NEW, number=4, code="b1", model="yuetan"),
    ]
    refused = [(2, "centre", "no_such_centre"), (3, "code", "code_taken"), (4, "model", "no_such_model")]
    assert bulk.reasons(*rows, node="chaoyang") == refused
    assert bulk.reasons(*rows, node="chaoyang", adopts=True) == refused


def test_stations_within_thirty_metres_are_asked_about(bulk: Bulk) -> None:
    near = like(NEW, number=5, code="copy", position=(39.9093, 116.4791))
    beside = like(NEW, number=6, code="beside", position=(39.90885, 116.4605))
    apart = like(NEW, number=7, code="apart", position=(39.9096, 116.4790))
    found = bulk.look(NEW, near, beside, apart).near
    assert [(one.number, one.other_number, one.other) for one in found] == [
        (5, 2, "大望路驿站"),
        (6, None, "国贸驿站"),
    ]
    assert [one.metres for one in found] == [14, 17]
    with pytest.raises(RuleViolation, match="stations_near"):
        bulk.confirm(NEW, near)
    assert bulk.bring(NEW, near, near_is_right=True).done == 2
    assert bulk.look(NEW, near).near == []  # both are there: nobody is asked again


def test_a_zone_is_not_made_smaller_than_what_is_planned_in_it(bulk: Bulk) -> None:
    bulk.bring(NEW)
    _plan(bulk, "dawang", capacity=18)
    assert bulk.reasons(like(NEW, zones=(("健身区", 17),))) == [(2, "zones", "zone_in_use")]
    assert bulk.reasons(like(NEW, zones=(("健身区", 18),))) == []
    zone = bulk.session.scalars(select(Zone).where(Zone.name == "会议室")).one()
    slots.close_zone(bulk.session, zone, MONDAY)
    assert bulk.reasons(like(NEW, zones=(("会议室", 16),))) == [(2, "zones", "name_reserved")]


def test_a_new_station_takes_over_what_its_model_has(bulk: Bulk) -> None:
    bulk.bring(NEW)
    _plan(bulk, "dawang", capacity=18)
    row = like(NEW, number=9, code="twin", position=None, zones=(("健身区", 25), ("茶室", 8)), model="dawang")
    assert bulk.reasons(like(row, zones=(("健身区", 17),))) == [(9, "zones", "model_needs")]
    bulk.bring(row)
    twin = bulk.station("twin")
    assert bulk.zones("twin") == {"健身区": 25, "会议室": 16, "茶室": 8}
    activity = bulk.session.scalars(select(Activity).where(Activity.station_id == twin.id)).one()
    plan = bulk.session.scalars(select(Plan).where(Plan.station_id == twin.id)).one()
    assert (activity.title, plan.activity_id, plan.capacity, plan.weekdays) == ("八段锦", activity.id, 18, "135")
    assert plan.zone.station_id == twin.id
    twin_id = twin.id
    slots.plan_ahead(bulk.session, twin_id, MONDAY)
    assert bulk.session.scalar(select(func.count(Slot.id)).where(Slot.station_id == twin_id)) == 7
    bulk.bring(like(row, name="孪生驿站"))  # it is there by now, and takes nothing over again
    assert bulk.count(Plan) == 2


def test_managers_are_appointed_or_invited_once(bulk: Bulk) -> None:
    with transactions.transaction(bulk.session):
        lin = people.create(bulk.session, "lin@example.com", "林经理", MONDAY, password_hash=KEPT).id
    rows = [
        like(NEW, number=n, code=f"s{n}", position=None, managers=("lin@example.com", "new@example.com"))
        for n in range(2, 7)
    ]
    done = bulk.bring(*rows)
    assert bulk.count(Manages) == 5
    assert bulk.session.scalars(select(Manages.person_id).distinct()).all() == [lin]
    assert bulk.count(ManagerInvitation) == 3  # an address is not written to more often than that on a day
    refused = [(result[0], network.refusal_of(result)) for result in done.results]
    assert [(number, no and no.reason) for number, no in refused] == [
        (2, None),
        (3, None),
        (4, None),
        (5, "too_many_invitations"),
        (6, "too_many_invitations"),
    ]
    assert done.rows == []  # the addresses are not kept


def test_what_changed_after_it_was_confirmed_is_refused_row_by_row(bulk: Bulk) -> None:
    import_id = bulk.confirm(
        NEW,
        like(SAME, name="国贸大驿站"),
        like(SAME, number=4, code="yuetan", centre="financial-centre", position=None),
    )
    stations.create_station(bulk.session, "dawang", Details("别人的"), MONDAY, None)
    bulk.work()
    bulk.session.rollback()
    results = bulk.session.get_one(StationImport, import_id).results
    assert [result[2:4] for result in results] == [["refused", "code_taken"], ["changed"], ["changed"]]
    assert bulk.station("dawang").name == "别人的"
    assert bulk.station("guomao").name == "国贸大驿站"


def test_a_sheet_that_became_wrong_is_not_confirmed(bulk: Bulk) -> None:
    made = network.draft_import(bulk.session, bulk.tree.node("bj"), [NEW], "en", MONDAY, bulk.he).id
    stations.create_station(bulk.session, "dawang", Details("别人的"), MONDAY, None)
    with pytest.raises(RuleViolation, match="sheet_wrong_now"):
        network.confirm_import(bulk.session, made, MONDAY, near_is_right=False)
    assert network.import_chunk(bulk.session, MONDAY) == 0


def test_a_sheet_that_nobody_confirms_is_dropped(bulk: Bulk) -> None:
    node = bulk.tree.node("bj")
    for name in ("一", "二"):
        network.draft_import(bulk.session, bulk.tree.node("bj"), [like(NEW, name=name)], "en", MONDAY, bulk.he)
    assert bulk.count(StationImport) == 1
    assert network.imports_of(bulk.session, node) == []
    assert network.forget_imports(bulk.session, MONDAY) == 0
    assert network.forget_imports(bulk.session, MONDAY + station_import.DRAFT_LASTS) == 1
    done = bulk.bring(NEW)
    assert network.forget_imports(bulk.session, MONDAY + station_import.DRAFT_LASTS) == 0
    assert [one.id for one in network.imports_of(bulk.session, bulk.tree.node("bj"))] == [done.id]
    assert network.forget_imports(bulk.session, MONDAY + station_import.RESULTS_LAST) == 1


def test_a_chunk_that_fails_is_begun_again(bulk: Bulk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(station_import, "CHUNK", 3)
    monkeypatch.setattr(station_import, "LONGEST", 60)
    rows = [like(NEW, number=n, code=f"s{n}", position=None) for n in range(2, 10)]
    import_id = bulk.confirm(*rows)
    join, calls = station_import.join_centre, []

    class Broken:
        def inside(self, session: Session, station: Station, *about: Any) -> None:
            calls.append(station.code)
            if len(calls) == 5:
                raise OSError("the disk is full")
            join.inside(session, station, *about)

    monkeypatch.setattr(station_import, "join_centre", Broken())
    with pytest.raises(OSError, match="full"):
        bulk.work()
    bulk.session.rollback()
    assert bulk.session.get_one(StationImport, import_id).done == 3
    assert bulk.count(Station) == 6 + 3
    bulk.work()
    assert bulk.count(Station) == 6 + 8
    assert [row[:3] for row in bulk.session.get_one(StationImport, import_id).results] == [
        [n, f"s{n}", "new"] for n in range(2, 10)
    ]


@pytest.mark.parametrize("side", ["before", "after"])
def test_killed_around_every_commit_it_ends_as_if_nothing_had_happened(
    bulk: Bulk, database_url: str, side: str
) -> None:
    rows = [like(NEW, number=n, code=f"s{n}", position=None, managers=(f"m{n}@example.com",)) for n in range(2, 12)]
    import_id = bulk.confirm(*rows)
    command = [sys.executable, "-m", "tests.support.crash_import", database_url, MONDAY.isoformat(), side]
    ran = subprocess.run(command, cwd=config.ROOT, check=True, capture_output=True, text=True)
    log_guard.check(ran.stderr)
    assert int(ran.stdout) >= 3
    bulk.session.rollback()
    done = bulk.session.get_one(StationImport, import_id)
    assert [row[:3] for row in done.results] == [[n, f"s{n}", "new"] for n in range(2, 12)]
    assert (bulk.count(Station), bulk.count(Zone), bulk.count(ManagerInvitation)) == (16, 20, 10)
    letters = select(func.count(Letter.id)).where(Letter.kind == "manager_invitation")
    assert bulk.session.scalar(letters) == 10
    assert bulk.session.scalar(select(func.count(Event.id)).where(Event.kind == "station_created")) == 10
    assert bulk.session.scalar(select(func.count(Event.id)).where(Event.kind == "stations_imported")) == 1


CELLS = {
    "健身区:20；会议室:16": (("健身区", 20), ("会议室", 16)),
    "健身区：２０人; Tea room : 8": (("健身区", 20), ("Tea room", 8)),
    "A:1": (("A", 1),),
    "健身区20人，会议室 16 人": (("健身区", 20), ("会议室", 16)),
    "健身区(20)、会议室（16人）": (("健身区", 20), ("会议室", 16)),
    "健身区:20，会议室:16": (("健身区", 20), ("会议室", 16)),
    "1、2号厅:20": (("1、2号厅", 20),),
    "二楼(东):20": (("二楼(东)", 20),),
    "": (),
}


@pytest.mark.parametrize("text", CELLS)
def test_zones_are_read_as_people_write_them(text: str) -> None:
    assert network.read_zones(text) == CELLS[text]


@pytest.mark.parametrize(
    "text", ["健身区", "健身区:0", "健身区:1001", "健身区:x", ":5", f"{'长' * 41}:5", "健身区 20", "B120人"]
)
def test_what_is_no_zone_is_refused(text: str) -> None:
    with pytest.raises(RuleViolation, match="bad_zones"):
        network.read_zones(text)


def test_a_zone_written_twice_is_refused() -> None:
    with pytest.raises(RuleViolation, match="zone_twice"):
        network.read_zones("健身区:20；健身区 :16")


DATUMS = {
    "WGS-84": ("wgs84", "WGS 84", "ＷＧＳ－８４", "GPS", "wgs_84"),
    "GCJ-02": ("gcj02", "GCJ-02", "高德", "火星坐标系", "高德坐标", "腾讯"),
    "BD-09": ("bd09", "BD 09", "百度", "百度坐标"),
}


@pytest.mark.parametrize("name", DATUMS)
def test_a_datum_is_read_as_people_call_it(name: str) -> None:
    assert {network.read_datum(text) for text in DATUMS[name]} == {name}
    with pytest.raises(RuleViolation, match="bad_datum"):
        network.read_datum("北京54")


def test_who_let_an_invitation_expire_is_invited_again(bulk: Bulk) -> None:
    row = like(NEW, position=None, managers=("new@example.com",))
    bulk.bring(row)
    assert bulk.look(row).changes[0].kind == "same"
    with transactions.transaction(bulk.session):
        bulk.session.scalars(select(ManagerInvitation)).one().expires_at = MONDAY
    assert bulk.look(row).changes[0].changed == {"managers": ("", "new@example.com")}
    bulk.bring(row)
    bulk.session.rollback()
    assert bulk.session.scalars(select(ManagerInvitation)).one().expires_at > MONDAY


def test_addresses_of_managers_are_read_from_one_cell() -> None:
    assert network.read_managers("A@example.com；b@example.com, a@example.com") == ("a@example.com", "b@example.com")
    with pytest.raises(RuleViolation, match="bad_manager_address"):
        network.read_managers("a@example.com；林经理")
    with pytest.raises(RuleViolation, match="too_many_managers"):
        network.read_managers(";".join(f"m{n}@example.com" for n in range(11)))


def _plan(bulk: Bulk, code: str, capacity: int) -> None:
    station_id = bulk.station(code).id
    zone = bulk.session.scalars(select(Zone).where(Zone.station_id == station_id, Zone.name == "健身区")).one().id
    activity = Activity(station_id=station_id, kind="fitness", title="八段锦")
    slots.save_activity(bulk.session, activity, MONDAY)
    words = {"weekdays": "135", "starts": time(12, 10), "minutes": 50, "capacity": capacity}
    about = {"station_id": station_id, "activity_id": activity.id, "zone_id": zone, "valid_from": MONDAY.date()}
    slots.save_plan(bulk.session, Plan(**about, **words), MONDAY)


def test_the_person_who_imported_is_named_in_the_history(bulk: Bulk) -> None:
    bulk.bring(NEW)
    event = bulk.session.scalars(select(Event).where(Event.kind == "stations_imported")).one()
    assert event.details == {"node": bulk.tree.nodes["bj"], "name": "北京市", "level": "city", "rows": 1}
    assert bulk.session.get_one(Person, event.actor_id).name == "何主任"
