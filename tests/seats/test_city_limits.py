"""Limits of a city: seats a week, seats a day and waiting-list places of a person, at whichever stations they are."""

from collections.abc import Callable
from datetime import date, time
from unittest import mock

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from booking import seats
from booking.db import transactions
from booking.errors import RuleViolation
from booking.model import Station
from booking.queries import slot_cards
from booking.seats import booking, look
from booking.seats.look import Asked
from tests.seats.test_booking_batches import book_all
from tests.support.lunch_hour import LunchHour, at, make_slot, roll_call
from tests.support.statements import heard

OPEN = "Mon 10:00"


class City:
    """cbd and west, in a city with these limits: a slot of cbd on Tuesday, Wednesday and Thursday, one of west each day."""

    def __init__(self, session: Session, **limits: int) -> None:
        self.session, self.lunch = session, LunchHour(session, capacity=2, waiting_entries=5, seats_a_day=2, **limits)
        self.west_id = self.lunch.other_station("west", waiting_entries=5, seats_a_day=2, **limits)
        self.cbd = {"Tue": self.lunch.slot_id} | {day: self.lunch.slot(f"{day} 12:10") for day in ("Wed", "Thu")}
        days = ("Tue", "Wed", "Thu", "Fri")
        self.west = {day: self.lunch.slot(f"{day} 13:10", 2, station_id=self.west_id) for day in days}

    def limit(self, **limits: int) -> None:
        with transactions.transaction(self.session) as session:
            for station in session.scalars(select(Station)):
                station.policy = station.policy | limits

    def refusal(self, who: str, clock: str, slot_id: int) -> RuleViolation:
        with pytest.raises(RuleViolation) as no:
            seats.book(self.session, self.lunch.people[who], slot_id, at(clock))
        return no.value


@pytest.fixture
def city(session: Session) -> Callable[..., City]:
    return lambda **limits: City(session, **limits)


def test_the_third_seat_of_a_week_is_refused_wherever_it_is_and_names_the_two(city: Callable[..., City]) -> None:
    town = city(city_week_seats=2)
    lunch = town.lunch
    assert lunch.book("周明", OPEN) == "booked"
    assert lunch.book("周明", "Tue 10:00", town.west["Wed"]) == "booked"
    no = town.refusal("周明", "Wed 10:00", town.cbd["Thu"])
    assert (no.reason, no.details["limit"], no.details["slot_id"]) == ("week_limit", 2, lunch.slot_id)
    told = [(slot.starts_at, slot.title, slot.station) for slot in no.details["slots"]]
    assert told == [
        (at("12:10"), "白领瑜伽课堂", "cbd 白领驿站"),
        (at("Wed 13:10"), "白领瑜伽课堂", "west 白领驿站"),
    ]
    assert lunch.book("李静", "Wed 10:00", town.cbd["Thu"]) == "booked"


def test_without_limits_of_the_city_nothing_is_counted(city: Callable[..., City]) -> None:
    town = city()
    slots = {
        "Tue": (OPEN, town.cbd["Tue"]),
        "Wed": ("Tue 10:00", town.west["Wed"]),
        "Thu": ("Wed 10:00", town.cbd["Thu"]),
    }
    assert [town.lunch.book("周明", clock, slot) for clock, slot in slots.values()] == ["booked"] * 3


def test_the_next_week_is_another_week(city: Callable[..., City]) -> None:
    town = city(city_week_seats=1)
    with transactions.transaction(town.session) as session:
        station = session.get_one(Station, town.west_id)
        monday = make_slot(session, station, date(2026, 11, 30), time(12, 10), 2)
    assert town.lunch.book("周明", OPEN) == "booked"
    assert town.refusal("周明", "Thu 10:00", town.west["Fri"]).reason == "week_limit"
    assert town.lunch.book("周明", "Fri 10:00", monday) == "booked"


def attended(town: City) -> None:
    town.lunch.do(lambda s: seats.check_in(s, town.lunch.latest("周明").id, at("12:05"), None).state)


