"""The manager in Chromium: Monday at the desk, noon at the door, the screen that hangs there."""

from dataclasses import dataclass

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session

from booking import people, slots
from booking.db import transactions
from booking.model import Activity, JobRun, Person, Plan, Slot, Station, Zone
from tests.support import chromium
from tests.support.clock import Wall
from tests.support.lunch_hour import LONG_BEFORE, LunchHour, at
from tests.support.screens import fits
from tests.support.snapshots import seed_workdays

PASSWORD = "noon-hour-at-the-station"
DESK = {"viewport": {"width": 1280, "height": 800}, "has_touch": False, "device_scale_factor": 1}
ZONES = (
    "展墙",
    "健身区",
    "红色直播间",
    "会议室",
    "手工坊",
    "会客厅",
    "阅读角",
    "茶艺室",
    "摄影棚",
    "书画室",
    "多功能厅",
)
POLL = 6_000  # ms: the screen at the door asks every five seconds

# One way in `make test`, and the other one too with --whole.
WITH, WITHOUT = pytest.param(True, id="with-script"), pytest.param(False, id="without-script")
BY_SCRIPT = pytest.mark.parametrize("script", [WITH, pytest.param(False, id="without-script", marks=pytest.mark.whole)])
BY_FORM = pytest.mark.parametrize("script", [pytest.param(True, id="with-script", marks=pytest.mark.whole), WITHOUT])

