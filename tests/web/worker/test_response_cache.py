"""Response cache: no reader gets what depends on another's request, and requests are keyed by parsed values."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking.db import transactions
from booking.model import Activity, Station
from booking.web.cache import store
from tests.support.lunch_hour import LunchHour, at
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import HTMX, Phone, sign_in

pytestmark = pytest.mark.sqlite

DAY = "day=2026-11-24"
CLOCK = "Mon 10:01"
ENGLISH, WECHAT = {"Accept-Language": "en-GB,en;q=0.9"}, {"User-Agent": "iPhone MicroMessenger/8.0"}
# Query strings of a station's address, as people, programs and attackers write them.
QUERIES = [
    "",
    DAY,
    f"{DAY}ZZZ",
    f"{DAY}%20",
    f"{DAY}&{DAY.replace('24', '25')}",
    f"{DAY}&day={'9' * 3000}",
    f"day=&{DAY}",
    f"{DAY}&next=https://evil.example/",
    f"{DAY}&{'x' * 3000}=1",
    f"Day=2026-11-25&{DAY}",
    "DAY=2026-11-24",
    "day=20261124",
    "day=2026-W48-2",
    "day=2026-11-24T10:00",
    "day=2026-11-25",
    "day=2026-11-20",
    "day=9999-12-31",
    "day=0001-01-01",
    "day=２０２６-11-24",
    "day=%E2%80%AE2026-11-24",
    "day=%00",
    f"{DAY}&kind=yoga",
    f"{DAY}&kind=YOGA",
    f"{DAY}&kind=yoga&kind=talk",
    f"{DAY}&kind=talk",
    f"{DAY}&kind=%3Cscript%3E",
    f"{DAY}&open=1",
    f"{DAY}&open=01",
    f"{DAY}&open=1&open=0",
    f"{DAY}&open=0&kind=yoga",
    f"kind=yoga;{DAY}",
    f"{DAY}&utm_source=wechat",
    "&&=&",
]


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    with transactions.transaction(session):
        seed_workdays(session)
    lunch = LunchHour(session)
    lunch.slot("Wed 13:10")
    return lunch


@pytest.fixture
def stands(make_app: Callable[..., Flask]) -> Flask:
    """An app whose cache stays valid, since the change feed is not polled."""
    return make_app(CACHE_POLL_SECONDS=1000, WTF_CSRF_ENABLED=True)


def begin_anew(app: Flask) -> None:
    """As a process that has just started."""
    store.register(app)


def ask(phone: Phone, query: str, path: str = "/s/cbd", **headers: str) -> TestResponse:
    return phone.get(f"{path}?{quote(query, safe='=&%-;:/')}" if query else path, CLOCK, headers=headers)


def bare(answer: TestResponse) -> tuple[Any, ...]:
    """An answer without what is its reader's own, or new each time."""
    mine = r'name="(csrf_token|key)" value="[^"]+"|data-(me|now|fresh)="[^"]*"|(?<=[0-9a-f]-)\d+(?=")|<code>[0-9a-f]{16}</code>'
    left_out = ("Set-Cookie", "Content-Length", "X-Request-ID", "Poll-After")
    headers = [f"{name}: {value}" for name, value in answer.headers.items() if name not in left_out]
    return answer.status_code, [re.sub(mine, "", text) for text in (*headers, answer.text)]


@pytest.mark.parametrize("second", [DAY, ""])
def test_a_reader_gets_nothing_of_the_address_of_the_one_before(stands: Flask, lunch: LunchHour, second: str) -> None:
    begin_anew(stands)
    alone = bare(ask(Phone(stands, lunch), second))

    def after(first: str) -> tuple[Any, ...]:
        begin_anew(stands)
        ask(Phone(stands, lunch), first)
        return bare(ask(Phone(stands, lunch), second))

    assert [first for first in QUERIES if after(first) != alone] == []


def test_the_page_leads_back_to_a_plain_address(stands: Flask, lunch: LunchHour) -> None:
    """Which the links to the other language and to the sign-in page copy."""
    plain = r"/s/cbd\?day=2026-11-2\d(&amp;kind=[a-z]+)?(&amp;open=1)?"
    for query in set(QUERIES) - {"day=%00"}:
        found = set(re.findall(r'name="next" value="([^"]*)"', ask(Phone(stands, lunch), query).text))
        assert [bool(re.fullmatch(plain, way)) for way in found] == [True], query


def test_the_next_reader_sees_the_day_that_was_asked_for(stands: Flask, lunch: LunchHour) -> None:
    """As it was reported: today's title on another day, with another reader's address in the form."""
    later = "day=2026-11-25"
    ask(Phone(stands, lunch), f"{later}ZZZ")
    page = ask(Phone(stands, lunch), later).text
    assert "11月25日" in re.findall("<title>(.*?)</title>", page)[0]
    assert "ZZZ" not in page


