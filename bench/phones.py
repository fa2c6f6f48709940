"""Everybody at one instant on SQLite, and how soon a phone shows a page."""

import argparse
import asyncio
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from statistics import median, quantiles
from typing import Any

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from bench.builds import HERE, Build, Database, embedded
from bench.load import Row, times
from tests.support import chromium, city, phones, visits
from tests.support.servers import Kind
from tests.support.visits import Visit


def everybody(asked: argparse.Namespace) -> list[Row]:
    """500 people press at one station at the same instant, on SQLite and one web process, as `make run` starts it.

    Everybody must get a seat or a place in line, and nobody "database is locked".
    """
    rounds = [[_instant(build, asked.people) for build in asked.builds] for _ in range(min(asked.rounds, 3))]
    own, *theirs = zip(*rounds, strict=True)
    against = times([one["p99 s"] for one in own], [one["p99 s"] for one in theirs[0]]) if theirs else []
    return [Row("embedded", "p99 ≤ 0.4 × REV, 0 locked", against=against, facts=own[-1])]


def _instant(build: Build, people: int) -> dict[str, Any]:
    with embedded(build) as place:
        warm, *requests = [visits.press(slot, visit) for slot, visit in _station(place, people + 1)]
        log = place.folder / "log"
        with place.serving(Kind("granian", 1, 64), log) as server:
            asyncio.run(phones.press_together(server.port, [warm]))
            answers = asyncio.run(phones.press_together(server.port, requests))
            memory = server.memory()
        with closing(sqlite3.connect(place.folder / "lunch.sqlite3")) as connection:
            given = dict(connection.execute("SELECT state, count(*) FROM booking GROUP BY state").fetchall())
        seconds = sorted(answer.seconds for answer in answers)
        return {
            "answers": dict(Counter(answer.status for answer in answers)),
            "given": given,
            "p50 s": round(median(seconds), 3),
            "p99 s": round(quantiles(seconds, n=100)[-1], 3),
            "locked": log.read_text().count("database is locked"),
            "web MB": memory[0],
        }


def _station(place: Database, people: int) -> list[tuple[int, Visit]]:
    """An open station with its people. Another build gets the rows of this one's, with its own names of columns."""
    if place.build == HERE:
        return phones.station(place, people)
    with embedded(HERE) as ours:
        made = phones.station(ours, people)
        with closing(sqlite3.connect(place.folder / "lunch.sqlite3")) as there:
            there.execute("ATTACH ? AS ours", [str(ours.folder / "lunch.sqlite3")])
            for table in ("station", "zone", "activity", "person", "sign_in", "slot"):
                known = [row[1] for row in there.execute(f"PRAGMA main.table_info({table})")]
                old = {before: name for name, before in city.RENAMED.items()}
                names = ", ".join(old.get(name, name) for name in known)
                there.execute(f"INSERT INTO {table} ({', '.join(known)}) SELECT {names} FROM ours.{table}")
            there.commit()
    return made


# Slow 4G: 1.6 Mbit/s and 150 ms, as adjusted by the developer tools for throttling inside the browser.
NETWORK = {"offline": False, "latency": 562.5, "downloadThroughput": 1_474_560 / 8, "uploadThroughput": 675_000 / 8}
SLOWER = 4
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "locale": "zh-CN"}
WATCH = """
    window.seen = { lcp: 0, shift: 0 };
    new PerformanceObserver((list) => { for (const e of list.getEntries()) seen.lcp = e.startTime; })
      .observe({ type: "largest-contentful-paint", buffered: true });
    new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) seen.shift += e.value; })
      .observe({ type: "layout-shift", buffered: true });
"""
SETTLED = 2500  # ms after load: late shifts count too


def paint(asked: argparse.Namespace) -> list[Row]:
    """Chromium at 390 px, four times slower than this machine, on "slow 4G": a first visit and the next one.

    Bytes are what came over the wire with their headers.
    """
    with sync_playwright() as playwright, ExitStack() as opened:
        browser = opened.enter_context(chromium.launch(playwright.chromium, windows=True))
        pages = [opened.enter_context(_demo(build)) for build in asked.builds]
        own, *theirs = [[_visits(browser, address) for _ in range(asked.rounds)] for address in pages]
    rows = []
    for n, (visit, least) in enumerate({"first": "60 KB", "next": "10 KB"}.items()):
        seen = [both[n] for both in own]
        facts = {what: round(median(one[what] for one in seen), 3) for what in seen[0]}
        against = times([one["paint ms"] for one in seen], [both[n]["paint ms"] for other in theirs for both in other])
        rows.append(Row(f"paint, {visit}", f"≤ 1500 ms, {least}", against=against, facts=facts))
    return rows


def _visits(browser: Browser, address: str) -> tuple[dict[str, float], dict[str, float]]:
    """A phone that has never been there, and the same one a moment later."""
    phone: dict[str, Any] = PHONE  # Playwright types each option by itself
    with closing(browser.new_context(**phone)) as context:
        return _visit(context, address), _visit(context, address)


def _visit(context: BrowserContext, address: str) -> dict[str, float]:
    page = context.new_page()
    wire = context.new_cdp_session(page)
    sizes: list[float] = []
    wire.send("Network.enable")
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    wire.send("Network.emulateNetworkConditions", NETWORK)
    wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.add_init_script(WATCH)
    page.goto(address, wait_until="load")
    page.wait_for_timeout(SETTLED)
    seen = page.evaluate("() => window.seen")
    page.close()
    return {"paint ms": seen["lcp"], "shift": seen["shift"], "requests": len(sizes), "bytes": sum(sizes)}


@contextmanager
def _demo(build: Build) -> Iterator[str]:
    """The demo station's page, as `make run` serves it."""
    with embedded(build) as place:
        place.flask("demo", APP_ENV="development")
        with place.serving(Kind("granian", 1, 64)) as server:
            yield f"{server.url}/s/cbd"