pytestmark = pytest.mark.sqlite


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Three seats on Tuesday at 12:10 for 周明, 李静 and 王磊; 陈晨 waits. The manager and 周明 can sign in."""
    lunch = LunchHour(session, capacity=3)
    kept = people.hash_password(PASSWORD)
    with transactions.transaction(session):
        seed_workdays(session)
        session.add(
            JobRun(name="promote", every=2, started_at=LONG_BEFORE, seen_at=at("Fri 23:00"))
        )  # the scheduler runs
        for person_id, email in ((lunch.manager_id, "desk@example.com"), (lunch.people["周明"], "zhou@example.com")):
            person = session.get_one(Person, person_id)
            person.email, person.password_hash = email, kept
    for name in ("周明", "李静", "王磊", "陈晨"):
        lunch.book(name, "Mon 10:00")
    return lunch


@dataclass
class Scene:
    page: Page
    lunch: LunchHour
    wall: Wall


@BY_FORM
def test_monday_at_the_desk(browser: Browser, live: str, lunch: LunchHour, wall: Wall, script: bool) -> None:
    wall.set("Mon 11:00")
    with chromium.opened(browser, live, java_script_enabled=script, **DESK) as page:
        chromium.sign_in(page, "desk@example.com", PASSWORD, "/manage/cbd/")
        scene = Scene(page, lunch, wall)
        writes_an_activity_and_a_zone(scene)
        plans_it_weekly(scene)
        lowers_a_number_and_is_asked_first(scene)
        raises_it_again(scene)
        gives_a_day_off(scene)
        calls_a_slot_off(scene)


@BY_SCRIPT
def test_a_question_about_a_day_is_in_sight_on_a_phone(
    browser: Browser, live: str, lunch: LunchHour, wall: Wall, script: bool
) -> None:
    wall.set("Mon 11:00")
    with chromium.opened(browser, live, java_script_enabled=script) as page:
        chromium.sign_in(page, "desk@example.com", PASSWORD, "/manage/cbd/calendar")
        page.get_by_role("link", name="11月24日周二").click()
        page.get_by_role("button", name="这天休息").click()
        expect(page.get_by_role("button", name="仍然保存")).to_be_in_viewport()
        page.get_by_role("button", name="仍然保存").click()
        expect(page.get_by_role("button", name="撤销").first).to_be_in_viewport()
        expect(page.locator("#flashes .notice")).to_be_in_viewport()
        page.get_by_role("button", name="撤销").first.click()
        expect(page.locator("main")).to_contain_text("11月24日周二原来是：这天休息")


@BY_SCRIPT
def test_a_form_of_an_ended_sign_in_is_sent_again(
    browser: Browser, live: str, lunch: LunchHour, wall: Wall, script: bool
) -> None:
    wall.set("Mon 11:00")
    with chromium.opened(browser, live, java_script_enabled=script) as page:
        chromium.sign_in(page, "desk@example.com", PASSWORD, "/manage/cbd/zones")
        page.get_by_label("名称", exact=True).fill("多功能厅")
        page.get_by_label("最多几人").fill("20")
        page.context.clear_cookies()
        page.get_by_role("button", name="加上").click()
        expect(page.locator(".error-page")).to_contain_text("登录变了，或者页面放得太久了")
        assert fits(page)
        with page.expect_popup() as opened:
            page.get_by_role("link", name="登录", exact=True).click()
        other = opened.value
        other.get_by_label("邮箱").fill("desk@example.com")
        other.get_by_label("密码", exact=True).fill(PASSWORD)
        other.get_by_role("button", name="登录", exact=True).click()
        other.wait_for_url("**/manage/cbd/zones")
        page.go_back()
        expect(page.get_by_label("名称", exact=True)).to_have_value("多功能厅")
        page.get_by_label("最多几人").fill("20")  # numbers are fields without memory
        page.get_by_role("button", name="加上").click()
        expect(page.locator(".lines")).to_contain_text("最多 20 人")


def go(page: Page, room: str) -> None:
    """Follow a link of the bar, and wait: the page before may have the same fields."""
    with page.expect_navigation():
        page.get_by_role("navigation", name="驿站管理").get_by_role("link", name=room, exact=True).click()


def writes_an_activity_and_a_zone(scene: Scene) -> None:
    page = scene.page
    go(page, "活动")
    page.get_by_role("link", name="加一个").click()
    page.get_by_label("名称", exact=True).fill("八段锦 <b>")
    page.get_by_label("要带什么", exact=True).fill("平底鞋")
    page.get_by_text("八段锦", exact=True).click()
    page.get_by_role("button", name="保存").click()
    expect(page.locator(".offers")).to_contain_text("八段锦 <b>")
    go(page, "场地")
    page.get_by_label("名称", exact=True).fill("多功能厅")
    page.get_by_label("最多几人").fill("零")
    page.get_by_role("button", name="加上").click()
    expect(page.locator("#capacity-error")).to_contain_text("请填 1 到 1000 之间的数")
    expect(page.get_by_label("名称", exact=True)).to_have_value("多功能厅")
    page.get_by_label("最多几人").fill("２０")
    page.get_by_role("button", name="加上").click()
    expect(page.locator(".lines")).to_contain_text("最多 20 人")


def plans_it_weekly(scene: Scene) -> None:
    page = scene.page
    go(page, "排期")
    page.get_by_role("link", name="加一条").click()
    page.get_by_label("活动").select_option("八段锦 <b>")
    page.get_by_label("场地").select_option("多功能厅（最多 20 人）")
    for day in ("周二", "周四"):
        page.get_by_label(day).check()
    page.get_by_label("开始").fill("12:00")
    page.get_by_label("名额", exact=True).fill("12")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("#flashes")).to_contain_text("新增 4 场")
    go(page, "本周排期")
    expect(page.locator(".board .chip", has_text="八段锦 <b>")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollHeight") <= 800


def lowers_a_number_and_is_asked_first(scene: Scene) -> None:
    page, lunch = scene.page, scene.lunch
    go(page, "场次")
    row = page.locator(f"#slot_row-{lunch.slot_id}")
    row.get_by_label("名额", exact=True).fill("2")
    row.get_by_role("button", name="修改").click()
    expect(page.get_by_text("已经有 3 人预约")).to_be_visible()
    expect(page.locator(".move-down")).to_contain_text("王磊")
    assert lunch.now().capacity == 3
    page.get_by_role("button", name="移动这 1 人").click()
    expect(page.get_by_text("王磊 移到候补最前面")).to_be_visible()
    assert (lunch.now().capacity, lunch.states("王磊", "陈晨")) == (2, ["waiting", "waiting"])


def raises_it_again(scene: Scene) -> None:
    page, lunch = scene.page, scene.lunch
    go(page, "场次")
    row = page.locator(f"#slot_row-{lunch.slot_id}")
    row.get_by_label("名额", exact=True).fill("4")
    row.get_by_role("button", name="修改").click()
    expect(page.get_by_text("王磊 的名额还在，没发出的信撤下了；候补里 陈晨 补上了")).to_be_visible()
    expect(page.locator(f"#slot_row-{lunch.slot_id}")).to_have_attribute("data-left", "0")


def gives_a_day_off(scene: Scene) -> None:
    page = scene.page
    go(page, "日历")
    page.get_by_role("link", name="11月26日周四").click()
    expect(page.locator("#day")).to_contain_text("这一天有 1 场")
    page.get_by_label("说明").fill("大厦停电")
    page.get_by_role("button", name="这天休息").click()
    expect(page.locator("#flashes")).to_contain_text("撤下 1 场")
    go(page, "本周排期")
    expect(page.locator(".board")).to_contain_text("大厦停电")


def calls_a_slot_off(scene: Scene) -> None:
    page, lunch = scene.page, scene.lunch
    page.locator(".chip", has_text="白领瑜伽课堂").click()
    page.get_by_role("link", name="取消这一场").click()
    expect(page.locator("main")).to_contain_text("4 人已预约，0 人候补，每人会收到一封信")
    page.get_by_label("原因").fill("老师生病")
    page.get_by_role("button", name="取消这一场").click()
    expect(page.locator("main")).to_contain_text("已取消：老师生病")
    assert lunch.now().state == "cancelled"


def tap(page: Page, name: str, script: bool) -> None:
    """Tap a name at the door; with script the tap shows before it is sent, and the roster is read again after it."""
    button = page.get_by_role("button", name=name)
    if not script:
        button.click()
        return
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        button.click()
    page.wait_for_timeout(500)


@BY_SCRIPT
def test_noon_at_the_door(browser: Browser, live: str, lunch: LunchHour, wall: Wall, script: bool) -> None:
    wall.set("12:00")
    with chromium.opened(browser, live, java_script_enabled=script) as page:
        chromium.sign_in(page, "desk@example.com", PASSWORD, f"/manage/cbd/slots/{lunch.slot_id}")
        row = page.get_by_role("button", name="周明")
        assert (row.bounding_box() or {"height": 0})["height"] >= 56
        tap(page, "周明", script)
        expect(page.get_by_role("button", name="周明")).to_have_attribute("aria-pressed", "true")
        expect(page.locator(".counters")).to_contain_text("1已到")
        tap(page, "周明", script)
        expect(page.get_by_role("button", name="周明")).to_have_attribute("aria-pressed", "false")
        tap(page, "李静", script)
        expect(page.get_by_role("button", name="李静")).to_have_attribute("aria-pressed", "true")
        page.get_by_role("button", name="人到了").click()
        expect(page.locator(".roster .waiting")).to_contain_text("12:00 到场")
        assert fits(page)
        wall.set("12:15:01")
        lunch.tick("12:15:01")
        if not script:
            page.reload()
        # With script the roster asks again every five seconds.
        expect(page.get_by_role("button", name="陈晨")).to_have_attribute("aria-pressed", "true")
        page.locator("#q").fill("王")
        page.get_by_role("button", name="搜索").click()
        page.locator(".walk-in li", has_text="王磊").get_by_role("button", name="入座").click()
        expect(page.get_by_role("button", name="王磊")).to_have_attribute("aria-pressed", "true")
        assert lunch.states("周明", "李静", "陈晨", "王磊") == ["released", "attended", "attended", "attended"]


@BY_SCRIPT
def test_the_screen_at_the_door(browser: Browser, live: str, lunch: LunchHour, wall: Wall, script: bool) -> None:
    """With script the browser's own clock is put forward to its next question."""
    wall.set("12:00:25")
    with (
        chromium.opened(browser, live, java_script_enabled=script, **DESK) as screen,
        chromium.opened(browser, live, java_script_enabled=script) as phone,
    ):
        if script:
            screen.clock.install(time=at("12:00:25"))
        chromium.sign_in(screen, "desk@example.com", PASSWORD, "/manage/cbd/door")
        screen.get_by_role("button", name="把这个浏览器变成门口屏幕").click()
        if script:
            screen.get_by_role("button", name="确定").click()
        shown = screen.locator("#screen")
        first = shown.get_attribute("data-code") or ""
        expect(shown.locator(".digits")).to_have_text(f"{first[:3]} {first[3:]}")
        assert screen.evaluate("document.documentElement.scrollHeight") <= 800
        chromium.sign_in(phone, "zhou@example.com", PASSWORD, f"/door/cbd/in?code={first}")
        phone.get_by_role("button", name="签到").click()
        expect(phone.locator(".verdict")).to_have_text("签到成功")
        # The next code comes by itself: asked for by script, or by the page's own refresh.
        if script:
            wall.set("12:00:31")
            screen.clock.run_for(POLL)
        expect(shown).not_to_have_attribute("data-code", first, timeout=40_000)
        if script:
            survives_a_busy_server(screen)
        wall.set("12:16")
        lunch.tick("12:10")
        lunch.tick("12:15:01")
        if script:
            screen.clock.run_for(POLL)
        expect(shown.locator("[data-left]")).to_have_attribute("data-left", "2", timeout=40_000)
        with transactions.transaction(lunch.session) as session:
            slots.renew_door(session, session.get_one(Station, lunch.station_id), at("12:17"), lunch.manager_id)
        if script:
            screen.clock.run_for(POLL)
        expect(screen.locator("main")).to_contain_text("这块屏幕还没有配对", timeout=40_000)