def missed(town: City) -> None:
    roll_call(town.session, town.lunch.slot_id, at("12:11"), town.lunch.manager_id)
    town.lunch.tick("12:16")
    assert town.lunch.state("周明") == "released"


def came_late(town: City) -> None:
    missed(town)
    assert town.lunch.walk_in("周明", "12:20") == "attended"


def nobody_looked(town: City) -> None:
    town.lunch.tick("12:16")
    town.lunch.tick("13:00")
    with transactions.transaction(town.session) as session:
        seats.settle(session, town.lunch.slot_id, at("Wed 09:00"))


def cancelled_too_late(town: City) -> None:
    assert town.lunch.give_up("周明", "12:00") == "cancelled"


def cancelled_in_time(town: City) -> None:
    assert town.lunch.give_up("周明", "10:00") == "cancelled"


def called_off_by_the_station(town: City) -> None:
    town.lunch.cancel("11:30")


def removed_by_the_station(town: City) -> None:
    reason, manager = "名单有误", town.lunch.manager_id
    town.lunch.do(lambda s: str(seats.remove(s, town.lunch.latest("周明").id, reason, at("11:30"), manager)))


@pytest.mark.parametrize("end", [attended, missed, came_late, cancelled_too_late])
def test_a_seat_that_was_kept_for_the_person_counts(city: Callable[..., City], end: Callable[[City], None]) -> None:
    town = city(city_week_seats=1)
    town.lunch.book("周明", OPEN)
    end(town)
    no = town.refusal("周明", "Wed 18:00", town.west["Thu"])
    assert (no.reason, [slot.starts_at for slot in no.details["slots"]]) == ("week_limit", [at("12:10")])


@pytest.mark.parametrize("end", [cancelled_in_time, called_off_by_the_station, removed_by_the_station])
def test_a_seat_that_others_could_have_does_not_count(city: Callable[..., City], end: Callable[[City], None]) -> None:
    town = city(city_week_seats=1)
    town.lunch.book("周明", OPEN)
    end(town)
    assert town.lunch.book("周明", "Wed 18:00", town.west["Thu"]) == "booked"


def test_a_seat_at_the_door_is_neither_refused_nor_counted(city: Callable[..., City]) -> None:
    """It would have stayed empty."""
    town = city(city_week_seats=1)
    town.lunch.book("周明", OPEN)
    assert town.lunch.walk_in("周明", "13:05", town.west["Tue"]) == "attended"
    assert town.lunch.walk_in("李静", "13:05", town.west["Tue"]) == "attended"
    assert town.lunch.book("李静", "Wed 18:00", town.cbd["Thu"]) == "booked"


def test_who_gave_a_seat_up_too_late_may_have_the_same_one_again(city: Callable[..., City]) -> None:
    town = city(city_week_seats=1)
    town.lunch.book("周明", OPEN)
    cancelled_too_late(town)
    assert town.lunch.book("周明", "12:01") == "booked"


def test_seats_of_one_day_count_at_all_stations_together(city: Callable[..., City]) -> None:
    town = city(city_day_seats=1)
    assert town.lunch.book("周明", OPEN) == "booked"
    no = town.refusal("周明", OPEN, town.west["Tue"])
    assert (no.reason, no.details["limit"], len(no.details["slots"])) == ("city_day_limit", 1, 1)
    assert town.lunch.book("周明", "Tue 10:00", town.west["Wed"]) == "booked"


def test_places_in_line_count_at_all_stations_together(city: Callable[..., City]) -> None:
    town = city(city_waiting_entries=1)
    for slot_id, clock in ((town.cbd["Tue"], OPEN), (town.west["Wed"], "Tue 10:00")):
        assert [town.lunch.book(who, clock, slot_id) for who in ("李静", "王磊")] == ["booked", "booked"]
    assert town.lunch.book("周明", OPEN) == "waiting"
    no = town.refusal("周明", "Tue 10:00", town.west["Wed"])
    assert (no.reason, no.details["limit"]) == ("city_waiting_limit", 1)
    assert [slot.station for slot in no.details["slots"]] == ["cbd 白领驿站"]
    assert town.lunch.book("周明", "Wed 10:00", town.cbd["Thu"]) == "booked"


