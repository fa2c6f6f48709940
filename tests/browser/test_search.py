"""The search as one types, in Chromium at phone width."""

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.model import Activity, Slot
from tests.support.clock import Wall
from tests.support.lunch_hour import LunchHour

pytestmark = pytest.mark.sqlite


def test_results_follow_the_letters_and_the_chips_and_so_does_the_address(
    session: Session, page: Page, wall: Wall
) -> None:
    lunch = LunchHour(session)
    lunch.slot("Wed 12:10")
    with transactions.transaction(session):
        tea = Activity(station_id=lunch.station_id, kind="tea", title="岩茶品饮")
        session.add(tea)
        session.flush()
        session.execute(update(Slot).where(Slot.id != lunch.slot_id).values(activity_id=tea.id))
    wall.set("Mon 11:00")
    page.goto("/s/cbd/find")
    cards = page.locator("#found [data-slot]")
    expect(cards).to_have_count(2)
    page.get_by_role("searchbox").press_sequentially("岩茶")
    expect(cards).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/find\?q=%E5%B2%A9%E8%8C%B6$"))
    page.get_by_role("link", name="瑜伽").click()
    expect(page.get_by_role("heading", name="没有找到“岩茶”")).to_be_visible()
    page.get_by_role("searchbox").fill("")
    expect(cards).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/find\?kind=yoga$"))