def survives_a_busy_server(screen: Page) -> None:
    """An answer that is no screen is not shown, a lost network is waited out, and the screen asks again."""
    beside = screen.context.new_page()  # htmx reports a lost network to the console, which nobody reads at the door
    beside.goto("/door/cbd")
    beside.route("**/door/cbd", lambda route: route.fulfill(status=503, body="<h1>busy</h1>"))
    with beside.expect_response(lambda response: response.status == 503, timeout=40_000):
        beside.clock.run_for(POLL)
    asks_again(beside)
    beside.route("**/door/cbd", lambda route: route.abort())
    with beside.expect_event("requestfailed", timeout=40_000):
        beside.clock.run_for(POLL)
    asks_again(beside)
    beside.close()


def asks_again(screen: Page) -> None:
    """The trouble is over: the screen stood all the while, and is fresh again by itself."""
    expect(screen.locator(".digits")).to_be_visible()
    screen.unroute("**/door/cbd")
    with screen.expect_response(lambda response: response.status == 200, timeout=40_000):
        screen.clock.run_for(POLL)
    expect(screen.locator(".digits")).to_be_visible()


def test_a_full_week_of_eleven_zones_fits_one_screen(
    browser: Browser, live: str, app: Flask, lunch: LunchHour, wall: Wall
) -> None:
    wall.set("Mon 11:00")
    with transactions.transaction(lunch.session) as session:
        activity = session.query(Activity).filter_by(station_id=lunch.station_id).one()
        for name in ZONES[:-1]:
            zone = Zone(station_id=lunch.station_id, name=name, capacity=20)
            session.add(zone)
            session.flush()
            plan = Plan(
                station_id=lunch.station_id,
                activity_id=activity.id,
                zone_id=zone.id,
                weekdays="12345",
                starts=at("12:10").time(),
                minutes=50,
                capacity=15,
                valid_from=LONG_BEFORE.date(),
            )
            slots.save_plan(session, plan, at("Mon 09:00"))
        assert session.query(Slot).count() > 50
    with chromium.opened(browser, live, **DESK) as page:
        chromium.sign_in(page, "desk@example.com", PASSWORD, "/manage/cbd/week")
        expect(page.locator(".board .chip")).to_have_count(51)
        assert page.evaluate("document.documentElement.scrollHeight") <= 800
        assert fits(page)
        page.set_viewport_size({"width": 390, "height": 844})
        assert fits(page)


