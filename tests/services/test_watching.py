"""Watching online: where a link may lead, when it is shown, who is counted, and what it is never counted as."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from booking import invariants, people, services, slots, statistics
from booking.db import transactions
from booking.errors import RuleViolation
from booking.model import Slot, StationDayTotals, WatchLink, WatchOpen
from booking.people.data_export import everything_about
from booking.queries import watch_links
from booking.statistics import Span
from tests.support.lunch_hour import TUESDAY, LunchHour, at
from tests.support.together import together

HOSTS = ("live.bilibili.com", "meeting.tencent.com")
LIVE = "https://live.bilibili.com/21"


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Tuesday at 12:10 can also be watched online."""
    lunch = LunchHour(session)
    link(lunch, LIVE)
    return lunch


def link(lunch: LunchHour, url: str | None, clock: str = "Mon 09:00", slot_id: int | None = None) -> None:
    slots.set_watch_link(lunch.session, slot_id or lunch.slot_id, url, HOSTS, at(clock), lunch.manager_id)


def opens(lunch: LunchHour, who: str = "", clock: str = "12:06", browser: str = "") -> str:
    """The person opens the link, or without a name that browser."""
    person_id = lunch.people.get(who)
    try:
        return services.open_watch(lunch.session, lunch.slot_id, HOSTS, at(clock), person_id=person_id, browser=browser)
    except RuleViolation as no:
        return f"no: {no.reason}"


def count(lunch: LunchHour) -> int:
    lunch.session.rollback()
    return watch_links.opened(lunch.session, lunch.slot_id)


def told(lunch: LunchHour) -> StationDayTotals:
    lunch.session.rollback()
    return lunch.session.get_one(StationDayTotals, (TUESDAY, lunch.station_id))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://live.bilibili.com/21", "watch_not_https"),
        ("live.bilibili.com/21", "watch_not_https"),
        ("javascript:alert(1)", "watch_not_https"),
        ("HTTPS://live.bilibili.com/21", "watch_not_https"),
        ("https://example.com/21", "watch_host"),
        ("https://live.bilibili.com.example.com/", "watch_host"),
        ("https://live.bilibili.com./21", "watch_host"),
        ("https://example.com?live.bilibili.com", "watch_host"),
        ("https:///live.bilibili.com/", "watch_host"),
        ("https://", "watch_host"),
        ("https://live.bilibili.com@example.com/", "watch_port"),
        ("https://me:secret@live.bilibili.com/", "watch_port"),
        ("https://live.bilibili.com:8443/", "watch_port"),
        ("https://[::1]/", "watch_port"),
        ("https://[x/", "watch_host"),
        ('https://live.bilibili.com/"><script>', "watch_markup"),
        ("https://live.bilibili.com\\@example.com/", "watch_markup"),
        ("https://live.bilibili.com/直播", "watch_markup"),
        ("点击链接入会 https://meeting.tencent.com/dm/a", "watch_markup"),
        ("https://live.bilibili.com/" + "a" * 300, "watch_markup"),
    ],
)
def test_a_link_leads_to_an_allowed_host_by_https_and_nowhere_else(url: str, reason: str) -> None:
    with pytest.raises(RuleViolation) as no:
        slots.check_link(url, HOSTS)
    assert no.value.reason == reason
    assert not slots.is_allowed(url, HOSTS)


@pytest.mark.parametrize("url", [LIVE, "https://meeting.tencent.com/dm/aB3?x=1&y=(2)#t", "https://Live.Bilibili.com"])
def test_links_as_the_sites_give_them_are_taken(url: str) -> None:
    slots.check_link(url, HOSTS)


PIECES = st.sampled_from(
    ["https://", "http://", *HOSTS, "@", ":", "/", "\\", "?", "#", ".", "example.com", "443", "%2F", " ", "["]
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=8).map("".join))
def test_whatever_is_taken_has_one_of_the_hosts_and_nothing_beside_it(url: str) -> None:
    if slots.is_allowed(url, HOSTS):
        assert urlsplit(url).netloc.lower() in HOSTS
        assert urlsplit(url).scheme == "https"


def test_it_is_marked_before_there_is_a_link_and_all_of_it_is_history(session: Session) -> None:
    lunch = LunchHour(session)
    link(lunch, "")
    link(lunch, LIVE)
    link(lunch, LIVE)
    link(lunch, None)
    link(lunch, None)
    told = [
        (line.kind, line.details.get("host")) for line in lunch.lines("hybrid_marked", "watch_link_set", "hybrid_ended")
    ]
    assert told == [("hybrid_marked", None), ("watch_link_set", "live.bilibili.com"), ("hybrid_ended", None)]
    assert watch_links.watch_of(session, lunch.slot_id) is None


