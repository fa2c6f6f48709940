"""Rendering: one row of the outbox becomes one MIME message in its reader's language."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

from css_inline import CSSInliner
from flask import current_app, render_template
from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from booking.db.arrays import in_array
from booking.mail import context, invites, links, recipient, subscriptions
from booking.mail.mime import ENCODING, POLICY
from booking.mail.recipient import Dropped
from booking.mail.wording import tidy
from booking.model import LANGUAGES, Letter, Person, Slot, Suppression
from booking.sanitise import one_line

__all__ = ["Dropped", "Loaded", "Message", "Rendered", "compose", "load", "render", "stylesheet"]

LONGEST_SUBJECT = 120
CALENDAR_FILE = "lunch-hour.ics"
_inline_css = CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
# The columns that a batch reads of its letters and readers: plain rows cost a tenth of objects.
LETTER_COLUMNS = (
    *(Letter.id, Letter.kind, Letter.person_id, Letter.to, Letter.language, Letter.slot_id, Letter.booking_id),
    *(Letter.details, Letter.message_id, Letter.tries, Letter.created_at),
)
READER_COLUMNS = (
    *(Person.id, Person.name, Person.email, Person.language, Person.deleted_at, Person.disabled_at),
    *(getattr(Person, column) for column in subscriptions.WANTED.values()),
)


@dataclass(frozen=True)
class Rendered:
    """The subject, the text part and the HTML part of a letter."""

    subject: str
    text: str
    page: str


@dataclass(frozen=True)
class Loaded:
    """A batch of letters and their readers, as plain rows, and their `live` bookings. `slots` keeps the slots in the
    session's identity map."""

    letters: Sequence[Letter]
    readers: Mapping[int | None, Person]
    suppressed: Mapping[int | None, str]
    slots: Sequence[Slot]
    live: context.Live


@dataclass(frozen=True)
class Message:
    """A letter ready to be sent, and what the outbox needs to know of its row outside of a transaction."""

    letter_id: int
    kind: str
    sender: str
    to: str
    mime: bytes


def load(session: Session, ids: Sequence[int]) -> Loaded:
    """Read the letters in this order, and what they are about, in a few statements."""
    rows = {row.id: row for row in _rows(session, LETTER_COLUMNS, ids)}
    letters = [rows[letter_id] for letter_id in ids if letter_id in rows]
    people = {letter.person_id for letter in letters if letter.person_id}
    readers = {row.id: row for row in _rows(session, READER_COLUMNS, people)}
    wanted = {slot_id for letter in letters for slot_id in context.slot_ids(letter)}
    related = (joinedload(Slot.activity), joinedload(Slot.zone), joinedload(Slot.station))
    slots = session.scalars(select(Slot).where(Slot.id.in_(wanted)).options(*related)).all() if wanted else []
    suppressed = {row.person_id: row.kind for row in _rows(session, (Suppression.person_id, Suppression.kind), people)}
    return Loaded(letters, readers, suppressed, slots, context.live_bookings(session, letters))


def _rows(session: Session, columns: Any, ids: Collection[int]) -> Sequence[Any]:
    """Rows with the names of the model's attributes; the first column is the id."""
    return session.execute(select(*columns).where(columns[0].in_(in_array(ids)))).all() if ids else ()


def compose(session: Session, letter: Letter, now: datetime, loaded: Loaded | None = None) -> Message:
    """The message of a row; raises `Dropped` when nobody is left to read it or it is no longer true."""
    loaded = loaded or load(session, [letter.id])
    reader = loaded.readers.get(letter.person_id)
    to = recipient.address(letter, reader, loaded.suppressed.get(letter.person_id))
    language = _language(letter, reader)
    content = render(letter.kind, context.of(session, letter, reader, now, loaded.live), language)
    message = EmailMessage(POLICY)
    for name, value in _headers(letter, content.subject, to).items():
        message[name] = value
    # Boundaries are made of the Message-ID, so that every try sends the same bytes.
    message.set_content(content.text, cte=ENCODING)
    message.make_alternative(f"={letter.message_id}=")
    message.add_alternative(content.page, subtype="html", cte=ENCODING)
    _add_invite(session, message, letter, to, reader, language)
    _, sender = parseaddr(current_app.config["MAIL_FROM"])
    return Message(letter.id, letter.kind, sender, to, message.as_bytes())


def render(kind: str, told: context.Context, language: str) -> Rendered:
    """Subject, text and page of a letter of that kind in one language."""
    with force_locale(language):
        subject, text, page = (
            render_template(f"mail/{kind}/{part}", **told) for part in ("subject.txt", "text.txt", "page.html")
        )
    styled = _inline_css.inline(page) if "<style>" in page else page  # a preview links to the style
    return Rendered(one_line(subject)[:LONGEST_SUBJECT], tidy(text), styled)


def stylesheet() -> str:
    """The style of the letters, as a file."""
    return render_template("mail/style.html").strip().removeprefix("<style>").removesuffix("</style>")


def _language(letter: Letter, reader: Person | None) -> str:
    asked = letter.language or (reader.language if reader else None)
    return asked if asked in LANGUAGES else LANGUAGES[0]


def _headers(letter: Letter, subject: str, to: str) -> dict[str, Any]:
    headers = {
        "Date": letter.created_at,
        "From": current_app.config["MAIL_FROM"],
        "To": one_line(to),
        "Subject": subject,
        "Message-ID": f"<{letter.message_id}@{links.host()}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if letter.kind in subscriptions.KINDS and letter.person_id:
        headers |= {
            "List-Id": f"<{letter.kind.replace('_', '-')}.{links.host()}>",
            "List-Unsubscribe": f"<{links.stop(letter.person_id, letter.kind)}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    return headers


def _add_invite(
    session: Session, message: EmailMessage, letter: Letter, to: str, reader: Person | None, language: str
) -> None:
    """Add what the letter has for calendars, if its kind has something.

    A message to the calendar is an alternative, or mail programs would not act on it; its name is for those that show it
    as a file. The file to open by hand is of another type, so that none takes it for a second message.
    """
    if letter.kind not in invites.KINDS:
        return
    with force_locale(language):
        invite = invites.with_letter(session, letter, one_line(to), reader)
    if invite and invite.method:
        named = {"method": invite.method, "name": CALENDAR_FILE}
        message.add_alternative(invite.message, subtype="calendar", cte=ENCODING, params=named)
    if invite and invite.file:
        message.make_mixed(f"=+{letter.message_id}=")
        message.add_attachment(invite.file, "application", "ics", cte=ENCODING, filename=CALENDAR_FILE)
