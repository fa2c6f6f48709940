"""Polls of a station's day: the parts that have changed, whatever happened, put the page in its new state."""

import re
from collections.abc import Callable

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.history import record
from booking.model import Activity
from tests.support.lunch_hour import LunchHour, at
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import HTMX, Phone, sign_in

pytestmark = pytest.mark.sqlite

DAY = "/s/cbd?day=2026-11-24"
PART = re.compile(r'<(?:div|article)[^>]* id="(day-[a-z]+|slot-card-\d+)"|<(?:div|article) id="(day-[a-z]+)"')
CHANGED = re.compile(r'<hx-partial hx-target="#([a-z0-9-]+)" hx-swap="outerMorph">(.*?)</hx-partial>', re.DOTALL)
OWN = re.compile(r'name="(csrf_token|key)" value="[^"]+"')


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Three slots on Tuesday, two of them at the same time."""
    with transactions.transaction(session):
        seed_workdays(session)
    lunch = LunchHour(session)
    lunch.slot("12:10")
    lunch.slot("13:10")
    return lunch


class Reader:
    """A phone with the station's day open; `parts` is what it shows, by the id of each element."""

    def __init__(self, app: Flask, lunch: LunchHour, who: str = "") -> None:
        self.phone, self.parts, self.tag = Phone(app, lunch), {}, ""
        if who:
            sign_in(self.phone.client, lunch, who)
        with time_machine.travel(at("Mon 08:00"), tick=False), self.phone.client.session_transaction() as session:
            session |= {"station": "cbd", "csrf_token": "token"}

    def poll(self, clock: str) -> tuple[int, list[str]]:
        """The status, and which parts the answer brought; they are shown from then on."""
        known = {"If-None-Match": self.tag} if self.tag else {}
        answer = self.phone.get(DAY, clock, headers=HTMX | known)
        self.tag = answer.headers["ETag"]
        assert float(answer.headers["Poll-After"]) >= 4
        changed = dict(CHANGED.findall(answer.text))
        if answer.status_code == 200 and not changed:
            self.parts = whole(answer.text)
            return 200, ["day"]
        assert changed.keys() <= self.parts.keys()
        self.parts |= {name: bare(html) for name, html in changed.items()}
        return answer.status_code, sorted(changed)


def whole(fragment: str) -> dict[str, str]:
    """Each part of a whole day."""
    begins = [(found.start(), found[1] or found[2]) for found in PART.finditer(fragment)]
    ends = [start for start, _name in begins[1:]] + [len(fragment)]
    return {name: bare(fragment[start:end]) for (start, name), end in zip(begins, ends, strict=True)}


def bare(html: str) -> str:
    """Without what is new in each answer, and without what stands between two parts."""
    last = max(html.rfind("</article>"), html.rfind("</div>") if "<article" not in html else -1)
    cut = html[: last + len("</article>")] if "<article" in html else html.split('<div class="cards">', maxsplit=1)[0]
    return " ".join(OWN.sub("", cut).split()).removesuffix("</div> </div>").removesuffix("</div>").strip()


def test_somebody_elses_booking_brings_its_card_and_nothing_else(app: Flask, lunch: LunchHour) -> None:
    reader = Reader(app, lunch, "周明")
    assert reader.poll("Mon 10:20") == (200, ["day"])
    assert reader.poll("Mon 10:20:05") == (304, [])
    lunch.book("李静", "Mon 10:20:06")
    assert reader.poll("Mon 10:20:10") == (200, [f"slot-card-{lunch.slot_id}"])
    assert reader.poll("Mon 10:20:15") == (304, [])


def test_ones_own_booking_brings_the_strip_the_notes_and_every_card_that_it_closes(
    app: Flask, lunch: LunchHour
) -> None:
    reader = Reader(app, lunch, "周明")
    reader.poll("Mon 10:20")
    lunch.book("周明", "Mon 10:20:06")
    status, parts = reader.poll("Mon 10:20:10")
    cards = [name for name in reader.parts if name.startswith("slot-card-")]
    assert (status, parts) == (200, sorted(["day-notes", "day-picks", "day-strip", *cards]))


def test_a_new_slot_brings_the_whole_day(app: Flask, lunch: LunchHour) -> None:
    reader = Reader(app, lunch, "周明")
    reader.poll("Mon 10:20")
    lunch.slot("14:10")
    assert reader.poll("Mon 10:21:10") == (200, ["day"])


@pytest.mark.parametrize("column", ["title", "title_en", "host", "host_en"])
def test_a_changed_text_brings_its_cards(app: Flask, lunch: LunchHour, column: str) -> None:
    reader = Reader(app, lunch)
    reader.poll("Mon 10:20")
    with transactions.transaction(lunch.session) as session:
        session.execute(update(Activity).values({column: "新名字"}))
        record(session, "activity_changed", at("Mon 10:20"), station_id=lunch.station_id)
    status, parts = reader.poll("Mon 10:20:10")
    assert (status, len(parts)) == (200, 3)


def test_who_signs_in_next_gets_the_whole_day(app: Flask, lunch: LunchHour) -> None:
    """With tokens of their own in its forms."""
    first, second = Reader(app, lunch, "周明"), Reader(app, lunch, "李静")
    first.poll("Mon 10:20")
    second.tag = first.tag
    assert second.poll("Mon 10:20:01") == (200, ["day"])


ACTS: dict[str, Callable[[LunchHour, str, str, int], object]] = {
    "book": lambda lunch, who, clock, slot: lunch.book(who, clock, slot),
    "give up": lambda lunch, who, clock, slot: lunch.give_up(who, clock, slot),
    "capacity": lambda lunch, who, clock, _slot: lunch.resize(3 if who == "李静" else 1, clock),
    "nothing": lambda *_: None,
}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(ACTS)), st.sampled_from(["周明", "李静", "王磊"]), st.integers(0, 2), st.booleans()
        ),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from(["", "周明"]),
)
def test_after_any_acts_the_page_that_was_polled_is_the_page_that_is_opened(
    app: Flask, lunch: LunchHour, acts: list[tuple[str, str, int, bool]], who: str
) -> None:
    """However often it asked in between."""
    slots = [lunch.slot_id, lunch.slot_id + 1, lunch.slot_id + 2]
    reader = Reader(app, lunch, who)
    reader.poll("Mon 10:20")
    for n, (act, person, slot, polls) in enumerate(acts):
        try:
            ACTS[act](lunch, person, f"Mon 10:{21 + n}", slots[slot])
        except LookupError:
            continue  # a person without a booking gives none up
        if polls:
            reader.poll(f"Mon 10:{21 + n}:30")
    reader.poll("Mon 10:40")
    fresh = Reader(app, lunch, who)
    fresh.poll("Mon 10:40")
    assert reader.parts == fresh.parts
    assert reader.poll("Mon 10:40:05")[0] == 304
