"""MIME: how a letter's headers and lines are written. Headers with what people typed are encoded here, as text.

The library's own headers decode what looks like an encoded word in a subject or an address, lose
spaces when they fold a long Chinese subject, lose the quotes of a long name, and encode a long List-Unsubscribe.
"""

from collections.abc import Callable
from email.header import Header
from email.headerregistry import HeaderRegistry
from email.policy import SMTP, EmailPolicy
from email.utils import formataddr, parseaddr
from functools import lru_cache
from typing import Any

LINE = 76  # the longest line of base64 (RFC 2045) and of a header with encoded words (RFC 2047)
SHORT = LINE - 16  # behind the name of a header
ENCODING = "base64"  # in quoted-printable a Chinese letter is twice as long, and takes five times as long to write


def _subject(text: str) -> str:
    return text if _is_plain(text) else Header(text, "utf-8", LINE, "Subject").encode(linesep=SMTP.linesep)


def _mailbox(text: str) -> str:
    name, address = parseaddr(text)
    if _is_plain(name):
        return formataddr((name, address))
    header = Header(name, "utf-8", LINE, "From")
    header.append(f"<{address}>", "us-ascii")
    return header.encode(linesep=SMTP.linesep)


def _is_plain(text: str) -> bool:
    """Whether a header carries the text as it is. What has to be folded is encoded: some readers keep the line break."""
    return text.isascii() and "=?" not in text and len(text) <= SHORT


AS_TEXT: dict[str, Callable[[str], str]] = {"Subject": _subject, "From": _mailbox, "To": str, "List-Unsubscribe": str}


class _Policy(EmailPolicy):
    """SMTP's policy, with our own way to write some headers."""

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        return (name, value) if name in AS_TEXT else super().header_store_parse(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        if name not in AS_TEXT:
            return super().fold_binary(name, value)
        # As UTF-8 only an address outside of ASCII, which the transport refuses.
        return f"{name}: {AS_TEXT[name](value)}{self.linesep}".encode()


class _Headers(HeaderRegistry):
    """The library's headers, with their classes made once and not at every header of every letter."""

    __getitem__ = lru_cache(64)(HeaderRegistry.__getitem__)


POLICY = _Policy(linesep=SMTP.linesep, max_line_length=LINE, cte_type="7bit", header_factory=_Headers())
