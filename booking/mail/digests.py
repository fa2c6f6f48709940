"""Who gets a daily letter, and what was true for them at its hour. `writing` claims it, `letters` words it later.

What is noted are ids and numbers; the letter looks up the rest. A digest whose hours have passed is
not written any more: yesterday's news helps nobody.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, exists, func, literal, or_, select, union
from sqlalchemy.orm import Session

from booking import clock, ledger, policy, workdays
from booking.each import among
from booking.history import record
from booking.model import Booking, DayOverride, Digest, Manages, Person, Slot, Station, Strike

# The hours between which each kind is written.
HOURS = {"worker": (time(8, 30), time(12, 0)), "manager": (time(11, 0), time(14, 0))}
# Who came or tried to in these days belongs to a station and hears what opens there.
REGULAR_FOR = timedelta(days=30)
# The column by which each kind is switched off, by the kind of its letter.
WANTED = {"worker_digest": "wants_digest", "manager_digest": "wants_manager_digest"}
KINDS = tuple(WANTED)

Details = dict[str, Any]
Day = date  # inside a class with a field named date, `date` is that field


@dataclass(frozen=True)
class Round:
    """The stations of one time zone whose digest hour has come on a workday of theirs."""

    kind: str
    date: Day
    due_at: datetime
    ends_at: datetime
    before: Day
    stations: Select[int]


class Noted(NamedTuple):
    """One digest to be written: its reader, and what was true for them."""

    person_id: int
    language: str | None
    kind: str
    date: Day
    details: Details


def to_write(session: Session, kind: str, now: datetime) -> list[int]:
    """The people whose digest is due and not written, each once: station by station, for those hear much the same."""
    found = (session.execute(_unwritten(due, now)).all() for due in _rounds(session, kind, now))
    home = {person_id: station_id for rows in found for person_id, station_id in rows}
    return sorted(home, key=lambda person_id: (home[person_id], person_id))


def gather(session: Session, kind: str, now: datetime, people: Sequence[int]) -> list[Noted]:
    """What the digests of these people would tell, in their order, those without news left out.

    Who has one already is not asked.
    """
    noted: dict[tuple[int, date], Noted] = {}
    for due in _rounds(session, kind, now):
        readers = _readers(due).add_columns(Person.language).where(Person.id.in_(among(people))).order_by(Person.id)
        languages = {row.id: row.language for row in session.execute(readers)}
        for person_id, details in _told(session, due, list(languages), now).items():
            one = Noted(person_id, languages[person_id], kind, due.date, details)
            if _has_news(kind, details):
                noted.setdefault((person_id, due.date), one)
    place = {person_id: n for n, person_id in enumerate(people)}
    return sorted(noted.values(), key=lambda one: place[one.person_id])


def _told(session: Session, due: Round, people: Sequence[int], now: datetime) -> dict[int, Details]:
    return _for_workers(session, due, people, now) if due.kind == "worker" else _for_managers(session, due, people)


def _has_news(kind: str, details: Details) -> bool:
    """Strikes alone are no news: they had a letter of their own."""
    return any(details[name] for name in (("seats", "waits", "opens") if kind == "worker" else ("stations",)))


@dataclass(frozen=True)
class Reader:
    """One person of a station: what their digest would tell, or why they get none."""

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
    readers = [person for person in people if person.id in news and not _why_not(person, kind)]
    told = _told(session, due, [person.id for person in readers], due.due_at)
    nothing = "nothing to say" if _works(session, station, due.date) else "a rest day"
    return [Reader(p, told.get(p.id), "" if p.id in told else _why_not(p, kind) or nothing) for p in people]


def due_today(station: Station, kind: str, now: datetime) -> datetime:
    """The hour of today's digest at a station."""
    return clock.instant(clock.at_station(now, station.zone_name).date(), HOURS[kind][0], station.zone_name)


def _works(session: Session, station: Station, day: Day) -> bool:
    return workdays.load(session, station.id, day, day).is_workday(day)


def _round_of(session: Session, kind: str, station: Station, now: datetime) -> Round:
    """Today's round at one station, whatever the hour. On a rest day it has no station, so nothing to say."""
    today = clock.at_station(now, station.zone_name).date()
    calendar = workdays.load(session, station.id, today, today)
    due_at = due_today(station, kind, now)
    ends_at = clock.instant(today + timedelta(days=1), time(0), station.zone_name)
    here = select(Station.id).where(Station.id == station.id, literal(calendar.is_workday(today)))
    return Round(kind, today, due_at, ends_at, calendar.workday_before(today), here)


