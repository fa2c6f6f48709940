"""Planned draws: slots of no plan by draw, and what a manager changes of a day whose draw has opened."""

from collections.abc import Callable
from datetime import date, time, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking import draws, seats, slots
from booking.errors import RuleViolation
from booking.model import Activity, Draw, Plan, PlanException, Slot, Station, Zone
from tests.support.draw_cast import DrawDay
from tests.support.lunch_hour import TUESDAY, at


def add(day: DrawDay, clock: str, starts: str = "15:00", when: date = TUESDAY) -> Slot:
    """A one-off by draw in a zone of its own."""
    zone = Zone(station_id=day.station_id, name=f"另一间 {clock} {starts}", capacity=100)
    day.session.add(zone)
    day.session.commit()
    activity = day.session.scalars(select(Activity.id).order_by(Activity.id)).first() or 0
    wish = slots.OneOff(activity, zone.id, when, time.fromisoformat(starts), 50, 3, allocation="draw")
    return slots.add(day.session, day.station_id, wish, at(clock), day.manager_id)


@pytest.mark.parametrize("clock", ["Mon 09:00", "Mon 11:00"])
def test_a_one_off_by_draw_joins_the_draw_of_its_day(day: DrawDay, clock: str) -> None:
    slot = add(day, clock)
    assert (slot.draw_id, slot.opens_at) == (day.draw_id, slot.starts_at)
    assert slot.awaits_draw
    assert day.enter("周明", "Mon 11:01", day.yoga, slot.id) == "2 wishes"
    with pytest.raises(RuleViolation, match="not_open"):
        seats.book(day.session, day.people["李静"], slot.id, at("Mon 11:01"))
    day.draw_all()
    assert day.draw().seats[str(slot.id)] == 3


def test_after_its_day_is_sealed_it_has_a_draw_of_its_own_from_now_on(day: DrawDay) -> None:
    day.tick("Mon 09:00")
    day.tick("Mon 12:00")
    slot = add(day, "Mon 12:00:30")
    own = day.session.get_one(Draw, slot.draw_id)
    assert own.id != day.draw_id
    assert (own.opens_at, own.closes_at) == (at("Mon 12:00:30"), at("Mon 14:00:30"))


def test_so_near_its_start_that_nobody_could_enter_it_is_refused(day: DrawDay) -> None:
    with pytest.raises(RuleViolation, match="draw_too_late"):
        add(day, "Tue 14:28")
    slot = add(day, "Tue 14:26")
    assert day.session.get_one(Draw, slot.draw_id).closes_at == at("Tue 14:27")


def test_a_plan_that_joins_keeps_the_closing_of_a_one_off(session: Session) -> None:
    day = DrawDay(session, opens_workdays_before=0)
    wednesday = TUESDAY + timedelta(days=1)
    slot = add(day, "Mon 09:00", "11:00", wednesday)
    session.execute(update(Plan).values(valid_until=wednesday))
    session.commit()
    day.plan(at("Mon 09:01"))
    together = session.scalars(select(Slot.draw_id).where(Slot.date == wednesday)).all()
    assert together == [slot.draw_id] * 4
    assert session.get_one(Draw, slot.draw_id).closes_at == at("Wed 10:27")


def test_a_slot_that_opens_at_its_start_is_no_draw(day: DrawDay) -> None:
    slot = day.session.get_one(Slot, day.tea)
    slot.draw_id = None
    assert not slot.awaits_draw
    day.session.rollback()


CHANGES: dict[str, Callable[[DrawDay], object]] = {
    "the plan is stopped": lambda day: slots.stop_plan(day.session, plan_of(day), at("Mon 10:30")),
    "the day is skipped": lambda day: slots.save_exception(
        day.session, PlanException(plan_id=day.plans[0], date=TUESDAY, skip=True), at("Mon 10:30")
    ),
    "the day is a holiday": lambda day: slots.set_day(
        day.session, day.session.get_one(Station, day.station_id), TUESDAY, False, at("Mon 10:30")
    ),
}


def plan_of(day: DrawDay) -> Plan:
    return day.session.get_one(Plan, day.plans[0])


@pytest.mark.parametrize("case", CHANGES)
@pytest.mark.parametrize("entered", [True, False])
def test_a_slot_whose_draw_has_opened_stays_and_waits_for_the_manager(day: DrawDay, case: str, entered: bool) -> None:
    if entered:
        day.enter("周明", "Mon 10:00")
    CHANGES[case](day)
    station = day.session.get_one(Station, day.station_id)
    assert day.yoga in {slot.id for slot in slots.stranded(day.session, station, at("Mon 10:31"))}
    assert day.session.get_one(Slot, day.yoga).draw_id == day.draw_id
    day.draw_all()
    assert day.bookings(day.yoga, "booked") == ([day.people["周明"]] if entered else [])


def test_before_its_draw_opens_it_is_withdrawn_as_any_other(day: DrawDay) -> None:
    slots.stop_plan(day.session, plan_of(day), at("Mon 09:00"))
    assert day.session.get(Slot, day.yoga) is None
    assert slots.stranded(day.session, day.session.get_one(Station, day.station_id), at("Mon 09:01")) == []


def test_a_change_of_its_day_is_refused_with_the_number_who_entered(day: DrawDay) -> None:
    day.enter("周明", "Mon 10:00")
    said = PlanException(plan_id=day.plans[0], date=TUESDAY, capacity=5)
    with pytest.raises(RuleViolation, match="slot_in_draw") as no:
        slots.save_exception(day.session, said, at("Mon 10:30"))
    assert no.value.details == {"entered": 1}
    assert draws.entered(day.session, [day.draw_id]) == {day.draw_id: 1}
    assert day.session.get_one(Slot, day.yoga).capacity == 2


def test_a_slot_cannot_be_moved_before_its_draw(day: DrawDay) -> None:
    day.enter("周明", "Mon 11:00", day.yoga)
    slot = add(day, "Tue 09:00", "18:00")
    own = day.session.get_one(Draw, slot.draw_id)
    assert own.closes_at == at("Tue 11:00")
    with pytest.raises(RuleViolation, match="before_its_draw") as no:
        slots.move(day.session, slot.id, slots.Move(time(11, 32), slot.zone_id), at("Tue 09:30"), day.manager_id)
    assert no.value.details["until"] == at("Tue 11:01")
    slots.move(day.session, slot.id, slots.Move(time(11, 33), slot.zone_id), at("Tue 09:30"), day.manager_id)
    assert day.session.get_one(Slot, slot.id).waitlist_until == at("Tue 11:03")
