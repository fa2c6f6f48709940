"""The way out to a link in Chromium, which holds the redirect of a form against the page's policy."""

from collections.abc import Iterator

import pytest
import time_machine
from playwright.sync_api import Browser, Route, expect
from sqlalchemy.orm import Session

from booking import slots
from booking.queries import watch_links
from tests.support import chromium
from tests.support.lunch_hour import LunchHour, at
from tests.support.screens import fits, picture

pytestmark = pytest.mark.sqlite
LIVE = "https://live.bilibili.com/21?from=a&to=b"


@pytest.fixture
def lunch(session: Session) -> Iterator[LunchHour]:
    """Tuesday, five minutes before the start of a slot that can also be watched online."""
    with time_machine.travel(at("12:05:01"), tick=True):
        lunch = LunchHour(session)
        hosts = ("live.bilibili.com",)
        slots.set_watch_link(session, lunch.slot_id, LIVE, hosts, at("Mon 09:00"), lunch.manager_id)
        yield lunch


@pytest.mark.parametrize(("script", "locale", "press"), [(True, "zh-CN", "在线看"), (False, "en-GB", "Watch online")])
def test_a_press_leads_out_and_back_leads_to_the_slot(
    browser: Browser, live: str, lunch: LunchHour, script: bool, locale: str, press: str
) -> None:
    device = chromium.PHONE | {"java_script_enabled": script, "locale": locale}
    context = browser.new_context(base_url=live, **device)
    page, said, came = context.new_page(), list[str](), list[dict[str, str]]()
    page.on("console", lambda message: said.append(message.text))

    def arrive(route: Route) -> None:
        came.append(route.request.headers)
        route.fulfill(content_type="text/html", body="<h1>live</h1>")

    context.route("https://live.bilibili.com/**", arrive)
    page.goto(f"/slots/{lunch.slot_id}")
    assert fits(page)
    picture(page, "watch", locale)
    page.get_by_role("button", name=press).click()
    expect(page.get_by_role("heading", name="live")).to_be_visible()
    expect(page).to_have_url(LIVE)
    assert len(came) == 1
    assert "referer" not in came[0]
    page.go_back()
    expect(page).to_have_url(f"{live}/slots/{lunch.slot_id}")
    expect(page.get_by_role("button", name=press)).to_be_visible()
    assert not [line for line in said if "Content Security Policy" in line]
    context.close()
    lunch.session.rollback()
    assert watch_links.opened(lunch.session, lunch.slot_id) == 1