def test_what_is_over_or_cancelled_gets_no_link(lunch: LunchHour) -> None:
    for clock, reason in (("13:00", "over"), ("12:00", "cancelled")):
        if reason == "cancelled":
            lunch.cancel("11:00")
        with pytest.raises(RuleViolation) as no:
            link(lunch, "", clock)
        assert no.value.reason == reason


def test_it_opens_five_minutes_before_the_start_until_the_end(lunch: LunchHour) -> None:
    said = [opens(lunch, "周明", clock) for clock in ("12:04:59", "12:05", "12:59:59", "13:00")]
    assert said == ["no: watch_soon", LIVE, LIVE, "no: over"]
    assert count(lunch) == 1


def test_without_a_link_or_once_its_host_is_not_allowed_any_more_nobody_is_sent_anywhere(lunch: LunchHour) -> None:
    with pytest.raises(RuleViolation, match="watch_missing"):
        services.open_watch(lunch.session, lunch.slot_id, HOSTS[1:], at("12:06"), person_id=None, browser="a")
    link(lunch, "", "12:06")
    assert opens(lunch, "周明") == "no: watch_missing"
    lunch.cancel("12:06")
    assert opens(lunch, "周明") == "no: cancelled"
    assert count(lunch) == 0


def test_each_person_and_each_browser_counts_once(lunch: LunchHour) -> None:
    for who in ("周明", "李静", "周明"):
        opens(lunch, who)
    for browser in ("a", "b", "a"):
        opens(lunch, browser=browser)
    assert count(lunch) == 4


def test_a_browser_is_another_at_another_slot(lunch: LunchHour) -> None:
    tags = {services.browser_tag("secret", slot_id, "token") for slot_id in (1, 2, 1)}
    assert len(tags) == 2
    assert "token" not in "".join(tags)


def rush(engine: Engine, lunch: LunchHour, times: int) -> None:
    """So many opens, each browser's four, and four at each moment: as many as an app lets work at once."""

    def one(number: int) -> None:
        with Session(engine) as session:
            who = f"browser {number % (times // 4)}"
            services.open_watch(session, lunch.slot_id, HOSTS, at("12:06"), person_id=None, browser=who)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(times)))


@pytest.mark.both
def test_a_thousand_at_once_are_counted_exactly(lunch: LunchHour, engine: Engine) -> None:
    times = 1000 if engine.dialect.name == "postgresql" else 200
    rush(engine, lunch, times)
    assert count(lunch) == times // 4


@pytest.mark.both
def test_without_the_unique_key_they_are_not(lunch: LunchHour, engine: Engine) -> None:
    """Control."""
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX uq_watch_open_browser"))
    rush(engine, lunch, 40)
    assert count(lunch) == 40


def test_a_person_who_presses_on_four_phones_at_once_counts_once(lunch: LunchHour, engine: Engine) -> None:
    me, now = lunch.people["周明"], at("12:06")

    def press(session: Session, _number: int) -> str:
        return services.open_watch(session, lunch.slot_id, HOSTS, now, person_id=me)

    assert together(engine, 4, press) == [LIVE] * 4
    assert count(lunch) == 1


def held(lunch: LunchHour) -> None:
    """周明 came, 李静 did not but watched, 王磊 waited in vain and watched, so did two browsers."""
    for who in ("周明", "李静", "王磊"):
        lunch.book(who, "Mon 10:00:30")
    lunch.check_in("周明", "12:05")
    lunch.tick("12:10")
    lunch.tick("12:15")
    for who, browser in (("李静", ""), ("王磊", ""), ("", "a"), ("", "b")):
        assert opens(lunch, who, "12:20", browser) == LIVE
    lunch.tick("13:00")


def test_it_is_no_visit_and_no_strike_and_stands_in_the_numbers_of_the_day(lunch: LunchHour) -> None:
    held(lunch)
    numbers = statistics.of_station(lunch.session, lunch.station_id, Span(TUESDAY, TUESDAY)).total
    assert (numbers.watched, numbers.visits, numbers.no_shows, numbers.walk_ins, numbers.unmet) == (4, 1, 1, 0, 1)
    ((day, tally),) = statistics.days_of_station(lunch.session, lunch.station_id, Span(TUESDAY, TUESDAY))
    assert (day, tally.watched, tally.visits) == (TUESDAY, 4, 1)
    row = told(lunch)
    assert (row.watched, row.visits, row.expected, row.no_shows, row.turned_away) == (4, 1, 2, 1, 1)
    assert [lunch.strikes(who) for who in ("周明", "李静", "王磊")] == [[], ["no_show"], []]
    assert invariants.breaches(lunch.session, at("13:01")) == []