def _why_not(person: Person, kind: str) -> str:
    if person.deleted_at or person.disabled_at:
        return "the account is deleted" if person.deleted_at else "the account is disabled"
    if not wanted_by(person, f"{kind}_digest"):
        return "switched off"
    return "" if person.email else "no address"


def wanted_by(person: Person, kind: str) -> bool:
    """Whether a person wants that kind of digest."""
    return bool(getattr(person, WANTED[kind]))


def want(session: Session, person_id: int, kind: str, now: datetime, *, wanted: bool) -> None:
    """Write somebody that kind of digest, or no more of them. Twice is once; who is gone stays gone."""
    person = session.get_one(Person, person_id)
    if wanted_by(person, kind) != wanted and person.deleted_at is None:
        setattr(person, WANTED[kind], wanted)
        record(session, "profile_changed", now, actor_id=person_id, person_id=person_id, changed=[WANTED[kind]])


def _rounds(session: Session, kind: str, now: datetime) -> Iterator[Round]:
    since, until = HOURS[kind]
    zones = session.scalars(select(Station.zone_name).where(Station.closed_at.is_(None)).distinct())
    for zone in sorted(zones):
        today = clock.at_station(now, zone).date()
        due_at, over_at = clock.instant(today, since, zone), clock.instant(today, until, zone)
        if due_at <= now < over_at:
            calendar = workdays.load(session, None, today, today)
            working = _working(zone, today, nationwide=calendar.is_workday(today))
            ends_at = clock.instant(today + timedelta(days=1), time(0), zone)
            yield Round(kind, today, due_at, ends_at, calendar.workday_before(today), working)


def _working(zone: str, today: date, *, nationwide: bool) -> Select[int]:
    """The open stations of a zone where `today` is a workday, their managers' word included."""
    said = select(DayOverride.station_id).where(DayOverride.date == today, DayOverride.works.is_(not nationwide))
    works = Station.id.not_in(said) if nationwide else Station.id.in_(said)
    return select(Station.id).where(Station.zone_name == zone, Station.closed_at.is_(None), works)


def _unwritten(due: Round, now: datetime) -> Select[int, int]:
    """The ids of the people to whom there is something to say and nothing has been said, with a station of each."""
    written = exists().where(Digest.person_id == Person.id, Digest.kind == due.kind, Digest.date == due.date)
    news = _news(due, now).subquery()
    heard = select(news.c.person_id, func.min(news.c.station_id).label("home")).group_by(news.c.person_id).subquery()
    readers = _readers(due).join(heard, heard.c.person_id == Person.id)
    return readers.add_columns(heard.c.home).where(~written)


def _readers(due: Round) -> Select[int]:
    """The ids of all who want the digest and can read it."""
    return select(Person.id).where(
        Person.email.is_not(None),
        getattr(Person, WANTED[f"{due.kind}_digest"]),
        Person.deleted_at.is_(None),
        Person.disabled_at.is_(None),
    )


def _news(due: Round, now: datetime) -> Any:
    """Who has something to hear, and the stations that it is about."""
    return _news_for_workers(due, now) if due.kind == "worker" else _news_for_managers(due)


def _news_for_workers(due: Round, now: datetime) -> Any:
    regulars = select(Booking.person_id, Booking.station_id).where(
        Booking.station_id.in_(_opening(due, now).with_only_columns(Slot.station_id)), *_regular(due)
    )
    seats, waits = (
        _entries(due, now, state).with_only_columns(Booking.person_id, Booking.station_id)
        for state in ("booked", "waiting")
    )
    return union(seats, waits, regulars)


def _entries(due: Round, now: datetime, state: str) -> Select[int, int, int | None]:
    """Today's seats, or every place in line, as they stood at the digest's hour: later ones had their own letter."""
    on_time = Slot.date == due.date if state == "booked" else Slot.date >= due.date
    return (
        select(Booking.person_id, Booking.slot_id, Booking.line_no)
        .join(Slot, Booking.slot_id == Slot.id)
        .where(Booking.station_id.in_(due.stations), Booking.state == state, on_time, Slot.starts_at > now)
        .where((Booking.seated_at if state == "booked" else Booking.created_at) < due.due_at)
    )


def _opening(due: Round, now: datetime) -> Select[int, int]:
    """The slots that open later today."""
    today = Slot.opens_at.between(max(now, due.due_at), due.ends_at)
    return select(Slot.station_id, Slot.id).where(Slot.station_id.in_(due.stations), Slot.state == "planned", today)


def _regular(due: Round) -> tuple[ColumnElement[bool], ...]:
    return (Booking.created_at >= due.due_at - REGULAR_FOR, Booking.created_at < due.due_at)


