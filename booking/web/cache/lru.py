"""LRU cache: the least recently used values are dropped beyond a number of bytes. Safe for threads.

Everything that a process caches for its readers is in one of these, so that no client can fill the memory.
"""

from contextlib import suppress
from sys import getsizeof
from threading import Lock
from typing import Any, Generic, TypeVar

from cachetools import LRUCache

K = TypeVar("K")
V = TypeVar("V")
ENTRY = 400  # bytes of overhead for each entry


class Memory(Generic[K, V]):
    """An LRU cache of at most `most` bytes, safe for threads. A value larger than that is not cached."""

    def __init__(self, most: int) -> None:
        self._kept: LRUCache[K, tuple[K, V]] = LRUCache(most, getsizeof=lambda pair: ENTRY + weight(pair))
        self._lock = Lock()

    def get(self, key: K) -> V | None:
        try:
            with self._lock:
                return self._kept[key][1]
        except KeyError:
            return None

    def __setitem__(self, key: K, value: V) -> None:
        with self._lock:
            self._kept.pop(key, None)  # also when the new one turns out too large
            with suppress(ValueError):  # raised by cachetools for a value larger than the whole cache
                self._kept[key] = key, value

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()

    @property
    def size(self) -> int:
        """Bytes in use, an upper bound."""
        return int(self._kept.currsize)

    @property
    def most(self) -> int:
        return int(self._kept.maxsize)


def weight(value: Any) -> int:
    """Bytes of a value and all its parts. Shared parts are counted with each owner."""
    own = getsizeof(value)
    if isinstance(value, str | bytes):
        return own
    if hasattr(value, "weight"):
        return int(value.weight)
    if isinstance(value, dict):
        return own + sum(weight(part) for pair in value.items() for part in pair)
    if isinstance(value, tuple | list | set | frozenset):
        return own + sum(map(weight, value))
    return own + weight(vars(value)) if hasattr(value, "__dict__") and not callable(value) else own
