"""Draws: entering, sealing, drawing, and what follows for everybody."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, time, timedelta
from functools import partial

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from booking import draws, invariants, monitoring, people, seats, slots
from booking.db import transactions
from booking.draws import order, proof
from booking.draws.balls import balls
from booking.errors import RuleViolation
from booking.model import Booking, Draw, DrawChain, DrawEntry, Event, Letter, Person, SetAside, Slot, Station, Strike
from booking.people import deletion
from booking.people.sign_ins import Attempt
from booking.workdays import ONE_DAY
from tests.support.draw_cast import KEY, DrawDay
from tests.support.kills import Killed, killed_at
from tests.support.lunch_hour import NAMES, TUESDAY, at, make_slot, tick
from tests.support.together import together

ALL = NAMES


def sound(day: DrawDay, clock: str = "Mon 12:02") -> None:
    assert invariants.breaches(day.session, at(clock)) == []


def test_a_slot_by_draw_cannot_be_booked_before_it_is_drawn(day: DrawDay) -> None:
    for clock in ("Mon 09:59", "Mon 10:00", "Mon 12:00:30"):
        tick(day.session, at(clock))
        with pytest.raises(RuleViolation, match="not_open"):
            seats.book(day.session, day.people["周明"], day.yoga, at(clock))
    assert set(day.session.scalars(select(Slot.state))) == {"planned"}


def test_the_slots_of_a_day_and_opening_are_one_draw(day: DrawDay) -> None:
    assert day.session.scalar(select(func.count(Draw.id))) == 1
    draw = day.draw()
    assert (draw.opens_at, draw.closes_at) == (at("Mon 10:00"), at("Mon 12:00"))
    assert {slot.draw_id for slot in day.session.scalars(select(Slot))} == {draw.id}


def test_entering_is_no_booking(day: DrawDay) -> None:
    assert day.enter("周明", "Mon 10:00", day.yoga, day.tea) == "2 wishes"
    assert day.enter("周明", "Mon 10:00", day.tea) == "2 wishes"
    assert day.session.scalar(select(func.count(Booking.id))) == 0
    assert day.session.scalar(select(func.sum(Slot.taken + Slot.waiting))) == 0


REFUSED = {
    "too early": ("Mon 09:59:59", "no: draw_not_open"),
    "too late": ("Mon 12:00", "no: draw_closed"),
    "just in time": ("Mon 11:59:59.999999", "1 wishes"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_hour_of_entering(day: DrawDay, case: str) -> None:
    clock, answer = REFUSED[case]
    assert day.enter("周明", clock) == answer


def test_a_draw_on_the_slots_own_day_closes_in_time_to_be_drawn(session: Session) -> None:
    """Two hours after the opening, 12:00, the waiting lists of 12:10 would be over."""
    day = DrawDay(session, opens_workdays_before=0)
    assert day.enter("周明", "Tue 10:00", day.yoga) == "1 wishes"
    assert day.draw().closes_at == at("Tue 11:37")
    draws.commit(session, day.draw().id, KEY, at("Tue 10:01"))
    for verb, clock in ((draws.freeze, "Tue 11:37"), (partial(draws.draw, secret_key=KEY), "Tue 11:38")):
        verb(session, [day.draw().id], now=at(clock))
    assert (day.draw().state, day.entry("周明").result) == ("drawn", "seat")


def test_a_failed_draw_is_set_aside_at_its_own_station(day: DrawDay) -> None:
    with transactions.transaction(day.session) as rows:
        times = {"date": TUESDAY, "opens_at": at("Mon 09:00"), "closes_at": at("Mon 09:30")}
        rows.add(Draw(id=900_001, station_id=day.station_id, version=order.VERSION, **times))
    monitoring.record_failure(day.session, "run_draws", 900_001, "broken", at("Mon 12:02"))
    aside = day.session.scalars(select(SetAside)).one()
    assert (aside.station_id, monitoring.is_about_slot("run_draws")) == (day.station_id, False)


def test_more_wishes_than_allowed_are_refused(session: Session) -> None:
    day = DrawDay(session, wishes=2)
    assert day.enter("周明", "Mon 10:00", day.yoga, day.crafts, day.tea) == "no: wishes_full"
    assert day.entry("周明").wishes == [day.yoga, day.crafts]


def test_a_cancelled_slot_cannot_be_wished_for(day: DrawDay) -> None:
    slots.cancel(day.session, day.yoga, "停电", at("Mon 10:30"), day.manager_id)
    assert day.enter("周明", "Mon 11:00") == "no: cancelled"


def test_who_is_paused_or_gone_cannot_enter(day: DrawDay) -> None:
    day.session.execute(update(Person).where(Person.id == day.people["周明"]).values(disabled_at=at("Mon 09:00")))
    day.session.commit()
    assert day.enter("周明", "Mon 10:00") == "no: gone"


def test_wishes_are_put_into_another_order_and_dropped_and_left(day: DrawDay) -> None:
    day.enter("周明", "Mon 10:00", day.yoga, day.tea)
    assert day.change("周明", "Mon 10:10", day.tea, day.yoga) == f"[{day.tea}, {day.yoga}]"
    assert day.change("周明", "Mon 10:10", day.crafts) == "no: no_such_wish"
    assert day.change("周明", "Mon 10:10", day.tea, day.tea) == "no: no_such_wish"
    assert day.change("周明", "Mon 10:20", day.yoga) == f"[{day.yoga}]"
    assert day.leave("周明", "Mon 10:30") == "left"
    assert day.leave("周明", "Mon 10:30") == "no: no_such_entry"
    assert day.enter("周明", "Mon 10:40", day.crafts) == "1 wishes"
    assert day.entry("周明").wishes == [day.crafts]
    assert day.leave("周明", "Mon 12:00") == "no: draw_closed"
    assert [line.kind for line in day.told("entered", "left")] == ["entered"] * 4 + ["left", "entered"]


def test_two_hundred_presses_make_one_entry(day: DrawDay, engine: Engine) -> None:
    person, slot = day.people["周明"], day.yoga

    def presses(_: int) -> set[int]:
        with Session(engine) as session:
            return {draws.enter(session, person, slot, at("Mon 10:00")).id for _ in range(50)}

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(presses, range(4)))
    day.session.rollback()
    assert len(set.union(*answers)) == 1
    assert day.session.scalar(select(func.count(DrawEntry.id))) == 1
    assert len(day.told("entered")) == 1


def test_the_first_of_the_lots_get_their_first_wish_with_room_and_the_others_wait_in_order(day: DrawDay) -> None:
    for name in ALL:
        day.enter(name, "Mon 10:00", day.yoga, day.crafts)
    day.draw_all()
    order = [entry.person_id for entry in day.entries()]
    assert day.bookings(day.yoga, "booked") == order[:2]
    assert day.bookings(day.crafts, "booked") == order[2:4]
    assert day.bookings(day.yoga, "waiting") == order[4:]
    assert day.bookings(day.crafts, "waiting") == order[4:]
    assert [entry.result for entry in day.entries()] == ["seat"] * 4 + ["lost"] * 4
    assert set(day.session.scalars(select(Booking.via))) == {"draw"}
    assert day.session.get_one(Slot, day.tea).state == "open"
    sound(day)


def test_a_second_wish_stands_behind_a_better_rank_only(session: Session) -> None:
    day = DrawDay(session, capacity=1, names=[f"甲{n}" for n in range(12)])
    for n, name in enumerate(day.people):
        day.enter(name, "Mon 10:00", *((day.yoga, day.tea) if n % 2 else (day.tea, day.yoga)))
    day.draw_all()
    for slot_id in (day.yoga, day.tea):
        ranks = {entry.person_id: entry.rank or 0 for entry in day.entries()}
        line = [ranks[person_id] for person_id in day.bookings(slot_id, "waiting")]
        assert len(line) == 10
        assert line == sorted(line)
    sound(day)


def test_the_waiting_list_continues_the_draw_and_late_joiners_come_last(day: DrawDay) -> None:
    for name in ALL[:4]:
        day.enter(name, "Mon 10:00")
    day.draw_all()
    late = seats.book(day.session, day.people["吴桐"], day.yoga, at("Mon 12:05"))
    assert (late.booking.state, late.place) == ("waiting", 3)
    first, third = day.entries()[0], day.entries()[2]
    won = select(Booking.id).where(Booking.person_id == first.person_id, Booking.state == "booked")
    seats.give_up(day.session, day.session.scalars(won).one(), at("Mon 12:10"))
    assert third.person_id in day.bookings(day.yoga, "booked")
    sound(day, "Mon 12:11")


def test_who_can_no_longer_come_stays_in_the_list_and_is_passed_over(session: Session) -> None:
    day = DrawDay(session, capacity=1)
    for name in ALL[:3]:
        day.enter(name, "Mon 10:00")
    day.tick("Mon 09:00")
    day.tick("Mon 12:00")
    before = [row[0] for row in proof.published(session, day.draw())["entries"]]
    session.execute(update(Person).where(Person.id == day.people["周明"]).values(disabled_at=at("Mon 12:00")))
    session.commit()
    day.tick("Mon 12:01")
    gone = day.entry("周明")
    assert (gone.result, gone.passed_over) == ("passed_over", {str(day.yoga): "gone"})
    assert [row[0] for row in proof.published(session, day.draw())["entries"]] == before
    assert len(day.bookings(day.yoga, "booked")) == 1
    assert [line.reason for line in day.told("passed_over")] == ["gone"]
    sound(day)


def test_who_has_only_used_seats_of_the_week_is_passed_over(session: Session) -> None:
    """A seat that was given up too late counts towards the city's limit, as at the entry."""
    day = DrawDay(session, city_week_seats=1)
    with transactions.transaction(session):
        noon = make_slot(session, session.get_one(Station, day.station_id), TUESDAY - ONE_DAY, time(12, 30), 3)
    assert day.enter("周明", "Mon 10:05") == "1 wishes"
    seat = seats.book(session, day.people["周明"], noon, at("Mon 10:10")).booking
    seats.give_up(session, seat.id, at("Mon 11:45"))
    assert day.enter("周明", "Mon 11:50", day.crafts) == "no: week_limit"
    day.draw_all()
    assert (day.entry("周明").result, day.entry("周明").passed_over) == ("passed_over", {str(day.yoga): "week_limit"})
    sound(day)


