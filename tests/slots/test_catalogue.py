"""Catalogue: no name twice among a station's activities or zones, however it is written; sets saved whole or not at all;
slots with people that differ from their plans."""

from collections.abc import Sequence
from datetime import date, time, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from booking import slots
from booking.db import transactions
from booking.errors import RuleViolation
from booking.model import Activity, Event, Plan, PlanException, Slot, Station, Zone
from booking.queries import manager
from booking.slots import catalogue
from tests.support.lunch_hour import TUESDAY, LunchHour, at
from tests.support.together import together

NOW = at("Mon 09:00")
FUTURE = date(2027, 6, 1)


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    return LunchHour(session)


def activity(lunch: LunchHour, title: str, **columns: Any) -> Activity:
    return Activity(station_id=lunch.station_id, title=title, kind="yoga", **columns)


def zone(lunch: LunchHour, name: str, **columns: Any) -> Zone:
    return Zone(station_id=lunch.station_id, name=name, capacity=20, **columns)


MAKES = {"title": activity, "name": zone}


def saved(lunch: LunchHour, item: Any) -> str:
    verb = slots.save_activity if isinstance(item, Activity) else slots.save_zone
    try:
        verb(lunch.session, item, NOW, lunch.manager_id)
    except RuleViolation as no:
        return f"no: {no.reason}"
    return "saved"


def again(item: Any, **columns: Any) -> Any:
    """What a form of the item sends, with these changes."""
    return type(item)(**{column.key: getattr(item, column.key) for column in item.__mapper__.columns} | columns)


TWINS = ["Tai Chi", "TAI CHI", "tai  chi", "Ｔａｉ　Ｃｈｉ", "TaiChi", " tai chi\u200b"]


@pytest.mark.sqlite
@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("column", MAKES)
def test_a_name_in_another_spelling_is_taken(lunch: LunchHour, column: str, twin: str) -> None:
    make = MAKES[column]
    assert saved(lunch, make(lunch, "Tai chi")) == "saved"
    assert saved(lunch, make(lunch, twin)) == "no: name_taken"
    other = make(lunch, "Tai chi 2")
    assert saved(lunch, other) == "saved"
    assert saved(lunch, again(other, **{column: twin})) == "no: name_taken"
    assert saved(lunch, again(other, **{column: "Tai  Chi 2"})) == "saved"


@pytest.mark.sqlite
@pytest.mark.parametrize("column", MAKES)
def test_twins_of_earlier_days_can_be_edited(lunch: LunchHour, column: str) -> None:
    make = MAKES[column]
    with transactions.transaction(lunch.session) as session:
        session.add_all([make(lunch, "Tai chi"), twin := make(lunch, "TAI CHI")])
    english = f"{column}_en"
    assert saved(lunch, again(twin, **{english: "Tai chi for beginners"})) == "saved"
    assert saved(lunch, again(twin, **{column: "Tai Chi"})) == "saved"
    assert saved(lunch, again(twin, **{column: "Tai chi 2"})) == "saved"
    assert saved(lunch, again(twin, **{column: "TAI CHI"})) == "no: name_taken"


@pytest.mark.sqlite
def test_another_station_may_use_the_name(lunch: LunchHour) -> None:
    assert saved(lunch, activity(lunch, "Tai chi")) == "saved"
    assert saved(lunch, Activity(station_id=lunch.other_station(), title="Tai chi", kind="yoga")) == "saved"


@pytest.mark.sqlite
def test_the_title_of_an_archived_activity_is_free_and_refuses_its_return(lunch: LunchHour) -> None:
    old = activity(lunch, "Tai chi")
    saved(lunch, old)
    slots.retire_activity(lunch.session, old, NOW)
    assert saved(lunch, activity(lunch, "TAI CHI")) == "saved"
    with pytest.raises(RuleViolation, match="name_taken"):
        slots.offer_again(lunch.session, lunch.session.get_one(Activity, old.id), NOW)


@pytest.mark.sqlite
def test_the_name_of_a_closed_zone_is_reserved(lunch: LunchHour) -> None:
    old = zone(lunch, "露台")
    saved(lunch, old)
    slots.close_zone(lunch.session, old, NOW)
    assert saved(lunch, zone(lunch, "露 台")) == "no: name_reserved"
    slots.reopen_zone(lunch.session, lunch.session.get_one(Zone, old.id), NOW)


def save_all(session: Session, items: Sequence[Activity | Plan], **options: bool) -> str:
    """`saved`, or the refusals by place."""
    try:
        slots.save_all(session, items, NOW, **options)
    except slots.NothingSaved as nothing:
        return " ".join(f"{place}:{no.reason}" for place, no in nothing.refusals.items()) or "tried"
    return "saved"


