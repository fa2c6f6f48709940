"""A letter as the bytes that go over the line: MIME, packed by hand, since ten thousand are packed in a row."""

from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, formataddr, parseaddr
from functools import lru_cache
from typing import NamedTuple

LINE = 76  # characters of base64 on a line


class Part(NamedTuple):
    """A text, what kind of text it is, and more headers of its own."""

    kind: str
    text: str
    more: str = ""


def pack(headers: Mapping[str, str], boundary: str, words: Sequence[Part], file: Part | None) -> bytes:
    """The words as alternatives, and the file beside them. No header of `headers` may hold a line end."""
    body = _multipart("alternative", f"={boundary}=", [_part(part) for part in words])
    if file:
        body = _multipart("mixed", f"=+{boundary}=", [body, _part(file)])
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{head}MIME-Version: 1.0\r\n{body}".encode("ascii")


def _multipart(kind: str, boundary: str, parts: Sequence[str]) -> str:
    inside = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n{inside}--{boundary}--\r\n'


def _part(part: Part) -> str:
    head = f'Content-Type: text/{part.kind}; charset="utf-8"{part.more}\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    packed = b2a_base64(part.text.encode(), newline=False).decode("ascii")
    return head + "\r\n".join([packed[at : at + LINE] for at in range(0, len(packed), LINE)])


@lru_cache(1024)
def subject(words: str) -> str:
    """A subject as a header, folded."""
    return Header(words, "utf-8", header_name="Subject").encode(linesep="\r\n")


@lru_cache(64)
def moment(at: datetime) -> str:
    """An instant as a header."""
    return format_datetime(at)


@lru_cache(4)
def sender(said: str) -> tuple[str, str]:
    """The header of who writes, and the bare address."""
    name, address = parseaddr(said)
    return formataddr((name, address), "utf-8"), address
