"""Notices: who sees which on which day, what a rule says no to, the history, and how long they are kept."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from booking import network, services
from booking.db import transactions
from booking.errors import RuleViolation
from booking.invariants import tenancy
from booking.model import Event, Node, Notice, Oversees, Station
from booking.queries import current_notices
from booking.queries.change_feed import ChangeFeed
from booking.services import NoticeWords
from booking.web.cache.poll_pace import PollPace
from booking.web.cache.store import Cache
from tests.support.lunch_hour import LONG_BEFORE, at, make_manager, make_people
from tests.support.statements import heard
from tests.support.together import together
from tests.support.tree_cast import CityTree, city_tree

MONDAY, DAY = date(2026, 11, 23), timedelta(days=1)
NOW = at("Mon 09:00")


@pytest.fixture
def city(session: Session) -> CityTree:
    return city_tree(session)


@pytest.fixture
def writer(city: CityTree) -> int:
    """李统筹 organises 北京市 and manages 国贸驿站."""
    with transactions.transaction(city.session) as session:
        person_id = make_manager(session, city.stations["guomao"], "李统筹")
        session.add(Oversees(person_id=person_id, node_id=city.nodes["bj"], role="organiser", since=LONG_BEFORE))
    return person_id


def words(title: str = "电梯检修", first: date = MONDAY, days: int = 3, text: str = "请走东门。") -> NoticeWords:
    return NoticeWords(title, text, first, first + DAY * days)


def publish(city: CityTree, code: str, writer: int, said: NoticeWords | None = None, when: str = "Mon 09:00") -> Notice:
    place = city.node(code) if code in city.nodes else city.station(code)
    return services.publish_notice(city.session, place, said or words(), at(when), writer)


def seen(city: CityTree, station: str, when: str = "Mon 12:00") -> list[str]:
    return [one.title for one in current_notices.of_station(city.session, city.station(station), at(when))]


def refused(city: CityTree, code: str, writer: int, said: NoticeWords) -> str:
    with pytest.raises(RuleViolation) as no:
        publish(city, code, writer, said)
    city.session.rollback()
    return no.value.reason


def test_one_of_a_node_reaches_all_below_and_nobody_else(city: CityTree, writer: int) -> None:
    for code in ("bj", "chaoyang", "cbd-centre", "guomao"):
        publish(city, code, writer, words(code))
    shown = {code: seen(city, code) for code in city.stations}
    assert shown["guomao"] == ["guomao", "cbd-centre", "chaoyang", "bj"]
    assert shown["guanghua"] == ["cbd-centre", "chaoyang", "bj"]
    assert shown["wangjing"] == ["chaoyang", "bj"]
    assert shown["yuetan"] == ["bj"]
    (first, *_) = current_notices.of_station(city.session, city.station("yuetan"), NOW)
    assert (first.node, first.node_en) == ("北京市", "Beijing")


def test_it_is_shown_from_its_first_day_to_its_last(city: CityTree, writer: int) -> None:
    publish(city, "guomao", writer, words(first=MONDAY + DAY, days=1))
    assert [seen(city, "guomao", f"{day} 23:59") for day in ("Mon", "Tue", "Wed", "Thu")] == [
        [],
        ["电梯检修"],
        ["电梯检修"],
        [],
    ]
    assert seen(city, "guomao", "Thu 00:00") == []


def test_the_days_are_those_of_each_station(city: CityTree, writer: int) -> None:
    with transactions.transaction(city.session) as session:
        session.get_one(Station, city.stations["yuetan"]).zone_name = "Asia/Urumqi"
        session.get_one(Station, city.stations["fuxingmen"]).zone_name = "America/New_York"
    publish(city, "bj", writer, words(first=MONDAY, days=0))
    assert [seen(city, code, "Tue 01:00") for code in ("guomao", "yuetan", "fuxingmen")] == [
        [],
        ["电梯检修"],
        ["电梯检修"],
    ]


REFUSED = {
    "notice_days": words(days=-1),
    "notice_long": words(days=367),
    "notice_over": words(first=MONDAY - DAY * 5, days=4),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_days_that_make_no_sense_are_refused(city: CityTree, writer: int, reason: str) -> None:
    assert refused(city, "guomao", writer, REFUSED[reason]) == reason
    notice = publish(city, "guomao", writer)
    with pytest.raises(RuleViolation, match=reason):
        services.change_notice(city.session, notice, REFUSED[reason], NOW, writer)


def test_a_closed_place_publishes_nothing(city: CityTree, writer: int) -> None:
    with transactions.transaction(city.session) as session:
        session.get_one(Station, city.stations["yuetan"]).closed_at = LONG_BEFORE
        session.get_one(Node, city.nodes["xicheng"]).closed_at = LONG_BEFORE
    assert [refused(city, code, writer, words()) for code in ("yuetan", "xicheng")] == ["notice_closed"] * 2


def test_ended_it_is_gone_at_once_and_changed_no_more(city: CityTree, writer: int) -> None:
    notice = publish(city, "guomao", writer)
    services.change_notice(city.session, notice, words("走东门"), at("Mon 10:00"), writer)
    assert seen(city, "guomao") == ["走东门"]
    for _ in range(2):
        services.end_notice(city.session, notice, at("Mon 11:00"), writer)
    assert seen(city, "guomao") == []
    with pytest.raises(RuleViolation, match="notice_ended"):
        services.change_notice(city.session, notice, words(), at("Mon 12:00"), writer)
    kinds = [
        one.kind for one in city.session.scalars(select(Event).where(Event.kind.like("notice%")).order_by(Event.id))
    ]
    assert kinds == ["notice_published", "notice_changed", "notice_ended"]


def test_one_that_is_over_is_not_made_long_again(city: CityTree, writer: int) -> None:
    notice = publish(city, "guomao", writer, words(days=0))
    with pytest.raises(RuleViolation, match="notice_ended"):
        services.change_notice(city.session, notice, words(days=5), at("Tue 09:00"), writer)


def test_the_same_words_on_other_days_are_another_notice(city: CityTree, writer: int) -> None:
    first = publish(city, "guomao", writer, words(days=0)).id
    week_later = words(first=MONDAY + DAY * 7, days=0)
    other = publish(city, "guomao", writer, week_later)
    assert (other.id != first, other.first, other.last) == (True, week_later.first, week_later.last)
    assert publish(city, "guomao", writer, week_later).id == other.id
    assert publish(city, "guomao", writer, replace(week_later, picture="yoga")).picture == "yoga"


def test_sent_eight_times_at_once_it_is_one_notice(city: CityTree, writer: int, engine: Engine) -> None:
    def send(session: Session, _n: int) -> int:
        place = session.get_one(Station, city.stations["guomao"])
        return services.publish_notice(session, place, words(), NOW, writer).id

    assert len(set(together(engine, 8, send))) == 1
    assert city.session.scalar(select(func.count()).select_from(Notice)) == 1


@pytest.mark.postgresql
def test_without_the_lock_it_is_two(
    city: CityTree, writer: int, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control; SQLite has one writer at a time."""
    monkeypatch.setattr(services.notices.transactions, "advisory_lock", lambda *_: None)
    with Session(engine) as one, Session(engine) as other:
        for session in (one, other):
            place = session.get_one(Station, city.stations["guomao"])
            services.publish_notice.inside(session, place, words(), NOW, writer)
        one.commit(), other.commit()
    assert city.session.scalar(select(func.count()).select_from(Notice)) == 2


