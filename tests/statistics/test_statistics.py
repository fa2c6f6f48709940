"""The numbers: small days by hand, and a generated past recomputed slowly from its raw history."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import demo, services, slots, statistics
from booking.db import transactions
from booking.history import replay
from booking.model import Activity, Event, Plan, Slot, Station, WatchOpen, Zone
from booking.statistics import Span, Tally
from tests.support.lunch_hour import SHANGHAI, TUESDAY, LunchHour, at, make_slot

PAST_WORKDAYS = 15
LATER = datetime(2026, 11, 24, 15, 0, tzinfo=SHANGHAI)


def counted(lunch: LunchHour, first: date = TUESDAY, last: date = TUESDAY) -> Tally:
    lunch.session.rollback()
    return statistics.of_station(lunch.session, lunch.station_id, Span(first, last)).total


def live_the_noon(lunch: LunchHour) -> None:
    for clock in ("12:10", "12:15", "13:00"):
        lunch.tick(clock)


def test_a_noon_by_hand(session: Session) -> None:
    """Two seats, five people: one comes, one does not, one waits at the door and gets the seat, two get none."""
    lunch = LunchHour(session)
    for name in ("周明", "李静", "王磊", "陈晨", "刘洋"):
        lunch.book(name, "Mon 10:00:30")
    lunch.check_in("周明", "12:05")
    lunch.stand_by("陈晨", "12:06")
    lunch.tick("12:10")
    lunch.tick("12:15")
    assert counted(lunch).slots == 0  # not over yet
    lunch.tick("13:00")
    assert counted(lunch) == Tally(slots=1, seats=2, visits=2, walk_ins=1, no_shows=1, rescued=1, unmet=2)
    assert counted(lunch).fill == 1
    assert counted(lunch).no_show_rate == 0.5


def test_a_late_cancel_is_reused_or_not(session: Session) -> None:
    lunch = LunchHour(session)
    lunch.book("周明", "Mon 10:00")
    lunch.book("李静", "Mon 10:00")
    lunch.give_up("周明", "11:50")
    lunch.give_up("李静", "11:51")
    lunch.book("王磊", "11:55")
    lunch.check_in("王磊", "12:05")
    live_the_noon(lunch)
    told = counted(lunch)
    assert (told.late, told.reused, told.visits) == (2, 1, 1)


def test_where_attendance_was_not_recorded_nobody_knows_who_took_a_seat(session: Session) -> None:
    lunch = LunchHour(session)
    lunch.book("周明", "Mon 10:00")
    lunch.book("李静", "Mon 10:00")
    lunch.give_up("周明", "11:50")
    for clock in ("12:10", "12:15", "13:00", "15:00"):
        lunch.tick(clock)
    told = counted(lunch)
    assert (told.late, told.reused, told.unrecorded) == (1, 0, 1)


def by_host(lunch: LunchHour, *hosts: str, same_host: bool = False) -> list[tuple[str, int]]:
    """Visits by teacher, once the activity has these one after the other."""
    for host in hosts:
        with transactions.transaction(lunch.session) as session:
            activity = session.get_one(Slot, lunch.slot_id).activity
            activity.host = host
            slots.save_activity(session, activity, at("Wed 09:00"), lunch.manager_id, same_host=same_host)
    found = statistics.of_station(lunch.session, lunch.station_id, Span(TUESDAY, TUESDAY))
    return [(one.of.name, one.tally.visits) for one in found.by_host()]


def test_a_past_slot_counts_for_the_teacher_who_held_it(session: Session) -> None:
    lunch = LunchHour(session)
    by_host(lunch, "王小明")
    lunch.book("周明", "Mon 10:00")
    lunch.check_in("周明", "12:05")
    live_the_noon(lunch)
    assert by_host(lunch, "王晓明", same_host=True) == [("王晓明", 1)]
    assert by_host(lunch, "李老师", "王晓明") == [("王晓明", 1)]
    assert by_host(lunch, "王筱明", same_host=True) == [("王筱明", 1)]
    assert by_host(lunch, "李老师") == [("王筱明", 1)]


def test_who_lost_the_seat_and_comes_late_is_a_visit_that_was_booked(session: Session) -> None:
    lunch = LunchHour(session)
    lunch.book("周明", "Mon 10:00")
    lunch.walk_in("李静", "12:00")
    lunch.tick("12:10")
    lunch.tick("12:15")
    assert lunch.state("周明") == "released"
    assert lunch.walk_in("周明", "12:20") == "attended"
    lunch.tick("13:00")
    told = counted(lunch)
    assert (told.visits, told.no_shows, told.walk_ins, told.rescued) == (2, 0, 1, 0)
    assert told.no_show_rate == 0


def test_who_gives_up_late_and_comes_after_all_is_a_visit_and_no_late_cancel(session: Session) -> None:
    lunch = LunchHour(session)
    lunch.book("周明", "Mon 10:00")
    lunch.give_up("周明", "11:50")
    assert lunch.walk_in("周明", "12:05") == "attended"
    live_the_noon(lunch)
    told = counted(lunch)
    assert (told.visits, told.late, told.reused) == (1, 0, 0)


def test_somebody_who_waited_twice_and_sat_once_lacked_nothing(session: Session) -> None:
    lunch = LunchHour(session, capacity=1)
    second = lunch.slot("13:05", 1)
    for name, slot_id in (("周明", None), ("李静", second), ("王磊", None), ("王磊", second), ("陈晨", None)):
        lunch.book(name, "Mon 10:00", slot_id)
    lunch.give_up("李静", "12:00", second)  # 王磊 gets it, and leaves the other line
    lunch.roll_call("12:05")
    lunch.roll_call("13:00", second)
    for clock in ("12:10", "12:15", "13:00", "13:05", "13:10", "13:55"):
        lunch.tick(clock)
    assert counted(lunch).unmet == 1  # 陈晨


def test_who_waits_for_two_slots_is_one_person(session: Session) -> None:
    lunch = LunchHour(session, capacity=1)
    second = lunch.slot("13:05", 1)
    for name, slot_id in (("周明", None), ("李静", second), ("王磊", None), ("王磊", second)):
        lunch.book(name, "Mon 10:03", slot_id)
    lunch.roll_call("12:05")
    lunch.roll_call("13:00", second)
    for clock in ("12:10", "12:15", "13:00", "13:05", "13:10", "13:55"):
        lunch.tick(clock)
    found = statistics.of_station(session, lunch.station_id, Span(TUESDAY, TUESDAY))
    assert found.total.unmet == 1
    assert [found.of(fact).unmet for fact in found.facts] == [1, 1]
    assert dict(found.by_minute())[5] == 2


def test_called_off_and_other_stations_do_not_count(session: Session) -> None:
    lunch = LunchHour(session)
    lunch.book("周明", "Mon 10:00")
    lunch.cancel("Mon 11:00")
    west = lunch.other_station("west")
    there = lunch.slot(station_id=west)
    lunch.book("李静", "Mon 10:00", there)
    lunch.roll_call("12:05", there)
    live_the_noon(lunch)
    assert counted(lunch) == Tally()
    assert statistics.headline(session, west) == (1, 0)


def test_the_span_before_is_as_long_and_does_not_overlap() -> None:
    span = Span(date(2026, 11, 1), date(2026, 11, 30))
    assert span.before == Span(date(2026, 10, 2), date(2026, 10, 31))
    assert span.before.days == span.days == 30


# A generated past against its raw history


@pytest.fixture
def past(session: Session) -> int:
    """The demo's last workdays; returns its station."""
    with transactions.transaction(session):
        return demo.load(session, LATER, PAST_WORKDAYS).station_id


