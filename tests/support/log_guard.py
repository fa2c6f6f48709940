"""Log guard: no log line, and no exception in one, tells an address, a phone number or the name of a person.

Names are those that the tests give to people, whichever test it is.
"""

import logging
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from sqlalchemy import event

from booking.model import Person

ADDRESS = re.compile(r"[^\s<>()\"'=:,]+@[^\s<>()\"'=:,]+\.[a-z]+", re.IGNORECASE)
PHONE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
REQUEST_ID = re.compile(r"request_id=[0-9a-f]{16}\b")  # may look like a phone number
# Such a name is found in a text without finding every other word.
NAME = re.compile(r"[\u4e00-\u9fff]{2,4}")


class LogGuard(logging.Handler):
    """Collects what is wrong with the records of all loggers."""

    names: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def meet(self, _person: Person, _args: Any, columns: dict[str, Any]) -> None:
        name = columns.get("name") or ""
        if NAME.fullmatch(name):
            self.names.add(name)

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            text += "".join(traceback.format_exception(record.exc_info[1]))
        if found := tells(text):
            self.told.append(f"{record.name} tells {found}: {text}")

    def taken(self) -> list[str]:
        """What was wrong since the last time."""
        told, self.told = self.told, []
        return told


def check(text: str) -> None:
    """The same for what a process of its own has logged."""
    assert tells(REQUEST_ID.sub("", text)) == []


def tells(text: str) -> list[str]:
    """The addresses, phone numbers and names of people in a text that was logged."""
    return sorted({*ADDRESS.findall(text), *PHONE.findall(text), *(name for name in LogGuard.names if name in text)})


@contextmanager
def listening() -> Iterator[LogGuard]:
    """A guard of all loggers, down to DEBUG for those of the app."""
    guard, root, ours = LogGuard(), logging.getLogger(), logging.getLogger("booking")
    level = ours.level
    root.addHandler(guard)
    ours.setLevel(logging.DEBUG)
    event.listen(Person, "init", guard.meet)
    try:
        yield guard
    finally:
        event.remove(Person, "init", guard.meet)
        ours.setLevel(level)
        root.removeHandler(guard)
