"""Rule 11: a cancelled slot; and rule 13: its history replays."""

from collections.abc import Callable

from sqlalchemy import select

from booking import invariants, stations
from booking.db import transactions
from booking.history import replay
from booking.model import Booking, Event, Letter, Person, Slot
from tests.support.lunch_hour import LunchHour, at
from tests.support.statements import heard

OPEN = "Mon 10:00"
DAY = ("12:10", "12:15", "13:00")


def test_everyone_on_it_is_told_once_and_nobody_is_struck(lunch: LunchHour) -> None:
    for who in ("周明", "李静", "王磊", "陈晨"):
        lunch.book(who, OPEN)
    lunch.give_up("李静", "11:20")  # late, and 王磊 gets the seat
    lunch.check_in("周明", "12:00")
    assert lunch.cancel("12:05") == "3 told"
    assert lunch.cancel("12:06") == "0 told"
    for clock in DAY:
        lunch.tick(clock)
    assert lunch.states("周明", "王磊", "陈晨") == ["cancelled"] * 3
    assert [lunch.letters(who).count("slot_cancelled") for who in lunch.people] == [1, 0, 1, 1, 0, 0, 0, 0]
    assert [lunch.strikes(who) for who in lunch.people] == [[]] * 8
    assert (lunch.now().taken, lunch.now().waiting, lunch.now().state) == (0, 0, "cancelled")


def test_a_cancelled_slot_takes_nobody(lunch: LunchHour) -> None:
    lunch.book("周明", OPEN)
    lunch.cancel("11:00")
    assert lunch.book("李静", "11:01") == "no: cancelled"
    assert lunch.stand_by("李静", "12:00") == "no: cancelled"
    assert lunch.walk_in("李静", "12:00") == "no: cancelled"
    assert lunch.check_in("周明", "12:00") == "no: not_booked"
    assert lunch.give_up("周明", "11:01") == "cancelled"


def test_what_is_over_cannot_be_cancelled(lunch: LunchHour) -> None:
    lunch.book("周明", OPEN)
    assert lunch.cancel("13:00") == "no: over"


def test_a_running_slot_can_be_cancelled(lunch: LunchHour) -> None:
    lunch.book("周明", OPEN)
    lunch.tick("12:10")
    assert lunch.cancel("12:11") == "1 told"
    lunch.tick("12:15")
    assert lunch.strikes("周明") == []


def test_who_was_released_before_is_told_too_and_the_strike_forgiven(lunch_with: Callable[..., LunchHour]) -> None:
    lunch = lunch_with(city_day_seats=1)
    later = lunch.slot("12:40")
    for who in ("周明", "李静"):
        lunch.book(who, OPEN)
    lunch.check_in("李静", "12:05")
    for clock in ("12:10", "12:15"):
        lunch.tick(clock)
    lunch.stand_by("王磊", "12:16")  # gets the seat
    assert (lunch.state("周明"), lunch.strikes("周明")) == ("released", ["no_show"])
    assert lunch.cancel("12:20") == "3 told"
    assert lunch.states("周明", "李静", "王磊") == ["cancelled"] * 3
    assert [lunch.letters(who)[-1] for who in ("周明", "李静", "王磊")] == ["slot_cancelled"] * 3
    assert lunch.strikes("周明") == []
    assert [(line.actor_id, line.reason) for line in lunch.lines("forgiven")] == [(lunch.manager_id, "停电")]
    assert (lunch.now().taken, lunch.now().waiting) == (0, 0)
    assert lunch.book("周明", "12:21", later) == "booked"  # what did not take place does not count
    assert invariants.breaches(lunch.session, at("12:21")) == []


def test_who_waits_at_the_door_after_the_release_is_told_once(lunch: LunchHour) -> None:
    lunch.book("周明", OPEN)
    lunch.book("李静", OPEN)
    lunch.roll_call("12:05")
    for clock in ("12:10", "12:15"):
        lunch.tick(clock)
    for who in ("王磊", "陈晨", "周明"):  # the seats are gone by 周明's turn
        lunch.stand_by(who, "12:16")
    assert lunch.state("周明") == "waiting"
    lunch.cancel("12:20")
    assert lunch.letters("周明").count("slot_cancelled") == 1
    assert lunch.strikes("周明") == []


