"""Bookings lose their name after 180 days, and nothing else: numbers, history and rules stay as they were."""

from collections import Counter
from datetime import date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import invariants, jobs, people
from booking.extensions import db
from booking.jobs import runner, schedule
from booking.jobs.batches import Turn
from booking.model import Booking, DrawEntry, DrawValue, Event, Person, Strike
from booking.people import anonymise
from booking.people.anonymise import nameless_before
from tests.support.draw_cast import DrawDay
from tests.support.lunch_hour import SHANGHAI, LunchHour, at
from tests.support.statements import heard

BEFORE, AFTER = datetime(2027, 4, 29, 12, tzinfo=SHANGHAI), datetime(2027, 5, 23, 12, tzinfo=SHANGHAI)


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """周明 came, 李静 did not, 王磊 waited in vain."""
    lunch = LunchHour(session, capacity=2)
    for who in ("周明", "李静", "王磊"):
        lunch.book(who, "Mon 10:00")
    lunch.check_in("周明", "12:00")
    for clock in ("12:10", "12:15", "13:00"):
        lunch.tick(clock)
    return lunch


def forget(session: Session, now: datetime) -> int:
    """Returns how many people."""
    session.rollback()
    return sum(people.forget_names(session, some, now) for some in [*people.named(session, now)] if some)


def whose(session: Session) -> dict[str, set[int | None]]:
    """The people of bookings, strikes and history."""
    session.rollback()
    acted = [*session.scalars(select(Event.person_id)), *session.scalars(select(Event.actor_id))]
    held, struck = session.scalars(select(Booking.person_id)), session.scalars(select(Strike.person_id))
    return {"booking": set(held), "strike": set(struck), "event": set(acted) - {None}}


def test_after_180_days_nobody_can_be_told_from_a_booking(lunch: LunchHour, session: Session) -> None:
    named = {lunch.people[who] for who in ("周明", "李静", "王磊")}
    before = whose(session)
    assert before["booking"] == named
    assert forget(session, AFTER) == 3
    after = whose(session)
    assert [kind for kind, ids in after.items() if ids & named] == []
    assert {kind: len(ids) for kind, ids in after.items()} == {kind: len(ids) for kind, ids in before.items()}
    stand_ins = session.scalars(select(Person).where(Person.id.in_(after["booking"]))).all()
    assert {(one.name, one.email, one.deleted_at) for one in stand_ins} == {("", None, AFTER)}
    assert session.get_one(Person, lunch.people["周明"]).name == "周明"


def test_the_books_still_hold_and_the_manager_keeps_their_name(lunch: LunchHour, session: Session) -> None:
    forget(session, AFTER)
    session.rollback()
    assert invariants.breaches(session, AFTER) == []
    assert lunch.manager_id in whose(session)["event"]


def test_who_books_and_manages_keeps_the_name_on_what_they_did_for_others_only(
    lunch: LunchHour, session: Session
) -> None:
    lunch.people["林经理"] = lunch.manager_id
    lunch.book("林经理", "Tue 10:00", lunch.slot("Wed 12:10"))
    assert forget(session, AFTER) == 4
    session.rollback()
    acted = session.scalars(select(Event).where(Event.actor_id == lunch.manager_id)).all()
    assert {(event.kind, event.person_id == lunch.manager_id) for event in acted} == {("checked_in", False)}
    assert lunch.manager_id not in whose(session)["booking"]
    assert invariants.breaches(session, AFTER) == []


def test_the_people_of_a_city_are_looked_at_some_at_a_time(
    lunch: LunchHour, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anonymise, "LOOKED_AT", 2)
    session.rollback()
    looked = [*people.named(session, AFTER)]
    assert [person_id for some in looked for person_id in some] == sorted(whose(session)["booking"] - {None})
    assert max(map(len, looked)) == 2


