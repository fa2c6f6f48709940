"""How soon a phone shows a page, and what it costs: `python -m bench.paint`, or with an address of a server that runs.

Chromium at 390 px, four times slower than this machine, on "slow 4G" as its developer tools have it. Bytes are
what came over the wire with their headers: for a first visit and the next one. Beside it a plain page of
one heading and a paragraph, and one with a stylesheet, served and measured in the same way. Medians of `--rounds`.
"""

import argparse
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright
from sqlalchemy.orm import Session

from bench import ground, report, servers
from bench.ground import Ground
from bench.servers import APP, Kind
from booking import clock, demo
from tests.support import databases

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
WORDS = "<p>午间驿小时，十二点十分开始，在健身区，请带一张瑜伽垫。</p>"
PLAIN = {
    "/plain": f"<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'><h1>午间</h1>{WORDS}",
    "/styled": f"<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'>"
    f"<link rel=stylesheet href=/style.css><h1>午间</h1>{WORDS}",
    "/style.css": "body { font: 16px/1.6 sans-serif; margin: 2rem }",
}


@dataclass
class Visit:
    """One look at a page: largest paint in ms, layout shift, requests, bytes over the wire."""

    lcp: float
    shift: float
    requests: int
    size: int


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("address", nargs="?", help="a station's page; without one a demo station is served")
    arguments.add_argument("--rounds", type=int, default=5)
    asked = arguments.parse_args()
    if asked.address:
        _measure(asked.address, asked.rounds)
    else:
        with _station() as address:
            _measure(address, asked.rounds)


def _measure(station: str, many: int) -> None:
    lines: list[tuple[object, ...]] = []
    with sync_playwright() as playwright, _plain_pages() as plain:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-background-networking"]
        )
        for name, address in (("station", station), ("plain", f"{plain}/plain"), ("styled", f"{plain}/styled")):
            rounds = [_visits(browser, address) for _ in range(many)]
            for which, visits in zip(("first", "next"), zip(*rounds, strict=True), strict=True):
                middle = [median(values) for values in zip(*(astuple(visit) for visit in visits), strict=True)]
                lines.append((name, which, round(middle[0]), round(middle[1], 3), int(middle[2]), int(middle[3])))
        browser.close()
    head = ("page", "visit", "largest paint ms", "layout shift", "requests", "bytes")
    print(f"{report.load()}\n{report.table(head, lines)}")
    report.keep("paint", {f"{line[0]} {line[1]}": dict(zip(head[2:], line[2:], strict=True)) for line in lines})


def _visits(browser: Browser, address: str) -> tuple[Visit, Visit]:
    """A phone that has never been there, and the same one a moment later."""
    context = browser.new_context(**PHONE)  # type: ignore[arg-type] # Playwright types each option by itself
    try:
        return _visit(context, address), _visit(context, address)
    finally:
        context.close()


def _visit(context: BrowserContext, address: str) -> Visit:
    page = context.new_page()
    wire = context.new_cdp_session(page)
    sizes = _count(wire)
    wire.send("Network.emulateNetworkConditions", NETWORK)
    wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.add_init_script(WATCH)
    page.goto(address, wait_until="load")
    page.wait_for_timeout(SETTLED)
    seen = _seen(page)
    page.close()
    return Visit(seen["lcp"], seen["shift"], len(sizes), int(sum(sizes)))


def _count(wire: CDPSession) -> list[float]:
    sizes: list[float] = []
    wire.send("Network.enable")
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    return sizes


def _seen(page: Page) -> dict[str, float]:
    found: dict[str, float] = page.evaluate("() => window.seen")
    return found


class _Plain(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = PLAIN.get(self.path, "").encode()
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/css" if self.path.endswith("css") else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=600" if self.path.endswith("css") else "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """No access log in a table of figures."""


@contextmanager
def _station() -> Iterator[str]:
    """The demo station's page, as `make run` serves it."""
    with tempfile.TemporaryDirectory(prefix="lunch-hour-bench-") as folder:
        place = Ground(f"sqlite:///{folder}/lunch.sqlite3", Path(folder))
        ground.migrate(place.url)
        with Session(databases.connect_engine(place.url)) as session:
            demo.load(session, clock.now(), past_workdays=8)
            session.commit()
        with servers.serving(Kind("granian", 1, 64), APP, place.settings()) as server:
            yield f"{server.url}/s/cbd"


@contextmanager
def _plain_pages() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Plain)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


if __name__ == "__main__":
    main()
