"""Delivery status notifications: what a mail server's report of a failure says, and of which of our letters.

Read are reports by RFC 3464 (Postfix, Exim, Exchange), and notices in plain words, as QQ and NetEase send them. Anybody may
write such a report, so nothing in it is believed here: `bounces` looks for the letter that it names.
"""

import hashlib
import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from email.parser import HeaderParser

from booking.mail.smtp_replies import readable

# Larger messages are not read: a report with our letter in it has a tenth.
LARGEST = 1024 * 1024
# Of a report by RFC 3464 the status part, and the letter or its headers.
STATUS = ("message/delivery-status", "message/global-delivery-status")
RETURNED = ("message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers")
# The local part of our Message-IDs (`identifiers.message_id`).
OUR_ID = re.compile(r"<([0-9a-f]{32,39})@[^<>\s]+>")
MAILER = re.compile(r"\b(mailer-?daemon|postmaster|mail-?daemon|mdaemon)@", re.IGNORECASE)
FAILED = re.compile(
    r"退信|退回|无法(送达|投递|发送)|投递失败|发送失败|undeliver|deliver\w* .{0,30}fail|fail\w* .{0,30}deliver|returned mail"
)
# Where the letter begins that a notice in plain words quotes.
QUOTED = re.compile(
    r"^\s*>?\s*(Return-Path|Received|DKIM-Signature|Message-ID|MIME-Version):", re.IGNORECASE | re.MULTILINE
)
REPLY = re.compile(r"(?<![\w.])([45]\d\d)[ -]+(?=\S)")
ENHANCED = re.compile(r"\b[45]\.\d{1,3}\.\d{1,3}\b")
TAGS = re.compile(r"<[a-zA-Z/!][^<>@]*>")
# Advice, which names causes that did not apply.
ADVICE = re.compile(r"请|建议|是否|可能|如果|please|check|verify|may |might|if ", re.IGNORECASE)
MOST = 50  # parts or recipients of one report
MOST_LINES = 200
LONGEST_TEXT = 20_000


@dataclass(frozen=True)
class FailedRecipient:
    """One recipient to whom the letter was not delivered, and the reply: its code, and its text with the status in it.

    `addresses` is empty where the report names none.
    """

    addresses: frozenset[str]
    code: int
    said: str


@dataclass(frozen=True)
class FailureReport:
    """A report of a failure. `letters` are the Message-IDs of ours that it names, `key` is the hash of all of it."""

    key: str
    letters: frozenset[str]
    failures: tuple[FailedRecipient, ...]


def read(raw: bytes) -> FailureReport | None:
    """The report of a failure that this message is; None for all other mail, whatever it is. Never raises."""
    if len(raw) > LARGEST or raw.lower().count(b"multipart/") > MOST:  # the library takes seconds for deep ones
        return None
    try:
        return _read(message_from_bytes(raw, policy=policy.default), hashlib.sha256(raw).hexdigest())
    except Exception:  # noqa: BLE001 - the library raises many kinds on malformed headers and nested parts
        return None


def _read(message: Message, key: str) -> FailureReport | None:
    if message.get_content_type() == "multipart/report":
        parts = _parts(message)
        status = next((part for part in parts if part.get_content_type() in STATUS), None)
        if status is not None:
            lines = _lines("\n".join(_text(part) for part in parts if part.get_content_maintype() == "text"))
            failures = tuple(failure for fields in _recipients(status) for failure in _failures(fields, lines))
            returned = (part for part in parts if part.get_content_type() in RETURNED)
            return FailureReport(key, _letters(message, *map(_headers, returned)), failures) if failures else None
    return _in_words(message, key)


def _parts(message: Message) -> list[Message]:
    """The parts of the message itself. Not those of a returned one: a report about a report names no letter of ours."""
    inside = message.get_payload()
    return [one for one in inside if isinstance(one, Message)][:MOST] if isinstance(inside, list) else []


def _recipients(status: Message) -> list[Message]:
    """The groups of fields: one about the message, and one about each recipient."""
    groups = _parts(status)
    if status.get_content_type() == STATUS[0]:
        return groups
    # The library takes all but the first for the text of a message.
    texts = re.split(r"\r?\n[ \t]*\r?\n", "".join(map(_text, groups)).strip())
    return [HeaderParser(policy=policy.default).parsestr(text) for text in texts[:MOST]]


