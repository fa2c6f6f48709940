"""Wording: one row of the outbox becomes one message, in its reader's language."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from flask import current_app, render_template
from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from booking.each import among
from booking.mail import alike, context, digests, inline_css, invites, links, packing, samples, translations
from booking.mail.alike import Frame, Packed
from booking.mail.context import Dropped
from booking.mail.talk import Envelope
from booking.mail.wording import plain_name, tidy
from booking.model import LANGUAGES, Letter, Person, Slot
from booking.sanitise import one_line

__all__ = ["Dropped", "Loaded", "Message", "Said", "compose", "load", "sample", "say", "stylesheet"]

LONGEST_SUBJECT = 120
# What a batch reads of its letters and readers: as plain rows of no more than is asked for, a tenth of the objects' cost.
OF_LETTERS = (
    *(Letter.id, Letter.kind, Letter.person_id, Letter.to, Letter.language, Letter.slot_id, Letter.booking_id),
    *(Letter.details, Letter.message_id, Letter.tries, Letter.created_at),
)
OF_READERS = (
    *(Person.id, Person.name, Person.email, Person.language, Person.deleted_at, Person.disabled_at),
    *(Person.wants_digest, Person.wants_manager_digest),
)


@dataclass(frozen=True)
class Said:
    """A letter in words."""

    subject: str
    text: str
    page: str


@dataclass(frozen=True)
class Loaded:
    """A batch of letters and their readers, as plain rows. The session forgets slots that nobody holds."""

    letters: Sequence[Letter]
    readers: Mapping[int | None, Person]
    slots: Sequence[Slot]


@dataclass(frozen=True)
class Message:
    """A letter ready to go, and what the outbox must know of its row when no transaction is open."""

    letter_id: int
    kind: str
    envelope: Envelope
    mime: bytes


def load(session: Session, ids: Sequence[int]) -> Loaded:
    """Read the letters, in this order, and what they are about, at once."""
    rows = {row.id: row for row in _rows(session, OF_LETTERS, ids)}
    letters = [rows[letter_id] for letter_id in ids if letter_id in rows]
    people = {letter.person_id for letter in letters if letter.person_id}
    readers = {row.id: row for row in _rows(session, OF_READERS, people)}
    wanted = {slot_id for letter in letters for slot_id in context.slot_ids(letter)}
    beside = (joinedload(Slot.activity), joinedload(Slot.zone), joinedload(Slot.station))
    slots = session.scalars(select(Slot).where(Slot.id.in_(wanted)).options(*beside)).all() if wanted else []
    return Loaded(letters, readers, slots)


def _rows(session: Session, columns: Any, ids: Collection[int]) -> Sequence[Any]:
    """Rows with the names of the model's attributes; the first is the id."""
    return session.execute(select(*columns).where(columns[0].in_(among(ids)))).all() if ids else ()


def compose(session: Session, letter: Letter, now: datetime, loaded: Loaded | None = None) -> Message:
    """The message of a row; raises `Dropped` when there is nobody to tell, or nothing to tell any more."""
    reader = (loaded or load(session, [letter.id])).readers.get(letter.person_id)
    to = context.address(letter, reader)
    said = _said(session, letter, reader, now)
    invite = _invite(session, letter, reader)
    name, sender = packing.sender(current_app.config["MAIL_FROM"])
    words = [packing.Part("plain", said.text), packing.Part("html", said.page)]
    mime = packing.pack(_headers(letter, said.subject, name, to), letter.message_id, words, invite)
    return Message(letter.id, letter.kind, Envelope(sender, to, len(mime)), mime)


def _invite(session: Session, letter: Letter, reader: Person | None) -> packing.Part | None:
    """The calendar file that goes with the letter."""
    if letter.kind not in invites.METHODS:
        return None
    with force_locale(_language(letter, reader)):
        invite = invites.with_letter(session, letter)
    if invite is None:
        return None
    more = f'; method="{invite.method}"\r\nContent-Disposition: attachment; filename="lunch-hour.ics"'
    return packing.Part("calendar", packing.quoted(invite.content), more)


def _language(letter: Letter, reader: Person | None) -> str:
    asked = letter.language or (reader.language if reader else None)
    return asked if asked in LANGUAGES else LANGUAGES[0]


def _said(session: Session, letter: Letter, reader: Person | None, now: datetime) -> Packed:
    """The words of a letter."""
    language = _language(letter, reader)
    if reader and letter.kind in digests.KINDS:
        return _digest(session, letter, reader, language, now)
    said = say(session, letter, reader, language, now)
    return Packed(said.subject, packing.quoted(said.text), packing.quoted(said.page))


def _digest(session: Session, letter: Letter, reader: Person, language: str, now: datetime) -> Packed:
    """The words of a digest, of which most are those of other readers too."""
    name, known = plain_name(reader.name), alike.of_this_process()
    tell = cache(lambda: alike.to_anybody(context.of(session, letter, reader, now), named=bool(name)))
    key = (letter.kind, language, bool(name), *context.shape(letter, tell))
    frame = known.get(key, now, lambda: _frame(letter.kind, language, tell()))
    filled = alike.Filling(known, language, now, tell, stylesheet).fill(frame, name, links.stop(reader.id, letter.kind))
    return filled._replace(subject=_subject(filled.subject))


def _frame(kind: str, language: str, told: context.Facts) -> Frame:
    framing = alike.Framing(told)
    with force_locale(language):
        said = _words(kind, told | {"kept": framing.kept})
    return framing.frame(said.subject, said.text, inline_css.inline(said.page))


def say(session: Session, letter: Letter, reader: Person | None, language: str, now: datetime) -> Said:
    """Subject, text and page of a letter in one language."""
    with force_locale(language):
        told = context.of(session, letter, reader, now)
        said = _words(letter.kind, told | {"kept": alike.plainly(told)})
    return Said(_subject(said.subject), said.text, inline_css.inline(said.page))


def sample(kind: str, language: str, now: datetime, style: str) -> Said:
    """A letter about a made-up lunch hour, to look at in a browser: its page links to the stylesheet at `style`."""
    with force_locale(language):
        told = samples.of(kind, now) | {"style": style}
        said = _words(kind, told | {"kept": alike.plainly(told)})
    return Said(_subject(said.subject), said.text, said.page)


def stylesheet() -> str:
    """The style of the letters, as a file."""
    return render_template("mail/style.html").strip().removeprefix("<style>").removesuffix("</style>")


def _words(kind: str, told: context.Facts) -> Said:
    told = told | translations.sentences()
    subject, text, page = (
        render_template(f"mail/{kind}/{part}", **told) for part in ("subject.txt", "text.txt", "page.html")
    )
    return Said(subject, tidy(text), page)


def _subject(said: str) -> str:
    return one_line(said)[:LONGEST_SUBJECT]


def _headers(letter: Letter, subject: str, sender: str, to: str) -> dict[str, str]:
    headers = {
        "Date": packing.moment(letter.created_at),
        "From": sender,
        "To": one_line(to),
        "Subject": packing.subject(subject),
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
