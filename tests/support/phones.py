"""Single phones: a station of signed-in people, everybody pressing at the same instant, and phones that dawdle."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, timedelta
from threading import Event, Semaphore, Thread
from time import perf_counter

from sqlalchemy.orm import Session

from booking import clock
from booking.model import Activity, Person, SignIn, Slot, Station, Zone
from booking.people import SIGN_IN_LASTS
from tests.support.databases import connect_engine
from tests.support.servers import Ground
from tests.support.visits import Visit, hashed, tokens, visits

PATIENCE = 60  # seconds, on a machine that does other things too

SLOTS, SEATS = 5, 15


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
    stop, at_it = Event(), Semaphore(0)
    thread = Thread(target=lambda: asyncio.run(_dawdle_until(stop, at_it, port, request, at_once, count)))
    thread.start()
    try:
        for _ in range(count):
            assert at_it.acquire(timeout=PATIENCE)
        yield
    finally:
        stop.set()
        thread.join()


async def _dawdle_until(stop: Event, at_it: Semaphore, port: int, request: bytes, at_once: int, count: int) -> None:
    clients = [asyncio.create_task(_dawdle(at_it, port, request, at_once)) for _ in range(count)]
    while not stop.is_set():
        await asyncio.sleep(0.1)
    for client in clients:
        client.cancel()
    await asyncio.gather(*clients, return_exceptions=True)


async def _dawdle(at_it: Semaphore, port: int, request: bytes, at_once: int) -> None:
    while True:
        with suppress(OSError):
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(request[:at_once])
                await writer.drain()
                at_it.release()
                for byte in request[at_once:]:
                    await writer.drain()
                    await asyncio.sleep(1)
                    writer.write(bytes([byte]))
            finally:
                writer.close()
        await asyncio.sleep(1)


def station(place: Ground, people: int) -> list[tuple[int, Visit]]:
    """An open station and its people, signed in; who presses which slot."""
    engine = connect_engine(place.url)
    with Session(engine) as session:
        here = Station(code="s1", name="驿站")
        session.add(here)
        session.flush()
        slots = [_slot(session, here.id, n) for n in range(SLOTS)]
        now = clock.now()
        persons = [Person(email=f"p{n}@example.com", name=f"员工 {n}", created_at=now) for n in range(people)]
        session.add_all([*slots, *persons])
        session.flush()
        signed_in = tokens(person.id for person in persons)
        lasts = now + SIGN_IN_LASTS
        for person, token in signed_in.items():
            session.add(SignIn(person_id=person, token_hash=hashed(token), created_at=now, expires_at=lasts))
        ids = [slot.id for slot in slots]
        session.commit()
    engine.dispose()
    return [(ids[n % SLOTS], visit) for n, visit in enumerate(visits(signed_in))]


def _slot(session: Session, station_id: int, number: int) -> Slot:
    zone = Zone(station_id=station_id, name=f"板块 {number}", capacity=100)
    activity = Activity(station_id=station_id, kind="yoga", title="白领瑜伽课堂")
    session.add_all([zone, activity])
    session.flush()
    now = clock.now()
    noon, minute = now + timedelta(days=1), timedelta(minutes=1)
    day: date = noon.date()
    return Slot(
        station_id=station_id,
        activity_id=activity.id,
        zone_id=zone.id,
        date=day,
        opens_at=now - minute,
        free_until=noon - 60 * minute,
        waitlist_until=noon - 30 * minute,
        checkin_from=noon - 15 * minute,
        starts_at=noon,
        release_at=noon + 5 * minute,
        ends_at=noon + 50 * minute,
        capacity=SEATS,
        state="open",
    )
