"""Delivery status notifications: what is read of each server's report, and that nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.mail import dsn
from booking.mail.smtp_replies import Meaning, classify
from tests.support.reports import FILES, FILLED, LIN, report

ADDRESS, CONTENT, LATER = Meaning.ADDRESS, Meaning.CONTENT, Meaning.LATER
UNCLEAR, SETUP = Meaning.UNCLEAR, Meaning.SETUP
# What each of them says of the address, and whether it names it.
FAILURES = {
    "postfix": (ADDRESS, True),
    "exim": (ADDRESS, True),
    "exim_unrouteable": (ADDRESS, True),
    "mailbox_full": (LATER, True),
    "global": (ADDRESS, True),
    "gbk_diagnostic": (ADDRESS, True),
    "exim_spam": (CONTENT, True),
    "sender_refused": (SETUP, True),
    "qq": (ADDRESS, False),
    "netease_gbk": (ADDRESS, False),
}
NONE = ("postfix_delayed", "out_of_office")
WITHOUT_LETTER = {"qq_without_letter": ADDRESS, "report_about_a_report": ADDRESS}
PARTS = [(FILES / f"{name}.eml").read_bytes().splitlines(keepends=True) for name in FAILURES]


def meanings(read: dsn.FailureReport) -> list[Meaning]:
    return [classify(one.code, one.said) for one in read.failures]


@pytest.mark.parametrize("name", FAILURES)
def test_a_report_names_the_letter_and_says_why(name: str) -> None:
    meaning, names_it = FAILURES[name]
    read = dsn.read(report(name))
    assert read
    assert read.letters == {FILLED}
    assert [one for one in meanings(read) if one is not UNCLEAR][:1] == [meaning]
    assert all(one.addresses == ({LIN} if names_it else set()) for one in read.failures)


@pytest.mark.parametrize("name", NONE)
def test_what_is_no_failure_is_none(name: str) -> None:
    assert dsn.read(report(name)) is None


@pytest.mark.parametrize("name", WITHOUT_LETTER)
def test_a_report_that_names_no_letter_of_ours_is_one_all_the_same(name: str) -> None:
    read = dsn.read(report(name))
    assert read
    assert not read.letters
    assert WITHOUT_LETTER[name] in meanings(read)


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_the_line_ends_do_not_matter(ends: bytes) -> None:
    read = dsn.read(report("postfix").replace(b"\n", ends))
    assert read
    assert read.letters == {FILLED}


ODD = {
    "nothing": b"",
    "no mail": b"\x00\xff\xfe" * 500,
    "an answer of a person": b"From: lin@example.com\nIn-Reply-To: <%s@lunch.example.com>\n\n550 5.1.1 no such user\n"
    % FILLED.encode(),
    "no parts": b"From: postmaster@x.example\nContent-Type: multipart/report; report-type=delivery-status\n\n",
    "a bad content type": b"From: postmaster@x.example\nContent-Type: multipart/report; boundary*0=\xff; ;;=\n\n--x\n",
    "very deep": b"From: postmaster@x.example\n"
    + b"".join(b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(3000)),
    "enormous": report("postfix") + b"x" * dsn.LARGEST,
    "open tags": b"From: postmaster@x.example\nContent-Type: text/html\n\n" + b"<style" * 100_000,
    "a codec that is none": b"From: postmaster@x.example\nContent-Type: text/plain; charset=unicode_escape\n\n\\ud800\\x00",
}


@pytest.mark.parametrize("name", ODD)
def test_odd_messages_are_no_reports_and_cost_little(name: str) -> None:
    assert dsn.read(ODD[name]) is None


@given(st.binary(max_size=2000))
def test_any_bytes_are_read_without_an_error(raw: bytes) -> None:
    dsn.read(raw)


@given(st.data())
def test_mangled_reports_are_read_without_an_error(data: st.DataObject) -> None:
    """Lines are lost, doubled, mixed between reports, and cut."""
    lines = data.draw(st.sampled_from(PARTS)) + data.draw(st.sampled_from(PARTS))
    kept = data.draw(st.lists(st.sampled_from(lines), max_size=60))
    start = data.draw(st.integers(0, 20))
    read = dsn.read(b"".join(lines[:start] + kept + [data.draw(st.binary(max_size=50))]))
    assert read is None or read.letters <= {FILLED}