def test_a_place_has_twenty_at_a_time(city: CityTree, writer: int) -> None:
    for n in range(services.MOST_NOTICES):
        publish(city, "guomao", writer, words(f"第 {n} 条"))
    assert refused(city, "guomao", writer, words("多一条")) == "notice_limit"
    publish(city, "guanghua", writer, words("多一条"))


def test_a_year_after_it_is_over_it_is_deleted(city: CityTree, writer: int) -> None:
    ended, over = publish(city, "guomao", writer, words("撤下")), publish(city, "bj", writer, words("到期", days=5))
    services.end_notice(city.session, ended, NOW, writer)
    kept = services.NOTICES_KEPT
    assert services.forget_notices(city.session, NOW + kept - DAY) == 0
    assert services.forget_notices(city.session, NOW + kept) == 1
    assert over.title == "到期"
    assert services.forget_notices(city.session, NOW + kept + DAY * 6) == 1


def test_what_others_publish_is_found_by_the_check(city: CityTree, writer: int) -> None:
    """国贸's manager at 国贸, and 北京's organiser at 望京 and of 朝阳区, are no strangers; 周明 is one."""
    for code in ("guomao", "wangjing", "chaoyang"):
        publish(city, code, writer)
    found = lambda: [*tenancy.strangers(city.session, NOW), *tenancy.organisers(city.session, NOW)]  # noqa: E731
    assert found() == []
    with transactions.transaction(city.session) as session:
        stranger = make_people(session, ["周明"])["周明"]
    publish(city, "yuetan", stranger)
    publish(city, "xicheng", stranger)
    assert [line.split(": ")[1].split()[0] for line in found()] == ["notice_published"] * 2


def test_a_process_reads_a_board_once_until_something_of_it_changes(
    city: CityTree, writer: int, engine: Engine
) -> None:
    cache = Cache(engine, ChangeFeed(engine, every=0), PollPace(1))
    station_id, other = city.stations["guomao"], city.stations["wangjing"]

    def read(which: int = station_id, when: str = "Mon 12:00") -> tuple[list[str], int]:
        cache.look()
        with heard(engine) as sent:
            board = cache.board(which, at(when))
        return [one.title for one in board], len([one for one in sent if "notice" in one.text])

    assert (read(), read()) == (([], 1), ([], 0))
    publish(city, "guomao", writer, words("本站"))
    assert (read(), read()) == ((["本站"], 1), (["本站"], 0))
    assert (read(other), read(other)) == (([], 1), ([], 0))
    publish(city, "bj", writer, words("全市"))
    assert (read()[0], read(other)[0]) == (["本站", "全市"], ["全市"])
    publish(city, "wangjing", writer, words("别处"))
    assert read() == (["本站", "全市"], 0)
    network.move_node(city.session, city.node("wangjing-centre"), city.node("xicheng"), at("Mon 12:00"), writer)
    assert sorted(read(other)[0]) == ["全市", "别处"]
