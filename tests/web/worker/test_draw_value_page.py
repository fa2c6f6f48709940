"""Draw value page: the public value, typed on the draw's own page, with a sentence for whatever is wrong with it."""

import re
from datetime import time

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.extensions import db
from booking.model import DrawValue, Person, Plan
from tests.support import statements
from tests.support.draw_cast import DrawDay
from tests.support.lunch_hour import at
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import Phone, words_of

pytestmark = pytest.mark.sqlite
NUMBERS = " ".join(f"{n:02}" for n in range(1, 21))


@pytest.fixture
def day(app: Flask, session: Session) -> DrawDay:
    seed_workdays(session)
    session.commit()
    found = DrawDay(session)
    session.execute(update(Plan).values(value_kind="kl8", value_source="当晚福彩快乐8", value_clock=time(21, 30)))
    session.commit()
    found.plan(at("Mon 08:00"))
    found.enter("周明", "Mon 10:00")
    found.tick("Mon 09:00")
    return found


@pytest.fixture
def phone(app: Flask, day: DrawDay) -> Phone:
    return Phone(app, day, "周明")  # type: ignore[arg-type]


def test_what_will_count_is_said_from_the_opening_on(day: DrawDay, phone: Phone) -> None:
    page = words_of(phone.get(f"/draws/{day.draw_id}", "Mon 10:30").text)
    assert "当晚福彩快乐8" in page
    assert "今天 21:30 以后可以填，最晚 23:30" in page
    assert "抽完就不再改" in page
    slot = words_of(phone.get(f"/slots/{day.yoga}", "Mon 10:30").text)
    assert "21:40 或更晚 出结果" in slot


def test_the_page_asks_for_the_versions_once(app: Flask, day: DrawDay, phone: Phone) -> None:
    day.tick("Mon 12:00")
    phone.post(f"/draws/{day.draw_id}/value", "Mon 21:35", data={"value": NUMBERS, "again": NUMBERS})
    day.session.rollback()
    day.tick("Mon 21:46")
    phone.get(f"/draws/{day.draw_id}", "Mon 21:47")  # its results are kept from then on
    with app.app_context(), statements.heard(db.engine) as sent:
        assert NUMBERS in phone.get(f"/draws/{day.draw_id}", "Mon 21:48").text
    assert sum("FROM draw_value" in one.text for one in sent) == 1


def test_who_entered_types_it_and_it_is_drawn(app: Flask, day: DrawDay, phone: Phone) -> None:
    day.tick("Mon 12:00")
    path, both = f"/draws/{day.draw_id}", {"value": NUMBERS.replace(" ", "，"), "again": NUMBERS}
    assert "<textarea" not in phone.get(path, "Mon 21:00").text
    assert 'name="again"' not in phone.get(path, "Mon 21:00").text
    assert 'name="again"' in phone.get(path, "Mon 21:35").text
    answer = phone.post(f"{path}/value", "Mon 21:35", data=both)
    assert "记下了。10 分钟内没有人更正，就用它来抽。" in answer.text
    day.session.rollback()
    day.tick("Mon 21:46")
    page = words_of(Phone(app, day).get(path, "Mon 21:47").text)  # type: ignore[arg-type]
    assert f"{NUMBERS} 报了名的人 · 今天 21:35" in page
    assert "周明" not in page
    assert 'name="again"' not in phone.get(path, "Mon 21:47").text


SENTENCES = {
    "nineteen": (NUMBERS[:-3], "要填 20 个号码，这里有 19 个。"),
    "twice": (NUMBERS.replace("02", "01"), "1 填了两次"),
    "out of range": (NUMBERS.replace("20", "81"), "“81”不在 1 到 80 之间"),
    "letters": (NUMBERS.replace("20", "2o"), "“2o”不是数"),
    "nothing": ("", "这一项要填。"),
    "too long": ("1 " * 300, "最多 400 个字。"),
}


@pytest.mark.parametrize("case", SENTENCES)
def test_a_wrong_value_is_kept_with_a_sentence_at_its_field(day: DrawDay, phone: Phone, case: str) -> None:
    typed, sentence = SENTENCES[case]
    day.tick("Mon 12:00")
    answer = phone.post(f"/draws/{day.draw_id}/value", "Mon 21:35", data={"value": typed, "again": typed})
    assert answer.status_code == 422
    error = re.search(r'id="value-error".*?</p>', answer.text, re.DOTALL)
    assert error
    assert sentence in error[0]
    assert f'value="{typed.strip()}"' in answer.text
    assert day.session.scalars(select(DrawValue)).all() == []


def test_two_that_differ_and_one_too_early_are_said_at_their_fields(day: DrawDay, phone: Phone) -> None:
    day.tick("Mon 12:00")
    path = f"/draws/{day.draw_id}/value"
    answer = phone.post(path, "Mon 21:29", data={"value": NUMBERS, "again": NUMBERS})
    assert re.search(r'id="value-error".*?21:30 以后才能填', answer.text, re.DOTALL)
    answer = phone.post(path, "Mon 21:35", data={"value": NUMBERS, "again": NUMBERS[3:] + " 21"})
    assert re.search(r'id="again-error".*?两次填的不一样', answer.text, re.DOTALL)


def test_who_has_no_part_in_it_cannot_type(app: Flask, day: DrawDay) -> None:
    day.tick("Mon 12:00")
    other = Phone(app, day, "李静")  # type: ignore[arg-type]
    assert 'name="again"' not in other.get(f"/draws/{day.draw_id}", "Mon 21:35").text
    assert other.post(f"/draws/{day.draw_id}/value", "Mon 21:35", data={}).status_code == 404


def test_nobody_typed_it_and_the_page_says_so(day: DrawDay, phone: Phone) -> None:
    day.tick("Mon 12:00")
    day.tick("Mon 23:30")
    for path in (f"/slots/{day.yoga}", f"/draws/{day.draw_id}", "/me"):
        assert "到时候没有人填公开的数" in phone.get(path, "Mon 23:31").text


def test_it_is_said_in_english_too(app: Flask, day: DrawDay, phone: Phone) -> None:
    day.tick("Mon 12:00")
    day.session.get_one(Person, day.people["周明"]).language = "en"
    day.session.commit()
    data = {"value": "1 2", "again": "1 2"}
    page = words_of(phone.post(f"/draws/{day.draw_id}/value", "Mon 21:35", data=data).text)
    assert "20 numbers are needed, here are 2." in page
    assert "until 23:30 at the latest" in page
    assert (
        re.findall(
            r"[\u4e00-\u9fff]{3,}", page.replace("国贸白领驿站", "").replace("当晚福彩快乐8", "").replace("书法 ", "")
        )
        == []
    )