def test_a_long_heading_and_a_state_fit_the_narrowest_phone(
    browser: Browser, live: str, lunch: LunchHour, wall: Wall
) -> None:
    wall.set("Mon 11:00")
    narrow = {"viewport": {"width": 320, "height": 844}, "device_scale_factor": 1}
    with chromium.opened(browser, live, **narrow) as page:
        chromium.sign_in(page, "desk@example.com", PASSWORD, "/manage/cbd/week/copy")
        assert fits(page)
        page.goto(f"/manage/cbd/people/{lunch.people['周明']}")
        assert page.evaluate("() => document.querySelector('.lines .pill').offsetHeight") < 30  # one line


def test_a_second_press_before_the_answer_is_none(browser: Browser, live: str, lunch: LunchHour, wall: Wall) -> None:
    wall.set("Mon 11:00")
    posts: list[str] = []
    with chromium.opened(browser, live, **DESK) as page:
        chromium.sign_in(page, "desk@example.com", PASSWORD, "/manage/cbd/zones")
        page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
        page.get_by_label("名称", exact=True).fill("手工坊")
        page.get_by_label("最多几人").fill("12")
        button = page.get_by_role("button", name="加上", exact=True)
        button.evaluate("button => { button.click(); setTimeout(() => button.click()); }")
        expect(page.get_by_text("场地加上了。")).to_be_visible()
        expect(page.get_by_text("已经有同名的了")).to_have_count(0)
    assert len(posts) == 1


def test_text_of_twice_the_size_fits_the_desk_on_a_phone(
    browser: Browser, live: str, lunch: LunchHour, wall: Wall
) -> None:
    wall.set("Tue 12:00")
    with transactions.transaction(lunch.session) as session:
        session.get_one(Person, lunch.manager_id).language = "en"
        session.query(Activity).one().title_en = "Floristry & Calligraphy"
    paths = ("", "week", "activities", "activities/ready-made", f"slots/{lunch.slot_id}/print")
    with chromium.opened(browser, live, device_scale_factor=1) as page:
        chromium.sign_in(page, "desk@example.com", PASSWORD, "/manage/cbd/")
        wide = []
        for path in paths:
            page.goto(f"/manage/cbd/{path}")
            page.evaluate("() => { document.documentElement.style.fontSize = '200%' }")
            wide += [] if fits(page) else [path]
        page.goto("/manage/cbd/policy")
        page.evaluate("() => { document.documentElement.style.fontSize = '200%' }")
        labels = page.locator(".setting label").evaluate_all("all => all.map(one => one.clientWidth / innerWidth)")
    assert wide == []
    assert min(labels) > 0.5