def test_closing_a_station_needs_no_more_statements_for_more_people(lunch: LunchHour) -> None:
    """On SQLite all others who write wait meanwhile: with some for each person a large station took seconds."""
    sent, session, names = [], lunch.session, list(lunch.people)
    with transactions.transaction(session):
        session.get_one(Person, lunch.manager_id).is_admin = True
    for code, crowds in (("east", [names[:2]]), ("west", [names[2:5], names[5:]])):
        station_id = lunch.other_station(code)
        theirs = [lunch.slot("Wed 12:10", 1, station_id=station_id) for _ in crowds]
        for slot_id, crowd in zip(theirs, crowds, strict=True):
            assert [lunch.book(who, "Tue 10:00", slot_id) for who in crowd][:2] == ["booked", "waiting"]
        with heard(session.get_bind()) as statements, transactions.transaction(session) as writing:
            assert stations.close_station(writing, station_id, "停电", at("Wed 09:00"), lunch.manager_id) == len(crowds)
        sent.append(len(statements))
        letters = select(Letter.person_id).where(Letter.slot_id.in_(theirs), Letter.kind == "slot_cancelled")
        told = sorted(lunch.people[who] for crowd in crowds for who in crowd)
        assert session.scalars(letters.order_by(Letter.person_id)).all() == told
        actors = select(Event.actor_id).where(Event.slot_id.in_(theirs), Event.kind == "slot_cancelled")
        assert session.scalars(actors).all() == [lunch.manager_id] * len(told)
        numbers = select(Slot.state, Slot.taken, Slot.waiting).where(Slot.id.in_(theirs))
        assert session.execute(numbers).all() == [("cancelled", 0, 0)] * len(theirs)
    assert sent[1] - sent[0] < 2  # with four people and one slot more
    assert invariants.breaches(session, at("Wed 09:00")) == []


def test_a_cancelled_slot_does_not_count_towards_the_day(lunch: LunchHour) -> None:
    later = lunch.slot("13:10")
    lunch.book("周明", OPEN)
    lunch.cancel("11:00")
    assert lunch.book("周明", "11:01", later) == "booked"


def test_replaying_the_history_gives_the_state(lunch: LunchHour) -> None:
    """One of every action; after each the replayed history equals the tables."""
    acts = (
        lambda: lunch.book("周明", OPEN), lambda: lunch.book("李静", OPEN), lambda: lunch.book("王磊", OPEN),
        lambda: lunch.book("陈晨", OPEN), lambda: lunch.tick("Mon 10:01"), lambda: lunch.resize(1, "Mon 11:00", move_newest=True),
        lambda: lunch.resize(2, "Mon 11:01"), lambda: lunch.give_up("李静", "11:20"), lambda: lunch.book("刘洋", "11:21"),
        lambda: lunch.stand_by("刘洋", "11:56"), lambda: lunch.stand_by("赵敏", "11:57"),
        lambda: lunch.check_in("周明", "11:58"), lambda: lunch.undo("周明", "11:59"), lambda: lunch.tick("12:10"),
        lambda: lunch.tick("12:15"), lambda: lunch.undo("刘洋", "12:19"), lambda: lunch.walk_in("周明", "12:20"),
        lambda: lunch.stand_by("孙悦", "12:21"), lambda: lunch.tick("13:00"),
    )  # fmt: skip
    for act in acts:
        answer = act()
        assert not str(answer).startswith("no:"), answer
        slot, session = lunch.now(), lunch.session
        told = replay(session.scalars(select(Event).where(Event.slot_id == slot.id).order_by(Event.id)))
        states = session.execute(select(Booking.id, Booking.state).where(Booking.slot_id == slot.id))
        assert told.jumps == []
        assert (told.state, told.capacity) == (slot.state, slot.capacity)
        assert (told.taken, told.waiting) == (slot.taken, slot.waiting)
        assert told.bookings == {row.id: row.state for row in states}


def test_every_event_has_its_instant_its_kind_and_its_actor(lunch: LunchHour) -> None:
    lunch.book("周明", OPEN)
    lunch.give_up("周明", "11:00")
    lunch.cancel("11:05")
    said = [(line.kind, line.actor_id, line.before, line.after, line.reason) for line in lunch.lines()]
    me, boss = lunch.people["周明"], lunch.manager_id
    assert said == [
        ("planned", None, None, "planned", None),
        ("booked", me, None, "booked", None),
        ("given_up", me, "booked", "cancelled", None),
        ("cancelled", boss, "planned", "cancelled", "停电"),
    ]
