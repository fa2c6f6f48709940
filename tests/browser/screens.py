"""Pictures of what the tests see, kept in `build/screens/` (or `SCREENS=folder`) for people to look at."""

import os
from pathlib import Path

from playwright.sync_api import Page

import config


def picture(page: Page, *names: str, whole: bool = True) -> None:
    """Keep the page as it looks now; `whole` for all of it, not only what the screen shows."""
    folder = Path(os.environ.get("SCREENS") or config.ROOT / "build" / "screens")
    folder.mkdir(parents=True, exist_ok=True)
    name = "-".join(names).replace("/", "_").replace("?", "_")
    page.screenshot(path=folder / f"{name}.png", full_page=whole)
