"""Digests: who gets a daily letter, and what was true for them at its hour.

`digest_writer` writes it as ids and numbers, `context` looks up the rest when the letter is rendered. A digest whose
hours have passed is not written any more.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Text, and_, cast, exists, func, literal, or_, select, union
from sqlalchemy.orm import Session

from booking import clock, workdays
from booking.db import transactions
from booking.db.arrays import in_array
from booking.db.transactions import transactional
from booking.mail import digest_details, follow_news, night_draws, service_news, visit_news, wish_news
from booking.mail.subscriptions import reads, wanted_by
from booking.model import Booking, DayOverride, Digest, DigestRound, Follow, Manages, Person, Slot, Station
from booking.people import suppression

# The hours between which each kind is written.
HOURS = {"worker": (time(8, 30), time(12, 0)), "manager": (time(11, 0), time(14, 0))}
# Whoever booked at a station within this time is told what opens there.
REGULAR_FOR = timedelta(days=30)
# A round with nobody left to write to is checked again after this time: slots and subscriptions change.
AGAIN = timedelta(minutes=10)
KINDS = tuple(f"{kind}_digest" for kind in HOURS)
# The details that are worth a digest.
CONTENT = {
    "worker": ("seats", "waits", "opens", "follows", "draws", "answers", "wishes", "visits"),
    "manager": ("stations",),
}

Details = dict[str, Any]
Day = date  # inside a class with a field named date, `date` is that field


@dataclass
class Round:
    """The stations of one time zone whose digest hour has come on a workday of theirs.

    `before` is the workday before, `others` that of the stations where overrides make it another one.
    """

    kind: str
    zone: str
    date: Day
    due_at: datetime
    ends_at: datetime
    before: Day
    stations: Select[int]
    others: Mapping[int, Day]
    _opens: dict[int, list[int]] | None = None

    def since_last(self, station_id: int) -> service_news.NewsSpan:
        """Since the hour of the station's digest of its workday before."""
        return self._since(self.others.get(station_id, self.before))

    def spans(self) -> list[tuple[Select[int], service_news.NewsSpan]]:
        """The same of all stations, for those together that have the same workday before."""
        if not self.others:
            return [(self.stations, self._since(self.before))]
        alike: dict[Day, list[int]] = defaultdict(list)
        for station_id, day in self.others.items():
            alike[day].append(station_id)
        most = self.stations.where(Station.id.not_in(in_array(self.others)))
        some = [(self.stations.where(Station.id.in_(in_array(ids))), self._since(day)) for day, ids in alike.items()]
        return [(most, self._since(self.before)), *some]

    def _since(self, before: Day) -> service_news.NewsSpan:
        began = clock.instant(before, HOURS[self.kind][0], self.zone)
        return service_news.NewsSpan(began, self.due_at, before, self.date)

    def opens(self, session: Session, now: datetime) -> dict[int, list[int]]:
        """The slots that open later today, by station; read once."""
        if self._opens is None:
            self._opens = defaultdict(list)
            found = _opening(self, now).order_by(Slot.opens_at, Slot.starts_at, Slot.id)
            for station_id, slot_id in session.execute(found):
                self._opens[station_id].append(slot_id)
        return self._opens


class Noted(NamedTuple):
    """One digest to be written: its reader, and what was true for them."""

    person_id: int
    kind: str
    date: Day
    details: Details


def rounds(session: Session, kind: str, now: datetime, *, even_done: bool = False) -> list[Round]:
    """The rounds of that kind that are due now; without `even_done`, not those that lately had nobody to write to.

    `to_write` reads the bookings of everybody, so it must not run every few seconds for hours.
    """
    marked = select(DigestRound.zone_name, DigestRound.done_at).where(DigestRound.kind == kind)
    done = {} if even_done else dict(session.execute(marked).all())
    return list(_rounds(session, kind, now, done))


@transactional
def note_done(session: Session, due: Iterable[Round], now: datetime) -> None:
    """Record that all digests of these rounds were written at `now`."""
    transactions.advisory_lock(session, "digest rounds")
    for one in due:
        session.merge(DigestRound(kind=one.kind, zone_name=one.zone, done_at=now))