def test_the_waiting_list_passes_over_who_has_had_a_week(city: Callable[..., City]) -> None:
    town = city(city_week_seats=1)
    thursday = town.cbd["Thu"]
    for who in ("李静", "王磊", "周明", "陈晨"):
        town.lunch.book(who, "Wed 10:00", thursday)
    assert town.lunch.book("周明", "Wed 10:01", town.west["Thu"]) == "booked"
    town.lunch.give_up("李静", "Wed 11:00", thursday)
    assert town.lunch.states("周明", "陈晨", slot_id=thursday) == ["waiting", "booked"]
    assert town.lunch.latest("周明", thursday).skipped == "week_limit"


def test_at_the_limit_a_seat_of_the_same_day_can_be_swapped_but_not_too_late(city: Callable[..., City]) -> None:
    town = city(city_week_seats=1)
    person = town.lunch.people["周明"]
    town.lunch.book("周明", OPEN)

    def offered(clock: str) -> int | None:
        town.session.rollback()
        card = slot_cards.card(town.session, town.west["Tue"], person, at(clock))
        return card.instead.slot_id if card and card.instead else None

    assert (offered("10:30"), offered("12:01")) == (
        town.lunch.slot_id,
        None,
    )  # given up too late it counts all the same
    held = town.lunch.latest("周明").id
    assert seats.swap(town.session, person, town.west["Tue"], held, at("10:30")).booking.state == "booked"


@pytest.mark.parametrize("size", [1, 2, 8])
def test_in_a_batch_two_stations_do_not_both_let_a_person_in(
    city: Callable[..., City], engine: Engine, size: int
) -> None:
    town = city(city_week_seats=1)
    presses = [Asked(slot, at(OPEN), None, town.lunch.people["周明"]) for slot in (town.cbd["Tue"], town.west["Tue"])]
    assert book_all(engine, presses, size)[1] == ["booked", "no: week_limit"]


def test_control_a_batch_that_forgets_the_person_lets_both_pass(city: Callable[..., City], engine: Engine) -> None:
    town = city(city_week_seats=1)
    presses = [Asked(slot, at(OPEN), None, town.lunch.people["周明"]) for slot in (town.cbd["Tue"], town.west["Tue"])]
    with mock.patch.object(booking, "_defer", return_value=None):
        assert book_all(engine, presses, 2)[1] == ["booked", "booked"]


def test_a_batch_sends_as_many_statements_with_limits_as_without(city: Callable[..., City], engine: Engine) -> None:
    town, counted = city(), []
    town.lunch.book("周明", OPEN, town.west["Tue"])
    for who in ("李静", "王磊"):
        presses = [Asked(town.cbd["Tue"], at(OPEN), None, town.lunch.people[who])]
        with heard(engine) as sent:
            assert book_all(engine, presses, 2)[1] == ["booked"]
        counted.append([one.text for one in sent])
        town.limit(city_week_seats=2, city_day_seats=2, city_waiting_entries=3)
    assert counted[0] == counted[1]


def test_the_past_is_not_read_where_the_city_has_no_limits(city: Callable[..., City]) -> None:
    """Nor are the names of what is booked."""
    town, looks = city(), []
    person = town.lunch.people["周明"]
    town.lunch.book("周明", OPEN)
    cancelled_too_late(town)
    town.lunch.book("周明", "Tue 12:01", town.west["Tue"])
    for _ in range(2):
        looks.append(look.eligibilities(town.session, town.west["Wed"], [person], at("Tue 18:00"))[person])
        town.limit(city_week_seats=2)
    without, limited = looks
    assert ([entry.words for entry in without.entries], without.used) == ([None], ())
    assert [bool(entry.words) for entry in limited.entries] == [True]
    assert [entry.state for entry in limited.used] == ["cancelled"]
