"""Bare Flask routes that do only the unavoidable: what the app is measured against.

A  a page of a given size        B  the same after one SELECT        C  the taking of a seat        C1  by one statement
B and C speak psycopg without an ORM. Like the app, a process has two connections in a pool.
"""

import os
import secrets
from functools import lru_cache

from flask import Flask
from psycopg_pool import ConnectionPool

app = Flask(__name__)
POOLS = {
    autocommit: ConnectionPool(
        os.environ["BENCH_DATABASE"], min_size=2, max_size=2, open=True, kwargs={"autocommit": autocommit}
    )
    for autocommit in (True, False)  # no BEGIN and COMMIT around a lone statement
}

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


@app.get("/page/<int:size>")
def a(size: int) -> str:
    return page(size)


@app.get("/look/<int:slot>/<int:size>")
def b(slot: int, size: int) -> str:
    with POOLS[True].connection() as database:
        database.execute(LOOK, (slot,)).fetchone()
    return page(size)


@app.post("/seat/<int:slot>/<int:person>/<int:size>")
def c(slot: int, person: int, size: int) -> tuple[str, int]:
    with POOLS[False].connection() as database:
        claimed = database.execute(CLAIM, (slot,)).fetchone()
        if claimed is None:
            return page(size), 409
        made = database.execute(BOOK, (slot, claimed[0], person, secrets.token_urlsafe(16))).fetchone()
        database.execute(RECORD, (claimed[0], slot, made and made[0], person, person))
    return page(size), 200


@app.post("/seat1/<int:slot>/<int:person>/<int:size>")
def c1(slot: int, person: int, size: int) -> tuple[str, int]:
    with POOLS[True].connection() as database:
        done = database.execute(SEAT, (slot, person, secrets.token_urlsafe(16)), prepare=True)
    return page(size), 200 if done.rowcount else 409