def to_write(session: Session, due: Sequence[Round], now: datetime) -> list[int]:
    """The people whose digest is due and not written, each once, ordered by station."""
    if due:  # reads what everybody has booked lately: in a city more than a request may take
        transactions.read_for_minutes(session)
    found = (session.execute(_unwritten(one, now)).all() for one in due)
    home = {person_id: station_id for rows in found for person_id, station_id in rows}
    return sorted(home, key=lambda person_id: (home[person_id], person_id))


def gather(session: Session, due: Sequence[Round], now: datetime, people: Sequence[int]) -> list[Noted]:
    """The digests of these people, in their order, without those that would be empty.

    Whether one exists already is not checked.
    """
    noted: dict[tuple[int, date], Noted] = {}
    for one in due:
        for person_id, details in _told(session, one, people, now).items():
            if has_news(one.kind, details):
                noted.setdefault((person_id, one.date), Noted(person_id, one.kind, one.date, details))
    place = {person_id: n for n, person_id in enumerate(people)}
    return sorted(noted.values(), key=lambda one: place[one.person_id])


def _told(session: Session, due: Round, people: Sequence[int], now: datetime) -> dict[int, Details]:
    return _for_workers(session, due, people, now) if due.kind == "worker" else _for_managers(session, due, people)


def has_news(kind: str, details: Details) -> bool:
    """Strikes alone make no digest: each had its own letter."""
    return any(details.get(name) for name in CONTENT[kind])


@dataclass(frozen=True)
class Reader:
    """One person of a station: the details of their digest, or the reason why they get none."""

    person: Person
    told: Details | None
    why_not: str = ""


def preview(session: Session, kind: str, station: Station, now: datetime) -> list[Reader]:
    """Who gets today's digest because of one station, and who does not and why. Writes nothing."""
    due = _round_of(session, kind, station, now)
    news = set(session.scalars(select(_news(due, due.due_at).subquery().c.person_id)))
    theirs = select(Booking.person_id).where(Booking.station_id == station.id, *_regular(due))
    runs = select(Manages.person_id).where(Manages.station_id == station.id)
    known = Person.id.in_(theirs if kind == "worker" else runs) | Person.id.in_(news)
    people = session.scalars(select(Person).where(known).order_by(Person.id)).all()
    unreached = set(session.scalars(select(Person.id).where(known, suppression.is_suppressed())))
    why_not = {p.id: _why_not(p, kind) or ("mail comes back" if p.id in unreached else "") for p in people}
    readers = [person for person in people if person.id in news and not why_not[person.id]]
    told = _told(session, due, [person.id for person in readers], due.due_at)
    nothing = "nothing to say" if _works(session, station, due.date) else "a rest day"
    return [Reader(p, told.get(p.id), "" if p.id in told else why_not[p.id] or nothing) for p in people]


def due_today(station: Station, kind: str, now: datetime) -> datetime:
    """The hour of today's digest at a station."""
    return hour_on(clock.at_station(now, station.zone_name).date(), station, kind)


def hour_on(day: date, station: Station, kind: str) -> datetime:
    """The hour of a day's digest at a station."""
    return clock.instant(day, HOURS[kind][0], station.zone_name)


def _works(session: Session, station: Station, day: Day) -> bool:
    return workdays.load(session, station.id, day, day).is_workday(day)


def _round_of(session: Session, kind: str, station: Station, now: datetime) -> Round:
    """Today's round at one station, whatever the hour. On a rest day it contains no station."""
    today = clock.at_station(now, station.zone_name).date()
    calendar = workdays.load(session, station.id, today, today)
    due_at = due_today(station, kind, now)
    ends_at = clock.instant(today + timedelta(days=1), time(0), station.zone_name)
    here = select(Station.id).where(Station.id == station.id, literal(calendar.is_workday(today)))
    return Round(kind, station.zone_name, today, due_at, ends_at, calendar.workday_before(today), here, {})


def _why_not(person: Person, kind: str) -> str:
    if person.deleted_at or person.disabled_at:
        return "the account is deleted" if person.deleted_at else "the account is disabled"
    if not wanted_by(person, f"{kind}_digest"):
        return "switched off"
    return "" if person.email else "no address"


