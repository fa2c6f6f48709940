"""A draw with seats for the door: how the plan says it, and how cards and pages do."""

import re

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.model import Plan
from tests.support.draw_cast import DrawDay
from tests.support.lunch_hour import NAMES
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import Phone, card_in, words_of

pytestmark = pytest.mark.sqlite
DOOR = "另有 3 个名额不抽签，给到现场的人：11:55 起在门口排队，12:10 按先后给。"


def test_card_and_page_tell_both_numbers(app: Flask, session: Session) -> None:
    seed_workdays(session)
    session.commit()
    day = DrawDay(session, capacity=15, share=80)
    phone = Phone(app, day, NAMES[0])  # type: ignore[arg-type]
    card = card_in(phone.day("Mon 10:30"), day.yoga)
    assert card.data["allocation"] == "mixed"
    assert "12 个名额抽签，3 个现场" in card.words
    page = phone.get(f"/slots/{day.yoga}", "Mon 10:30").text
    assert 'data-allocation="mixed"' in page
    assert DOOR in words_of(page)
    assert "0 人报名 36 个名额" in words_of(page)
    for name in NAMES:
        day.enter(name, "Mon 10:40")
    day.draw_all()
    assert "还剩 4 个名额" in card_in(phone.day("Mon 12:03"), day.yoga).words
    assert DOOR in words_of(phone.get(f"/slots/{day.yoga}", "Mon 12:03").text)
    assert DOOR not in words_of(phone.get(f"/slots/{day.yoga}", "Tue 12:10").text)


REFUSED = ["49", "96", "100", "x"]


def test_a_plan_is_made_mixed_and_shown_so(app: Flask, session: Session) -> None:
    seed_workdays(session)
    session.commit()
    day = DrawDay(session)
    plan = session.get_one(Plan, day.plans[0])
    day.people["店长"] = day.manager_id
    manager, path = Phone(app, day, "店长"), f"/manage/cbd/plans/{plan.id}"  # type: ignore[arg-type]
    sent = {"activity_id": plan.activity_id, "zone_id": plan.zone_id, "weekdays": list("12345"), "starts": "12:10",
            "minutes": "30", "capacity": "15", "valid_from": "2026-11-24", "valid_until": "2026-11-24"}  # fmt: skip
    assert '<option selected value="draw">' in manager.get(path, "Mon 08:00").text
    for share in REFUSED:
        page = manager.post(path, "Mon 08:00", data=sent | {"allocation": "mixed", "draw_share": share}).text
        assert re.search(rf'name="draw_share"[^>]* value="{share}"', page)
        assert 'id="draw_share-error"' in page
    for allocation, share, stored in (
        ("mixed", "", ("draw", 80)),
        ("mixed", "６０", ("draw", 60)),
        ("draw", "60", ("draw", 100)),
    ):
        manager.post(path, "Mon 08:00", data=sent | {"allocation": allocation, "draw_share": share})
        session.rollback()
        columns = select(Plan.allocation, Plan.draw_share).where(Plan.id == plan.id)
        assert tuple(session.execute(columns).one()) == stored
        assert f'<option selected value="{allocation}">' in manager.get(path, "Mon 08:00").text