def test_a_deleted_account_leaves_its_draws_at_once(day: DrawDay) -> None:
    for name in ("周明", "李静"):
        day.enter(name, "Mon 10:00", day.yoga, day.tea)
    people.delete_account(day.session, day.people["周明"], at("Mon 11:00"))
    assert day.entry("周明").left_at == at("Mon 11:00")
    assert [(line.person_id, line.reason) for line in day.told("left")] == [(day.people["周明"], "gone")]
    day.draw_all()
    assert (day.entry("周明").no, day.entry("李静").no) == (None, 1)
    sound(day)


@pytest.mark.postgresql
def test_a_draw_entered_while_the_account_is_deleted_is_left_too(day: DrawDay, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite has one writer: there it is entered before or after."""
    who, confirm = day.people["周明"], deletion.confirm

    def enters_first(session: Session, tried: Attempt) -> Person:
        with Session(day.session.get_bind()) as other:
            draws.enter(other, who, day.yoga, at("Mon 11:00"))
        return confirm(session, tried)

    monkeypatch.setattr(deletion, "confirm", enters_first)
    tried = Attempt(None, who, day.session.get_one(Person, who).password_hash)
    day.session.rollback()
    people.delete_own_account(day.session, tried, at("Mon 11:00"))
    assert day.entry("周明").left_at == at("Mon 11:00")
    sound(day)


def test_an_account_deleted_between_the_closing_and_the_seal_is_passed_over(day: DrawDay) -> None:
    for name in ("周明", "李静"):
        day.enter(name, "Mon 10:00")
    people.delete_account(day.session, day.people["周明"], at("Mon 12:00"))
    assert (day.entry("周明").left_at, day.told("left")) == (None, [])
    day.draw_all()
    assert (day.entry("周明").result, day.entry("李静").result) == ("passed_over", "seat")
    sound(day)


def test_seats_as_of_the_draw_count(day: DrawDay) -> None:
    for name in ALL:
        day.enter(name, "Mon 10:00")
    slots.set_capacity(day.session, day.yoga, 5, at("Mon 11:00"), day.manager_id)
    day.draw_all()
    assert len(day.bookings(day.yoga, "booked")) == 5
    slots.set_capacity(day.session, day.yoga, 3, at("Mon 13:00"), day.manager_id, move_newest=True)
    order = [entry.person_id for entry in day.entries()]
    assert day.bookings(day.yoga, "booked") == order[:3]
    assert day.bookings(day.yoga, "waiting") == order[3:]
    sound(day, "Mon 13:01")


def test_a_slot_cancelled_before_falls_out_of_all_wishes(day: DrawDay) -> None:
    day.enter("周明", "Mon 10:00", day.yoga, day.tea)
    slots.cancel(day.session, day.yoga, "停电", at("Mon 11:00"), day.manager_id)
    day.draw_all()
    assert day.entry("周明").got_slot_id == day.tea
    sound(day)


def test_all_cancelled_it_is_void_and_nobody_loses(day: DrawDay) -> None:
    day.enter("周明", "Mon 10:00")
    for slot_id in (day.yoga, day.crafts, day.tea):
        slots.cancel(day.session, slot_id, "停电", at("Mon 11:00"), day.manager_id)
    day.draw_all()
    assert (day.draw().state, day.draw().why_void, day.entry("周明").result) == ("void", "cancelled", None)
    sound(day)


def restore(day: DrawDay, clock: str) -> tuple[str, datetime]:
    """The state of yoga and its opening, after it was restored at that instant."""
    day.session.rollback()
    slots.bring_back(day.session, day.yoga, at(clock), day.manager_id)
    slot = day.session.get_one(Slot, day.yoga, populate_existing=True)
    return slot.state, slot.opens_at


@pytest.mark.parametrize("others", [True, False])
def test_restored_after_its_draw_a_slot_is_open_to_everybody(day: DrawDay, others: bool) -> None:
    """Drawn without it, or void because every slot was cancelled."""
    day.enter("周明", "Mon 10:05", day.yoga)
    day.enter("李静", "Mon 10:05", day.crafts)
    for slot_id in (day.yoga,) if others else (day.yoga, day.crafts, day.tea):
        slots.cancel(day.session, slot_id, "停电", at("Mon 10:30"), day.manager_id)
    day.draw_all()
    assert day.draw().state == ("drawn" if others else "void")
    assert restore(day, "Mon 13:00") == ("open", at("Mon 13:00"))
    for who in ("周明", "王磊", "陈晨"):
        seats.book(day.session, day.people[who], day.yoga, at("Mon 13:00"))
    assert day.bookings(day.yoga, "booked") == [day.people["周明"], day.people["王磊"]]
    assert day.bookings(day.yoga, "waiting") == [day.people["陈晨"]]
    sound(day, "Mon 13:01")
    slots.cancel(day.session, day.yoga, "停电", at("Mon 14:00"), day.manager_id)
    assert restore(day, "Mon 14:00:30") == ("open", at("Mon 13:00"))
    sound(day, "Mon 14:01")


@pytest.mark.parametrize("clock", ["Mon 11:59", "Mon 12:00:30"])
def test_restored_before_its_draw_a_slot_is_drawn(day: DrawDay, clock: str) -> None:
    day.enter("周明", "Mon 10:05", day.yoga)
    slots.cancel(day.session, day.yoga, "停电", at("Mon 10:30"), day.manager_id)
    day.tick("Mon 09:00")
    day.tick(clock)
    assert restore(day, clock) == ("planned", at("Tue 12:10"))
    day.tick("Mon 12:00")
    day.tick("Mon 12:01")
    assert day.entry("周明").got_slot_id == day.yoga
    sound(day)


def test_restored_after_a_void_draw_its_seats_are_given_at_the_door(day: DrawDay) -> None:
    """As those of the other slots, which everybody was told."""
    day.enter("周明", "Mon 10:05", day.crafts)
    slots.cancel(day.session, day.yoga, "停电", at("Mon 10:30"), day.manager_id)
    day.tick("Mon 09:00")
    day.tick("Mon 12:00")
    day.tick("Tue 11:40")
    assert day.draw().why_void == "late"
    assert restore(day, "Tue 11:45") == ("planned", at("Tue 12:10"))
    sound(day, "Tue 11:46")


def test_restored_at_the_instant_of_its_draw_a_slot_is_in_it_or_open(day: DrawDay, engine: Engine) -> None:
    for name in ALL:
        day.enter(name, "Mon 10:05", day.yoga, day.crafts)
    slots.cancel(day.session, day.yoga, "停电", at("Mon 10:30"), day.manager_id)
    day.tick("Mon 09:00")
    day.tick("Mon 12:00")
    instant = at("Mon 12:01")
    acts = (
        lambda s: draws.draw.inside(s, [day.draw_id], KEY, instant),
        lambda s: len(slots.bring_back.inside(s, day.yoga, instant, day.manager_id).again),
    )
    assert together(engine, 2, lambda s, n: acts[n](s)) == [1, 0]
    assert day.draw().state == "drawn"
    assert day.session.get_one(Slot, day.yoga).state == "open"
    sound(day)


def test_late_it_is_drawn_and_too_late_it_is_void(day: DrawDay) -> None:
    day.enter("周明", "Mon 10:00")
    day.tick("Mon 09:00")
    day.tick("Mon 12:00")
    day.tick("Tue 11:40")
    assert (day.draw().state, day.draw().why_void) == ("void", "late")
    tick(day.session, at("Tue 12:10"))
    assert day.session.get_one(Slot, day.yoga).state == "running"
    sound(day, "Tue 12:11")


def test_late_but_in_time_it_is_drawn(day: DrawDay) -> None:
    day.enter("周明", "Mon 10:00")
    day.tick("Mon 09:00")
    day.tick("Tue 11:39")
    assert day.draw().state == "drawn"
    assert day.bookings(day.yoga, "booked") == [day.people["周明"]]
    sound(day, "Tue 11:39:30")


def test_it_is_sealed_and_drawn_once(day: DrawDay, engine: Engine) -> None:
    for name in ALL:
        day.enter(name, "Mon 10:00")
    day.tick("Mon 09:00")
    for verb, clock in ((draws.freeze, "Mon 12:00"), (draws.draw, "Mon 12:01")):
        args = (KEY, at(clock)) if verb is draws.draw else (at(clock),)
        assert sorted(together(engine, 4, lambda s, _: verb.inside(s, [day.draw_id], *args))) == [0, 0, 0, 1]  # noqa: B023
    assert len(day.told("frozen", "drawn")) == 2 + 2
    sound(day)


def test_leaving_and_sealing_at_the_same_instant_leave_one_truth(day: DrawDay, engine: Engine) -> None:
    for name in ALL:
        day.enter(name, "Mon 10:00")
    entry_id = day.entry("周明").id
    instant = at("Mon 11:59:59.999")

    def act(session: Session, number: int) -> object:
        if number:
            return draws.freeze.inside(session, [day.draw_id], at("Mon 12:00"))
        return draws.change_wishes.inside(session, entry_id, (), instant).left_at == instant

    left, frozen = together(engine, 2, act)
    entry = day.entry("周明")
    assert frozen == 1
    assert (entry.no is None) == (left is True)
    assert left in (True, "no: draw_closed")
    published = proof.published(day.session, day.draw())
    assert len(published["entries"]) == len(ALL) - (left is True)
    day.tick("Mon 12:00")
    day.tick("Mon 12:01")
    sound(day)


def test_the_next_link_is_committed_to_before_the_opening(day: DrawDay) -> None:
    day.tick("Mon 09:00")
    draw, chain = day.draw(), day.session.scalars(select(DrawChain)).one()
    assert (draw.link_no, draw.commitment, chain.used) == (1, chain.anchor, 1)
    assert draw.secret is None
    day.tick("Mon 12:00")
    day.tick("Mon 12:01")
    secret = day.draw().secret or ""
    assert order.sha256(secret) == chain.anchor


def test_another_secret_key_waits_for_the_old_one(day: DrawDay) -> None:
    day.enter("周明", "Mon 10:00")
    day.tick("Mon 09:00")
    day.tick("Mon 12:00")
    with pytest.raises(ValueError, match="another SECRET_KEY"):
        day.tick("Mon 12:01", key="another key that was made since")
    assert day.draw().state == "frozen"
    day.tick("Mon 12:05")
    assert day.draw().state == "drawn"


def test_after_a_restore_no_link_is_used_again(day: DrawDay) -> None:
    day.enter("周明", "Mon 10:00")
    day.tick("Mon 09:00")
    known = day.draw().commitment
    draws.begin_anew(day.session, at("Mon 11:00"))
    day.session.commit()
    day.tick("Mon 12:00")
    day.tick("Mon 12:01")
    assert day.draw().commitment not in (None, known)
    assert day.draw().state == "drawn"
    sound(day)


# Losses by day, and a seat before or after them.
BALLS = {
    "a newcomer": ([], None, 3),
    "one loss": ([3], "before", 2),
    "two losses": ([3, 2], "before", 3),
    "five losses, at most four balls": ([6, 5, 4, 3, 2], "before", 4),
    "two losses of a day count once": ([3, 3], "before", 2),
    "a seat takes them away": ([3, 2], "after", 1),
    "a newcomer who lost four times": ([5, 4, 3, 2], None, 4),
    "61 days ago": ([61], "before", 1),
}


@pytest.mark.parametrize("case", BALLS)
def test_how_many_balls(day: DrawDay, case: str) -> None:
    days, seat, expected = BALLS[case]
    session, person, now = day.session, day.people["周明"], at("Mon 12:00")
    for n, ago in enumerate(days):
        then = at("Mon 12:00") - timedelta(days=ago)
        old = Draw(station_id=day.station_id, date=then.date(), opens_at=then - timedelta(minutes=n + 1),
                   closes_at=then, version=1, state="drawn", list_sha256="x", seed="x", drawn_at=then)  # fmt: skip
        session.add(old)
        session.flush()
        session.add(DrawEntry(draw_id=old.id, person_id=person, tag=f"tag{n}", wishes=[1], entered_at=then, no=1,
                              balls=1, rank=1, result="lost"))  # fmt: skip
    if seat:
        when = now - timedelta(days=70 if seat == "before" else 1)
        session.add(Booking(slot_id=day.yoga, station_id=day.station_id, person_id=person, state="cancelled",
                            created_at=when, seated_at=when, ended_at=when))  # fmt: skip
    session.flush()
    station = session.get_one(Station, day.station_id)
    assert balls(session, station, [person], now) == {person: expected}
    session.rollback()


@pytest.mark.parametrize(("forgiven", "expected"), [(False, 1), (True, 3)])
def test_a_strike_that_counts_leaves_one_ball(day: DrawDay, forgiven: bool, expected: int) -> None:
    session, person, now = day.session, day.people["周明"], at("Mon 12:00")
    booking = Booking(slot_id=day.yoga, station_id=day.station_id, person_id=person, state="cancelled",
                      created_at=now, ended_at=now)  # fmt: skip
    session.add(booking)
    session.flush()
    session.add(Strike(person_id=person, station_id=day.station_id, slot_id=day.yoga, booking_id=booking.id, at=now,
                       reason="no_show", forgiven_at=now if forgiven else None))  # fmt: skip
    session.flush()
    assert balls(session, session.get_one(Station, day.station_id), [person], now) == {person: expected}
    session.rollback()


def test_planning_leaves_what_people_have_entered(day: DrawDay) -> None:
    day.enter("周明", "Mon 10:00")
    for clock in ("Mon 10:30", "Mon 12:00:30"):
        day.plan(at(clock))
    day.draw_all()
    day.plan(at("Mon 12:02"))
    assert day.bookings(day.yoga, "booked") == [day.people["周明"]]
    assert set(day.session.scalars(select(Slot.draw_id))) == {day.draw_id}
    sound(day)


def test_moved_before_the_draw_it_still_cannot_be_booked(day: DrawDay) -> None:
    zone_id = day.session.get_one(Slot, day.yoga).zone_id
    slots.move(day.session, day.yoga, slots.Move(starts=at("13:30").time(), zone_id=zone_id), at("Mon 10:30"), None)
    slot = day.session.get_one(Slot, day.yoga)
    assert slot.opens_at == slot.starts_at == at("13:30")


def test_a_seat_that_was_undone_at_once_takes_no_balls(session: Session) -> None:
    """A slip of the thumb is undone whole; a seat that was given up later was one."""
    day = DrawDay(session, capacity=1)
    for name in ALL[:5]:
        day.enter(name, "Mon 10:05")
    day.draw_all()
    loser = next(entry.person_id for entry in day.entries() if entry.person_id and entry.result == "lost")
    for taken, left, count in (("Mon 13:00", "Mon 13:01:59", 3), ("Mon 13:03", "Mon 13:05:01", 1)):
        seat = seats.book(session, loser, day.crafts, at(taken)).booking
        seats.give_up(session, seat.id, at(left))
        assert balls(session, session.get_one(Station, day.station_id), [loser], at("Mon 13:06")) == {loser: count}
        session.rollback()


BROKEN = {
    "I4 a slot that was forgotten": (update(Slot).values(state="planned"), "I4"),
    "I11 a changed list": (update(DrawEntry).where(DrawEntry.no == 2).values(balls=4), "I11"),
    "I11 a dropped entry": (update(DrawEntry).where(DrawEntry.no == 3).values(no=None, balls=None), "I11"),
    "I11 another seed": (update(Draw).values(seed="0" * 64), "I11"),
    "I11 exchanged ranks": (update(DrawEntry).values(rank=9 - DrawEntry.rank), "I11"),
    "I12 a result without its seat": (
        update(Event).where(Event.kind == "drawn", Event.booking_id.is_not(None)).values(kind="reserved"),
        "I12",
    ),
    "I12 an entry without a result": (update(DrawEntry).where(DrawEntry.no == 1).values(rank=None, result=None), "I12"),
    "I13 a secret chosen after the list": (update(Draw).values(secret="0" * 64), "I13"),
    "I13 another commitment": (update(Draw).values(commitment="0" * 64), "I13"),
    "I14 an exchanged place": (
        update(Booking).where(Booking.state == "waiting").values(waitlist_position=99 - Booking.waitlist_position), "I14"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_control_the_check_finds_what_was_tampered_with(day: DrawDay, case: str) -> None:
    statement, code = BROKEN[case]
    for name in ALL:
        day.enter(name, "Mon 10:00")
    day.draw_all()
    sound(day)
    day.session.execute(statement)
    day.session.commit()
    assert code in {breach.split()[0] for breach in invariants.breaches(day.session, at("Mon 12:02"))}


def test_events_tell_the_draw(day: DrawDay) -> None:
    for name in ALL:
        day.enter(name, "Mon 10:00")
    day.draw_all()
    kinds = select(Event.kind, func.count()).group_by(Event.kind).order_by(Event.kind)
    counted = dict(day.session.execute(kinds.where(Event.at >= at("Mon 10:00"))).all())
    assert counted == {"drawn": 1 + 2, "entered": 8, "frozen": 1, "opened": 3, "waiting": 6}
    assert day.draw().date == TUESDAY


def test_everybody_gets_one_letter_with_the_result(day: DrawDay) -> None:
    for name in ALL:
        day.enter(name, "Mon 10:00", day.yoga, day.crafts)
    day.draw_all()
    letters = {letter.person_id: letter for letter in day.session.scalars(select(Letter))}
    assert len(letters) == day.session.scalar(select(func.count(Letter.id))) == len(ALL)
    for entry in day.entries():
        letter = letters[entry.person_id]
        assert letter.kind == ("confirmed" if entry.result == "seat" else "draw_result")
        if entry.result == "lost":
            told = {"what": "lost", "draw": day.draw_id, "people": 8, "capacity": 6, "rank": entry.rank, "balls": 3}
            assert letter.details == told | {"place": (entry.rank or 0) - 4}


def test_the_letter_is_about_the_slot_of_the_place_it_names(day: DrawDay) -> None:
    for name in ALL:
        day.enter(name, "Mon 10:00", day.yoga, day.crafts)
    slots.cancel(day.session, day.yoga, "停电", at("Mon 11:00"))
    day.draw_all()
    waiting = day.bookings(day.crafts, "waiting")
    letters = day.session.scalars(select(Letter).where(Letter.kind == "draw_result")).all()
    assert {letter.slot_id for letter in letters} == {day.crafts}
    assert {letter.person_id: letter.details["place"] for letter in letters} == {
        person_id: place for place, person_id in enumerate(waiting, 1)
    }


def test_everybody_is_told_of_a_void_draw(day: DrawDay) -> None:
    day.enter("周明", "Mon 10:00")
    day.tick("Mon 09:00")
    day.tick("Mon 12:00")
    day.tick("Tue 11:45")
    (letter,) = day.session.scalars(select(Letter)).all()
    assert (letter.kind, letter.details) == ("draw_result", {"draw": day.draw_id, "what": "late"})


def everything(session: Session) -> list[object]:
    session.rollback()
    counted = [session.scalar(select(func.count()).select_from(table)) for table in (Booking, Event, Letter)]
    told = select(DrawEntry.no, DrawEntry.rank, DrawEntry.balls).order_by(DrawEntry.id)
    slots_now = select(Slot.state, Slot.taken, Slot.waiting, Slot.opens_at).order_by(Slot.id)
    states = session.scalars(select(Draw.state).order_by(Draw.id))
    return [*counted, *states, *session.execute(told), *session.execute(slots_now)]


def test_killed_before_any_statement_nothing_is_half_done(day: DrawDay, engine: Engine) -> None:
    for name in ALL:
        day.enter(name, "Mon 10:00", day.yoga, day.crafts)
    other = day.apart(ALL)
    day.tick("Mon 09:00")
    kills = 0
    for verb, args in ((draws.freeze, (at("Mon 12:00"),)), (draws.draw, (KEY, at("Mon 12:01")))):
        before, number, done = everything(day.session), 1, False
        while not done:
            try:
                with killed_at(engine, number), Session(engine) as session:
                    verb(session, [day.draw_id, other], *args)  # type: ignore[operator]
                done = True
            except Killed:
                kills, number = kills + 1, number + 1
                assert everything(day.session) == before
    assert kills > 25
    assert day.draw().state == "drawn"
    sound(day)


def test_who_is_in_two_draws_of_one_instant_gets_one_seat_of_the_day(session: Session) -> None:
    """The second draw is decided by what the first has given, also where both are drawn in one transaction."""
    day = DrawDay(session, capacity=1, names=ALL[:3])
    for name in ALL[:3]:
        day.enter(name, "Mon 10:00", day.yoga)
    day.apart(ALL[:3])
    day.draw_all()
    (yoga,), (tea,) = day.bookings(day.yoga, "booked"), day.bookings(day.tea, "booked")
    assert yoga != tea
    states = session.execute(select(DrawEntry.result, func.count()).group_by(DrawEntry.result))
    assert dict(states.all()) == {"seat": 2, "lost": 3, "passed_over": 1}
    assert yoga not in day.bookings(day.tea, "waiting")
    assert tea not in day.bookings(day.yoga, "waiting")
    sound(day)


def test_a_seat_that_was_moved_down_and_promoted_is_no_breach(day: DrawDay) -> None:
    for name in ALL:
        day.enter(name, "Mon 10:00")
    day.draw_all()
    slots.set_capacity(day.session, day.yoga, 1, at("Mon 13:00"), day.manager_id, move_newest=True)
    slots.set_capacity(day.session, day.yoga, 3, at("Mon 15:00"), day.manager_id)
    sound(day, "Mon 15:01")
