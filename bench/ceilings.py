"""Bare Flask routes that do only the unavoidable: what the app is measured against.

A  a page of a given size        B  the same after one SELECT        C  the taking of a seat
B and C speak psycopg without an ORM, over one connection a thread.
"""

import os
import secrets
import threading
from functools import lru_cache
from typing import Any

import psycopg
from flask import Flask

app = Flask(__name__)
_thread = threading.local()

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


@lru_cache
def page(size: int) -> str:
    return "x" * size


def connection(*, autocommit: bool) -> psycopg.Connection[Any]:
    """This thread's connection of that kind. No BEGIN and COMMIT around a lone SELECT."""
    name = f"connection_{autocommit}"
    if not hasattr(_thread, name):
        setattr(_thread, name, psycopg.connect(os.environ["BENCH_DATABASE"], autocommit=autocommit))
    found: psycopg.Connection[Any] = getattr(_thread, name)
    return found


@app.get("/page/<int:size>")
def a(size: int) -> str:
    return page(size)


@app.get("/look/<int:slot>/<int:size>")
def b(slot: int, size: int) -> str:
    connection(autocommit=True).execute(LOOK, (slot,)).fetchone()
    return page(size)


@app.post("/seat/<int:slot>/<int:person>/<int:size>")
def c(slot: int, person: int, size: int) -> tuple[str, int]:
    database = connection(autocommit=False)
    claimed = database.execute(CLAIM, (slot,)).fetchone()
    if claimed is None:
        database.rollback()
        return page(size), 409
    made = database.execute(BOOK, (slot, claimed[0], person, secrets.token_urlsafe(16))).fetchone()
    database.execute(RECORD, (claimed[0], slot, made and made[0], person, person))
    database.commit()
    return page(size), 200
