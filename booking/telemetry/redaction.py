"""Redaction: takes addresses, phones, names and parameters out of what a log line says of an error.

A line about an event holds ids only; but the text of an error may quote what somebody typed or what a row holds.
"""

import re
import traceback
from types import TracebackType

ADDRESS = re.compile(r"[^\s<>\"'=(,;]+@[^\s<>\"',;)]+")
PHONE = re.compile(r"(?<!\d)(?:\+\d[\d -]{7,}\d|(?:86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4})(?!\d)")
CHINESE = re.compile("[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+[\u2e80-\u9fff\u00b7\U00020000-\U0003ffff]*")
LONGEST = 300  # characters of an error's text
FRAMES = 12  # the innermost

Raised = tuple[type[BaseException], BaseException, TracebackType | None]


def redacted(text: str) -> str:
    """The text without what may name or reach a person."""
    return CHINESE.sub("…", PHONE.sub("…", ADDRESS.sub("…", text)))


def error_text(error: BaseException) -> str:
    """The first line of an error's text: a database puts the row's values into the next ones."""
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {redacted(first)[:LONGEST]}".removesuffix(": ")


def frames(raised: Raised) -> str:
    """Where it was raised, the innermost last, without values."""
    found = traceback.extract_tb(raised[2])[-FRAMES:]
    return " > ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}:{frame.name}" for frame in found)
