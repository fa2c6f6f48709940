"""Wording: one row of the outbox becomes one message, in its reader's language."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import parseaddr

from css_inline import CSSInliner
from flask import current_app, render_template
from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from booking.mail import digests, facts, links
from booking.mail.facts import Dropped
from booking.mail.words import one_line
from booking.model import Letter, Person, Slot

__all__ = ["Dropped", "Loaded", "Message", "Said", "compose", "load", "say"]

LANGUAGES = ("zh_Hans_CN", "en")
LONGEST_SUBJECT = 120

_inline = CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


class WholeLine(UnstructuredHeader, BaseHeader):
    """A header that is an address: folded and encoded as the others are, nothing could follow it."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


HEADERS = HeaderRegistry()
HEADERS.map_to_type("list-unsubscribe", WholeLine)
POLICY = SMTP.clone(header_factory=HEADERS)


@dataclass(frozen=True)
class Said:
    """A letter in words."""

    subject: str
    text: str
    page: str


@dataclass(frozen=True)
class Loaded:
    """A batch of letters. The session forgets what nobody holds, so keep this while they are worded."""

    letters: Sequence[Letter]
    readers: Sequence[Person | None]
    slots: Sequence[Slot]


@dataclass(frozen=True)
class Message:
    """A letter ready to go, and what the outbox must know of its row when no transaction is open."""

    letter_id: int
    sender: str
    to: str
    mime: EmailMessage
    tries: int
    created_at: datetime


def load(session: Session, ids: Sequence[int]) -> Loaded:
    """Read the letters, in this order, and what they are about, at once."""
    rows = session.execute(
        select(Letter, Person).outerjoin(Person, Person.id == Letter.person_id).where(Letter.id.in_(ids))
    ).all()
    letters = sorted((row[0] for row in rows), key=lambda letter: ids.index(letter.id))
    wanted = {slot_id for letter in letters for slot_id in facts.slot_ids(letter)}
    beside = (joinedload(Slot.activity), joinedload(Slot.zone), joinedload(Slot.station))
    slots = session.scalars(select(Slot).where(Slot.id.in_(wanted)).options(*beside)).all()
    return Loaded(letters, [row[1] for row in rows], slots)


def compose(session: Session, letter: Letter, now: datetime) -> Message:
    """The message of a row; raises `Dropped` when there is nobody to tell, or nothing to tell any more."""
    reader = session.get(Person, letter.person_id) if letter.person_id else None
    to = facts.address(letter, reader)
    asked = letter.language or (reader.language if reader else "")
    said = say(session, letter, reader, asked if asked in LANGUAGES else LANGUAGES[0], now)
    sender = Address(*_sender())
    mime = _envelope(letter, said, sender, to)
    return Message(letter.id, sender.addr_spec, to, mime, letter.tries, letter.created_at)


def say(session: Session, letter: Letter, reader: Person | None, language: str, now: datetime) -> Said:
    """Subject, text and page of a letter in one language."""
    with force_locale(language):
        told = facts.of(session, letter, reader, now)
        subject, text, page = (
            render_template(f"mail/{letter.kind}/{part}", **told) for part in ("subject.txt", "text.txt", "page.html")
        )
    return Said(one_line(subject)[:LONGEST_SUBJECT], _tidy(text), _inline.inline(page))


def _envelope(letter: Letter, said: Said, sender: Address, to: str) -> EmailMessage:
    """The same row makes the same message, byte for byte, at every try."""
    mime = EmailMessage(POLICY)
    mime["Date"] = letter.created_at
    mime["From"] = sender
    mime["To"] = Address(addr_spec=to)
    mime["Subject"] = said.subject
    mime["Message-ID"] = f"<{letter.message_id}@{links.host()}>"
    mime["Auto-Submitted"] = "auto-generated"
    mime["X-Auto-Response-Suppress"] = "All"
    if letter.kind in digests.KINDS and letter.person_id:
        mime["List-Id"] = f"<{letter.kind.replace('_', '-')}.{links.host()}>"
        mime["List-Unsubscribe"] = f"<{links.stop(letter.person_id, letter.kind)}>"
        mime["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mime.set_content(said.text, cte="base64")
    mime.add_alternative(said.page, subtype="html", cte="base64")
    mime.set_boundary(f"={letter.message_id}=")
    return mime


def _sender() -> tuple[str, str, str]:
    name, address = parseaddr(current_app.config["MAIL_FROM"])
    user, _, domain = address.rpartition("@")
    return name, user, domain


def _tidy(text: str) -> str:
    """No blanks at line ends, at most one empty line in a row."""
    lines: list[str] = []
    for line in (line.rstrip() for line in text.strip().splitlines()):
        if line or lines[-1]:
            lines.append(line)
    return "\n".join(lines) + "\n"
