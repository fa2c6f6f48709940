"""Log lines: one for an event, in two formats, and nobody's name, address or phone in one."""

import json
import logging
import subprocess
import sys

import pytest

from booking.telemetry import logs, redaction

pytestmark = pytest.mark.sqlite


def line(how: str, message: str, **more: object) -> str:
    record = logging.LogRecord("booking.mail.outbox", logging.WARNING, "outbox.py", 1, message, (), None)
    record.__dict__.update(more)
    return logs.formatter(how).format(record)


def test_a_line_has_the_same_keys_in_both_formats() -> None:
    plain, packed = (line(how, "letter cannot be sent", letter=7, kind="promoted") for how in ("keyvalue", "json"))
    told = json.loads(packed)
    assert list(told) == ["time", "level", "logger", "event", "letter", "kind"]
    assert plain.partition(" ")[2] == (
        'level=warning logger=booking.mail.outbox event="letter cannot be sent" letter=7 kind=promoted'
    )


@pytest.mark.parametrize("how", ["keyvalue", "json"])
@pytest.mark.parametrize("odd", ["two\nlines", 'a "quote"', "a\r\n\x1b[31m", "k=v", "\u2028", "", "\ud800", "a\\b"])
def test_an_event_is_one_line_whatever_is_in_it(how: str, odd: str) -> None:
    said = line(how, "odd", value=odd)
    assert len(said.splitlines()) == 1
    assert "\x1b" not in said
    said.encode()


PERSONAL = [
    ("no row for zhou@example.com", "no row for …"),
    ("Key (email)=(li.lei+x@例子.公司) exists", "Key (email)=(…) exists"),
    ("call 13800138000 now", "call … now"),
    ("call +86 138-0013-8000 now", "call … now"),
    ("call 138 0013 8000", "call …"),
    ("call +49 30 1234567", "call …"),
    ("name 周明 and 欧阳·娜娜, 𠮷野", "name … and …, …"),
    # What is none of these stays.
    ("slot 1234567890123 at 2026-11-24 10:00:00", "slot 1234567890123 at 2026-11-24 10:00:00"),
    ("took 0.138001380001 s", "took 0.138001380001 s"),
    ("lock timeout", "lock timeout"),
]


@pytest.mark.parametrize(("text", "wanted"), PERSONAL)
def test_addresses_phones_and_names_are_taken_out(text: str, wanted: str) -> None:
    assert redaction.redacted(text) == wanted
    assert json.loads(line("json", text))["event"] == wanted


def test_an_error_is_its_first_line_and_where_it_was_raised() -> None:
    def fail() -> None:
        raise ValueError("duplicate key zhou@example.com\nDETAIL: Key (name)=(Zhou Ming) exists")

    try:
        fail()
    except ValueError:
        said = json.loads(line("json", "job failed", exc_info=sys.exc_info()))
    assert said["error"] == "ValueError: duplicate key …"
    assert said["raised_at"].startswith("test_logs.py:")
    assert "Zhou" not in str(said)


def test_a_process_writes_its_lines_to_standard_error() -> None:
    program = (
        "import logging; from booking.telemetry import logs; logs.configure('json')\n"
        "for n in range(9): logging.getLogger('booking.x').error('away')\n"
        "logging.getLogger('booking.x').info('hello'); logging.getLogger('other').info('unheard')"
    )
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stderr
    told = [json.loads(line) for line in said.splitlines()]
    assert [one["event"] for one in told] == ["away"] * 3 + ["hello", "lines left out"]
    assert told[-1]["left_out"] == 6
