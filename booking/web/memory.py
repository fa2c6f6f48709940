"""Memory of a process: values that were used lately, and at most so many bytes of them.

Everything that a process keeps for its readers is kept in one of these, so that no client can fill it.
"""

from contextlib import suppress
from sys import getsizeof
from threading import Lock
from typing import Any, Generic, TypeVar

from cachetools import LRUCache

K = TypeVar("K")
V = TypeVar("V")
ENTRY = 400  # bytes that the cache itself needs for one


class Memory(Generic[K, V]):
    """Keys and values of at most `most` bytes; safe for several threads. A value that is larger is not kept."""

    def __init__(self, most: int) -> None:
        self._kept: LRUCache[K, tuple[K, V]] = LRUCache(most, getsizeof=lambda pair: ENTRY + weight(pair))
        self._lock = Lock()

    def get(self, key: K) -> V | None:
        with self._lock:
            found = self._kept.get(key)
        return found[1] if found else None

    def __setitem__(self, key: K, value: V) -> None:
        with self._lock:
            self._kept.pop(key, None)  # also when the new one turns out too large
            with suppress(ValueError):  # as the library says that it is larger than the whole cache
                self._kept[key] = key, value

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()

    @property
    def size(self) -> int:
        """Bytes that are in use, not less than there are."""
        return int(self._kept.currsize)

    @property
    def most(self) -> int:
        return int(self._kept.maxsize)


def weight(value: Any) -> int:
    """Bytes of a value and of all that it is made of. What it shares with others is counted with each."""
    if hasattr(value, "weight"):
        return int(value.weight)
    own = getsizeof(value)
    if isinstance(value, str | bytes):
        return own
    if isinstance(value, dict):
        return own + sum(weight(part) for pair in value.items() for part in pair)
    if isinstance(value, tuple | list | set | frozenset):
        return own + sum(map(weight, value))
    return own + weight(vars(value)) if hasattr(value, "__dict__") and not callable(value) else own
