"""Page reader: who asks for a station's page, and all that is their own there, in one statement."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Engine, and_, case, func, join, or_, select
from sqlalchemy import true as always
from sqlalchemy.orm import aliased

from booking import policy
from booking.db import pool
from booking.db.statements import CompiledStatement, Row, param
from booking.model import SIGNED_IN, Booking, Person, SignedIn, SignIn, Slot, Station
from booking.queries import card_draws
from booking.seats import STRIKES_COUNT, Eligibility, Entry, strike_ledger
from booking.seats.eligibility import apart, counts, entry_columns

OWN = len(SIGNED_IN) + 1  # columns of a `SignedIn`


class PageReader(NamedTuple):
    """A valid sign-in, what the rules know of the person at the station, the position of each of their waiting-list places
    by the booking's id, and their wishes in its draws."""

    signed_in: SignedIn
    who: Eligibility
    places: dict[int, int]
    wishes: tuple[card_draws.Wishes, ...] = ()

    @property
    def shares(self) -> bool:
        """Whether this reader gets the page that everybody gets: no booking, waiting-list place, entry or pause."""
        return not self.who.entries and not self.who.used and not self.wishes and not self.who.paused_until


def find(engine: Engine, token_hash: str, station: str, now: datetime, soon: datetime) -> PageReader | None:
    """The reader with this sign-in at the station with this code; None when there is no such sign-in or station.

    A sign-in that ends before `soon` is due to be renewed.
    """
    since, first = now - STRIKES_COUNT, now.date() - timedelta(days=1)
    asked = {"token_hash": token_hash, "station": station, "now": now}
    days = {"first": first, "monday": first - timedelta(days=first.weekday())}
    rows = pool.fetch(engine, _FIND, **asked, **days, soon=soon, since=since)
    return _reader(rows, now, first) if rows else None


def _reader(rows: Sequence[Row], now: datetime, first: date) -> PageReader:
    """One row for each booking, or one without."""
    signed_in = SignedIn(*rows[0][:OWN])
    stored, strikes, wishes = rows[0][OWN : OWN + 3]
    booked = [row[OWN + 3 :] for row in rows if row[OWN + 3] is not None]
    places = {row[0]: row[-1] for row in booked if row[-1] is not None}
    until = strike_ledger.pause_in(strikes, policy.read(stored), now)
    who = Eligibility(signed_in.person_id, False, until, *apart(map(_entry, booked), first))
    return PageReader(signed_in, who, places, card_draws.wishes_of(wishes))


def _entry(row: Row) -> Entry:
    return Entry._make(row[:-1])


_before = aliased(Booking)
_place: Any = case(
    (
        Booking.state == "waiting",
        select(func.count() + 1)
        .where(
            _before.slot_id == Booking.slot_id,
            _before.state == "waiting",
            _before.waitlist_position < Booking.waitlist_position,
        )
        .scalar_subquery(),
    )
)
_in_city = or_(*(func.coalesce(Station.policy[name].as_integer(), 0) > 0 for name in policy.CITY_BOUNDS))
_counts = and_(Booking.person_id == Person.id, counts(param("first"), param("monday"), _in_city))
_FIND = CompiledStatement(
    select(
        *SIGNED_IN,
        SignIn.expires_at < param("soon"),
        Station.policy,
        strike_ledger.in_one_column(Person.id, Station.id, param("since")),
        card_draws.wishes_in_one_column(Person.id, Station.id),
        *entry_columns(Slot, _in_city),
        _place,
    )
    .select_from(SignIn)
    .join(Person, SignIn.person_id == Person.id)
    .join(Station, always())
    .outerjoin(join(Booking, Slot, Booking.slot_id == Slot.id), _counts)
    .where(SignIn.token_hash == param("token_hash"), SignIn.lets_in(param("now")), Station.code == param("station"))
)