def count(lunch: LunchHour, table: type[Any]) -> int:
    lunch.session.rollback()
    return lunch.session.scalar(select(func.count()).select_from(table)) or 0


def test_a_set_is_saved_whole_or_not_at_all(lunch: LunchHour) -> None:
    before, events = count(lunch, Activity), count(lunch, Event)
    titles = ("八段锦", "书法", "八　段锦", "茶艺", "书法")
    assert save_all(lunch.session, [activity(lunch, title) for title in titles]) == "2:name_taken 4:name_taken"
    assert save_all(lunch.session, [activity(lunch, title) for title in titles[:2]], only_try=True) == "tried"
    assert (count(lunch, Activity), count(lunch, Event)) == (before, events)
    assert save_all(lunch.session, [activity(lunch, title) for title in titles[:2]]) == "saved"
    assert count(lunch, Activity) == before + 2


def test_the_slots_of_a_set_of_plans_are_made_once(lunch: LunchHour, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at all slots of a station takes as long as the last: on SQLite nobody can book meanwhile."""
    ahead: list[int] = []
    made = catalogue.plan_ahead.inside
    monkeypatch.setattr(catalogue.plan_ahead, "inside", lambda *asked: ahead.append(asked[1]) or made(*asked))
    there = lunch.now()
    told = {"station_id": lunch.station_id, "activity_id": there.activity_id, "zone_id": there.zone_id, "minutes": 50}

    def plans() -> list[Plan]:
        return [
            Plan(**told, weekdays="4", starts=time(8 + n), capacity=2, valid_from=date(2026, 11, 20)) for n in range(3)
        ]

    assert (save_all(lunch.session, plans(), only_try=True), ahead) == ("tried", [])
    assert (save_all(lunch.session, plans()), ahead) == ("saved", [lunch.station_id])
    counted = select(func.count()).select_from(Slot).where(Slot.plan_id.is_not(None)).group_by(Slot.plan_id)
    assert len(lunch.session.scalars(counted).all()) == 3


def test_of_two_imports_at_once_one_comes_in(lunch: LunchHour, engine: Engine) -> None:
    before = count(lunch, Activity)

    def act(session: Session, number: int) -> str:
        titles = ("八段锦", "Tai chi") if number else ("TAI CHI", "茶艺")
        found = save_all(session, [activity(lunch, title) for title in titles])
        if found != "saved":
            raise RuleViolation(found)
        return found

    assert sorted(together(engine, 2, act)) in (["no: 0:name_taken", "saved"], ["no: 1:name_taken", "saved"])
    assert count(lunch, Activity) == before + 2


def test_of_two_plans_at_once_for_one_zone_one_comes_in(lunch: LunchHour, engine: Engine) -> None:
    with transactions.transaction(lunch.session) as session:
        mine = session.scalars(select(Activity.id).where(Activity.station_id == lunch.station_id)).first()
        place = session.scalars(select(Zone.id).where(Zone.station_id == lunch.station_id)).first()
    told = {"station_id": lunch.station_id, "activity_id": mine, "zone_id": place, "weekdays": "3", "minutes": 50}

    def act(session: Session, number: int) -> str:
        plan = Plan(**told, starts=time(15, 10 * number), capacity=2, valid_from=FUTURE)
        found = save_all(session, [plan])
        if found != "saved":
            raise RuleViolation(found)
        return found

    assert sorted(together(engine, 2, act)) == ["no: 0:zone_taken", "saved"]
    assert count(lunch, Plan) == 1


@pytest.fixture
def planned(lunch: LunchHour) -> Slot:
    """周明 has a seat at 13:30 on Tuesday, in a slot of a plan for every day."""
    place, shown = zone(lunch, "新室"), activity(lunch, "八段锦")
    lunch.session.add_all((place, shown))
    lunch.session.commit()
    told = {"station_id": lunch.station_id, "activity_id": shown.id, "zone_id": place.id, "weekdays": "12345"}
    plan = Plan(**told, starts=time(13, 30), minutes=40, capacity=5, valid_from=date(2026, 11, 20))
    slots.save_plan(lunch.session, plan, NOW)
    slot = lunch.session.scalars(select(Slot).where(Slot.plan_id == plan.id, Slot.date == TUESDAY)).one()
    assert lunch.book("周明", "Mon 10:00", slot.id) == "booked"
    return slot


def stranded(lunch: LunchHour) -> list[int]:
    lunch.session.rollback()
    station = lunch.session.get_one(Station, lunch.station_id)
    return [slot.id for slot in slots.stranded(lunch.session, station, at("Mon 11:01"))]


def change(lunch: LunchHour, slot: Slot, **columns: Any) -> None:
    lunch.session.rollback()
    slots.save_plan(lunch.session, again(lunch.session.get_one(Plan, slot.plan_id), **columns), at("Mon 11:00"))


def move(lunch: LunchHour, slot: Slot, starts: time) -> None:
    lunch.session.rollback()
    slots.move(lunch.session, slot.id, slots.Move(starts, slot.zone_id), at("Mon 11:00"), lunch.manager_id)


@pytest.mark.parametrize("column", ["starts", "minutes", "zone_id", "activity_id"])
def test_a_slot_with_people_that_its_plan_would_make_otherwise_waits_for_the_manager(
    lunch: LunchHour, planned: Slot, column: str
) -> None:
    place, shown = zone(lunch, "另一间"), activity(lunch, "书法")
    lunch.session.add_all((place, shown))
    lunch.session.commit()
    became = {"starts": time(14, 0), "minutes": 50, "zone_id": place.id, "activity_id": shown.id}
    change(lunch, planned, **{column: became[column]})
    assert stranded(lunch) == [planned.id]


def test_moved_to_where_its_plan_is_a_slot_waits_no_more(lunch: LunchHour, planned: Slot) -> None:
    change(lunch, planned, starts=time(14, 0))
    move(lunch, planned, time(14, 0))
    assert stranded(lunch) == []


def test_what_was_changed_of_one_slot_alone_waits_for_nobody(lunch: LunchHour, planned: Slot) -> None:
    move(lunch, planned, time(14, 0))
    slots.set_capacity(lunch.session, planned.id, 3, at("Mon 11:00"))
    slots.set_host(lunch.session, planned.id, "林老师", at("Mon 11:00"))
    change(lunch, planned, capacity=9)
    assert stranded(lunch) == []


# A date of a plan in another zone

FAR, LATER = date(2026, 12, 24), at("Mon 09:00") + timedelta(days=24)  # beyond the days that are planned, and then


def elsewhere(lunch: LunchHour, slot: Slot, when: date, **columns: Any) -> int:
    """The id of a zone for six, where the plan of the slot runs on that day."""
    small = Zone(station_id=lunch.station_id, name="小室", capacity=6)
    slots.save_zone(lunch.session, small, NOW)
    said = PlanException(plan_id=slot.plan_id, date=when, zone_id=small.id, **columns)
    slots.save_exception(lunch.session, said, NOW)
    lunch.session.rollback()
    return small.id


def on(lunch: LunchHour, slot: Slot, when: date) -> tuple[str, int]:
    """In which zone the plan of the slot runs on that day, and for how many."""
    lunch.session.rollback()
    there = lunch.session.scalars(select(Slot).where(Slot.plan_id == slot.plan_id, Slot.date == when)).one()
    return there.zone.name, there.capacity


def test_a_larger_plan_has_no_more_seats_than_the_zone_of_a_date(lunch: LunchHour, planned: Slot) -> None:
    elsewhere(lunch, planned, date(2026, 11, 26))
    change(lunch, planned, capacity=20)
    assert on(lunch, planned, date(2026, 11, 26)) == ("小室", 6)
    assert on(lunch, planned, date(2026, 11, 27)) == ("新室", 20)


@pytest.mark.parametrize("capacity", [None, 4])
def test_a_zone_is_in_use_by_a_date_that_is_not_planned_yet(
    lunch: LunchHour, planned: Slot, capacity: int | None
) -> None:
    small = lunch.session.get_one(Zone, elsewhere(lunch, planned, FAR, capacity=capacity))
    assert saved(lunch, again(small, capacity=3)) == "no: zone_in_use"
    assert saved(lunch, again(small, capacity=capacity or 5)) == "saved"
    with pytest.raises(RuleViolation, match="zone_in_use"):
        slots.close_zone(lunch.session, small, NOW)
    lunch.session.rollback()
    assert [plan.id for plan in manager.using(lunch.session, small, NOW)["plans"]] == [planned.plan_id]


def test_a_plan_that_is_resumed_uses_no_zone_that_was_closed(lunch: LunchHour, planned: Slot) -> None:
    small = lunch.session.get_one(Zone, elsewhere(lunch, planned, FAR))
    plan = lunch.session.get_one(Plan, planned.plan_id)
    slots.stop_plan(lunch.session, plan, NOW)
    slots.close_zone(lunch.session, small, NOW)
    slots.resume_plan(lunch.session, plan, NOW)
    slots.plan_ahead(lunch.session, lunch.station_id, LATER)
    assert on(lunch, planned, FAR) == ("新室", 5)