def test_who_opens_while_the_slot_ends_is_counted_when_the_day_is_over(lunch: LunchHour) -> None:
    held(lunch)
    with transactions.transaction(lunch.session) as session:  # began before the end, committed after it
        session.add(WatchOpen(slot_id=lunch.slot_id, person_id=lunch.people["陈晨"], opened_at=at("12:59:59")))
    assert (told(lunch).watched, invariants.breaches(lunch.session, at("13:01"))) == (4, [])
    statistics.count_day(lunch.session, TUESDAY, [lunch.station_id])
    assert (told(lunch).watched, told(lunch).final) == (5, True)
    with transactions.transaction(lunch.session) as session:
        session.get_one(StationDayTotals, (TUESDAY, lunch.station_id)).watched = 6
    breach = f"I15 station {lunch.station_id}: watched of {TUESDAY} is 6, the bookings say 5"
    assert invariants.breaches(lunch.session, at("Wed 12:00")) == [breach]


def test_what_was_called_off_counts_nothing(lunch: LunchHour) -> None:
    opens(lunch, "周明", "12:06")
    lunch.cancel("12:08")
    statistics.count_day(lunch.session, TUESDAY, [lunch.station_id])
    assert told(lunch).watched == 0
    assert invariants.breaches(lunch.session, at("Wed 12:00")) == []


def named(lunch: LunchHour) -> list[tuple[bool, bool]]:
    lunch.session.rollback()
    rows = lunch.session.execute(select(WatchOpen.person_id, WatchOpen.browser).order_by(WatchOpen.id))
    return [(person_id is not None, browser is not None) for person_id, browser in rows]


def test_who_it_was_is_forgotten_and_the_number_stays(lunch: LunchHour) -> None:
    opens(lunch, "周明")
    opens(lunch, browser="a")
    assert services.forget_opens(lunch.session, at("12:06") + timedelta(hours=23)) == 0
    assert services.forget_opens(lunch.session, at("12:06") + timedelta(days=1)) == 1
    assert named(lunch) == [(True, False), (False, False)]
    assert services.forget_opens(lunch.session, at("12:06") + timedelta(days=180)) == 1
    assert (named(lunch), count(lunch)) == ([(False, False)] * 2, 2)


def test_it_is_in_the_export_and_goes_with_the_account(lunch: LunchHour) -> None:
    opens(lunch, "周明")
    me = lunch.people["周明"]
    (line,) = everything_about(lunch.session, me)["watched_online"]
    assert (line["station"], line["opened_at"]) == ("cbd 白领驿站", "2026-11-24T04:06:00+00:00")
    people.delete_account(lunch.session, me, at("12:07"))
    assert (named(lunch), count(lunch)) == ([(False, False)], 1)


def test_a_copied_week_copies_the_mark_and_not_the_link(lunch: LunchHour) -> None:
    station = lunch.now().station
    slots.copy_week(lunch.session, station, TUESDAY - timedelta(days=1), 1, at("Mon 09:00"), lunch.manager_id)
    found = select(WatchLink.url).join(Slot).where(Slot.date == TUESDAY + timedelta(days=7))
    assert lunch.session.scalars(found).all() == [""]


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (count, 1),
        (lambda lunch: link(lunch, LIVE), 0),
        (lambda lunch: link(lunch, None), 0),
        (lambda lunch: lunch.cancel("Mon 09:30"), 0),
    ],
    ids=["missing", "set", "not hybrid", "cancelled"],
)
def test_a_missing_link_is_told_on_the_day_before_and_on_the_day(
    session: Session, change: Callable[[LunchHour], None], left: int
) -> None:
    lunch = LunchHour(session)
    link(lunch, "")
    change(lunch)
    for clock in ("Mon 18:00", "12:00"):
        found = watch_links.missing(session, lunch.station_id, at(clock).date(), at(clock))
        assert len(found) == left
    assert not watch_links.missing(session, lunch.station_id, TUESDAY, at("13:00"))
    sunday = TUESDAY - timedelta(days=2)
    lunch.slot("Mon 12:10")
    assert not watch_links.missing(session, lunch.station_id, sunday, at("Mon 08:00") - timedelta(days=1))


def test_whoever_looks_counts_nothing(lunch: LunchHour) -> None:
    watch_links.watch_of(lunch.session, lunch.slot_id)
    assert lunch.session.scalar(select(func.count(WatchOpen.id))) == 0
