"""Batch: group commit: what arrives while one batch is being executed forms the next one.

Whoever finds nobody at work becomes the leader and executes the batch of all who wait, in the order of their arrival;
then the first of those who came meanwhile leads. No thread is added, and somebody alone waits for nobody.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, cast
from weakref import WeakKeyDictionary, ref

from sqlalchemy import Engine

A = TypeVar("A")
Q = TypeVar("Q")
MOST = 64  # in a batch


class Deferred:
    """The answer to somebody who must wait for the next batch, at the head of the queue."""


DEFERRED = Deferred()


class _Waiting(Generic[Q, A]):
    """One thread that waits: for its answer, or to lead while it has none."""

    __slots__ = ("answer", "asked", "error", "is_done", "woken")

    def __init__(self, asked: Q) -> None:
        self.asked = asked
        self.answer: A | None = None
        self.error: BaseException | None = None
        self.is_done = False
        self.woken = threading.Lock()
        self.woken.acquire()


class BatchQueue(Generic[Q, A]):
    """`execute` gets what was asked, and returns its answers in the same order."""

    def __init__(self, execute: Callable[[Sequence[Q]], Sequence[A | Deferred]]) -> None:
        self._execute = execute
        self._guard = threading.Lock()
        self._queue: deque[_Waiting[Q, A]] = deque()
        self._is_led = False

    def ask(self, asked: Q) -> A:
        """The answer. Raises what `execute` raised for the batch."""
        mine: _Waiting[Q, A] = _Waiting(asked)
        with self._guard:
            self._queue.append(mine)
            waits, self._is_led = self._is_led, True
        if not waits:
            self._lead()
        while not mine.is_done:
            mine.woken.acquire()
            if not mine.is_done:
                self._lead()
        if mine.error:
            raise mine.error
        return mine.answer  # type: ignore[return-value] # it is done

    def _lead(self) -> None:
        """Execute the head of the queue, and hand over to the first of the rest."""
        with self._guard:
            batch = [self._queue.popleft() for _ in range(min(MOST, len(self._queue)))]
        self._answer(batch)
        with self._guard:
            self._queue.extendleft(one for one in reversed(batch) if not one.is_done)
            successor = self._queue[0] if self._queue else None
            self._is_led = successor is not None
        for one in batch:
            if one.is_done:
                one.woken.release()
        if successor:
            successor.woken.release()

    def _answer(self, batch: Sequence[_Waiting[Q, A]]) -> None:
        """Answer them, or give all the same error: whatever it is, nobody may wait for ever."""
        try:
            answers: Sequence[A | Deferred | None] = self._execute([one.asked for one in batch])
            error = None
        except BaseException as raised:  # noqa: BLE001 - it is raised again in each thread
            answers, error = [None] * len(batch), raised
        for one, answer in zip(batch, answers, strict=True):
            if not isinstance(answer, Deferred):
                one.answer, one.error, one.is_done = answer, error, True


class EngineQueues(Generic[Q, A]):
    """A queue for each engine, which it does not keep: whoever asks does."""

    def __init__(self, execute: Callable[[Engine, Sequence[Q]], Sequence[A | Deferred]]) -> None:
        self._execute = execute
        self._queues: WeakKeyDictionary[Engine, BatchQueue[Q, A]] = WeakKeyDictionary()

    def ask(self, engine: Engine, asked: Q) -> A:
        """The answer, together with those of all who ask now."""
        queue = self._queues.get(engine)
        if queue is None:
            alive = ref(engine)
            made: BatchQueue[Q, A] = BatchQueue(lambda batch: self._execute(cast("Engine", alive()), batch))
            queue = self._queues.setdefault(engine, made)
        return queue.ask(asked)