def _news_for_managers(due: Round) -> Any:
    """Whoever runs a station that has slots today or soon, or had some on the last workday."""
    around = Slot.date.between(due.before, due.date + timedelta(days=7))
    busy = select(Slot.station_id).where(Slot.station_id.in_(due.stations), around)
    return select(Manages.person_id, Manages.station_id).where(Manages.station_id.in_(busy))


def _for_workers(session: Session, due: Round, ids: Sequence[int], now: datetime) -> dict[int, Details]:
    told: dict[int, Details] = {i: {"stations": [], "seats": [], "waits": [], "opens": [], "strikes": []} for i in ids}
    for row in session.execute(
        _entries(due, now, "booked").where(Booking.person_id.in_(among(ids))).order_by(Booking.id)
    ):
        told[row.person_id]["seats"].append(row.slot_id)
    theirs = _entries(due, now, "waiting").where(Booking.person_id.in_(among(ids)))
    waits = session.execute(theirs.order_by(Booking.id)).all()
    lines = _lines(session, {row.slot_id for row in waits})
    for row in waits:
        told[row.person_id]["waits"].append([row.slot_id, lines[row.slot_id].index(row.line_no) + 1])
    homes = _homes(session, due, ids)
    opens = _opens(session, due, now, {station_id for _, station_id in homes})
    for person_id, station_id in homes:
        told[person_id]["opens"] += opens[station_id]
        told[person_id]["stations"].append(station_id)
    _add_strikes(session, told, now)
    return told


def _lines(session: Session, slot_ids: set[int]) -> dict[int, list[int | None]]:
    """The numbers of each line, in order."""
    lines: dict[int, list[int | None]] = defaultdict(list)
    found = select(Booking.slot_id, Booking.line_no).where(
        Booking.slot_id.in_(among(slot_ids)), Booking.state == "waiting"
    )
    for slot_id, line_no in session.execute(found.order_by(Booking.line_no)):
        lines[slot_id].append(line_no)
    return lines


def _opens(session: Session, due: Round, now: datetime, stations: set[int]) -> dict[int, list[int]]:
    """The slots of these stations that open later today."""
    opens: dict[int, list[int]] = defaultdict(list)
    found = (
        _opening(due, now).where(Slot.station_id.in_(among(stations))).order_by(Slot.opens_at, Slot.starts_at, Slot.id)
    )
    for station_id, slot_id in session.execute(found):
        opens[station_id].append(slot_id)
    return opens


def _homes(session: Session, due: Round, ids: Sequence[int]) -> Sequence[tuple[int, int]]:
    """The stations of each person: where they have been lately, or have something ahead."""
    lately = or_(Slot.date >= due.date, Booking.created_at >= due.due_at - REGULAR_FOR)
    found = select(Booking.person_id, Booking.station_id).join(Slot, Booking.slot_id == Slot.id).distinct()
    here = found.where(Booking.person_id.in_(among(ids)), Booking.station_id.in_(due.stations), lately)
    theirs = here.order_by(Booking.person_id, Booking.station_id)
    return [(row.person_id, row.station_id) for row in session.execute(theirs)]


def _add_strikes(session: Session, told: dict[int, Details], now: datetime) -> None:
    """Strikes that count, by station, with the pause that they bring."""
    found = (
        select(Strike.person_id, Strike.at, Station)
        .join(Station, Station.id == Strike.station_id)
        .where(Strike.person_id.in_(among(told)), Strike.forgiven_at.is_(None), Strike.at > now - timedelta(days=366))
    )
    marks: dict[tuple[int, Station], list[datetime]] = defaultdict(list)
    for person_id, at, station in session.execute(found.order_by(Strike.at)):
        marks[person_id, station].append(at)
    for (person_id, station), dates in marks.items():
        numbers = policy.read(station.policy)
        until = ledger.pause_after(dates, numbers)
        paused = until if until and until > now else None
        if counting := sum(at > now - numbers.strike_window for at in dates):
            told[person_id]["strikes"].append([station.id, counting, paused.isoformat() if paused else None])


def _for_managers(session: Session, due: Round, people: Sequence[int]) -> dict[int, Details]:
    told: dict[int, Details] = {person_id: {"stations": []} for person_id in people}
    theirs = select(Manages.person_id, Manages.station_id).where(
        Manages.person_id.in_(among(told)), Manages.station_id.in_(due.stations)
    )
    for person_id, station_id in session.execute(theirs.order_by(Manages.station_id)):
        told[person_id]["stations"].append(station_id)
    return told
