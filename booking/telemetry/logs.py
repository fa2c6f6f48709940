"""Logs: one line an event on standard error, as key=value or as JSON (LOG_FORMAT), by structlog.

A line of a request is put together by hand, for there are thousands a second; all others pass structlog's processors.
Both have the same keys in the same order.
"""

import atexit
import json
import logging
import os
import sys
from collections import deque
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from multiprocessing.util import Finalize
from threading import Lock, Thread
from time import sleep
from typing import Any

import structlog
from structlog.stdlib import ExtraAdder, ProcessorFormatter

from booking import clock
from booking.telemetry import redaction, request_context
from booking.telemetry.repeated import RepeatFilter, Repeats

ORDER = ["time", "level", "logger", "event", "request_id", "person"]
Event = MutableMapping[str, Any]
Write = Callable[[str], None]
MOMENT = 0.1  # seconds
log = logging.getLogger(__name__)
_repeats = Repeats()


def configure(how: str) -> None:
    """Send all log lines of this process to standard error, in this format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(how))
    handler.addFilter(RepeatFilter(_repeats))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("booking").setLevel(logging.INFO)
    atexit.register(tell_left_out, all_of_them=True)


def formatter(how: str) -> ProcessorFormatter:
    """A formatter of the standard library's log records."""
    named: list[structlog.typing.Processor] = [structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name]
    return ProcessorFormatter(
        foreign_pre_chain=[*named, ExtraAdder(), _now, _request, _error, _redact],
        processors=[ProcessorFormatter.remove_processors_meta, _ordered, _renderer(how)],
    )


def tell_left_out(*, all_of_them: bool = False) -> None:
    """Log how many lines of each kind were left out in the windows that have ended."""
    for kind, count in _repeats.ended(all_of_them=all_of_them):
        log.warning("lines left out", extra={"kind": kind, "left_out": count})


def admits(kind: str) -> bool:
    """Whether one more line of this kind is logged."""
    return _repeats.admits(kind)


def request_line(how: str) -> Callable[[request_context.RequestContext, str, float, str, bool], str]:
    """A function that makes the line of a request: of its context, method, milliseconds, level, and if it was slow."""
    return _json_line if how == "json" else _key_value_line


def write(line: str) -> None:
    """To standard error, a moment later and together with others: a thread that writes gives its turn away."""
    global _writer  # noqa: PLW0603 - one thread in each process, also after a fork
    _lines.append(line)
    if _writer is None or not _writer.is_alive():
        with _starting:
            if _writer is None or not _writer.is_alive():
                _writer = Thread(target=_write_on, name="request-lines", daemon=True)
                _writer.start()
                Finalize(None, flush, exitpriority=0)  # atexit does not count in the workers of granian


def flush() -> None:
    """Write what waits, in one piece: other processes write to the same place."""
    lines = [_lines.popleft() for _ in range(len(_lines))]
    with suppress(OSError):  # whoever read it has gone
        os.write(2, "".join(lines).encode())


def _write_on() -> None:
    while True:
        sleep(MOMENT)
        if _lines:
            flush()


_lines: deque[str] = deque(maxlen=100_000)
_starting = Lock()
_writer: Thread | None = None


def _key_value_line(request: request_context.RequestContext, method: str, ms: float, level: str, slow: bool) -> str:
    text = (
        f"time={_instant()} level={level} event=request request_id={request.request_id}"
        f" person={request.person_id or '-'} route={request.route} method={method} status={request.status}"
        f" ms={ms:.1f} lane={request.lane}"
    )
    text += f" outcome={request.outcome}" if request.outcome else ""
    return f"{text} slow=true\n" if slow else f"{text}\n"


def _json_line(request: request_context.RequestContext, method: str, ms: float, level: str, slow: bool) -> str:
    # Ids, routes, lanes and outcomes are words of ours: none has a character that JSON escapes.
    text = (
        f'{{"time": "{_instant()}", "level": "{level}", "event": "request", "request_id": "{request.request_id}",'
        f' "person": {request.person_id or "null"}, "route": "{request.route}", "method": "{method}",'
        f' "status": {request.status}, "ms": {ms:.1f}, "lane": "{request.lane}"'
    )
    text += f', "outcome": "{request.outcome}"' if request.outcome else ""
    return text + (', "slow": true}\n' if slow else "}\n")


def _instant() -> str:
    now = clock.now()
    return f"{_second(int(now.timestamp()))}.{now.microsecond // 1000:03d}Z"


@lru_cache(2)
def _second(timestamp: int) -> str:
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%dT%H:%M:%S}"


def _renderer(how: str) -> structlog.typing.Processor:
    if how == "json":
        return structlog.processors.JSONRenderer()
    return lambda _logger, _name, event: " ".join(f"{key}={_value(value)}" for key, value in event.items())


def _value(value: Any) -> str:
    """A value in quotes where it needs them; never more than one line."""
    text = "-" if value is None else str(value)
    plain = text.isprintable() and text and not set(text) & {" ", '"', "=", "\\"}
    return text if plain else json.dumps(text, ensure_ascii=not text.isprintable())


def _ordered(_logger: Any, _name: str, event: Event) -> Event:
    first = {key: event[key] for key in ORDER if key in event}
    return first | {key: value for key, value in event.items() if key not in first}


def _now(_logger: Any, _name: str, event: Event) -> Event:
    event["time"] = _instant()
    return event


def _request(_logger: Any, _name: str, event: Event) -> Event:
    """Of which request, and whose."""
    if request := request_context.current.get():
        event.setdefault("request_id", request.request_id)
        event.setdefault("person", request.person_id)
    return event


def _error(_logger: Any, _name: str, event: Event) -> Event:
    """An exception as its type, the first line of its text, and where it was raised."""
    raised = event.pop("exc_info", None)
    if raised and raised[1]:
        event["error"] = redaction.error_text(raised[1])
        event["raised_at"] = redaction.frames(raised)
    return event


def _redact(_logger: Any, _name: str, event: Event) -> Event:
    for key, value in event.items():
        if isinstance(value, str) and key not in ("time", "raised_at", "request_id"):
            event[key] = redaction.redacted(value)
    return event
