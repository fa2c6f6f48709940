"""Draw pages: enter on a slot's page, one's own entry, and the proof that everybody can read and run."""

import json
import re
import subprocess
import sys
from datetime import time
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import seats, slots
from booking.db import transactions
from booking.extensions import db
from booking.model import Booking, DrawEntry, Event, Station
from tests.support import statements
from tests.support.draw_cast import DrawDay
from tests.support.lunch_hour import NAMES, TUESDAY, at, make_slot
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import HTMX, Phone, card_in, words_of

pytestmark = pytest.mark.sqlite


@pytest.fixture
def day(app: Flask, session: Session) -> DrawDay:
    seed_workdays(session)
    session.commit()
    return DrawDay(session)


@pytest.fixture
def phone(app: Flask, day: DrawDay) -> Phone:
    return Phone(app, day, "周明")  # type: ignore[arg-type]


def drawn(day: DrawDay) -> None:
    for name in NAMES:
        day.enter(name, "Mon 10:10", day.yoga, day.crafts)
    day.draw_all()


WAYS = {
    "the tap of a draw": "/slots/{}/enter",
    "the tap of a booking": "/slots/{}/book",
}


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
@pytest.mark.parametrize("way", WAYS)
def test_one_tap_enters_and_is_no_booking(day: DrawDay, phone: Phone, way: str, headers: dict[str, str]) -> None:
    page = phone.get(f"/slots/{day.yoga}", "Mon 10:30").text
    assert 'data-mine="entered"' not in page
    for _ in range(2):
        answer = phone.post(WAYS[way].format(day.yoga), "Mon 10:30", data={"back": "slot"}, headers=headers)
        assert "已报名，第 1 志愿（还不是预约）" in answer.text
    page = phone.get(f"/slots/{day.yoga}", "Mon 10:31").text
    assert 'data-mine="entered"' in page
    assert 'data-mine="booked"' not in page
    assert "全天 1 人报名 6 个名额" in words_of(page)
    assert day.session.scalar(select(func.count(Booking.id))) == 0
    assert day.entry("周明").wishes == [day.yoga]


