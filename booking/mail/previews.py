"""Previews of today's digests of one station: who would get which digest and why, who gets none and why not."""

from collections.abc import Iterator
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import clock
from booking.mail import context, digests, rendering
from booking.mail.digests import Details, Reader
from booking.model import LANGUAGES, Digest, Letter, Station


def lines(session: Session, kind: str, station: Station, now: datetime, *, whole: bool = False) -> Iterator[str]:
    """One line for each person, and a first one about the day; `whole` adds the text of each letter."""
    due_at = digests.due_today(station, kind, now)
    today = clock.at_station(due_at, station.zone_name)
    readers = digests.preview(session, kind, station, now)
    letters = [_said(session, kind, reader, today.date(), due_at) for reader in readers]
    get = sum(isinstance(said, rendering.Rendered) for said in letters)
    yield f"{kind} digest of {station.code}, {today:%Y-%m-%d %H:%M}: {get} get one, {len(readers) - get} get none"
    written = _written(session, kind, today.date(), readers)
    for reader, said in zip(readers, letters, strict=True):
        who = f"{reader.person.id} {reader.person.email or '-'}"
        if reader.told is None or isinstance(said, str):
            yield f"{who} gets none: {said}"
            continue
        verdict = "has it already" if reader.person.id in written else "gets one"
        yield f"{who} {verdict}, because of {'; '.join(reasons(reader.told))}: {said.subject}"
        if whole:
            yield "".join(f"    {line}\n" for line in said.text.splitlines()).rstrip()


def reasons(told: Details) -> list[str]:
    """The reasons why a digest is written."""
    named = {
        "seats": "a seat today",
        "waits": "a place in line",
        "opens": "slots that open today",
        "follows": "slots of followed activities",
        "wishes": "wishes that take place",
        "visits": "visits to rate",
        "strikes": "strikes that count",
    }
    found = [f"{words} ({len(told[name])})" for name, words in named.items() if told.get(name)]
    return found or [f"the stations that they run ({len(told['stations'])})"]


def _said(session: Session, kind: str, reader: Reader, today: date, due_at: datetime) -> rendering.Rendered | str:
    """The rendered letter, or why there is none. Its row is never added to the session."""
    if reader.told is None:
        return reader.why_not
    person, details = reader.person, {"date": today.isoformat(), **reader.told}
    row = Letter(kind=f"{kind}_digest", person_id=person.id, details=details, created_at=due_at)
    language = person.language if person.language in LANGUAGES else LANGUAGES[0]
    try:
        return rendering.render(row.kind, context.of(session, row, person, due_at), language)
    except rendering.Dropped as reason:
        return str(reason)


def _written(session: Session, kind: str, today: date, readers: list[Reader]) -> set[int]:
    ids = [reader.person.id for reader in readers]
    mine = select(Digest.person_id).where(Digest.kind == kind, Digest.date == today, Digest.person_id.in_(ids))
    return set(session.scalars(mine))