def _rounds(session: Session, kind: str, now: datetime, done: Mapping[str, datetime]) -> Iterator[Round]:
    since, until = HOURS[kind]
    zones = session.scalars(select(Station.zone_name).where(Station.closed_at.is_(None)).distinct())
    for zone in sorted(zones):
        today = clock.at_station(now, zone).date()
        due_at, over_at = clock.instant(today, since, zone), clock.instant(today, until, zone)
        if due_at <= now < over_at and not _is_done(done.get(zone), due_at, now):
            country, own = workdays.load_each(session, today, today)
            before = country.workday_before(today)
            works = {key: calendar for key, calendar in own.items() if calendar.is_workday(today)}
            others = {key: day for key, its in works.items() if (day := its.workday_before(today)) != before}
            working = _working(zone, today, nationwide=country.is_workday(today))
            ends_at = clock.instant(today + timedelta(days=1), time(0), zone)
            yield Round(kind, zone, today, due_at, ends_at, before, working, others)


def _is_done(seen: datetime | None, due_at: datetime, now: datetime) -> bool:
    return seen is not None and due_at <= seen <= now < seen + AGAIN


def _working(zone: str, today: date, *, nationwide: bool) -> Select[int]:
    """The open stations of a zone where `today` is a workday, their managers' overrides included."""
    said = select(DayOverride.station_id).where(DayOverride.date == today, DayOverride.works.is_(not nationwide))
    works = Station.id.not_in(said) if nationwide else Station.id.in_(said)
    return select(Station.id).where(Station.zone_name == zone, Station.closed_at.is_(None), works)


def _unwritten(due: Round, now: datetime) -> Select[int, int]:
    """The ids of the people whose digest has content and is not written, with one station of each."""
    written = exists().where(Digest.person_id == Person.id, Digest.kind == due.kind, Digest.date == due.date)
    news = _news(due, now).subquery()
    heard = select(news.c.person_id, func.min(news.c.station_id).label("home")).group_by(news.c.person_id).subquery()
    readers = select(Person.id, heard.c.home).join(heard, heard.c.person_id == Person.id)
    return readers.where(reads(f"{due.kind}_digest"), ~written)


def _news(due: Round, now: datetime) -> Any:
    """The people whose digest has content, and the stations that it is about."""
    return _news_for_workers(due, now) if due.kind == "worker" else _news_for_managers(due)


def _news_for_workers(due: Round, now: datetime) -> Any:
    regulars = select(Booking.person_id, Booking.station_id).where(
        Booking.station_id.in_(_opening(due, now).with_only_columns(Slot.station_id)), *_regular(due)
    )
    seats, waits = (_ahead(due).add_columns(Booking.station_id).where(entry) for entry in _entries(due, now))
    found = _followed(due, now)
    follows = found.where(Slot.station_id.in_(due.stations)).with_only_columns(Follow.person_id, Slot.station_id)
    wishes = wish_news.news(due.stations, due.due_at, due.zone, now)
    draws = night_draws.news(due.stations, due.due_at)
    visits = [visit_news.news(some, span.before, span.today) for some, span in due.spans()]
    answers = [service_news.news(some, span) for some, span in due.spans()]
    return union(seats, waits, regulars, follows, draws, wishes, *visits, *answers)


def _followed(due: Round, now: datetime) -> Select[int, int, int]:
    return follow_news.news(due.date, HOURS[due.kind][0], due.zone, now)


def _ahead(due: Round) -> Select[int]:
    """The owners of bookings at these stations; `_entries` selects the bookings that count."""
    found = select(Booking.person_id).join(Slot, Booking.slot_id == Slot.id)
    return found.where(Booking.station_id.in_(due.stations))