def test_every_number_is_what_the_history_says(session: Session, past: int) -> None:
    first, last = date(2026, 10, 1), date(2026, 11, 24)
    found = statistics.of_station(session, past, Span(first, last))
    slow = Recount(session, past, first, last)
    assert found.total.slots > 40
    for name in ("visits", "walk_ins", "no_shows", "late", "reused", "rescued", "unmet"):
        assert getattr(found.total, name) > 0, name
    assert asdict(found.total) == slow.total(slow.slots)
    assert {fact.slot_id: asdict(found.of(fact)) for fact in found.facts} == {
        slot.id: slow.total([slot]) for slot in slow.slots
    }
    for group, key in (
        (found.by_activity(), lambda slot: slot.activity_id),
        (found.by_zone(), lambda slot: slot.zone_id),
    ):
        assert {one.of.id: asdict(one.tally) for one in group} == slow.by(key)
    assert {one.of: asdict(one.tally) for one in found.by_weekday()} == slow.by(lambda slot: slot.date.isoweekday())
    assert {one.of.name: asdict(one.tally) for one in found.by_host()} == slow.by(
        lambda slot: slot.host or slot.activity.host
    )
    assert sum(count for _edge, count in found.by_minute()) == len(slow.waits)
    assert statistics.headline(session, past) == (found.total.slots, found.total.visits)


