"""Wording: one row of the outbox becomes one message, in its reader's language."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import Compat32
from email.utils import format_datetime, formataddr, parseaddr

from flask import current_app, render_template
from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from booking.mail import digests, facts, invites, links, samples, styling
from booking.mail.facts import Dropped
from booking.mail.words import one_line
from booking.model import LANGUAGES, Letter, Person, Slot

__all__ = ["Dropped", "Loaded", "Message", "Said", "compose", "load", "sample", "say", "stylesheet"]

LONGEST_SUBJECT = 120


class WholeAddresses(Compat32):
    """Headers as the standard library folds them, but an address stays on the line of its name."""

    def fold_binary(self, name: str, value: str) -> bytes:
        if name == "List-Unsubscribe":
            return f"{name}: {value}{self.linesep}".encode("ascii")
        return bytes(super().fold_binary(name, value))


# The older of the two mail packages of the standard library: it makes the same bytes in a third of the time.
POLICY = WholeAddresses(linesep="\r\n")


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
    kind: str
    sender: str
    to: str
    mime: MIMEMultipart
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
    language = asked if asked in LANGUAGES else LANGUAGES[0]
    said = say(session, letter, reader, language, now)
    with force_locale(language):
        invite = invites.with_letter(session, letter)
    name, sender = parseaddr(current_app.config["MAIL_FROM"])
    mime = _envelope(letter, said, invite)
    for header, value in _headers(letter, said, formataddr((name, sender), "utf-8"), to).items():
        mime[header] = value
    return Message(letter.id, letter.kind, sender, to, mime, letter.tries, letter.created_at)


def say(session: Session, letter: Letter, reader: Person | None, language: str, now: datetime) -> Said:
    """Subject, text and page of a letter in one language."""
    with force_locale(language):
        said = _words(letter.kind, facts.of(session, letter, reader, now))
    return Said(said.subject, said.text, styling.inline(said.page))


def sample(kind: str, language: str, now: datetime, style: str) -> Said:
    """A letter about a made-up lunch hour, to look at in a browser: its page links to the stylesheet at `style`."""
    with force_locale(language):
        return _words(kind, samples.of(kind, now) | {"style": style})


def stylesheet() -> str:
    """The style of the letters, as a file."""
    return render_template("mail/style.html").strip().removeprefix("<style>").removesuffix("</style>")


def _words(kind: str, told: facts.Facts) -> Said:
    subject, text, page = (
        render_template(f"mail/{kind}/{part}", **told) for part in ("subject.txt", "text.txt", "page.html")
    )
    return Said(one_line(subject)[:LONGEST_SUBJECT], _tidy(text), page)


def _envelope(letter: Letter, said: Said, invite: invites.Invite | None) -> MIMEMultipart:
    """The same row makes the same message, byte for byte, at every try. No header can hold a line end."""
    words = MIMEMultipart("alternative", boundary=f"={letter.message_id}=", policy=POLICY)
    words.attach(MIMEText(said.text, "plain", "utf-8", policy=POLICY))
    words.attach(MIMEText(said.page, "html", "utf-8", policy=POLICY))
    if invite is None:
        return words
    mime = MIMEMultipart("mixed", boundary=f"=+{letter.message_id}=", policy=POLICY)
    mime.attach(words)
    file = MIMEText(invite.content, "calendar", "utf-8", policy=POLICY)
    file.set_param("method", invite.method)
    file.add_header("Content-Disposition", "attachment", filename="lunch-hour.ics")
    mime.attach(file)
    return mime


def _headers(letter: Letter, said: Said, sender: str, to: str) -> dict[str, str]:
    headers = {
        "Date": format_datetime(letter.created_at),
        "From": sender,
        "To": one_line(to),
        "Subject": Header(said.subject, "utf-8", header_name="Subject").encode(),
        "Message-ID": f"<{letter.message_id}@{links.host()}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if letter.kind in digests.KINDS and letter.person_id:
        headers |= {
            "List-Id": f"<{letter.kind.replace('_', '-')}.{links.host()}>",
            "List-Unsubscribe": f"<{links.stop(letter.person_id, letter.kind)}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    return headers


def _tidy(text: str) -> str:
    """No blanks at line ends, at most one empty line in a row."""
    lines: list[str] = []
    for line in (line.rstrip() for line in text.strip().splitlines()):
        if line or lines[-1]:
            lines.append(line)
    return "\n".join(lines) + "\n"
