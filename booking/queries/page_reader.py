"""Page reader: who asks for a station's page, and whether it shows anything of their own: one cheap question."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Engine, exists, select

from booking.db import pool
from booking.db.statements import CompiledStatement, param
from booking.model import LIVE, SIGNED_IN, Booking, Person, SignedIn, SignIn, Slot, Station, Strike
from booking.seats import STRIKES_COUNT


class PageReader(NamedTuple):
    """A valid sign-in. `shares` the page that everybody else gets: no booking, waiting-list place or strike."""

    signed_in: SignedIn
    shares: bool


def find(engine: Engine, token_hash: str, station: str, now: datetime, soon: datetime) -> PageReader | None:
    """The reader with this sign-in at the station with this code; None when there is no such sign-in or station.

    A sign-in that ends before `soon` is due to be renewed.
    """
    since, first = now - STRIKES_COUNT, now.date() - timedelta(days=1)
    asked = {"token_hash": token_hash, "station": station, "now": now}
    rows = pool.fetch(engine, _FIND, **asked, soon=soon, since=since, first=first)
    return next((PageReader(SignedIn(*row[:-2]), not (row[-2] or row[-1])) for row in rows), None)


_booked = (
    exists()
    .where(Booking.person_id == Person.id, Booking.state.in_(LIVE), Booking.slot_id == Slot.id)
    .where(Slot.date >= param("first"))
)
_struck = exists().where(
    Strike.person_id == Person.id,
    Strike.station_id == Station.id,
    Strike.forgiven_at.is_(None),
    Strike.at > param("since"),
)
_FIND = CompiledStatement(
    select(*SIGNED_IN, SignIn.expires_at < param("soon"), _booked, _struck)
    .join_from(SignIn, Person, SignIn.person_id == Person.id)
    .join(Station, Station.code == param("station"))
    .where(SignIn.token_hash == param("token_hash"), SignIn.lets_in(param("now")))
)
