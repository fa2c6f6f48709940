"""Person lookup: the same people are found at the door, in the list and in the network, and nothing hidden is found out."""

from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.model import Person, Station
from booking.queries import person_lookup, station_lookup
from tests.support.desk_cast import Cast, Desk
from tests.support.lunch_hour import LunchHour
from tests.support.network_cast import Network

PHONE, COMPANY, ADDRESS = "13812345678", "蓝鲸律所", "m.private@example.com"
UYGHUR = "买买提·艾合买提"
BY_NAME = [
    "买买提",
    "艾合买提",
    "买买提•艾合买提",
    "艾合买提．买买提",
    "ａｈｍｔ",
    "MaiMaiTi",
    "aihemaiti maimaiti",
    "mmtahmt",
]
BY_DETAILS = [
    *(
        "5678",
        "５６７８",
        PHONE,
        "138 1234 5678",
        "138-1234-5678",
        "+8613812345678",
        "+86 138 1234 5678",
        "008613812345678",
    ),
    *("１３８１２３４５６７８", COMPANY, "律所", "蓝鲸 律所", "lanjing", "ljls", "LanJingLvSuo"),
    *(ADDRESS, "M.Private＠Example.com", " m.private@example.com "),
]
HIDDEN = [
    *("8", "78", "678", "45678", "345678", "2345678", "12345678", "812345678", "3812345678", "1381", "138", "1234"),
    *("13800005678"[:10], "138123456789", "13912345678", "13812345679", "0000", "138****5678", "*5678"),
    *(
        "m.private",
        "m.private@",
        "private@example.com",
        "example.com",
        "@example.com",
        "m.private@example.co",
        "%",
        "_",
    ),
    *("蓝", "l", "律所蓝鲸鱼"),
]


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Three seats at 12:10, one booked by 李静, who is called 买买提·艾合买提 now. 吴桐 was never at the station."""
    lunch = LunchHour(session, capacity=3)
    lunch.book("李静", "Mon 10:00")
    with transactions.transaction(session):
        for name, called in (("李静", UYGHUR), ("吴桐", "Emil Zhu")):
            person = session.get_one(Person, lunch.people[name])
            person.name, person.phone, person.company = called, PHONE, COMPANY
        session.get_one(Person, lunch.people["李静"]).email = ADDRESS
        session.get_one(Person, lunch.people["吴桐"]).email = "stranger@example.com"
    return lunch


@pytest.fixture
def desk(app: Flask, lunch: LunchHour) -> Desk:
    return Desk(app, lunch)


def found(lunch: LunchHour, sought: str, email: str = "") -> list[int]:
    matches = person_lookup.at_station(lunch.session, lunch.station_id, sought, email)
    return matches.first(50, lambda person: person.id)


def listed(desk: Desk, sought: str) -> str:
    return desk.words(f"people?q={quote(sought)}", "12:05")


def at_the_door(desk: Desk, sought: str) -> str:
    page = desk.words(f"slots/{desk.lunch.slot_id}?q={quote(sought)}", "12:05")
    return page.partition("现场来的人")[2]


def test_the_list_and_the_door_find_who_was_here(desk: Desk) -> None:
    for where in (listed, at_the_door):
        assert [sought for sought in BY_NAME + BY_DETAILS if UYGHUR not in where(desk, sought)] == []


def test_a_part_of_what_is_hidden_finds_nobody(desk: Desk) -> None:
    for where in (listed, at_the_door):
        assert [sought for sought in HIDDEN if UYGHUR in where(desk, sought)] == []


def test_only_the_digits_that_are_shown_are_compared(lunch: LunchHour) -> None:
    """Whoever tries all numbers learns nothing: each of them finds the person."""
    everything = {tuple(found(lunch, f"138{middle:04}5678")) for middle in range(0, 10_000, 397)}
    assert everything == {(lunch.people["李静"],)}
    ends = [end for end in (*range(0, 10_000, 89), 5678) if found(lunch, f"{end:04}")]
    assert ends == [5678]


@pytest.mark.parametrize(
    ("stored", "finds", "finds_not"),
    [
        ("+8613812345678", ["13812345678", "+8613812345678", "5678", "008613812345678"], ["8613", "12345678"]),
        ("008613812345678", ["13812345678", "5678"], ["812345678"]),
        (
            "010-6505 1234".replace("-", "").replace(" ", ""),
            ["010-65051234", "01065051234", "1234"],
            ["65051234", "6505"],
        ),
        ("1234567", [], ["1234567", "4567", "7654321", "****"]),
        ("", [], ["0000", "****", "", "+86", "12345678"]),
    ],
)
def test_phones_by_how_they_are_stored(lunch: LunchHour, stored: str, finds: list[str], finds_not: list[str]) -> None:
    with transactions.transaction(lunch.session) as session:
        session.get_one(Person, lunch.people["李静"]).phone = stored
    assert [sought for sought in [*finds, *finds_not] if found(lunch, sought)] == finds


def test_who_gave_only_a_name_is_found_by_it_alone(app: Flask, desk: Desk, lunch: LunchHour) -> None:
    """Let in by the staff: the pages show neither phone nor company, until they book themselves."""
    form = {"person_id": lunch.people["吴桐"], "q": "Stranger＠example.com"}
    assert desk.tap(f"slots/{lunch.slot_id}/walk-in", "12:04", **form).status_code == 200
    with transactions.transaction(lunch.session) as session:
        session.get_one(Person, lunch.people["李静"]).phone = ""
    for sought in ("5678", PHONE, "律所", "ljls", "stranger@example.com"):
        assert "Emil Zhu" not in listed(desk, sought), sought
        assert found(lunch, sought, sought) in ([], [lunch.people["李静"]]), sought
    for sought in ("emil", "zhu emil", "ez", "Emil.Zhu"):
        assert "Emil Zhu" in listed(desk, sought), sought
    lunch.book("吴桐", "Wed 10:00", lunch.slot("Thu 12:10"))
    for sought in ("5678", PHONE, "律所", "ljls", "stranger@example.com"):
        assert "Emil Zhu" in listed(desk, sought), sought


def test_another_stations_staff_finds_nobody_by_anything(app: Flask, lunch: LunchHour) -> None:
    cast = Cast(lunch)
    west = Desk(app, lunch, cast.other_manager_id, code="west/")
    for sought in BY_NAME + BY_DETAILS:
        assert UYGHUR not in listed(west, sought), sought


def test_names_come_before_companies(desk: Desk, lunch: LunchHour) -> None:
    for name in ("王磊", "陈晨"):
        lunch.book(name, "Mon 10:01")
    lunch.check_in("王磊", "12:00")
    with transactions.transaction(lunch.session) as session:
        session.get_one(Person, lunch.people["王磊"]).company = "陈晨工作室"
    for page in (listed(desk, "陈晨").partition("来过的人")[2], at_the_door(desk, "cc")):
        assert 0 < page.index("陈晨") < page.index("王磊")


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("sought", "suggested"),
    [
        ("路过的人", "路过的人"),
        ("王\U00031350", "王\U00031350"),
        ("5678", ""),
        ("138 1234 5678", ""),
        ("a＠b.cn", ""),
        ("42号", "42号"),
    ],
)
def test_what_was_typed_becomes_a_guests_name_only_if_it_can_be_one(desk: Desk, sought: str, suggested: str) -> None:
    page = desk.get(f"slots/{desk.lunch.slot_id}?q={quote(sought)}", "12:05").text
    assert f'value="{suggested}"' in page.partition('id="guest"')[2].partition(">")[0]
    assert f'value="{sought}"' in page.partition('role="search"')[2].partition("</form>")[0]


# The network


@pytest.fixture
def admin(app: Flask, session: Session) -> FlaskClient:
    network = Network(session)
    with transactions.transaction(session):
        session.get_one(Person, network.ids["周明"]).name = UYGHUR
        session.get_one(Person, network.ids["李静"]).name = "单雄信"
    return network.browser(app, "何主任")


def test_an_admin_finds_an_account_by_name_and_by_a_part_of_the_address(admin: FlaskClient) -> None:
    for sought in [*BY_NAME, "ZHOU@ex", "ｚｈｏｕ＠ｅｘ", "zhou@example.com"]:
        page = admin.get("/admin/people", query_string={"q": sought}).text
        assert (UYGHUR in page, "单雄信" in page) == (True, False), sought
    for sought in ["shanxiongxin", "dan xiong xin", "sxx", "xiongxin shan", "雄信", "雄信 单", "信", "Li@Ex"]:
        page = admin.get("/admin/people", query_string={"q": sought}).text
        assert (UYGHUR in page, "单雄信" in page) == (False, True), sought
    for sought in ["火星", "\ufe0f", "%", "_", "3"]:
        assert "没有找到" in admin.get("/admin/people", query_string={"q": sought}).text, sought


@pytest.fixture
def city(session: Session) -> None:
    with transactions.transaction(session):
        for code, name, name_en, address in (
            ("guomao", "国贸驿站", "Guomao Station", "朝阳区建国路 88 号 SOHO 现代城Ａ座"),
            ("xidan", "西单驿站", "Xidan Station", "西城区西单北大街 120 号"),
            ("cbd-2", "中央商务区二站", "CBD Two", "朝阳区光华路"),
        ):
            session.add(Station(code=code, name=name, name_en=name_en, address=address))


STATIONS = [
    ("国贸", ["guomao"]),
    ("ＧＵＯＭＡＯ", ["guomao"]),
    ("guo mao", ["guomao"]),
    ("guomaoyizhan", ["guomao"]),
    ("gmyz", ["guomao"]),
    ("zhongyang", ["cbd-2"]),
    ("驿站 国贸", ["guomao"]),
    ("朝阳 国贸", ["guomao"]),
    ("建国路88号", ["guomao"]),
    ("建国路 ８８ 号", ["guomao"]),
    ("soho现代城", ["guomao"]),
    ("a座", ["guomao"]),
    ("现代城 A座", ["guomao"]),
    ("朝阳区", ["guomao", "cbd-2"]),
    ("西单", ["xidan"]),
    ("xd", ["xidan"]),
    ("CBD-2", ["cbd-2"]),
    ("cbd2", ["cbd-2"]),
    ("ｃｂｄ", ["cbd-2"]),
    ("Xidan Station", ["xidan"]),
    ("火星", []),
    ("朝阳 西单", []),
    ("%", []),
    ("_", []),
    ("·", []),
]


@pytest.mark.usefixtures("city")
def test_a_station_is_found_by_each_word_of_its_name_and_address(session: Session, client: FlaskClient) -> None:
    for sought, codes in STATIONS:
        assert [station.code for station in station_lookup.stations(session, sought)] == codes, sought
    page = client.get("/stations", query_string={"q": "ＧｕｏＭａｏ"}).text
    assert ("国贸驿站" in page, "西单驿站" in page) == (True, False)


@pytest.mark.usefixtures("city")
def test_an_admin_finds_stations_likewise(session: Session, app: Flask) -> None:
    admin = Network(session).browser(app, "何主任")
    for path in ("/admin/", "/manage/"):
        page = admin.get(path, query_string={"q": "ｇｕｏｍａｏ"}).text
        assert ("国贸驿站" in page, "西单驿站" in page) == (True, False), path
