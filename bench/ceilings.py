"""Bare Flask routes that do only the unavoidable: what the app is measured against.

A  a page of a given size        B  the same after one SELECT        C  the taking of a seat        C1  by one statement
B and C speak psycopg without an ORM. Like the app, a process works on two of them at the same time.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from queue import SimpleQueue
from typing import Any

import psycopg
from flask import Flask

app = Flask(__name__)
Connection = psycopg.Connection[Any]
_pools: dict[bool, SimpleQueue[Connection | None]] = {True: SimpleQueue(), False: SimpleQueue()}
for _pool in _pools.values():
    for _ in range(2):
        _pool.put(None)

LOOK = "SELECT id, station_id, starts_at, capacity, taken, state FROM slot WHERE id = %s"
CLAIM = """
    UPDATE slot SET taken = taken + 1
    WHERE id = %s AND taken < capacity AND state IN ('planned', 'open') AND opens_at <= now() AND starts_at > now()
    RETURNING station_id
"""
BOOK = """
    INSERT INTO booking (slot_id, station_id, person_id, state, via, ticket, created_at, seated_at, late)
    VALUES (%s, %s, %s, 'booked', 'tap', %s, now(), now(), false) RETURNING id
"""
RECORD = """
    INSERT INTO event (at, kind, station_id, slot_id, booking_id, person_id, actor_id, after, details)
    VALUES (now(), 'booked', %s, %s, %s, %s, %s, 'booked', '{}')
"""
SEAT = f"""
    WITH slots AS ({CLAIM}, id), bookings AS (
        INSERT INTO booking (slot_id, station_id, person_id, state, via, ticket, created_at, seated_at, late)
        SELECT id, station_id, %s, 'booked', 'tap', %s, now(), now(), false FROM slots RETURNING *
    )
    INSERT INTO event (at, kind, station_id, slot_id, booking_id, person_id, actor_id, after, details)
    SELECT now(), 'booked', station_id, slot_id, id, person_id, person_id, 'booked', '{{}}' FROM bookings
"""


@lru_cache
def page(size: int) -> str:
    return "x" * size


@contextmanager
def connection(*, autocommit: bool) -> Iterator[Connection]:
    """One of this process. No BEGIN and COMMIT around a lone statement."""
    pool = _pools[autocommit]
    found = pool.get()
    try:
        found = found or psycopg.connect(os.environ["BENCH_DATABASE"], autocommit=autocommit)
        yield found
    finally:
        pool.put(found)


@app.get("/page/<int:size>")
def a(size: int) -> str:
    return page(size)


@app.get("/look/<int:slot>/<int:size>")
def b(slot: int, size: int) -> str:
    with connection(autocommit=True) as database:
        database.execute(LOOK, (slot,)).fetchone()
    return page(size)


@app.post("/seat/<int:slot>/<int:person>/<int:size>")
def c(slot: int, person: int, size: int) -> tuple[str, int]:
    with connection(autocommit=False) as database:
        claimed = database.execute(CLAIM, (slot,)).fetchone()
        if claimed is None:
            database.rollback()
            return page(size), 409
        made = database.execute(BOOK, (slot, claimed[0], person, secrets.token_urlsafe(16))).fetchone()
        database.execute(RECORD, (claimed[0], slot, made and made[0], person, person))
        database.commit()
    return page(size), 200


@app.post("/seat1/<int:slot>/<int:person>/<int:size>")
def c1(slot: int, person: int, size: int) -> tuple[str, int]:
    with connection(autocommit=True) as database:
        done = database.execute(SEAT, (slot, person, secrets.token_urlsafe(16)), prepare=True)
    return page(size), 200 if done.rowcount else 409