def test_before_that_names_stay_and_twice_is_once(lunch: LunchHour, session: Session) -> None:
    assert forget(session, BEFORE) == 0
    assert [forget(session, AFTER) for _ in range(2)] == [3, 0]


def tick(app: Flask, now: datetime) -> tuple[jobs.Ran, bool]:
    """What the job told, and whether it asked the bookings."""
    with time_machine.travel(now, tick=False), app.app_context():
        (job,) = (job for job in jobs.TIMETABLE if job.name == "forget_names")
        with heard(db.engine) as sent:
            (ran,) = runner.in_order([job], now)
    return ran, any("FROM booking" in statement.text for statement in sent)


def test_the_job_does_it_for_everybody(app: Flask, lunch: LunchHour, session: Session) -> None:
    with app.app_context():
        told = {ran.name: ran for ran in jobs.tick(AFTER)}
    assert (told["forget_names"].did, told["forget_names"].error) == (3, "")
    assert whose(session)["booking"].isdisjoint(lunch.people.values())


def test_once_nobody_is_left_the_bookings_are_not_asked_until_the_next_month(app: Flask, lunch: LunchHour) -> None:
    told = [tick(app, AFTER + timedelta(days=days)) for days in (0, 1, 2, 6, 8, 9)]
    assert [(ran.did, asked) for ran, asked in told] == [
        (3, True),  # all three
        (0, True),  # nobody is left
        (0, False),
        (0, False),
        (0, True),  # 180 days ago another month began
        (0, False),
    ]


def test_a_run_that_ended_early_is_no_answer(app: Flask, lunch: LunchHour) -> None:
    with app.app_context(), pytest.raises(jobs.PartlyDone):
        schedule.forget_names(Turn(AFTER, lambda: True))
    assert tick(app, AFTER)[0].did == 3


@pytest.mark.parametrize(
    ("today", "first"),
    [
        ("2027-05-23", "2026-12-01"),
        ("2027-04-29", "2026-11-01"),
        ("2028-02-29", "2027-10-01"),
        ("2027-06-30", "2027-02-01"),
    ],
)
def test_whole_months_go_so_that_one_stand_in_serves_for_all_of_one(today: str, first: str) -> None:
    now = datetime.combine(date.fromisoformat(today), at("12:00").timetz())
    assert nameless_before(now) == date.fromisoformat(first)


def in_draws(day: DrawDay) -> set[int | None]:
    """The people of entries, of public values, and of what was recorded of them."""
    told = day.told("entered", "left", "paired", "parted", "value_typed")
    entries, values = (day.session.scalars(select(table.person_id)) for table in (DrawEntry, DrawValue))
    return {*entries, *values} | {who for event in told for who in (event.person_id, event.actor_id)}


def test_whoever_entered_a_draw_is_forgotten_in_its_history_too(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = DrawDay(session)
    day.pair("周明", "李静", "Mon 10:00")
    day.enter("王磊", "Mon 10:05", day.yoga, day.tea)
    for who in ("周明", "王磊"):
        day.leave(who, "Mon 10:10")
    kinds = Counter(event.kind for event in day.told("entered", "left", "paired", "parted"))
    assert kinds == {"entered": 4, "left": 2, "paired": 2, "parted": 1}
    session.rollback()
    session.add(
        DrawValue(draw_id=day.draw_id, version=1, value="1", person_id=day.manager_id, role="manager", typed_at=BEFORE)
    )
    session.commit()
    assert people.forget_entries(session, BEFORE) == 0
    assert in_draws(day) == {day.people[who] for who in ("周明", "李静", "王磊")} | {day.manager_id, None}
    monkeypatch.setattr(anonymise, "EVENTS_AT_ONCE", 5)
    session.rollback()
    assert [people.forget_entries(session, AFTER) for _ in range(3)] == [
        7,
        4,
        0,
    ]  # five events, and the draw twice; the others
    assert in_draws(day) == {None}
    assert Counter(event.kind for event in day.told(*kinds)) == kinds
