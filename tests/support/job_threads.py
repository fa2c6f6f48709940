"""Threads of jobs: a scheduler that ends does not wait for them, and a test's database must not go before they end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

POOL = "ThreadPoolExecutor"  # how concurrent.futures names them


@contextmanager
def ended() -> Iterator[None]:
    """At the end of the block, wait for those that were begun in it."""
    before = set(threading.enumerate())
    try:
        yield
    finally:
        for thread in set(threading.enumerate()) - before:
            if thread.name.startswith(POOL):
                thread.join(60)
