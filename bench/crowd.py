"""A crowd of single phones, for what wrk cannot do: everybody once at the same instant, and phones that dawdle."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Thread
from time import perf_counter, sleep


@dataclass(frozen=True)
class Answer:
    """The status (0 when there was none) and how long it took."""

    status: int
    seconds: float


async def press_together(port: int, requests: list[bytes], limit: float = 60) -> list[Answer]:
    """Everybody connects first; then all send at once."""
    go = asyncio.Event()
    crowd = [asyncio.create_task(_press(port, request, go, limit)) for request in requests]
    await asyncio.sleep(1)
    go.set()
    return list(await asyncio.gather(*crowd))


async def _press(port: int, request: bytes, go: asyncio.Event, limit: float) -> Answer:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await go.wait()
    began = perf_counter()
    status = 0
    with suppress(OSError, TimeoutError, ValueError, IndexError):
        writer.write(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        said = await asyncio.wait_for(reader.read(-1), limit)
        status = int(said.split(b" ", 2)[1])
    writer.close()
    return Answer(status, perf_counter() - began)


@contextmanager
def dawdling(port: int, request: bytes, count: int = 50, *, whole_head: bool = False) -> Iterator[None]:
    """As long as the block lasts, that many clients send this request a byte a second, again and again.

    With `whole_head` the headers come at once, and only the form is slow.
    """
    at_once = request.index(b"\r\n\r\n") + 4 if whole_head else 1
    stop = Event()
    thread = Thread(target=lambda: asyncio.run(_dawdle_until(stop, port, request, at_once, count)))
    thread.start()
    sleep(2)  # until they are at it
    try:
        yield
    finally:
        stop.set()
        thread.join()


async def _dawdle_until(stop: Event, port: int, request: bytes, at_once: int, count: int) -> None:
    clients = [asyncio.create_task(_dawdle(port, request, at_once)) for _ in range(count)]
    while not stop.is_set():
        await asyncio.sleep(0.1)
    for client in clients:
        client.cancel()
    await asyncio.gather(*clients, return_exceptions=True)


async def _dawdle(port: int, request: bytes, at_once: int) -> None:
    while True:
        with suppress(OSError):
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(request[:at_once])
                for byte in request[at_once:]:
                    await writer.drain()
                    await asyncio.sleep(1)
                    writer.write(bytes([byte]))
            finally:
                writer.close()
        await asyncio.sleep(1)
