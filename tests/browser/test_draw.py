"""The proof of a draw in Chromium: the phone recomputes what the app has drawn, and what was tampered with does not fit."""

from datetime import time

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update
from sqlalchemy.orm import Session

from booking import draws
from booking.model import DrawEntry, DrawValue, Person, Plan
from tests.support.draw_cast import DrawDay
from tests.support.lunch_hour import at

pytestmark = pytest.mark.sqlite


def drawn(session: Session, kind: str) -> DrawDay:
    """Two pairs, one of whom is gone by then, and others."""
    day = DrawDay(session)
    if kind != "none":
        session.execute(update(Plan).values(value_kind=kind, value_source="收盘点位", value_clock=time(15)))
        session.commit()
        day.plan(at("Mon 08:00"))
    one, other, *more = day.people
    day.pair(one, other, "Mon 10:00", day.yoga, day.crafts)
    day.pair(more.pop(), more.pop(), "Mon 10:00", day.crafts)
    for name in more:
        day.enter(name, "Mon 10:00", day.yoga, day.crafts)
    day.tick("Mon 09:00")
    day.tick("Mon 12:00")
    session.execute(update(Person).where(Person.id == day.people[one]).values(disabled_at=at("Mon 12:00")))
    session.commit()
    day.tick("Mon 12:01")
    if kind != "none":
        draws.type_value(session, day.draw_id, day.people[other], "3412.56", "3,412.56", at("Mon 15:00"))
        day.tick("Mon 15:10")
    return day


@pytest.mark.parametrize("kind", ["none", "digits"])
def test_a_phone_recomputes_a_draw(page: Page, live: str, session: Session, kind: str) -> None:
    day = drawn(session, kind)
    page.goto(f"{live}/draws/{day.draw_id}")
    page.get_by_role("button", name="在这台手机上重算").click()
    expect(page.locator('[data-recomputed="ok"]')).to_be_visible()
    expect(page.get_by_text("对上了：名单、密数、顺序和每个人的结果都和公布的一样。")).to_be_visible()
    if kind != "none":
        session.execute(update(DrawValue).values(value="3412.57"))
        session.commit()
        page.get_by_role("button", name="在这台手机上重算").click()
        expect(page.locator('[data-recomputed="value"]')).to_be_visible()
    session.execute(update(DrawEntry).where(DrawEntry.no == 2).values(balls=1))
    session.commit()
    page.get_by_role("button", name="在这台手机上重算").click()
    expect(page.locator('[data-recomputed="list_sha256"]')).to_be_visible()
