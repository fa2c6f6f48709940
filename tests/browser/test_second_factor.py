"""Two-step verification in Chromium at phone width: set up, recovery codes kept, signed in with both steps."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session

from booking import clock
from booking.people import totp
from tests.browser.test_for_everyone import PHONE, RULES
from tests.support import chromium
from tests.support.network_cast import PASSWORD, Network
from tests.support.screens import fits, picture, sign_out


@pytest.fixture
def network(session: Session) -> Network:
    return Network(session)


@pytest.mark.sqlite
@pytest.mark.parametrize("script", [pytest.param(True, marks=pytest.mark.whole), False])
def test_a_manager_sets_it_up_and_signs_in_with_it(network: Network, browser: Browser, live: str, script: bool) -> None:
    with chromium.opened(browser, live, **PHONE, java_script_enabled=script) as page:
        first_step(page)
        page.goto("/account/")
        page.get_by_role("link", name="两步验证").click()
        secret = page.locator(".secret").inner_text().replace(" ", "")
        page.get_by_label("6 位数字").fill(totp.code(secret, clock.now()))
        page.get_by_role("button", name="开启两步验证").click()
        expect(page.get_by_role("heading", name="恢复码")).to_be_visible()
        codes = page.locator(".recovery-codes code").all_inner_texts()
        assert fits(page)
        picture(page, "zh", "light", "manager", "/account/second-factor/recovery-codes")
        page.get_by_role("link", name="存好了，继续").click()
        expect(page.get_by_text("还有 10 个没用过的恢复码。")).to_be_visible()
        page.goto("/account/")
        sign_out(page)
        first_step(page)
        page.get_by_label("6 位数字").fill("000")
        page.get_by_role("button", name="登录").click()
        expect(page.get_by_text("请填 6 位数字，或者一个 20 位的恢复码。")).to_be_visible()
        assert fits(page)
        picture(page, "zh", "light", "nobody", "/account/sign-in/second-step")
        page.get_by_label("6 位数字").fill(codes[0])
        page.get_by_role("button", name="登录").click()
        expect(page.get_by_text("用掉了一个恢复码，还剩 9 个。")).to_be_visible()


@pytest.mark.sqlite
def test_axe_finds_nothing_between_the_pages_that_links_lead_to(network: Network, browser: Browser, live: str) -> None:
    """The recovery codes and the second step: the sweep over all pages cannot come there."""
    axe = Axe()

    def wrong(page: Page) -> list[Any]:
        return [one["id"] for one in axe.run(page, options={"runOnly": RULES}).response["violations"]]

    with chromium.opened(browser, live, **PHONE, color_scheme="dark") as page:
        first_step(page)
        page.goto("/account/second-factor")
        secret = page.locator(".secret").inner_text().replace(" ", "")
        page.get_by_label("6 位数字").fill(totp.code(secret, clock.now()))
        page.get_by_role("button", name="开启两步验证").click()
        expect(page.get_by_role("heading", name="恢复码")).to_be_visible()
        assert wrong(page) == []
        page.get_by_role("link", name="存好了，继续").click()
        expect(page.get_by_text("还有 10 个没用过的恢复码。")).to_be_visible()
        assert wrong(page) == []
        page.context.clear_cookies()
        first_step(page)
        expect(page.get_by_role("heading", name="两步验证")).to_be_visible()
        assert wrong(page) == []


def first_step(page: Page) -> None:
    page.goto("/account/sign-in?next=/account/")
    page.get_by_label("邮箱").fill("lin@example.com")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()
    page.wait_for_url(lambda url: "sign-in?" not in url)