class Recount:
    """The same numbers, one event at a time."""

    def __init__(self, session: Session, station_id: int, first: date, last: date) -> None:
        everything = session.scalars(select(Slot).where(Slot.station_id == station_id, Slot.date >= first)).all()
        self.slots, self.counts = [], {}
        self.sat: set[tuple[int, date]] = set()
        self.waits: list[tuple[int, int, date]] = []
        for slot in everything:
            lines = session.scalars(select(Event).where(Event.slot_id == slot.id).order_by(Event.id)).all()
            if replay(lines).state == "done" and slot.date <= last:
                self.slots.append(slot)
                self.counts[slot.id] = self._count(slot, lines)
                opens = session.scalars(select(WatchOpen.id).where(WatchOpen.slot_id == slot.id)).all()
                self.counts[slot.id]["watched"] = len(opens)
        self.waits = [wait for wait in self.waits if wait[1:] not in self.sat]

    def _count(self, slot: Slot, lines: Sequence[Event]) -> Counter[str]:
        told, count = replay(lines), Counter(slots=1, seats=replay(lines).capacity)
        owner = {line.booking_id: line.person_id for line in lines if line.booking_id}
        last: dict[tuple[int | None, str], datetime] = {(line.booking_id, line.kind): line.at for line in lines}
        released = [line for line in lines if line.after == "released"]
        for booking_id, state in told.bookings.items():
            person = owner[booking_id] or 0
            walked_in = last.get((booking_id, "walked_in"))
            if state in ("booked", "attended", "released"):
                self.sat.add((person, slot.date))
            if state == "expired":
                self.waits.append((slot.id, person, slot.date))
            count["visits"] += state == "attended"
            count["walk_ins"] += state == "attended" and walked_in is not None
            count["no_shows"] += state == "released"
            missed = {line.person_id for line in released}
            if state == "attended" and walked_in and released and person not in missed:
                count["rescued"] += walked_in >= released[0].at
        count["rescued"] = min(count["rescued"], count["no_shows"])
        late = [line for line in lines if self._is_late(slot, line, last)]
        struck = [line for line in lines if line.kind == "strike" and line.reason == "late_cancel"]
        is_known = "unrecorded" not in told.bookings.values()
        count["late"], count["reused"] = len(late), is_known * (len(late) - len(struck))
        return count

    def _is_late(self, slot: Slot, line: Event, last: dict[tuple[int | None, str], datetime]) -> bool:
        if line.kind != "given_up" or line.before != "booked" or line.at <= slot.free_until:
            return False
        promoted = last.get((line.booking_id, "promoted"))
        return promoted is None or promoted <= slot.free_until

    def total(self, chosen: Sequence[Slot]) -> dict[str, int]:
        ids = {slot.id for slot in chosen}
        told = Counter(dict.fromkeys(asdict(Tally()), 0))
        for slot in chosen:
            told.update(self.counts[slot.id])
        told["unmet"] = len({wait[1:] for wait in self.waits if wait[0] in ids})
        return dict(told)

    def by(self, key) -> dict[object, dict[str, int]]:  # type: ignore[no-untyped-def]
        groups = defaultdict(list)
        for slot in self.slots:
            groups[key(slot)].append(slot)
        return {name: self.total(some) for name, some in groups.items()}


# Suggestions


