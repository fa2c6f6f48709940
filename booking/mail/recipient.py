"""Recipient: to which address a letter goes, or why it goes to nobody."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from booking.mail import subscriptions
from booking.model import Letter, Manages, Person

# The kinds of letters that are sent whatever came back before: their reader asks for them now.
ASKED_FOR = {"calendar"}


class Dropped(Exception):
    """The letter has no reader any more, or is no longer true."""


def address(letter: Letter, reader: Person | None, suppressed: str | None = None) -> str:
    """The recipient's address; raises `Dropped` if there is none. `suppressed`: how the reader is on the suppression list."""
    if letter.person_id and (reader is None or reader.deleted_at):
        raise Dropped("the account was deleted")
    optional = letter.kind in subscriptions.KINDS
    if optional and reader and (reader.disabled_at or not subscriptions.wanted_by(reader, letter.kind)):
        raise Dropped("not wanted")
    if suppressed and not letter.to and _is_stopped(letter.kind, suppressed):
        raise Dropped("mail to the address comes back")
    if to := letter.to or (reader.email if reader else None):
        return to
    raise Dropped("no address")


def managed(session: Session, letter: Letter, station_ids: Iterable[int]) -> list[int]:
    """Those of these stations that the reader still manages; raises `Dropped` if there is none."""
    if left := [one for one in station_ids if session.get(Manages, (letter.person_id, one))]:
        return left
    raise Dropped("the reader does not manage the station any more")


def _is_stopped(kind: str, suppressed: str) -> bool:
    return kind not in ASKED_FOR if suppressed == "hard" else kind in subscriptions.KINDS
