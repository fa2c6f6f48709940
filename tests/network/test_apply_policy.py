"""Applying a policy: the stations below, their coming slots, what stays open, and what a lock sets aside."""

from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking import invariants, network, policy, seats, slots
from booking.db import transactions
from booking.errors import RuleViolation
from booking.model import Activity, Event, Plan, Slot, Station, Zone
from booking.network import NodePolicy
from booking.policy import Policy
from booking.slots import deadlines
from tests.support.lunch_hour import TUESDAY, at, make_people, make_slot
from tests.support.tree_cast import CityTree, city_with_activities

NOW = at("Mon 09:00")


@pytest.fixture
def city(session: Session) -> CityTree:
    return city_with_activities(session)


def save(city: CityTree, code: str, *locks: str, **own: Any) -> int:
    wanted = NodePolicy(own, frozenset(locks))
    shown = network.preview_policy(city.session, city.node(code), wanted, NOW).fingerprint
    return network.set_node_policy(city.session, city.node(code), wanted, shown, NOW, None)


def apply(session: Session, now: datetime = NOW) -> int:
    return network.apply_policy(session, network.stations_due(session), now)


def own(city: CityTree, code: str, **numbers: Any) -> None:
    station = city.station(code)
    wanted = Policy(**{**asdict(policy.read(station.policy)), **numbers})
    slots.set_policy(city.session, station, wanted, NOW)


def numbers(city: CityTree, code: str) -> Policy:
    return policy.read(city.station(code).policy)


def slot(city: CityTree, code: str, starts: str = "12:10") -> int:
    with transactions.transaction(city.session):
        return make_slot(city.session, city.station(code), TUESDAY, time.fromisoformat(starts), 2)


def plan(city: CityTree, code: str, **how: Any) -> int:
    station = city.station(code)
    with transactions.transaction(city.session) as session:
        zone = Zone(station_id=station.id, name="瑜伽室", capacity=20)
        session.add(zone)
        session.flush()
        activity = session.scalars(select(Activity).where(Activity.station_id == station.id)).one()
        about: dict[str, Any] = {"station_id": station.id, "activity_id": activity.id, "zone_id": zone.id}
        wanted = Plan(
            **about, weekdays="2", starts=time(12, 10), minutes=50, capacity=15, valid_from=date(2026, 1, 1), **how
        )
        slots.save_plan.inside(session, wanted, NOW)
        return wanted.id


def slots_of(session: Session, plan_id: int) -> list[Slot]:
    session.rollback()
    return list(session.scalars(select(Slot).where(Slot.plan_id == plan_id).order_by(Slot.date)))


def test_a_number_of_the_city_reaches_every_station_and_its_coming_slots(city: CityTree, session: Session) -> None:
    there = slot(city, "yuetan")
    assert save(city, "bj", free_minutes=90, grace_minutes=10) == 6
    assert numbers(city, "yuetan") == Policy()
    assert apply(session) == 6
    assert {numbers(city, code).free_minutes for code in city.stations} == {90}
    found = session.get_one(Slot, there)
    assert found.free_until == at("10:40")
    assert found.release_at == at("12:20")
    applied = session.scalars(select(Event).where(Event.kind == "policy_applied")).all()
    assert sorted(line.station_id or 0 for line in applied) == sorted(city.stations.values())
    assert applied[0].details == {"was": {}, "became": {"free_minutes": 90, "grace_minutes": 10}}
    assert invariants.breaches(session, NOW) == []


def test_applying_again_changes_nothing(city: CityTree, session: Session) -> None:
    save(city, "bj", free_minutes=90)
    apply(session)
    assert apply(session) == 0
    with transactions.transaction(session):
        session.execute(update(Station).values(policy_due=True))
    assert apply(session) == 6
    assert len(session.scalars(select(Event).where(Event.kind == "policy_applied")).all()) == 6


def test_only_what_is_below_changes(city: CityTree, session: Session) -> None:
    assert save(city, "chaoyang", seats_a_day=2) == 4
    apply(session)
    assert {code for code in city.stations if numbers(city, code).seats_a_day == 2} == {
        "guomao",
        "guanghua",
        "wangjing",
        "jiuxianqiao",
    }


def test_the_number_nearest_to_the_station_counts(city: CityTree, session: Session) -> None:
    save(city, "bj", free_minutes=90)
    save(city, "chaoyang", free_minutes=120)
    apply(session)
    own(city, "guomao", free_minutes=30)
    assert [numbers(city, code).free_minutes for code in ("guomao", "guanghua", "yuetan")] == [30, 120, 90]
    assert city.station("guomao").own_policy == {"free_minutes": 30}
    save(city, "chaoyang", free_minutes=100)
    apply(session)
    assert [numbers(city, code).free_minutes for code in ("guomao", "guanghua", "yuetan")] == [30, 100, 90]


