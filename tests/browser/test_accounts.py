"""A new colleague's first and last day, in Chromium at phone width: with script, and without."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy.orm import Session

from booking import clock, people
from booking.db import transactions
from tests.support import chromium
from tests.support.network_cast import PASSWORD as LINS_PASSWORD
from tests.support.network_cast import Network
from tests.support.screens import fits, sign_out

PASSWORD = "a fine noon"


@pytest.fixture
def network(session: Session) -> Network:
    return Network(session)


@pytest.mark.sqlite
@pytest.mark.parametrize("script", [pytest.param(True, marks=pytest.mark.whole), False])
def test_from_registering_to_leaving(network: Network, browser: Browser, live: str, script: bool) -> None:
    with chromium.opened(browser, live, java_script_enabled=script) as page:
        register(page, network)
        change_name(page)
        sign_out_and_in_by_code(page, network)
        choose_english(page)
        leave(page)


@pytest.mark.sqlite
def test_a_double_tap_sends_a_form_once(network: Network, browser: Browser, live: str) -> None:
    """A code counts once: the second press would say that it is wrong, and the first one's answer would be lost."""
    with chromium.opened(browser, live) as page:
        page.goto("/account/register")
        page.get_by_label("邮箱").fill("new@example.com")
        page.get_by_role("button", name="发验证码").click()
        page.get_by_label("验证码").fill(network.code("new@example.com"))
        page.get_by_label("怎么称呼你").fill("苏晚")
        page.get_by_label("我看过并同意").check()
        button = page.get_by_role("button", name="完成注册")
        button.scroll_into_view_if_needed()
        box = button.bounding_box()
        assert box
        sent: list[Route] = []

        def hold(route: Route) -> None:
            sent.append(route)

        page.route(re.compile("/account/register/finish"), hold)
        for _tap in range(2):
            page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            page.wait_for_timeout(200)
        assert len(sent) == 1
        sent[0].continue_()
        expect(page.get_by_text("注册好了。")).to_be_visible()


@pytest.mark.sqlite
@pytest.mark.parametrize("by_code", [True, False])
def test_what_was_typed_is_back_after_a_sign_in_that_had_ended(
    network: Network, browser: Browser, live: str, by_code: bool
) -> None:
    with chromium.opened(browser, live) as page:
        page.goto("/account/sign-in?next=/manage/cbd/activities/new")
        enter(page, network, by_code=False)
        page.get_by_label("名称", exact=True).fill("八段锦")
        page.get_by_label("介绍", exact=True).fill("站着练，\n五十分钟。")
        page.locator("[name=kind]").select_option("talk")
        with transactions.transaction(network.session) as session:
            people.end_sign_ins(session, network.ids["林经理"], clock.now())
        page.get_by_role("button", name="保存").click()
        enter(page, network, by_code=by_code)
        expect(page.get_by_text("你填过的已经放回来")).to_be_visible()
        expect(page.get_by_label("名称", exact=True)).to_have_value("八段锦")
        expect(page.get_by_label("介绍", exact=True)).to_have_value("站着练，\n五十分钟。")
        expect(page.locator("[name=kind]")).to_have_value("talk")
        page.get_by_role("button", name="保存").click()
        expect(page.locator(".offers")).to_contain_text("八段锦")
        page.goto("/manage/cbd/activities/new")
        expect(page.get_by_label("名称", exact=True)).to_have_value("")
        assert page.evaluate("sessionStorage.length") == 0


def enter(page: Page, network: Network, *, by_code: bool) -> None:
    expect(page.get_by_role("heading", name="登录")).to_be_visible()
    page.get_by_label("邮箱").fill("lin@example.com")
    if by_code:
        page.get_by_role("button", name="发验证码到邮箱").click()
        page.get_by_label("验证码").fill(network.code("lin@example.com"))
    else:
        page.get_by_label("密码").fill(LINS_PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_label("名称", exact=True)).to_be_visible()


def register(page: Page, network: Network) -> None:
    page.goto("/account/sign-in?next=/account/")
    page.get_by_role("link", name="注册新账号").click()
    page.wait_for_url(re.compile("/account/register"))
    page.get_by_label("邮箱").fill("new@example.com")
    page.get_by_role("button", name="发验证码").click()
    page.get_by_label("验证码").fill("00")
    page.get_by_label("怎么称呼你").fill("苏晚")
    page.get_by_role("button", name="完成注册").click()
    expect(page.get_by_text("验证码是 6 位数字。")).to_be_visible()
    expect(page.get_by_label("怎么称呼你")).to_have_value("苏晚")
    page.get_by_label("验证码").fill(network.code("new@example.com"))
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_label("我看过并同意").check()
    page.get_by_role("button", name="完成注册").click()
    expect(page.get_by_role("heading", name="苏晚")).to_be_visible()
    assert_fits(page)


def change_name(page: Page) -> None:
    page.get_by_label("称呼").fill("苏晚晚")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("已保存。")).to_be_visible()
    expect(page.get_by_role("heading", name="苏晚晚")).to_be_visible()


def sign_out_and_in_by_code(page: Page, network: Network) -> None:
    sign_out(page)
    page.goto("/account/")
    expect(page.get_by_role("heading", name="登录")).to_be_visible()
    page.get_by_label("邮箱").fill("new@example.com")
    page.get_by_role("button", name="发验证码到邮箱").click()
    expect(page.get_by_label("验证码")).to_be_visible()
    page.get_by_label("验证码").fill(network.code("new@example.com"))
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", name="苏晚晚")).to_be_visible()


def choose_english(page: Page) -> None:
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.goto("/account/delete")
    assert_fits(page)
    page.goto("/account/")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


def leave(page: Page) -> None:
    page.get_by_role("link", name="注销账号").click()
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="注销账号").click()
    expect(page.get_by_text("账号已经注销。")).to_be_visible()
    page.goto("/account/")
    expect(page.get_by_role("heading", name="登录")).to_be_visible()


def assert_fits(page: Page) -> None:
    """Nothing is wider than the phone, and every target is as large as a thumb."""
    assert fits(page)
    small: list[Any] = [
        box
        for button in page.locator(".main button").all()
        if (box := button.bounding_box()) and (box["height"] < 44 or box["width"] < 44)
    ]
    assert small == []