@pytest.fixture
def crowded(session: Session) -> LunchHour:
    """Four Tuesdays of one seat: each turns four away. The plan goes on; a second zone is free."""
    lunch = LunchHour(session, capacity=1)
    with transactions.transaction(session):
        station = session.get_one(Station, lunch.station_id)
        activity = session.scalars(select(Activity)).one()
        first = session.get_one(Slot, lunch.slot_id)
        session.add(Zone(station_id=station.id, name="手工坊", capacity=10))
        session.add(
            Plan(
                station_id=station.id,
                activity_id=activity.id,
                zone_id=first.zone_id,
                weekdays="2",
                starts=at("12:10").time(),
                minutes=50,
                capacity=1,
                valid_from=TUESDAY,
            )
        )
        session.flush()
        ids = [lunch.slot_id, make_slot(session, station, TUESDAY + timedelta(1), at("12:10").time(), 1)]
    for slot_id, day in zip(ids, ("Tue", "Wed"), strict=True):
        for name in ("周明", "李静", "王磊", "陈晨", "刘洋", "赵敏", "孙悦", "吴桐")[: 8 if day == "Tue" else 3]:
            lunch.book(name, "Tue 10:00" if day == "Wed" else "Mon 10:00", slot_id)
        lunch.roll_call(f"{day} 12:05", slot_id)
        for clock in ("12:10", "12:15", "13:00"):
            lunch.tick(f"{day} {clock}")
    return lunch


def test_a_crowd_suggests_a_second_slot_where_a_zone_is_free(
    session: Session, crowded: LunchHour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("booking.statistics.recommendations.TURNED_AWAY", 7)
    station = session.get_one(Station, crowded.station_id)
    (hint,) = statistics.suggestions(session, station, at("Thu 11:00"))
    assert (hint.kind, hint.weekday, hint.tally.unmet) == ("turned_away", 2, 7)
    assert hint.place is not None
    # Its own zone is taken by the plan until 13:00; half an hour or an hour later does not fit before 14:00 but 13:10 does.
    assert (hint.place.zone.capacity >= 1, hint.place.starts) == (True, at("13:10").time())


def test_a_suggestion_says_how_many_people_wish_for_it(
    session: Session, crowded: LunchHour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of its kind, for its weekday or any; each person once."""
    monkeypatch.setattr("booking.statistics.recommendations.TURNED_AWAY", 7)
    station = session.get_one(Station, crowded.station_id)
    (before,) = statistics.suggestions(session, station, at("Thu 11:00"))
    wished = [("周明", before.weekday), ("李静", None), ("王磊", 5), ("周明", None)]
    for n, (who, weekday) in enumerate(wished):
        text, kind = f"心愿{n}", before.activity.kind
        services.make_wish(session, station.id, crowded.people[who], text, kind, weekday, at("Thu 10:00"))
    (hint,) = statistics.suggestions(session, station, at("Thu 11:00"))
    assert (before.wishes, hint.wishes) == (0, 2)


def test_suggestions_come_once_a_week(session: Session, crowded: LunchHour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("booking.statistics.recommendations.TURNED_AWAY", 7)
    station = session.get_one(Station, crowded.station_id)
    monday = at("Mon 11:00") + timedelta(days=7)
    assert len(statistics.weekly(session, station, monday)) == 1
    assert statistics.weekly(session, station, monday + timedelta(days=1)) == []
    assert statistics.weekly(session, station, monday - timedelta(days=1)) == []


def test_empty_seats_are_seen_when_nobody_was_turned_away(session: Session) -> None:
    lunch = LunchHour(session, capacity=10)
    with transactions.transaction(session):
        station = session.get_one(Station, lunch.station_id)
        for hour in ("13:10", "14:10"):
            make_slot(session, station, TUESDAY, at(hour).time(), 10)
    lunch.book("周明", "Mon 10:00")
    lunch.check_in("周明", "12:05")
    for clock in ("12:10", "12:15", "13:00", "13:10", "13:15", "14:00", "14:10", "14:15", "15:00"):
        lunch.tick(clock)
    (hint,) = statistics.suggestions(session, session.get_one(Station, lunch.station_id), at("Wed 11:00"))
    assert (hint.kind, hint.tally.visits, hint.tally.seats) == ("half_empty", 1, 30)