def _entries(due: Round, now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Today's seats and all waiting entries as of the digest's hour; later ones had their own letter."""
    seat = and_(Booking.state == "booked", Slot.date == due.date, Booking.seated_at < due.due_at)
    wait = and_(Booking.state == "waiting", Slot.date >= due.date, Booking.created_at < due.due_at)
    return and_(seat, Slot.starts_at > now), and_(wait, Slot.starts_at > now)


def _opening(due: Round, now: datetime) -> Select[int, int]:
    """The slots that open later today."""
    today = Slot.opens_at.between(max(now, due.due_at), due.ends_at)
    planned = (Slot.state == "planned", Slot.opens_at < Slot.starts_at)  # the others are drawn
    return select(Slot.station_id, Slot.id).where(Slot.station_id.in_(due.stations), *planned, today)


def _regular(due: Round) -> tuple[ColumnElement[bool], ...]:
    return (Booking.created_at >= due.due_at - REGULAR_FOR, Booking.created_at < due.due_at)


def _news_for_managers(due: Round) -> Any:
    """The managers of stations that have slots today or soon, or had some on the last workday."""
    soon = due.date + timedelta(days=7)
    busy = (
        select(Slot.station_id).where(Slot.station_id.in_(some), Slot.date.between(span.before, soon))
        for some, span in due.spans()
    )
    return union(*(select(Manages.person_id, Manages.station_id).where(Manages.station_id.in_(one)) for one in busy))


def _for_workers(session: Session, due: Round, ids: Sequence[int], now: datetime) -> dict[int, Details]:
    told: dict[int, Details] = {}
    opens, waiting = due.opens(session, now), set[int]()
    for person_id, places, seats, waits in session.connection().execute(_entries_of(due, ids, now)):
        stations = _numbers(places)
        told[person_id] = {
            "stations": stations,
            "seats": _numbers(seats) if seats else (),
            "waits": [[slot_id, 0] for slot_id in _numbers(waits)] if waits else (),
            "opens": opens[stations[0]] if len(stations) == 1 else [n for station in stations for n in opens[station]],
            "strikes": [],
        }
        waiting.update(slot_id for slot_id, _ in told[person_id]["waits"])
    _add_follows(session, told, due, ids, now)
    night_draws.add(session, told, due.stations, due.due_at, ids)
    wish_news.add(session, told, wish_news.news(due.stations, due.due_at, due.zone, now), ids)
    for some, span in due.spans():
        visit_news.add(session, told, some, span.before, span.today, ids)
        service_news.add_answers(session, told, some, span, ids)
    service_news.add_notices(session, told, due.since_last, now)
    digest_details.add_places(session, told, waiting)
    digest_details.add_strikes(session, told, now)
    return told


def _entries_of(due: Round, ids: Sequence[int], now: datetime) -> Select[int, str, str | None, str | None]:
    """Each person with the stations of their recent and coming bookings, and the slots of their entries."""
    lately = or_(Slot.date >= due.date, Booking.created_at >= due.due_at - REGULAR_FOR)
    slots = (_together(Booking.slot_id).filter(entry) for entry in _entries(due, now))
    found = _ahead(due).where(Booking.person_id.in_(in_array(ids)), lately).group_by(Booking.person_id)
    return found.add_columns(_together(Booking.station_id), *slots).order_by(Booking.person_id)


def _together(column: Any) -> Any:
    """The numbers of a group as one text, which `_numbers` parses."""
    return func.aggregate_strings(cast(column, Text), ",")


def _numbers(text: str) -> list[int]:
    return sorted({int(number) for number in text.split(",")})


def _add_follows(session: Session, told: dict[int, Details], due: Round, ids: Sequence[int], now: datetime) -> None:
    """Add the new slots of followed activities, but those that the digest names already."""
    found: dict[int, dict[int, int]] = defaultdict(dict)
    mine = _followed(due, now).where(Follow.person_id.in_(in_array(ids))).order_by(Slot.starts_at, Slot.id)
    for person_id, station_id, slot_id in session.execute(mine):
        found[person_id][slot_id] = station_id
    for person_id, new in found.items():
        nothing = {"stations": sorted(set(new.values())), "seats": (), "waits": (), "opens": (), "strikes": []}
        details = told.setdefault(person_id, nothing)
        details["follows"] = [slot_id for slot_id in new if slot_id not in details["opens"]]


def _for_managers(session: Session, due: Round, people: Sequence[int]) -> dict[int, Details]:
    told: dict[int, Details] = {person_id: {"stations": []} for person_id in people}
    theirs = select(Manages.person_id, Manages.station_id).where(
        Manages.person_id.in_(in_array(told)), Manages.station_id.in_(due.stations)
    )
    for person_id, station_id in session.execute(theirs.order_by(Manages.station_id)):
        told[person_id]["stations"].append(station_id)
    return told
