"""Slow clients: fifty phones that send a byte a second do not delay others, on the server as README starts it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import phones, servers, visits
from tests.support.rush import Shipped, ask
from tests.support.servers import APP, Ground, Kind, Server

pytestmark = pytest.mark.sqlite
ASKED = 25  # pages, one after the other
HURRY = 4  # seconds that a fast client waits


def served(server: Server, press: bytes, page: bytes, *, whole_head: bool) -> list[int]:
    """The status of pages that fast clients request meanwhile, one after the other."""

    async def look() -> list[int]:
        found: list[int] = []
        while len(found) < ASKED and 0 not in found:
            found.append((await ask(server.port, page, HURRY))[0])
        return found

    # In a thread of its own: where a browser is open, this one has a loop already.
    with phones.dawdling(server.port, press, whole_head=whole_head), ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(look())).result()


@pytest.fixture
def requests(database_url: str, tmp_path: Path) -> tuple[Ground, bytes, bytes]:
    """A booking and a page of somebody who is signed in."""
    place = Ground(database_url, tmp_path)
    ((slot, visit),) = phones.station(place, 1)
    return place, visits.press(slot, visit), visits.get("/me", visit)


@pytest.mark.parametrize("whole_head", [False, True], ids=["slow headers", "slow forms"])
def test_slow_phones_do_not_stop_the_others(requests: tuple[Ground, bytes, bytes], whole_head: bool) -> None:
    place, press, page = requests
    with servers.serving(Shipped(1), APP, place.settings()) as server:
        assert served(server, press, page, whole_head=whole_head) == [200] * ASKED


@pytest.mark.whole
def test_control_on_one_thread_slow_forms_stop_everybody(
    requests: tuple[Ground, bytes, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, press, page = requests
    monkeypatch.setattr("tests.web.middleware.test_slow_phones.ASKED", 10_000)  # until a slow form has the thread
    with servers.serving(Kind("granian", 1, 1), APP, place.settings()) as server:
        assert served(server, press, page, whole_head=True)[-1] == 0
