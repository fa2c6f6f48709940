"""The same act by several people at the same instant, each with a session of their own."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Barrier
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.errors import RuleViolation

WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


def together(engine: Engine, times: int, act: Callable[[Session, int], Any]) -> list[Any]:
    """What each of `times` transactions at once brought: an answer, or `no: <reason>`."""
    ready = Barrier(times)

    def one(number: int) -> Any:
        with Session(engine) as session:
            ready.wait(30)
            try:
                with transactions.transaction(session) as rows:
                    return act(rows, number)
            except RuleViolation as no:
                return f"no: {no.reason}"

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def until_it_waits(engine: Engine, told: Future[Any]) -> None:
    """On PostgreSQL: until an act in another thread waits for a lock, or is over."""
    with engine.connect() as connection:
        while not wait([told], 0.02).done and not connection.scalar(WAITING):
            connection.rollback()
