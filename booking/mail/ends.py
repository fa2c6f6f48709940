"""The ends of letters: each is written down before the body of the next letter goes out.

PostgreSQL's are not waited for. It is enough that an end is in the kernel's hands: the kernel delivers it though we be
killed, and PostgreSQL carries out and commits the statement that it has read. Those behind it in the same line would be
lost: when it wants to answer and finds nobody, it leaves. So each line has one end on its way and no more, and there are
several lines, whose commits share their waits for the disk.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol

from flask import current_app
from sqlalchemy import Engine, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, scoped_session

from booking import lines, swift
from booking.db import transactions
from booking.model import Letter

# As many ends are on their way, and as many letters would go again after a power cut.
LINES = 4
# An end that was written and not confirmed may be written again.
SENT = swift.Statement(
    update(Letter)
    .where(Letter.id == swift.given("letter_id"), Letter.state != "sent")
    .values(state="sent", error="", sent_at=swift.given("now", Letter.sent_at.type), tries=Letter.tries + 1)
)

End = tuple[int, datetime]


class Ends(Protocol):
    """Where senders say which letters were taken."""

    def sent(self, letter_id: int, now: datetime) -> None:
        """Write it down: whatever becomes of this process, it has been sent."""

    def settle(self) -> None:
        """Come back when all that was written down can be read."""


@contextmanager
def opened(session: Session | scoped_session[Any]) -> Iterator[Ends]:
    """The ends of one run of a sender; settled at its end."""
    engine = session.get_bind().engine
    if engine.dialect.name != "postgresql":
        yield Waiting(session)
        return
    left: deque[End] = current_app.extensions.setdefault("mail_ends", deque())
    ends = OnTheirWay(engine, [left.popleft() for _ in range(len(left))])
    try:
        ends.write_again()
        yield ends
        ends.settle()
    finally:
        ends.close()
        left.extend(ends.unconfirmed)


class Waiting:
    """SQLite's: each is waited for."""

    def __init__(self, session: Session | scoped_session[Any]) -> None:
        self._session = session

    def sent(self, letter_id: int, now: datetime) -> None:
        with transactions.autocommit_connection(self._session) as line, transactions.sqlite_write(line):
            SENT.run(line, letter_id=letter_id, now=now)

    def settle(self) -> None:
        pass


class OnTheirWay:
    """PostgreSQL's. What a lost database has not confirmed is written again; if it stays away, by the next run, which
    is soon enough: only after ten minutes would those letters be taken up and sent again."""

    def __init__(self, engine: Engine, left: Iterable[End] = ()) -> None:
        self._engine = engine
        self.unconfirmed = deque(left)  # the oldest first, as in `_busy`
        self._busy: deque[swift.Line] = deque()
        self._idle: list[swift.Line] = []

    def sent(self, letter_id: int, now: datetime) -> None:
        self.unconfirmed.append((letter_id, now))
        try:
            self._busy.append(self._free())
            SENT.hand_over(self._busy[-1], letter_id=letter_id, now=now)
        except DBAPIError:
            self.write_again()

    def settle(self) -> None:
        try:
            while self._busy:
                self._idle.append(self._confirmed())
        except DBAPIError:
            self.write_again()

    def write_again(self) -> None:
        """Write what was not confirmed, on a new line. Raises when there is none."""
        self.close()
        if self.unconfirmed:
            line = lines.own(self._engine)
            self._idle.append(line)
        while self.unconfirmed:
            letter_id, now = self.unconfirmed[0]
            SENT.run(line, letter_id=letter_id, now=now)
            self.unconfirmed.popleft()

    def close(self) -> None:
        ended = [*self._busy, *self._idle]
        self._busy.clear()
        self._idle.clear()
        for line in ended:
            line.driver.close()

    def _free(self) -> swift.Line:
        if self._idle:
            return self._idle.pop()
        return lines.own(self._engine) if len(self._busy) < LINES else self._confirmed()

    def _confirmed(self) -> swift.Line:
        line = self._busy.popleft()
        try:
            line.finish()
        except DBAPIError:
            line.driver.close()
            raise
        self.unconfirmed.popleft()
        return line
