"""Entering in batches: one truth with entering alone, whatever order people come in; what is unusual is left alone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from unittest.mock import patch

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from booking import draws, invariants
from booking.draws import entering
from booking.draws.entering import Entered
from booking.model import DrawEntry, Event, Person
from booking.seats.look import Asked
from tests.support.draw_cast import DrawDay
from tests.support.lunch_hour import NAMES, at


def asked(day: DrawDay, who: str, slot_id: int, now: datetime) -> Asked:
    return Asked(slot_id, now, person_id=day.people[who])


def press(engine: Engine, day: DrawDay, who: str, clock: str, slot_id: int) -> Entered:
    day.session.rollback()
    return draws.press_entry(engine, asked(day, who, slot_id, at(clock)))


def test_taps_make_one_entry_with_wishes_in_their_order(day: DrawDay, engine: Engine) -> None:
    first = press(engine, day, "周明", "Mon 10:00", day.tea)
    again = press(engine, day, "周明", "Mon 10:01", day.tea)
    second = press(engine, day, "周明", "Mon 10:02", day.yoga)
    assert (first.wishes, first.is_new) == ((day.tea,), True)
    assert (again.entry_id, again.wishes, again.is_new) == (first.entry_id, (day.tea,), False)
    assert (second.entry_id, second.wishes, second.is_new) == (first.entry_id, (day.tea, day.yoga), False)
    assert day.entry("周明").wishes == [day.tea, day.yoga]
    told = [(line.person_id, line.actor_id, line.details["wishes"]) for line in day.told("entered")]
    person_id = day.people["周明"]
    assert told == [(person_id, person_id, [day.tea]), (person_id, person_id, [day.tea, day.yoga])]


def test_who_left_enters_again_with_this_wish_alone(day: DrawDay, engine: Engine) -> None:
    press(engine, day, "周明", "Mon 10:00", day.tea)
    assert day.leave("周明", "Mon 10:10") == "left"
    again = press(engine, day, "周明", "Mon 10:20", day.yoga)
    assert (again.wishes, again.is_new) == ((day.yoga,), True)
    assert (day.entry("周明").wishes, day.entry("周明").left_at) == ([day.yoga], None)


ALONE = {
    "before the opening": "Mon 09:59:59",
    "after the closing": "Mon 12:00",
    "paused or gone": "Mon 10:00",
    "a fourth wish": "Mon 10:00",
    "together with a friend": "Mon 10:30",
}


@pytest.mark.parametrize("case", ALONE)
def test_what_is_unusual_is_left_to_be_entered_alone(session: Session, engine: Engine, case: str) -> None:
    day = DrawDay(session, wishes=2)
    if case == "paused or gone":
        session.execute(update(Person).where(Person.id == day.people["周明"]).values(disabled_at=at("Mon 09:00")))
        session.commit()
    elif case == "a fourth wish":
        day.enter("周明", "Mon 10:00", day.yoga, day.crafts)
    elif case == "together with a friend":
        day.pair("周明", "李静", "Mon 10:10", day.yoga)
    before = session.scalar(select(func.count(Event.id)))
    found = press(engine, day, "周明", ALONE[case], day.tea)
    assert (found.entry_id, found.seen is not None) == (0, True)
    assert session.scalar(select(func.count(Event.id))) == before


def test_a_crowd_that_enters_at_one_moment_has_an_entry_each(day: DrawDay, engine: Engine) -> None:
    """Each of them taps twice, beside somebody who enters alone."""
    day.session.rollback()

    def tap(n: int) -> int:
        who = NAMES[n % len(NAMES)]
        if n % 5 == 0:
            with Session(engine) as session:
                return draws.enter(session, day.people[who], day.yoga, at("Mon 10:00")).id
        return draws.press_entry(engine, asked(day, who, day.yoga, at("Mon 10:00"))).entry_id

    with ThreadPoolExecutor(8) as threads:
        ids = set(threads.map(tap, range(2 * len(NAMES))))
    assert len(ids - {0}) == len(NAMES) == day.session.scalar(select(func.count(DrawEntry.id)))
    assert len(day.told("entered")) == len(NAMES)
    assert len({entry.tag for entry in day.entries()}) == len(NAMES)
    day.draw_all()
    assert invariants.breaches(day.session, at("Mon 12:02")) == []


def test_in_one_batch_a_second_tap_of_a_person_waits_for_the_first(day: DrawDay, engine: Engine) -> None:
    day.session.rollback()
    batch = [asked(day, "周明", slot_id, at("Mon 10:00")) for slot_id in (day.yoga, day.tea)]
    first, second = entering._enter_batch(engine, batch)
    assert isinstance(first, Entered)
    assert first.wishes == (day.yoga,)
    assert not isinstance(second, Entered)


def test_a_tag_that_is_in_use_is_not_given_twice(day: DrawDay, engine: Engine) -> None:
    with patch.object(entering, "random_tag", return_value="aaaaa"):
        assert press(engine, day, "周明", "Mon 10:00", day.yoga).entry_id
        assert press(engine, day, "李静", "Mon 10:00", day.yoga).entry_id == 0
    assert press(engine, day, "李静", "Mon 10:00", day.yoga).entry_id


def test_a_batch_that_cannot_be_written_leaves_nothing(day: DrawDay, engine: Engine) -> None:
    error = OperationalError("", None, Exception("away"))
    with patch.object(entering, "_save", side_effect=error):
        assert press(engine, day, "周明", "Mon 10:00", day.yoga).entry_id == 0
    assert day.session.scalar(select(func.count(DrawEntry.id))) == 0
    assert day.enter("周明", "Mon 10:00", day.yoga) == "1 wishes"


@pytest.mark.postgresql
def test_entering_and_sealing_at_one_instant_leave_one_truth(day: DrawDay, engine: Engine) -> None:
    day.session.rollback()

    def act(n: int) -> int:
        if n:
            return draws.press_entry(engine, asked(day, NAMES[n], day.yoga, at("Mon 11:59:59.999"))).entry_id
        with Session(engine) as session:
            return draws.freeze(session, [day.draw_id], at("Mon 12:00"))

    with ThreadPoolExecutor(4) as threads:
        frozen, *ids = threads.map(act, range(4))
    assert frozen == 1
    listed = {entry.id for entry in day.entries() if entry.no}
    assert listed == {entry_id for entry_id in ids if entry_id}
