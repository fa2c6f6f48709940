"""Entering before Flask: the same answer as the app gives, with everybody's own entry and everybody counted."""

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from booking.draws import entering
from tests.support.draw_cast import DrawDay
from tests.support.lunch_hour import NAMES
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import HTMX, Card, Phone, card_in

pytestmark = pytest.mark.sqlite


@pytest.fixture
def day(app: Flask, session: Session) -> DrawDay:
    seed_workdays(session)
    session.commit()
    return DrawDay(session)


def tap(app: Flask, day: DrawDay, who: str, clock: str, slot_id: int) -> Card:
    phone = Phone(app, day, who)  # type: ignore[arg-type]
    form = {"back": "day", "key": f"{who}-{slot_id}"}
    return card_in(phone.post(f"/slots/{slot_id}/book", clock, data=form, headers=HTMX).text, slot_id)


def test_everybody_is_answered_about_their_own_entry(app: Flask, day: DrawDay) -> None:
    for number, who in enumerate(NAMES, 1):
        card = tap(app, day, who, "Mon 10:30", day.yoga)
        assert (card.data["mine"], card.data["allocation"]) == ("entered", "draw")
        assert f"全天 {number} 人报名 6 个名额 · 12:01 出结果" in card.words
        assert "已报名，第 1 志愿（还不是预约）" in card.words
        assert re.findall(r'action="/entries/(\d+)/leave"', card.html) == [str(day.entry(who).id)]
    second = tap(app, day, NAMES[0], "Mon 10:31", day.tea)
    assert "已报名，第 2 志愿（还不是预约）" in second.words
    assert f"全天 {len(NAMES)} 人报名" in second.words


@pytest.mark.parametrize("slot", ["yoga", "tea"])
def test_the_answer_is_that_of_the_app(app: Flask, day: DrawDay, slot: str) -> None:
    """The first answer is made by the app, the next ones from its texts."""
    slot_id = getattr(day, slot)
    first, second = (tap(app, day, who, "Mon 10:30", slot_id) for who in NAMES[:2])

    def plain(card: Card, number: int, who: str) -> str:
        html = re.sub(r'(name="(?:key|csrf_token)" value=")[^"]*', r"\1", card.html)
        return html.replace(f"{number} 人报名", "N 人报名").replace(f"/entries/{day.entry(who).id}/", "/entries/N/")

    assert plain(second, 2, NAMES[1]) == plain(first, 1, NAMES[0])


def test_what_is_refused_says_why(app: Flask, day: DrawDay) -> None:
    tap(app, day, NAMES[0], "Mon 10:30", day.yoga)
    for slot_id in (day.crafts, day.tea):
        tap(app, day, NAMES[0], "Mon 10:31", slot_id)
    closed = tap(app, day, NAMES[1], "Mon 12:00", day.yoga)
    assert "名单已经封存" in closed.words or 'data-refusal="draw_closed"' in closed.html


def test_a_slot_that_has_been_drawn_is_booked_again(app: Flask, day: DrawDay) -> None:
    """What a process has learnt of it before does not last."""
    tap(app, day, NAMES[0], "Mon 10:30", day.yoga)
    day.session.rollback()
    day.draw_all()
    for who, mine in ((NAMES[1], "booked"), (NAMES[2], "waiting")):
        assert tap(app, day, who, "Mon 12:05", day.yoga).data["mine"] == mine


def test_when_the_batch_cannot_be_written_everybody_enters_alone(
    app: Flask, day: DrawDay, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        return {}  # type: ignore[return-value]

    monkeypatch.setattr(entering, "_written", fails)
    for number, who in enumerate(NAMES[:2], 1):
        card = tap(app, day, who, "Mon 10:30", day.yoga)
        assert card.data["mine"] == "entered"
        assert f"全天 {number} 人报名" in card.words
