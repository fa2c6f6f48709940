"""The same act by several people at the same instant, each with a session of their own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.errors import RuleViolation


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