def _failures(fields: Message, lines: list[str]) -> list[FailedRecipient]:
    """What a group of fields says, if it is that delivery failed for good. Where it says not why, the lines of the text do."""
    if _field(fields, "action").lower() != "failed":
        return []
    recipients = (_field(fields, name) for name in ("final-recipient", "original-recipient"))
    named = {text.rpartition(";")[2].strip(" <>").lower() for text in recipients}
    diagnostic = _field(fields, "diagnostic-code")
    status = ENHANCED.search(_field(fields, "status"))
    said = [diagnostic.partition(";")[2] or diagnostic] if diagnostic else lines or [""]
    return [FailedRecipient(frozenset(filter(None, named)), *_reply(text, status)) for text in said]


def _reply(text: str, status: re.Match[str] | None = None) -> tuple[int, str]:
    """The code of a reply, and its text with the enhanced status code at the beginning of a line."""
    text = " ".join(text.split())
    found = REPLY.search(text)
    enhanced = status[0] if status else ""
    code = int(found[1]) if found else 400 if enhanced.startswith("4") else 550
    words = text[found.end() :] if found else text
    return code, f"{words}\n{enhanced}".strip()


def _headers(part: Message) -> Message:
    """The headers of the returned letter."""
    if inside := _parts(part):
        return inside[0]
    return HeaderParser(policy=policy.default).parsestr(_text(part))


def _letters(report: Message, *returned: Message) -> frozenset[str]:
    """The Message-IDs of ours in these headers."""
    told = [_field(report, name) for name in ("in-reply-to", "references")]
    told += [_field(one, "message-id") for one in returned]
    return frozenset(OUR_ID.findall(" ".join(told)))


def _in_words(message: Message, key: str) -> FailureReport | None:
    """A notice without fields: what the first line says that has a reply or knows of the address."""
    named = _field(message, "x-failed-recipients")
    if not (named or MAILER.search(_field(message, "from"))):
        return None
    texts, returned = [], []
    for part in _parts(message) if message.is_multipart() else [message]:
        kind = part.get_content_type()
        if kind in RETURNED:
            returned.append(_headers(part))
        elif kind.startswith("multipart/"):
            texts += [_text(one) for one in _parts(part) if one.get_content_maintype() == "text"]
        elif part.get_content_maintype() == "text":
            texts.append(_text(part))
    if not (named or FAILED.search(f"{_field(message, 'subject')} {' '.join(texts)}".lower())):
        return None
    whole = "\n".join(texts)
    letters = _letters(message, *returned) | frozenset(OUR_ID.findall(whole))
    addresses = frozenset(one.strip().lower() for one in named.split(",") if one.strip())
    return FailureReport(key, letters, tuple(FailedRecipient(addresses, *_reply(line)) for line in _lines(whole)))


def _lines(text: str) -> list[str]:
    """The lines of a notice, before the letter that it quotes, that say why: those with a reply, or all but advice."""
    quoted = QUOTED.search(text)
    lines = [line for line in (text[: quoted.start()] if quoted else text).splitlines() if line.strip()][:MOST_LINES]
    return [line for line in lines if REPLY.search(line)] or [line for line in lines if not ADVICE.search(line)]


def _text(part: Message) -> str:
    """The text of a part, in whatever charset it is, without the tags of HTML."""
    payload = part.get_payload(decode=True)
    text = _decoded(payload, part.get_content_charset())[:LONGEST_TEXT] if isinstance(payload, bytes) else ""
    return TAGS.sub("\n", text) if part.get_content_type() == "text/html" else text


def _decoded(payload: bytes, charset: str | None) -> str:
    try:
        return payload.decode(charset or "utf-8")
    except (LookupError, ValueError):
        return readable(payload, LONGEST_TEXT)


def _field(fields: Message, name: str) -> str:
    """A field as it stands there: the library's own reading drops bytes that are not ASCII, and raises on some."""
    for known, value in fields.raw_items():
        if known.lower() == name:
            text = str(value).encode("utf-8", "surrogateescape")
            return " ".join(readable(text).split())
    return ""
