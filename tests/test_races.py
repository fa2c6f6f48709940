"""Races: many processes at once; a control shows that each race is real.

SQLite lets one process write at a time, whatever it writes: most races are run there with `--whole` only.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from time import sleep

import pytest
from sqlalchemy import Engine, func, select, text, update
from sqlalchemy.orm import Session

from booking import invariants, people, seats
from booking.db import transactions
from booking.model import HOLDING, Booking, Event, Letter, Person, Slot, Station, StationDayTotals, Strike
from tests.support.lunch_hour import TUESDAY, LunchHour, at, make_people
from tests.support.racing import PROCESSES, Act, Racers, in_turn

OPEN = at("Mon 10:00")
ROW_LOCKS = pytest.mark.one_database("postgresql")


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    racers = Racers()
    yield racers
    racers.close()


class Crowd:
    """A lunch hour with as many people as a race needs, `ids` in the order of their numbers."""

    def __init__(self, session: Session, url: str, racers: Racers, people: int, capacity: int) -> None:
        self.lunch = LunchHour(session, capacity=capacity)
        self.session, self.url, self.racers = session, url, racers
        with transactions.transaction(session):
            self.ids = list(make_people(session, [f"甲{n:03}" for n in range(people)]).values())
        self.slot_id = self.lunch.slot_id

    def presses(self, people: Sequence[int], when: str = "Mon 10:00") -> list[Act]:
        return [("take" if n % 4 == 3 else "press", at(when), person, self.slot_id) for n, person in enumerate(people)]

    def alone(self, *acts: Act) -> None:
        """Run these one after the other, before a race."""
        self.racers.run(self.url, [acts])

    def race(self, lanes: Sequence[Sequence[Act]], *, abreast: bool = True, without: str = "") -> dict[str, int]:
        answers = self.racers.run(self.url, lanes, abreast=abreast, without=without)
        self.session.rollback()
        return dict(answers)

    def held(self, slot_id: int | None = None) -> int:
        """How many bookings hold a seat of the slot."""
        seats = select(func.count(Booking.id)).where(Booking.slot_id == (slot_id or self.slot_id))
        return self.session.scalar(seats.where(Booking.state.in_(HOLDING))) or 0

    def bookings(self, state: str, slot_id: int | None = None) -> list[int]:
        found = select(Booking.id).where(Booking.slot_id == (slot_id or self.slot_id), Booking.state == state)
        return list(self.session.scalars(found.order_by(Booking.id)))

    def sound(self, now: str = "Mon 10:00") -> bool:
        assert invariants.breaches(self.session, at(now)) == []
        return True


Make = Callable[[int, int], Crowd]


@pytest.fixture
def crowd_of(session: Session, database_url: str, racers: Racers) -> Make:
    return lambda people, capacity: Crowd(session, database_url, racers, people, capacity)


def test_400_bookings_of_200_seats_give_exactly_200(crowd_of: Make) -> None:
    crowd = crowd_of(400, 200)
    answers = crowd.race(in_turn(crowd.presses(crowd.ids)), abreast=False)
    assert answers == {"booked": 200, "waiting": 200}
    assert (crowd.held(), crowd.lunch.now().taken, crowd.lunch.now().waiting) == (200, 200, 200)
    assert crowd.sound()


@pytest.mark.postgresql
def test_control_count_then_insert_gives_more_than_200(crowd_of: Make) -> None:
    crowd = crowd_of(400, 200)
    with transactions.transaction(crowd.session) as session:
        session.execute(text("ALTER TABLE slot DROP CONSTRAINT ck_slot_taken"))
    answers = crowd.race(in_turn(crowd.presses(crowd.ids)), abreast=False, without="the lock of the slot")
    assert answers["booked"] > 200
    assert crowd.held() == answers["booked"]
    assert any(line.startswith("I1") for line in invariants.breaches(crowd.session, OPEN))


def test_sixteen_bookings_of_the_last_seat(crowd_of: Make) -> None:
    crowd = crowd_of(PROCESSES, 1)
    others = [crowd.lunch.slot(clock, 1) for clock in ("Wed 12:10", "Thu 12:10", "Fri 12:10")]
    hours = {slot_id: crowd.lunch.now(slot_id).opens_at for slot_id in (crowd.slot_id, *others)}
    lanes = [[("press", opens, person, slot_id) for slot_id, opens in hours.items()] for person in crowd.ids]
    with transactions.transaction(crowd.session) as session:
        session.execute(update(Slot).values(opens_at=OPEN))
    answers = crowd.race([[(verb, OPEN, *rest) for verb, _then, *rest in lane] for lane in lanes])
    assert answers["booked"] == len(hours)
    assert "error" not in "".join(answers)
    assert [crowd.held(slot_id) for slot_id in hours] == [1] * len(hours)
    places = crowd.session.scalars(select(Booking.waitlist_position).where(Booking.slot_id == crowd.slot_id)).all()
    assert sorted(place for place in places if place) == list(range(1, PROCESSES))
    assert crowd.sound()


def test_two_tabs_book_two_slots_of_one_day(crowd_of: Make) -> None:
    crowd = crowd_of(40, 100)
    answers = crowd.race(two_tabs(crowd))
    assert answers == {"booked": 40, "no: day_limit": 40}
    assert crowd.sound()


@pytest.mark.postgresql
def test_control_without_the_lock_of_the_person_both_tabs_pass(crowd_of: Make) -> None:
    crowd = crowd_of(40, 100)
    answers = crowd.race(two_tabs(crowd), without="the lock of the person")
    assert answers["booked"] > 40
    assert any(line.startswith("I2") for line in invariants.breaches(crowd.session, OPEN))


def two_tabs(crowd: Crowd) -> list[list[Act]]:
    """Eight people at a time, each with two tabs, five times."""
    later = crowd.lunch.slot("13:10", 100)
    mine = [crowd.ids[n::8] for n in range(8)]
    return [[("press", OPEN, person, slot) for person in people] for people in mine for slot in (crowd.slot_id, later)]


def test_two_stations_at_once_give_one_seat_of_a_week(crowd_of: Make) -> None:
    crowd = crowd_of(40, 100)
    assert crowd.race(two_stations(crowd)) == {"booked": 40, "no: week_limit": 40}
    assert crowd.sound()


@pytest.mark.postgresql
def test_control_without_the_lock_of_the_person_both_stations_pass(crowd_of: Make) -> None:
    crowd = crowd_of(40, 100)
    assert crowd.race(two_stations(crowd), without="the lock of the person")["booked"] > 40


def two_stations(crowd: Crowd) -> list[list[Act]]:
    """Each person at two stations of a city that allows one seat a week, eight people at a time."""
    west = crowd.lunch.slot("13:10", 100, station_id=crowd.lunch.other_station("west"))
    with transactions.transaction(crowd.session) as session:
        session.execute(update(Station).values(policy={"city_week_seats": 1}))
    mine = [crowd.ids[n::8] for n in range(8)]
    return [[("press", OPEN, person, slot) for person in people] for people in mine for slot in (crowd.slot_id, west)]


def test_one_key_sixteen_times_is_one_booking(crowd_of: Make) -> None:
    crowd = crowd_of(1, 5)
    answers = crowd.race([[("press", OPEN, crowd.ids[0], crowd.slot_id, "once")]] * PROCESSES)
    assert answers == {"booked": PROCESSES}
    assert (crowd.held(), crowd.lunch.now().taken) == (1, 1)
    assert crowd.session.scalar(select(func.count(Letter.id))) == 1


def test_cancelling_sixteen_times_frees_one_seat(crowd_of: Make) -> None:
    crowd = crowd_of(4, 2)
    crowd.alone(*crowd.presses(crowd.ids))
    crowd.race([[("give_up", OPEN, crowd.bookings("booked")[0])]] * PROCESSES)
    assert (len(crowd.bookings("booked")), len(crowd.bookings("waiting"))) == (2, 1)
    assert crowd.session.scalar(select(func.count(Event.id)).where(Event.kind == "press_undone")) == 1
    assert crowd.sound()


@ROW_LOCKS
def test_everybody_leaves_while_everybody_is_promoted(crowd_of: Make) -> None:
    """Seats and waiting-list places are cancelled at once; nobody who left is promoted, nobody is promoted twice."""
    crowd = crowd_of(24, 8)
    crowd.alone(*crowd.presses(crowd.ids))
    sitting, waiting = crowd.bookings("booked"), crowd.bookings("waiting")
    lanes = [[("give_up", OPEN, booking), ("promote", OPEN, crowd.slot_id)] for booking in (*sitting, *waiting[::2])]
    answers = crowd.race(lanes)
    assert "error" not in "".join(answers)
    assert (crowd.held(), crowd.lunch.now().waiting) == (8, 0)
    assert crowd.sound("Mon 10:05")


@ROW_LOCKS
@pytest.mark.parametrize("clock", ["11:39:59.999999", "11:40"])
def test_newcomers_book_while_seats_come_free(crowd_of: Make, clock: str) -> None:
    crowd = crowd_of(32, 8)
    crowd.alone(*crowd.presses(crowd.ids[:16]))
    sitting = crowd.bookings("booked")
    newcomers = crowd.presses(crowd.ids[16:], clock)
    leaving = [[("give_up", at(clock), booking), press] for booking, press in zip(sitting, newcomers[:8], strict=True)]
    pressing = [[press, ("promote", at(clock), crowd.slot_id)] for press in newcomers[8:]]
    answers = crowd.race([*leaving, *pressing])
    assert "error" not in "".join(answers)
    assert crowd.held() <= 8
    if clock < "11:40":  # the waiting list got all of them, in its order
        assert crowd.bookings("waiting")[:8] == sorted(crowd.bookings("waiting"))[:8]
        assert answers["waiting"] == 16
    assert crowd.sound(clock)


@ROW_LOCKS
def test_slots_start_and_end_while_people_book(crowd_of: Make) -> None:
    """Half of the requests come an instant before the waiting list closes or the slot starts, and wait for a lock."""
    crowd = crowd_of(32, 8)
    crowd.alone(*crowd.presses(crowd.ids[:16]))
    sitting = crowd.bookings("booked")
    before, after, last, start = (at(clock) for clock in ("11:39:59.999999", "11:40", "12:09:59.999999", "12:10"))
    lanes: list[list[Act]] = [
        [("give_up", before if n % 2 else after, booking), ("press", last, crowd.ids[16 + n], crowd.slot_id)]
        for n, booking in enumerate(sitting)
    ]
    lanes += [[("press", after, person, crowd.slot_id), ("start", start, crowd.slot_id)] for person in crowd.ids[8:16]]
    answers = crowd.race(lanes)
    assert "error" not in "".join(answers)
    assert answers["True"] == 1
    assert crowd.bookings("waiting") == []
    assert crowd.sound("12:10")


@ROW_LOCKS
def test_capacity_goes_up_and_down_during_a_rush(crowd_of: Make) -> None:
    crowd = crowd_of(60, 20)
    sizes: list[Act] = [("resize", OPEN, crowd.slot_id, capacity) for capacity in (10, 25, 5, 12)]
    answers = crowd.race([sizes, *[crowd.presses(crowd.ids[n * 4 : n * 4 + 4]) for n in range(15)]])
    assert "error" not in "".join(answers)
    slot = crowd.lunch.now()
    assert (slot.capacity, slot.taken, slot.waiting, crowd.held()) == (12, 12, 48, 12)
    assert crowd.sound("Mon 10:05")


@ROW_LOCKS
def test_check_in_against_release(crowd_of: Make) -> None:
    """The first to commit wins: nobody is both checked in and struck."""
    crowd = crowd_of(20, 10)
    crowd.alone(*crowd.presses(crowd.ids[:10]), ("start", at("12:10"), crowd.slot_id))
    crowd.alone(("check_in", at("12:05"), crowd.bookings("booked")[0]))
    deadline = at("12:15")
    arriving: list[list[Act]] = [[("check_in", deadline, booking)] for booking in crowd.bookings("booked")]
    standing: list[list[Act]] = [[("stand_by", deadline, person, crowd.slot_id)] for person in crowd.ids[10:14]]
    answers = crowd.race([*arriving, *standing, *[[("release", deadline, crowd.slot_id)]] * 2])
    assert "error" not in "".join(answers)
    assert crowd.bookings("booked") == []
    struck = crowd.session.scalars(select(Strike.booking_id).order_by(Strike.booking_id)).all()
    assert list(struck) == crowd.bookings("released")
    assert crowd.held() <= 10
    assert crowd.sound("12:15")


@ROW_LOCKS
def test_the_jobs_of_two_schedulers_do_each_thing_once(crowd_of: Make) -> None:
    crowd = crowd_of(6, 4)
    crowd.alone(*crowd.presses(crowd.ids))
    first = crowd.bookings("booked")[0]
    crowd.alone(("check_in", at("12:00"), first), ("undo", at("12:01"), first))
    jobs: list[Act] = [
        ("open", OPEN), ("start", at("12:10"), crowd.slot_id), ("release", at("12:15"), crowd.slot_id),
        ("promote", at("12:15"), crowd.slot_id), ("finish", at("13:00"), crowd.slot_id),
    ]  # fmt: skip
    crowd.race([jobs] * PROCESSES)
    kinds = crowd.session.execute(
        select(Event.kind, func.count()).where(Event.kind.in_(("opened", "started", "released", "strike", "done")))
        .group_by(Event.kind)
    )  # fmt: skip
    assert dict(kinds.all()) == {"opened": 1, "started": 1, "released": 4, "strike": 4, "done": 1}
    assert crowd.sound("13:00")


@ROW_LOCKS
@pytest.mark.parametrize(
    "words", [("all_came",), ("fell_through",), ("by_list",), ("all_came", "fell_through", "by_list")]
)
def test_the_managers_decision_against_the_close_of_the_slot(crowd_of: Make, words: tuple[str, ...]) -> None:
    """The first to commit wins completely: one outcome for everybody, told once."""
    crowd = crowd_of(10, 10)
    crowd.alone(
        *crowd.presses(crowd.ids), ("start", at("12:10"), crowd.slot_id), ("release", at("12:15"), crowd.slot_id)
    )
    assert len(crowd.bookings("booked")) == 10
    said: list[list[Act]] = [[(word, at("14:59:59.999999"), crowd.slot_id)] for word in words]
    answers = crowd.race([*said, *said, *[[("finish", at("15:00"), crowd.slot_id)]] * 2])
    assert "error" not in "".join(answers)
    crowd.alone(("finish", at("15:00"), crowd.slot_id))
    (state,) = set(crowd.session.scalars(select(Booking.state)))
    told = select(Letter.kind, func.count()).where(Letter.kind.in_(("strike", "slot_cancelled"))).group_by(Letter.kind)
    letters = {"released": {"strike": 10}, "cancelled": {"slot_cancelled": 10}, "attended": {}, "unrecorded": {}}
    assert dict(crowd.session.execute(told).all()) == letters[state]
    assert crowd.sound("15:01")


@ROW_LOCKS
def test_the_first_check_in_against_the_release(crowd_of: Make) -> None:
    """Either attendance had begun by the release, or the release is held."""
    crowd = crowd_of(10, 10)
    crowd.alone(*crowd.presses(crowd.ids), ("start", at("12:10"), crowd.slot_id))
    first = crowd.bookings("booked")[0]
    answers = crowd.race([[("check_in", at("12:15"), first)], *[[("release", at("12:15"), crowd.slot_id)]] * 3])
    assert "error" not in "".join(answers)
    crowd.alone(("release", at("12:15:02"), crowd.slot_id))
    if crowd.lunch.now().released_at is None:
        assert len(crowd.bookings("booked")) == 9
        assert crowd.lunch.now().release_at in (at("12:20"), at("12:20:02"))
        crowd.alone(("release", at("12:20:02"), crowd.slot_id))
    crowd.session.rollback()  # what was read until now is as old as its transaction
    assert (crowd.bookings("attended"), len(crowd.bookings("released"))) == ([first], 9)
    assert crowd.sound("12:21")


@ROW_LOCKS
def test_crossing_waiting_lists_never_deadlock(crowd_of: Make) -> None:
    """Everybody waits for two slots of one day, in either order: a promotion in one ends the place in the other."""
    crowd = crowd_of(48, 4)
    later = crowd.lunch.slot("13:10", 4)
    first, second = crowd.slot_id, later
    holders = [
        ("press", OPEN, person, slot) for n, person in enumerate(crowd.ids[:8]) for slot in [(first, second)[n % 2]]
    ]
    waiters = [
        ("press", OPEN, person, slot)
        for n, person in enumerate(crowd.ids[8:])
        for slot in ((first, second) if n % 2 else (second, first))
    ]
    crowd.alone(*holders, *waiters)
    leaving = [("give_up", OPEN, booking) for slot in (first, second) for booking in crowd.bookings("booked", slot)]
    places = [("give_up", OPEN, b) for slot in (second, first) for b in crowd.bookings("waiting", slot)[::3]]
    looking = [("promote", OPEN, slot) for slot in (first, second) * 8]
    back = [("press", OPEN, person, slot) for person in crowd.ids[:8] for slot in (second, first)]
    gone = [("leave", OPEN, person) for person in crowd.ids[40:]]
    rounds = zip_longest(leaving, places, looking, back, gone)
    acts = [act for together in rounds for act in together if act]
    answers = crowd.race(in_turn(acts))
    assert "error" not in "".join(answers)
    assert (crowd.held(first), crowd.held(second)) == (4, 4)
    assert crowd.session.scalar(select(func.count(Person.id)).where(Person.deleted_at.is_not(None))) == 8
    assert crowd.sound("Mon 10:05")


@ROW_LOCKS
def test_sixteen_who_open_one_invitation_become_one_manager(crowd_of: Make) -> None:
    crowd = crowd_of(1, 1)
    told = (crowd.lunch.station_id, "new@example.com", "en", OPEN, crowd.lunch.manager_id)
    people.invite_manager(crowd.session, *told)
    link = crowd.session.scalars(select(Letter).where(Letter.kind == "manager_invitation")).one().details["token"]
    answers = crowd.race([[("join", OPEN, link)]] * PROCESSES)
    assert answers == {"True": 1, "no: invitation_used": PROCESSES - 1}
    new = crowd.session.scalars(select(Person).where(Person.email == "new@example.com")).one()
    assert [role.station_id for role in new.manages] == [crowd.lunch.station_id]
    assert crowd.sound()


@ROW_LOCKS
def test_a_slot_cancelled_during_a_rush_keeps_nobody(crowd_of: Make) -> None:
    crowd = crowd_of(30, 10)
    crowd.alone(*crowd.presses(crowd.ids[:15]))
    sitting = crowd.bookings("booked")
    lanes = [[press, ("give_up", OPEN, sitting[n % 10])] for n, press in enumerate(crowd.presses(crowd.ids[15:]))]
    answers = crowd.race([*lanes, [("call_off", OPEN, crowd.slot_id), ("call_off", OPEN, crowd.slot_id)]])
    assert "error" not in "".join(answers)
    slot = crowd.lunch.now()
    assert (slot.state, slot.taken, slot.waiting, crowd.held()) == ("cancelled", 0, 0, 0)
    told = crowd.session.scalars(select(Letter.person_id).where(Letter.kind == "slot_cancelled")).all()
    assert len(told) == len(set(told))
    assert crowd.sound()


@ROW_LOCKS
@pytest.mark.parametrize("presses_first", [True, False])
def test_a_slot_restored_while_letters_are_sent_and_its_people_book_elsewhere(
    crowd_of: Make, presses_first: bool
) -> None:
    """Either it is restored and no letter about it was sent, or a letter was sent and it stays cancelled."""
    crowd = crowd_of(12, 6)
    later = crowd.lunch.slot("13:10", 20)
    when, due = at("Mon 10:10"), at("Mon 10:12")
    crowd.alone(*crowd.presses(crowd.ids), ("call_off", when, crowd.slot_id))
    presses = [[("press", due, person, later)] for person in crowd.ids]
    undo = [[("bring_back", due, crowd.slot_id)], [("bring_back", due, crowd.slot_id)], [("send", due)]]
    answers = crowd.race([*presses, *undo] if presses_first else [*undo[::-1], *presses])
    assert "error" not in "".join(answers)
    letters = crowd.session.scalars(select(Letter.state).where(Letter.kind == "slot_cancelled")).all()
    if crowd.lunch.now().state == "cancelled":
        assert answers["no: people_know"] == 2
        assert set(letters) == {"sending"}
    else:
        assert set(letters) == {"dropped"}
    assert crowd.sound("Mon 10:12")


@pytest.mark.postgresql
@pytest.mark.parametrize(("without", "counted"), [("", 2), ("the lock of the day", 1)])
def test_slots_of_one_day_that_end_at_once_are_all_counted(
    engine: Engine, session: Session, monkeypatch: pytest.MonkeyPatch, without: str, counted: int
) -> None:
    """The second comes to the row while the first holds it: without the lock it has counted before it waits."""
    lunch = LunchHour(session)
    slots = [lunch.slot_id, lunch.slot("12:10")]
    lunch.tick("12:10")
    if without:
        monkeypatch.setattr(transactions, "lock_days", lambda *_: None)

    def finish_second() -> None:
        with Session(engine) as other:
            seats.finish(other, slots[1:], at("13:00"))

    with ThreadPoolExecutor(1) as thread:
        with transactions.transaction(session) as first:
            seats.finish(first, slots[:1], at("13:00"))
            second = thread.submit(finish_second)
            wait_until_blocked(engine)
        second.result()
    session.rollback()
    assert session.get_one(StationDayTotals, (TUESDAY, lunch.station_id)).slots == counted
    assert any(line.startswith("I15") for line in invariants.breaches(session, at("13:01"))) is bool(without)


def wait_until_blocked(engine: Engine) -> None:
    """Until somebody in this database waits for a lock of somebody else."""
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with engine.connect() as watching:
        for _ in range(1500):
            if watching.scalar(text(blocked)):
                return
            watching.rollback()
            sleep(0.02)
    raise AssertionError("nobody waits")
