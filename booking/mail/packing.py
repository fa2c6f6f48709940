"""A letter as the bytes that go over the line: MIME, packed by hand, since ten thousand are packed in a row.

Texts go as quoted-printable (RFC 2045), for what was quoted in pieces is put together by joining them.
"""

import re
from base64 import b64encode
from binascii import b2a_qp
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime, formataddr, parseaddr
from functools import lru_cache
from typing import NamedTuple

# b2a_qp looks at 76 characters a line, but not at the last of them; a cut leaves what is quoted whole.
_TOO_LONG = re.compile(rb"^(?=.{77})(.{60,75})(?<!=)(?<!=.)(.+)$", re.MULTILINE)
LONGEST_LINE = 76
# Characters of a subject that need no fold, and bytes in one encoded word, which may have 75 characters.
PLAIN_SUBJECT = 66
IN_A_WORD = 39


class Part(NamedTuple):
    """A text, `quoted`, what kind of text it is, and more headers of its own."""

    kind: str
    quoted: bytes
    more: str = ""


def pack(headers: Mapping[str, str], boundary: str, words: Sequence[Part], file: Part | None) -> bytes:
    """The words as alternatives, and the file beside them. No header of `headers` may hold a line end."""
    body = _multipart("alternative", f"={boundary}=", [_part(part) for part in words])
    if file:
        body = _multipart("mixed", f"=+{boundary}=", [body, _part(file)])
    head = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    return b"%sMIME-Version: 1.0\r\n%s" % (head.encode("ascii"), body)


def _multipart(kind: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    line = f"--{boundary}".encode("ascii")
    inside = b"".join([b"%s\r\n%s\r\n" % (line, part) for part in parts])
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode("ascii")
    return b"%s%s%s--\r\n" % (head, inside, line)


def _part(part: Part) -> bytes:
    head = f'Content-Type: text/{part.kind}; charset="utf-8"{part.more}\r\n'
    return b"%sContent-Transfer-Encoding: quoted-printable\r\n\r\n%s" % (head.encode("ascii"), part.quoted)


def quoted(text: str) -> bytes:
    """The text in quoted-printable: another may stand before it and after it."""
    made = b2a_qp(text.replace("\r\n", "\n").replace("\r", "\n").encode())
    if not made.endswith(b"\n"):
        made += b"=\n"  # a line end that does not count
    if max(map(len, made.split(b"\n"))) > LONGEST_LINE:
        made = _TOO_LONG.sub(rb"\1=\n\2", made)
    return made.replace(b"\n", b"\r\n")


@lru_cache(1024)
def subject(words: str) -> str:
    """A subject as a header, folded: plain where it can be, else in encoded words (RFC 2047)."""
    if words.isascii() and words.isprintable() and len(words) <= PLAIN_SUBJECT and "=?" not in words:
        return words
    lines = [b""]
    for character in map(str.encode, words):
        if len(lines[-1]) + len(character) > IN_A_WORD:
            lines.append(b"")
        lines[-1] += character
    return "\r\n ".join([f"=?utf-8?b?{b64encode(line).decode()}?=" for line in lines])


@lru_cache(64)
def moment(at: datetime) -> str:
    """An instant as a header."""
    return format_datetime(at)


@lru_cache(4)
def sender(said: str) -> tuple[str, str]:
    """The header of who writes, and the bare address."""
    name, address = parseaddr(said)
    return formataddr((name, address), "utf-8"), address
