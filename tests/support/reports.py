"""Reports of mail servers about letters that came back, and a letter that was sent, to be reported.

Those of Postfix 3.7 (`postfix`, `mailbox_full`) and Exim 4.96 (`exim`, `exim_spam`, `exim_unrouteable`) were made by these
servers, with other names of hosts; the rest is written after the formats.
"""

from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from booking.db import transactions
from booking.model import Letter

FILES = Path(__file__).parent.parent / "mail" / "reports"
FILLED = "0" * 7 + "1" * 32  # a Message-ID of ours
LIN = "lin@example.com"


def report(name: str, message_id: str = FILLED, recipient: str = LIN) -> bytes:
    """One of the reports, about the letter with this Message-ID to this address."""
    raw = (FILES / f"{name}.eml").read_bytes()
    return raw.replace(b"MESSAGE-ID", message_id.encode()).replace(b"RECIPIENT", recipient.encode())


def sent_letter(session: Session, now: datetime, *, state: str = "sent", **columns: object) -> str:
    """A letter that left at `now`; returns its Message-ID."""
    with transactions.transaction(session) as writing:
        count = writing.query(Letter).count() + 1
        message_id = f"{count:07x}{'ab' * 16}"
        letter = Letter(
            kind="strike",
            message_id=message_id,
            state=state,
            tries=1,
            created_at=now,
            next_try_at=now,
            sent_at=now if state == "sent" else None,
            **columns,
        )
        writing.add(letter)
    return message_id