def test_a_lock_sets_the_stations_own_number_aside_until_it_is_lifted(city: CityTree, session: Session) -> None:
    own(city, "guomao", free_minutes=30)
    save(city, "bj", "free_minutes", free_minutes=90)
    apply(session)
    assert numbers(city, "guomao").free_minutes == 90
    with pytest.raises(RuleViolation, match="policy_locked") as no:
        own(city, "guomao", free_minutes=45)
    assert no.value.details == {"fields": "free_minutes", "node": "北京市"}
    own(city, "guomao", grace_minutes=10)
    assert city.station("guomao").own_policy == {"free_minutes": 30, "grace_minutes": 10}
    save(city, "bj", free_minutes=90)
    apply(session)
    assert numbers(city, "guomao") == Policy(free_minutes=30, grace_minutes=10)


def test_a_node_below_cannot_change_what_is_locked_above(city: CityTree, session: Session) -> None:
    save(city, "bj", "seats_a_day", seats_a_day=2)
    with pytest.raises(RuleViolation, match="policy_locked"):
        save(city, "chaoyang", seats_a_day=3)
    save(city, "chaoyang", seats_a_day=2, grace_minutes=10)
    assert city.node("chaoyang").own_policy == {"grace_minutes": 10}


@pytest.mark.parametrize(
    ("code", "locks", "own", "reason"),
    [
        ("bj", (), {"grace_minutes": 0}, "out_of_bounds"),
        ("bj", ("grace_minutes",), {"grace_minutes": 0}, "out_of_bounds"),
        ("bj", (), {"city_week_seats": 51}, "out_of_bounds"),
        ("chaoyang", (), {"city_week_seats": 3}, "city_numbers_only"),
        ("chaoyang", ("city_day_seats",), {}, "city_numbers_only"),
        ("bj", (), {"colour": 3}, "unknown_number"),
    ],
)
def test_numbers_that_cannot_be_are_refused(
    city: CityTree, session: Session, code: str, locks: tuple[str, ...], own: dict[str, int], reason: str
) -> None:
    with pytest.raises(RuleViolation, match=reason):
        save(city, code, *locks, **own)
    assert city.node(code).own_policy == {}
    assert network.stations_due(session) == []


def test_city_limits_reach_the_stations_and_none_sets_its_own(city: CityTree, session: Session) -> None:
    save(city, "bj", city_week_seats=3)
    apply(session)
    own(city, "guomao", city_week_seats=20, seats_a_day=2)
    assert numbers(city, "guomao") == Policy(city_week_seats=3, seats_a_day=2)


def test_a_slot_that_is_open_stays_open(city: CityTree, session: Session) -> None:
    plan_id = plan(city, "guomao")
    opened, later = slots_of(session, plan_id)[:2]
    assert (opened.opens_at, later.opens_at) == (at("Mon 10:00"), at("Mon 10:00") + timedelta(days=7))
    slots.open_these(session, [opened.id], at("Mon 10:00"))
    save(city, "bj", opens_at=time(11, 0), free_minutes=30)
    apply(session, at("Mon 10:30"))
    opened, later = slots_of(session, plan_id)[:2]
    assert (opened.state, opened.opens_at, opened.free_until) == ("open", at("Mon 10:00"), at("11:40"))
    assert (later.opens_at, later.free_until) == (at("Mon 11:00") + timedelta(days=7), at("11:40") + timedelta(days=7))


def test_planning_finds_nothing_left_to_do(city: CityTree, session: Session) -> None:
    plan(city, "guomao")
    save(city, "bj", opens_at=time(11, 0), opens_workdays_before=2, free_minutes=30, line_minutes=10, checkin_minutes=5)
    apply(session)
    assert slots.plan_ahead(session, city.stations["guomao"], NOW) == slots.Planned()


def test_a_lock_of_the_opening_counts_for_plans_too(city: CityTree, session: Session) -> None:
    plan_id = plan(city, "guomao", opens_clock=time(8, 0), opens_workdays_before=0)
    wanted = NodePolicy({}, frozenset({"opens_at"}))
    assert network.preview_policy(session, city.node("bj"), wanted, NOW).plans == 1
    save(city, "bj", "opens_at")
    apply(session)
    assert [one.opens_at.astimezone(at("12:00").tzinfo).time() for one in slots_of(session, plan_id)[:2]] == [
        time(10)
    ] * 2
    changed = session.get_one(Plan, plan_id)
    assert (changed.opens_clock, changed.opens_workdays_before) == (None, 0)
    changed = Plan(**{name: getattr(changed, name) for name in Plan.__table__.c.keys()} | {"opens_clock": time(9, 0)})  # noqa: SIM118
    with pytest.raises(RuleViolation, match="policy_locked"):
        slots.save_plan(session, changed, NOW)


