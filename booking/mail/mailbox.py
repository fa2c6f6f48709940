"""Mailbox: reads the bounces that have come into a mailbox, by IMAP.

People may use the same mailbox, so nothing is deleted, and only reports are marked as read. What this process has looked at
it does not look at again. A report is marked after it was counted; if a crash comes between, it is read again, and `bounces`
knows it.
"""

import imaplib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from booking.mail import dsn
from booking.mail.bounces import REPORTED_WITHIN
from booking.mail.transport import tls_context

# How many messages one run looks at.
IN_A_RUN = 500
# NetEase refuses a client that does not name itself (RFC 2971).
NAMED = '("name" "lunch-hour" "version" "1")'

# What this process has looked at: the last UID, by mailbox and its UIDVALIDITY.
_seen: dict[tuple[Any, ...], int] = {}


# What is done with a message; returns the flags that it gets, and "" for none.
Take = Callable[[bytes], str]


class MailboxError(Exception):
    """The mailbox cannot be read. The text names no password."""


def read(settings: Mapping[str, Any], now: datetime, take: Take, stop: Callable[[], bool] = bool) -> int:
    """Hand each new message to `take`, oldest first, and set the flags that it returns. Returns how many got some."""
    try:
        with _opened(settings) as imap:
            return _read(imap, settings, now, take, stop)
    except (OSError, imaplib.IMAP4.error) as error:
        said = str(error).replace(settings["BOUNCES_PASSWORD"], "…")
        raise MailboxError(f"the mailbox of BOUNCES_URL: {type(error).__name__}: {said}") from None


def _read(
    imap: imaplib.IMAP4,
    settings: Mapping[str, Any],
    now: datetime,
    take: Take,
    stop: Callable[[], bool],
) -> int:
    folder = settings["BOUNCES_FOLDER"].replace("\\", "\\\\").replace('"', '\\"')
    _ask(imap.select, f'"{folder}"')
    known = (settings["BOUNCES_HOST"], settings["BOUNCES_USERNAME"], folder, _uid_validity(imap))
    marked = 0
    for uid in _unread(imap, now, _seen.get(known, 0))[:IN_A_RUN]:
        if stop():
            break
        message = _fetch(imap, uid)
        if message and (flags := take(message)):
            _ask(imap.uid, "STORE", str(uid), "+FLAGS", f"({flags})")
            marked += 1
        _seen[known] = uid
    return marked


def _unread(imap: imaplib.IMAP4, now: datetime, last: int) -> list[int]:
    """The unread messages of the last weeks behind this UID."""
    day = imaplib.Time2Internaldate(now - REPORTED_WITHIN)[1:12].strip()
    found = _ask(imap.uid, "SEARCH", "UNSEEN", "SINCE", day)
    return sorted(uid for uid in map(int, b" ".join(filter(None, found)).split()) if uid > last)


def _fetch(imap: imaplib.IMAP4, uid: int) -> bytes | None:
    """The message, without marking it as read; None when it is too large, or gone."""
    size = re.search(rb"RFC822\.SIZE (\d+)", b" ".join(_bytes(_ask(imap.uid, "FETCH", str(uid), "(RFC822.SIZE)"))))
    if size is None or int(size[1]) > dsn.LARGEST:
        return None
    parts = _ask(imap.uid, "FETCH", str(uid), "(BODY.PEEK[])")
    return next((bytes(part[1]) for part in parts if isinstance(part, tuple)), None)


def _bytes(parts: list[Any]) -> Iterator[bytes]:
    for part in parts:
        yield from part if isinstance(part, tuple) else [part] if isinstance(part, bytes) else []


def _uid_validity(imap: imaplib.IMAP4) -> bytes:
    """When it changes, the server has numbered the messages anew."""
    return b" ".join(_bytes(imap.response("UIDVALIDITY")[1]))


def _ask(command: Callable[..., tuple[str, list[Any]]], *arguments: str) -> list[Any]:
    status, answer = command(*arguments)
    if status != "OK":
        raise imaplib.IMAP4.error(b" ".join(_bytes(answer)).decode("utf-8", "replace"))
    return answer


@contextmanager
def _opened(settings: Mapping[str, Any]) -> Iterator[imaplib.IMAP4]:
    where = (settings["BOUNCES_HOST"], settings["BOUNCES_PORT"])
    timeout = settings["BOUNCES_TIMEOUT"]
    tls = settings["BOUNCES_TLS"]
    imap = (
        imaplib.IMAP4_SSL(*where, ssl_context=tls_context(settings), timeout=timeout)
        if tls
        else imaplib.IMAP4(*where, timeout=timeout)
    )
    try:
        if settings["BOUNCES_STARTTLS"]:
            imap.starttls(tls_context(settings))
        imap.login(settings["BOUNCES_USERNAME"], settings["BOUNCES_PASSWORD"])
        if "ID" in imap.capabilities:
            imap.xatom("ID", NAMED)
        yield imap
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            imap.logout()
