"""A rush over HTTP: signed-in workers press at real server processes, and harm is done in the middle of it."""

import asyncio
import random
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread
from time import monotonic, sleep

from sqlalchemy import select
from sqlalchemy.orm import Session

import config
from booking.model import Booking
from tests.support import visits
from tests.support.visits import Visit

PHONES = 24  # that press at the same time
PATIENCE = 20  # seconds for an answer
AGAIN = 0.3  # seconds until somebody without an answer presses again


@dataclass(frozen=True)
class Shipped:
    """The web server as README starts it in production, and again when it ends, as systemd does."""

    workers: int = 1

    def command(self, target: str, port: int) -> list[str]:
        line = re.search(r"^ +(granian [^#\n]+?) wsgi:app", (config.ROOT / "README.md").read_text(), re.MULTILINE)
        assert line, "README does not say how to start the web server"
        serve = f".venv/bin/{line[1]} --workers {self.workers} --port {port} {target}"
        return ["bash", "-c", f"while :; do {serve}; done"]


@dataclass
class Tap:
    """One press, made until it is answered: what was said in the end, and after how many tries."""

    slot: int
    visit: Visit
    said: str = ""  # booked, waiting, or no: reason
    words: str = ""
    tries: int = 0
    answered: float = 0

    @property
    def key(self) -> str:
        return f"bench-{self.visit.person}-{self.slot}"  # as `visits.press` writes it

    def hear(self, status: int, text: str) -> None:
        self.tries += 1
        if status in (200, 409):
            mine, no = re.search(r'data-mine="(\w+)"', text), re.search(r'data-refusal="(\w+)"', text)
            assert mine or no, text
            self.said = mine[1] if mine else f"no: {no and no[1]}"
            self.words, self.answered = text, monotonic()
        else:
            # No answer, or a calm "try again". Nothing else may come.
            assert status in (0, 503), f"{status} {text}"
            assert "Traceback" not in text


@dataclass
class Rush:
    """Everybody's taps. `harms` are done, one after the other, when so many taps have been answered."""

    port: int
    taps: Sequence[Tap]
    harms: dict[int, Callable[[], object]] = field(default_factory=dict)
    answers: int = 0
    wrong: list[AssertionError] = field(default_factory=list)

    def run(self) -> None:
        """Harm is done by this thread: a process dies with the thread that started it, where it was told so."""
        phones = Thread(target=lambda: asyncio.run(self._press()))
        phones.start()
        for moment, harm in sorted(self.harms.items()):
            while self.answers < moment and phones.is_alive():
                sleep(0.005)
            harm()
        phones.join()
        if self.wrong:
            raise self.wrong[0]

    async def _press(self) -> None:
        waiting = iter(self.taps)
        try:
            await asyncio.gather(*(self._phone(waiting) for _ in range(PHONES)))
        except AssertionError as wrong:
            self.wrong.append(wrong)

    async def _phone(self, waiting: Iterator[Tap]) -> None:
        for tap in waiting:
            while not tap.said:
                tap.hear(*await ask(self.port, visits.press(tap.slot, tap.visit)))
                if not tap.said:
                    await asyncio.sleep(AGAIN)
            self.answers += 1


def asked(port: int, request: bytes) -> tuple[int, str]:
    """`ask` in a thread of its own: where a browser is open, this one has an event loop already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(ask(port, request))).result()


async def ask(port: int, request: bytes, patience: float = PATIENCE) -> tuple[int, str]:
    """Status and text; status 0 when there was no whole answer."""
    said = b""
    with suppress(OSError, TimeoutError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            said = await asyncio.wait_for(reader.read(-1), patience)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
    head, _, body = said.partition(b"\r\n\r\n")
    size = re.search(rb"(?i)content-length: *(\d+)", head)
    if not size or len(body) < int(size[1]):
        return 0, ""
    return int(head.split(b" ", 2)[1]), body.decode()


def moments(seed: int, first: int, last: int, count: int) -> list[int]:
    """So many different numbers of answers, in order: at random, but the same each time."""
    return sorted(random.Random(seed).sample(range(first, last), count))


def lies(session: Session, taps: Sequence[Tap]) -> list[str]:
    """I3: what was said and is not so, a line for each."""
    session.rollback()
    kept = {row.key: row.state for row in session.execute(select(Booking.key, Booking.state))}
    found = []
    for tap in taps:
        is_so = kept.get(tap.key)
        if tap.said.startswith("no: ") and is_so:
            found.append(f"refused and yet {is_so}: {tap.key}, {tap.said}")
        elif not tap.said.startswith("no: ") and is_so != tap.said:
            found.append(f"{'lost' if is_so is None else is_so}: {tap.key} was told {tap.said}")
    return found