def test_a_station_that_joins_gets_the_policy_and_keeps_its_own_numbers(city: CityTree, session: Session) -> None:
    save(city, "chaoyang", free_minutes=90, grace_minutes=10)
    apply(session)
    with transactions.transaction(session):
        alone = Station(code="alone", name="独立驿站", policy={"grace_minutes": 20})
        session.add(alone)
    network.join_centre(session, alone, city.node("cbd-centre"), NOW, None)
    assert policy.read(alone.policy) == Policy(grace_minutes=20)
    apply(session)
    session.refresh(alone)
    assert policy.read(alone.policy) == Policy(grace_minutes=20, free_minutes=90)


def test_a_station_outside_a_network_stores_what_it_did(session: Session) -> None:
    with transactions.transaction(session):
        alone = Station(code="alone", name="独立驿站")
        session.add(alone)
    slots.set_policy(session, alone, Policy(seats_a_day=2), NOW)
    assert (alone.policy, alone.own_policy) == ({"seats_a_day": 2}, None)


def test_people_on_a_moved_slot_may_cancel_freely_whatever_applies_from_above(city: CityTree, session: Session) -> None:
    there, beside = slot(city, "guomao"), slot(city, "guomao")
    person_id = make_people(session, ["周明"])["周明"]
    session.commit()
    seats.book(session, person_id, there, at("Mon 10:00"))
    move = slots.Move(time(12, 30), session.get_one(Slot, there).zone_id)
    slots.move(session, there, move, at("Mon 11:00"))
    save(city, "bj", free_minutes=90, grace_minutes=10)
    assert apply(session, at("Mon 11:01"))
    session.expire_all()
    moved, other = session.get_one(Slot, there), session.get_one(Slot, beside)
    assert (moved.free_until, moved.release_at) == (at("12:30"), at("12:40"))
    assert (other.free_until, other.release_at) == (at("10:40"), at("12:20"))


def examine_deadlines(city: CityTree, **minutes: int) -> None:
    session, there = city.session, slot(city, "guomao")
    wanted = Policy(**{f"{name}_minutes": value for name, value in minutes.items()})
    with transactions.transaction(session):
        slots.rewrite_deadlines(session, {wanted: [city.stations["guomao"]]}, NOW)
    found = session.get_one(Slot, there)
    table = deadlines.deadlines(found.starts_at, found.ends_at, wanted)
    names = ("free_until", "waitlist_until", "checkin_from", "release_at")
    assert {name: getattr(found, name) for name in names} == {name: dict(table)[name] for name in names}


@pytest.mark.parametrize(
    "minutes",
    [
        {"free": 0, "line": 0, "checkin": 0, "grace": 1},
        {"free": 1440, "line": 240, "checkin": 120, "grace": 60},
        {"free": 61, "line": 31, "checkin": 16, "grace": 49},
    ],
)
def test_the_database_computes_the_deadlines_as_the_rules_do(city: CityTree, minutes: dict[str, int]) -> None:
    examine_deadlines(city, **minutes)


def test_a_preview_says_whom_a_change_touches_and_who_keeps_what(city: CityTree, session: Session) -> None:
    save(city, "xicheng", free_minutes=120)
    apply(session)
    own(city, "guomao", free_minutes=30)
    slot(city, "guanghua")
    slot(city, "guomao")
    slot(city, "wangjing")
    told = network.preview_policy(session, city.node("bj"), NodePolicy({"free_minutes": 90}, frozenset()), NOW)
    assert (told.below, told.stations, told.slots) == (6, 3, 2)
    reasons = {(one.number, one.node.code if one.node else None): n for one, n in told.keeping.items()}
    assert reasons == {("free_minutes", None): 1, ("free_minutes", "xicheng"): 2}
    assert not told.overridden
    locked = NodePolicy({"free_minutes": 90}, frozenset({"free_minutes"}))
    told = network.preview_policy(session, city.node("bj"), locked, NOW)
    assert (told.below, told.stations, told.slots) == (6, 6, 3)
    assert (dict(told.keeping), dict(told.overridden)) == ({}, {"free_minutes": 1})


def test_what_was_shown_is_what_is_saved(city: CityTree, session: Session) -> None:
    wanted = NodePolicy({"free_minutes": 90}, frozenset())
    shown = network.preview_policy(session, city.node("bj"), wanted, NOW).fingerprint
    own(city, "guomao", free_minutes=30)
    with pytest.raises(RuleViolation, match="policy_changed"):
        network.set_node_policy(session, city.node("bj"), wanted, shown, NOW, None)
    assert city.node("bj").own_policy == {}