DAYS = st.sampled_from(
    ["2026-11-23", "2026-11-24", "2026-11-25", "2026-12-07", "20261124", "2026-11-30", "2025-01-01", ""]
)
ODD = st.text(st.characters(blacklist_categories=["Cs"]), max_size=9)
FIELD = st.one_of(
    st.tuples(st.just("day"), st.one_of(DAYS, st.builds("{}{}".format, DAYS, ODD))),
    st.tuples(st.just("kind"), st.one_of(st.sampled_from(["yoga", "talk", "Yoga", ""]), ODD)),
    st.tuples(st.just("open"), st.one_of(st.sampled_from(["1", "0", "on"]), ODD)),
    st.tuples(st.sampled_from(["Day", "KIND", "next", "lang", "q"]), ODD),
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "HX-Request": st.sampled_from(["true", "True", "1"]),
        "HX-History-Restore-Request": st.just("true"),
        "Accept-Language": st.sampled_from(["en", "zh-HK,en;q=0.5", "fr", "x" * 200]),
        "User-Agent": st.sampled_from(["Firefox", WECHAT["User-Agent"], "MicroMessenge", "y" * 200]),
        "If-None-Match": st.sampled_from(["*", '"a"', 'W/"0123456789abcdef0123-1"', "z" * 200]),
        "Accept": st.just("application/json"),
    },
)
ASKED = st.tuples(
    st.sampled_from(["/s/cbd", "/s/cbd", "/", "/s/CBD"]),
    st.lists(FIELD, max_size=4).map(lambda fields: "&".join(f"{name}={quote(value)}" for name, value in fields)),
    HEADERS,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example([("/s/cbd", f"{DAY}ZZZ", {}), ("/s/cbd", DAY, {})], "", 0)
@given(st.lists(ASKED, min_size=2, max_size=3), st.sampled_from(["", "李静"]), st.sampled_from([0, 1]))
def test_what_others_have_asked_changes_no_answer(
    stands: Flask, lunch: LunchHour, asked: list[tuple[str, str, dict[str, str]]], who: str, again: int
) -> None:
    *before, last = asked
    begin_anew(stands)
    alone = bare(get(reader(stands, lunch, who), *last))
    begin_anew(stands)
    for one in before:
        get(reader(stands, lunch, ""), *one)
        get(reader(stands, lunch, "周明"), *one)
    phone = reader(stands, lunch, who)
    answers = [bare(get(phone, *last)) for _ in range(1 + 2 * again)]
    assert answers == [alone] * len(answers)


def reader(app: Flask, lunch: LunchHour, who: str) -> Phone:
    """The person has opened the station before, so that their answers may be cached."""
    phone = Phone(app, lunch)
    if who:
        sign_in(phone.client, lunch, who)
    with time_machine.travel(at("Mon 08:00"), tick=False), phone.client.session_transaction() as session:
        session |= {"station": "cbd", "csrf_token": f"token of {who}"}
    return phone


def get(phone: Phone, path: str, query: str, headers: dict[str, str]) -> TestResponse:
    return phone.get(f"{path}?{query}", CLOCK, headers=headers)


@pytest.fixture
def without_flask(stands: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From then on the app must not be called."""

    def forbid() -> None:
        def asked(*_arguments: Any) -> None:
            raise AssertionError("the app was asked")

        monkeypatch.setattr(stands, "request_context", asked)

    return forbid


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"User-Agent": "another browser " * 99},
        {"Accept-Language": f"zh-CN,zh;q=0.9,{'xx,' * 99}en;q=0.1"},
        {"X-Whatever": "1"},
    ],
)
def test_what_does_not_matter_to_a_page_does_not_matter_to_its_cache(
    stands: Flask, lunch: LunchHour, without_flask: Callable[[], None], headers: dict[str, str]
) -> None:
    phone = reader(stands, lunch, "周明")
    first = get(phone, "/s/cbd", DAY, HTMX)
    without_flask()
    phone.client.set_cookie("junk", "x" * 999)
    assert bare(get(phone, "/s/cbd", f"{DAY}&kind=", HTMX | headers)) == bare(first)


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("day=2026-11-25", HTMX),
        (f"{DAY}&open=1", HTMX),
        (DAY, {}),
        (DAY, HTMX | ENGLISH),
        (DAY, HTMX | {"HX-History-Restore-Request": "true"}),
    ],
)
def test_what_does_matter_is_another_answer(
    stands: Flask, lunch: LunchHour, query: str, headers: dict[str, str]
) -> None:
    phone = reader(stands, lunch, "")
    first = get(phone, "/s/cbd", DAY, HTMX)
    assert bare(get(phone, "/s/cbd", query, headers)) != bare(first)


def test_a_day_that_is_read_again_and_is_the_same_keeps_its_pages(
    stands: Flask, lunch: LunchHour, session: Session
) -> None:
    phone, cache = Phone(stands, lunch), stands.extensions["cache"]

    def read_at(moment: str) -> Any:
        phone.get(f"/s/cbd?{DAY}", moment)
        (day,) = (kept.day for _key, kept in cache.days._kept.values())
        return day

    first = read_at("Mon 10:01")
    assert read_at("Mon 10:03") is first
    with transactions.transaction(session):
        session.execute(update(Activity).values(title="另一个名字"))
    assert read_at("Mon 10:05") is not first  # the control


ODD_WORDS = "".join(f"\ue000{name}\ue001\ue000{name}" for name in ("csrf", "key", "now", "count", "me", "title", "01"))


@pytest.mark.parametrize("who", ["", "周明"])
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a_text_with_private_use_characters_prints_nobodys_token(
    stands: Flask, lunch: LunchHour, who: str, headers: dict[str, str]
) -> None:
    with transactions.transaction(lunch.session) as session:
        for column in (Activity.title, Activity.title_en, Station.address, Station.address_en):
            session.execute(update(column.class_).values({column.key: ODD_WORDS}))
    phone = reader(stands, lunch, who)
    for _ in range(3):
        page = get(phone, "/s/cbd", DAY, headers).text
        assert ODD_WORDS in page
        token = re.findall(r'name="csrf_token" value="([^"]+)"', page)
        assert page.count(token[0] if token else "csrf_token") == len(token)