REFUSED = {
    "too early": ("Mon 09:59", "draw_not_open"),
    "sealed": ("Mon 12:00", "draw_closed"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_says_why(day: DrawDay, phone: Phone, case: str) -> None:
    clock, reason = REFUSED[case]
    answer = phone.post(f"/slots/{day.yoga}/enter", clock, data={"back": "slot"})
    assert f'data-refusal="{reason}"' in answer.text
    assert day.session.scalar(select(func.count(DrawEntry.id))) == 0


def test_the_card_of_the_day_says_that_seats_are_drawn(day: DrawDay, phone: Phone) -> None:
    card = card_in(phone.day("Mon 10:30"), day.yoga)
    assert (card.data["state"], card.data["allocation"]) == ("planned", "draw")
    assert "抽签报名" in card.words
    assert "放号" not in card.words
    drawn(day)
    card = card_in(phone.day("Mon 12:03"), day.tea)
    assert (card.data["state"], card.data["allocation"]) == ("open", "first")


def test_wishes_are_moved_dropped_and_left_on_my_page(day: DrawDay, phone: Phone) -> None:
    for slot_id in (day.yoga, day.tea):
        phone.post(f"/slots/{slot_id}/enter", "Mon 10:30")
    entry_id, mine = day.entry("周明").id, phone.get("/me", "Mon 10:31").text
    assert "还不是预约" in mine
    assert 'data-mine="booked"' not in mine
    for wishes in ([day.tea, day.yoga], [day.tea]):
        answer = phone.post(f"/entries/{entry_id}/wishes", "Mon 10:32", data={"back": "me", "wish": wishes})
        assert "志愿改好了" in answer.text
        assert day.entry("周明").wishes == wishes
    for bad in ([], ["x"], [str(day.crafts)], [day.tea, day.tea], ["9" * 5000], ["-1"], ["１２"]):
        answer = phone.post(f"/entries/{entry_id}/wishes", "Mon 10:33", data={"back": "me", "wish": bad})
        assert 'data-refusal="no_such_wish"' in answer.text
    answer = phone.post(f"/entries/{entry_id}/leave", "Mon 10:34", data={"back": "me"})
    assert "已退出抽签" in answer.text
    assert day.entry("周明").left_at is not None


def test_another_persons_entry_is_not_found(app: Flask, day: DrawDay) -> None:
    day.enter("周明", "Mon 10:00")
    other = Phone(app, day, "李静")  # type: ignore[arg-type]
    for act in ("wishes", "leave"):
        answers = [other.post(f"/entries/{n}/{act}", "Mon 10:30").status_code for n in (day.entry("周明").id, 999)]
        assert answers == [404, 404]


def test_who_lost_reads_why_and_what_they_have_next(app: Flask, day: DrawDay) -> None:
    drawn(day)
    names = {person_id: name for name, person_id in day.people.items()}
    last, first = day.entries()[-1], day.entries()[0]
    page = words_of(Phone(app, day, names[last.person_id or 0]).get(f"/slots/{day.yoga}", "Mon 12:05").text)  # type: ignore[arg-type]
    assert "没抽中，候补第 4（全天 8 人报名 6 个名额）。下次你有 3 个号球。" in page
    assert "候补第 4" in page
    page = words_of(Phone(app, day, names[first.person_id or 0]).get(f"/slots/{day.yoga}", "Mon 12:05").text)  # type: ignore[arg-type]
    assert "抽中了：全天 8 人报名 6 个名额，你排第 1。" in page
    assert "已预约" in page


def test_somebody_without_an_account_checks_a_draw(app: Flask, day: DrawDay, tmp_path: Path) -> None:
    drawn(day)
    stranger = Phone(app, day)  # type: ignore[arg-type]
    assert f"/draws/{day.draw_id}" in stranger.get("/s/cbd/draws", "Tue 09:00").text
    page = stranger.get(f"/draws/{day.draw_id}", "Tue 09:00").text
    assert "python3 -I check.py" in page
    (tmp_path / "check.py").write_bytes(stranger.get("/draws/check.py", "Tue 09:00").data)
    (tmp_path / "list.json").write_bytes(stranger.get(f"/draws/{day.draw_id}/list.json", "Tue 09:00").data)
    ran = subprocess.run(
        [sys.executable, "-I", "check.py", "list.json"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines()[-1] == "ok"
    assert len(ran.stdout.splitlines()) == len(NAMES) + 1


def test_nothing_public_names_anybody(app: Flask, day: DrawDay) -> None:
    drawn(day)
    stranger, ids = Phone(app, day), {str(person_id) for person_id in day.people.values()}  # type: ignore[arg-type]
    for path in ("/s/cbd/draws", f"/draws/{day.draw_id}", f"/draws/{day.draw_id}/list.json"):
        text = stranger.get(path, "Tue 09:00").text
        assert [name for name in NAMES if name in text or f"{name}@example.com" in text] == []
    told = json.loads(text)
    assert set(told) == {
        "version", "draw", "state", "date", "commitment", "anchor", "link", "list_sha256", "entries", "seats", "secret",
        "value", "seed", "results",
    }  # fmt: skip
    assert {len(entry) for entry in told["entries"]} == {5}
    assert ids  # their tags say nothing of them
    assert [entry[1] for entry in told["entries"]] == sorted(entry[1] for entry in told["entries"])


def test_before_the_result_there_is_no_secret(app: Flask, day: DrawDay) -> None:
    stranger = Phone(app, day)  # type: ignore[arg-type]
    day.tick("Mon 09:00")
    day.enter("周明", "Mon 10:00")
    before = stranger.get(f"/draws/{day.draw_id}/list.json", "Mon 11:00").json or {}
    assert "entries" not in before
    assert before["commitment"]
    day.tick("Mon 12:00")
    sealed = stranger.get(f"/draws/{day.draw_id}/list.json", "Mon 12:00:30").json or {}
    assert "secret" not in sealed
    assert "seed" not in sealed
    assert len(sealed["entries"]) == 1
    assert "名单已封存" in phone_words(stranger, day)


def phone_words(phone: Phone, day: DrawDay) -> str:
    return words_of(phone.get(f"/slots/{day.yoga}", "Mon 12:00:30").text)


@pytest.mark.parametrize("path", ["/draws/999", "/draws/999/list.json", "/draws/x", "/s/none/draws"])
def test_what_does_not_exist_is_not_found(phone: Phone, path: str) -> None:
    assert phone.get(path, "Tue 09:00").status_code == 404


def test_a_void_draw_says_whose_fault_it_was(app: Flask, day: DrawDay, phone: Phone) -> None:
    day.enter("周明", "Mon 10:00")
    day.tick("Mon 09:00")
    day.tick("Mon 12:00")
    day.tick("Tue 11:45")
    for path in (f"/slots/{day.yoga}", f"/draws/{day.draw_id}", "/me"):
        assert "是我们的系统没跑起来" in phone.get(path, "Tue 11:46").text


def test_a_void_draw_lets_people_queue_at_the_door(app: Flask, day: DrawDay, phone: Phone) -> None:
    with transactions.transaction(day.session) as session:
        other = make_slot(session, session.get_one(Station, day.station_id), TUESDAY, time(12), 1)
    seats.book(day.session, day.people["李静"], other, at("Mon 10:00"))
    day.enter("周明", "Mon 10:00")
    day.tick("Mon 09:00")
    day.tick("Mon 12:00")
    day.tick("Tue 11:45")
    path = f"/slots/{day.yoga}"
    busy = Phone(app, day, "李静")  # type: ignore[arg-type]
    assert "我在门口" not in words_of(busy.get(path, "Tue 11:55").text)
    assert "我在门口" not in words_of(phone.get(path, "Tue 11:54").text)
    assert "现场候补" in card_in(phone.day("Tue 11:55"), day.yoga).words
    page = phone.get(path, "Tue 11:55").text
    assert "我在门口，排现场候补" in words_of(page)
    assert "12:10 开始时，空着的名额按到场先后给现场的人。" in words_of(page)
    page = phone.post(f"{path}/standby", "Tue 11:56", data={"back": "slot"}).text
    assert "已排上现场候补 12:10 开始时，空着的名额会按到场先后给现场的人，请不要走远。" in words_of(page)
    for each in (path, "/me"):
        words = words_of(phone.get(each, "Tue 11:57").text)
        assert "候补第 1" in words
        assert "你已排上现场候补。12:10 开始时，空着的名额会按到场先后给现场的人，请不要走远。" in words


def test_how_seats_are_given_is_not_changed_while_people_enter(day: DrawDay) -> None:
    day.enter("周明", "Mon 10:00")
    plan = day.session.get_one(slots.catalogue.Plan, day.plans[0])
    day.session.expunge(plan)
    plan.allocation = "first"
    with pytest.raises(slots.catalogue.RuleViolation, match="draw_gathering") as no:
        slots.save_plan(day.session, plan, slots.catalogue.clock.datetime.fromisoformat("2026-11-23T10:30:00+08:00"))
    assert (no.value.details["entered"], no.value.details["applies"]) == (1, at("Mon 12:01"))


def test_english_pages_are_in_english(app: Flask, day: DrawDay) -> None:
    drawn(day)
    stranger = Phone(app, day)  # type: ignore[arg-type]
    headers = {"Accept-Language": "en"}
    for path in ("/s/cbd/draws", f"/draws/{day.draw_id}"):
        text = words_of(re.sub(r"<title>.*?</title>", "", stranger.get(path, "Tue 09:00", headers=headers).text))
        assert re.findall(r"[\u4e00-\u9fff]{3,}", text.replace("国贸白领驿站", "")) in ([], ["白领驿站"])
        assert re.findall(r"[\u3000-\u303f\uff00-\uffef]", text) == []


def test_events_of_a_draw_are_read_by_the_pages_that_are_kept(day: DrawDay) -> None:
    """Each change of a draw writes an event of its station, by which the pages of its day are made anew."""
    drawn(day)
    kinds = select(Event.kind).where(Event.station_id == day.station_id, Event.kind.in_(("frozen", "drawn", "entered")))
    assert {"frozen", "drawn", "entered"} == set(day.session.scalars(kinds))


def test_the_results_are_read_once_and_are_nobodys(app: Flask, day: DrawDay, phone: Phone) -> None:
    drawn(day)
    path, row = f"/draws/{day.draw_id}", r'<tr id="no-\d+">.*?</tr>'
    first = Phone(app, day).get(path, "Mon 12:05").text  # type: ignore[arg-type]
    with app.app_context(), statements.heard(db.engine) as sent:
        mine = phone.get(path, "Mon 12:06").text
    assert [one.text for one in sent if "passed_over" in one.text and "rank IS NOT NULL" in one.text] == []
    assert len(re.findall(row, first)) == len(NAMES)
    assert re.findall(row, mine) == re.findall(row, first)
    assert f'<a href="#no-{day.entry("周明").no}">' in mine
