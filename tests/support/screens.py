"""What the tests see: whether it fits, and pictures for people.

Pictures are kept in `build/screens/` by `make test-all`, and in another folder with `SCREENS=folder`.
"""

import os
from pathlib import Path

from playwright.sync_api import Page, expect

import config

wanted = False


def picture(page: Page, *names: str, whole: bool = True) -> None:
    """Keep the page as it looks now; `whole` for all of it, not only what the screen shows."""
    if not wanted:
        return
    folder = Path(os.environ.get("SCREENS") or config.ROOT / "build" / "screens")
    folder.mkdir(parents=True, exist_ok=True)
    name = "-".join(names).replace("/", "_").replace("?", "_")
    # By default Playwright hides the caret by a style of its own, which our CSP refuses.
    page.screenshot(path=folder / f"{name}.png", full_page=whole, caret="initial")


def fits(page: Page) -> bool:
    """Whether nothing needs scrolling sideways; waits for a page that is on its way."""
    size = page.viewport_size
    assert size
    wide: int = page.locator("main").evaluate("() => document.documentElement.scrollWidth")
    return wide <= size["width"]


def sign_out(page: Page) -> None:
    """Press the button on one's account page, and wait: what follows is asked of the page that comes."""
    button = page.get_by_role("button", name="退出登录")
    button.click()
    expect(button).to_have_count(0)
