"""Draws in the reports, and how often a place on the waiting list was promoted."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking import people, seats, slots, statistics
from booking.db import transactions
from booking.model import Booking, DrawEntry, Letter, Slot
from booking.queries import waiting_odds
from booking.queries.waiting_odds import Odds
from tests.support.draw_cast import DrawDay
from tests.support.lunch_hour import NAMES, TUESDAY, at, tick

AFTER = at("Tue 18:00")


def over(day: DrawDay, *came: int) -> None:
    """The day is over; so many of the drawn people came to yoga, the others did not."""
    with transactions.transaction(day.session) as session:
        session.execute(update(Slot).where(Slot.date == TUESDAY).values(state="done"))
        seats = select(Booking).where(Booking.slot_id == day.yoga, Booking.state == "booked").order_by(Booking.id)
        for n, booking in enumerate(session.scalars(seats).all()):
            booking.ended_at = AFTER
            booking.state = "released"
            if n in came:
                booking.state, booking.checked_in_at, booking.ended_at = "attended", at("Tue 12:05"), None


def totals(day: DrawDay) -> list[statistics.DrawTally]:
    return statistics.of_draws(day.session, day.station_id, TUESDAY, TUESDAY)


def test_a_report_counts_entries_seats_and_who_came(day: DrawDay) -> None:
    for name in NAMES:
        day.enter(name, "Mon 10:10", day.yoga)
    day.leave("周明", "Mon 11:00")
    day.draw_all()
    assert totals(day) == []  # its slots are not over
    over(day, 0)
    (one,) = totals(day)
    told = (one.draws, one.void, one.entries, one.seats, one.given, one.used)
    assert told == (1, 0, 7, 6, 2, 1)
    assert (one.odds, one.use) == (2 / 7, 1 / 2)
    assert statistics.total([one, one])[1:6] == (2, 0, 14, 14, 12)


@pytest.fixture
def used_up(day: DrawDay) -> DrawDay:
    """Of two drawn seats one was moved down and promoted again, and the other used late; a loser was promoted."""
    for name in NAMES:
        day.enter(name, "Mon 10:10", day.yoga)
    day.draw_all()
    slots.set_capacity(day.session, day.yoga, 1, at("Mon 13:00"), day.manager_id, move_newest=True)
    with transactions.transaction(day.session) as session:  # told of it, they are promoted and not moved back
        session.execute(update(Letter).where(Letter.kind == "moved_down").values(state="sent", tries=1))
    slots.set_capacity(day.session, day.yoga, 3, at("Mon 15:00"), day.manager_id)
    found = select(Booking.id).where(Booking.slot_id == day.yoga, Booking.state == "booked")
    late, *others = day.session.scalars(found.order_by(Booking.via, Booking.id)).all()  # the drawn one first
    tick(day.session, at("Tue 12:10"))
    for booking_id in others:
        seats.check_in(day.session, booking_id, at("Tue 12:11"), day.manager_id)
    tick(day.session, at("Tue 12:15"))
    assert seats.admit(day.session, late, at("Tue 12:18"), day.manager_id).late
    for clock in ("Tue 12:40", "Tue 15:00"):
        tick(day.session, at(clock))
    return day


def test_a_drawn_seat_stays_one_however_it_was_used(used_up: DrawDay) -> None:
    vias = select(Booking.via).where(Booking.state == "attended").order_by(Booking.via)
    assert list(used_up.session.scalars(vias)) == ["door", "line", "line"]
    (one,) = totals(used_up)
    assert (one.given, one.used, one.unseen) == (2, 2, 0)


def test_a_report_stays_when_names_are_forgotten(used_up: DrawDay) -> None:
    now, session = AFTER + timedelta(days=230), used_up.session
    for some in [*people.named(session, now)]:
        people.forget_names(session, some, now)
    people.forget_entries(session, now)
    used_up.session.rollback()
    assert set(used_up.session.scalars(select(DrawEntry.person_id))) == {None}
    (one,) = totals(used_up)
    assert (one.given, one.used) == (2, 2)


def test_a_void_draw_has_no_odds(day: DrawDay) -> None:
    day.tick("Mon 09:00")
    day.enter("周明", "Mon 10:10")
    day.tick("Mon 12:00")
    day.tick("Tue 11:45")
    over(day)
    (one,) = totals(day)
    assert (one.void, one.entries, one.odds, one.use) == (1, 1, None, None)


def test_an_unattended_slot_says_nothing_of_use(day: DrawDay) -> None:
    for name in NAMES:
        day.enter(name, "Mon 10:10", day.yoga)
    day.draw_all()
    over(day)
    with transactions.transaction(day.session) as session:
        session.execute(update(Booking).where(Booking.state == "released").values(state="unrecorded"))
    assert (totals(day)[0].given, totals(day)[0].use) == (2, None)


def past(
    day: DrawDay, weeks: int, *, promoted: bool, place: int = 2, who: str = "周明", late: bool = False, **values: object
) -> None:
    """An earlier yoga, so many weeks before, in which one person stood at that place of the waiting list."""
    session, back = day.session, timedelta(weeks=weeks)
    with transactions.transaction(session):
        like = session.get_one(Slot, day.yoga)
        columns = {column.key: getattr(like, column.key) for column in Slot.__table__.columns if column.key != "id"}
        moved = {name: value - back for name, value in columns.items() if name.endswith("_at") and value}
        moved |= {name: columns[name] - back for name in ("date", "free_until", "waitlist_until", "checkin_from")}
        slot = Slot(**{**columns, **moved, "plan_id": None, "draw_id": None, "state": "done", **values})
        session.add(slot)
        session.flush()
        created = slot.opens_at - timedelta(hours=1)
        came = {"state": "attended", "via": "door", "late": True, "checked_in_at": slot.ends_at, "ended_at": None}
        seat = (came if late else {"state": "released", "via": "line"}) | {"seated_at": slot.starts_at}
        lost = {"state": "expired", "via": "draw"}
        about = {"slot_id": slot.id, "station_id": day.station_id, "person_id": day.people[who]}
        row = {"waitlist_position": place, "created_at": created, "ended_at": slot.ends_at}
        session.add(Booking(**about | row | (seat if promoted else lost)))


CASES: dict[str, tuple[list[dict[str, object]], Odds | None]] = {
    "nothing": ([], None),
    "two are too few": ([{"promoted": True}] * 2, None),
    "three say something": ([{"promoted": True}, {"promoted": False}, {"promoted": True}], Odds(2, 3, 2)),
    "only the last eight": ([{"promoted": True}] * 8 + [{"promoted": False}] * 3, Odds(2, 8, 8)),
    "those promoted who came late": ([{"promoted": True, "late": True}] * 3, Odds(2, 3, 3)),
    "another place": ([{"promoted": True, "place": 1}] * 5, None),
    "cancelled ones": ([{"promoted": False}] * 3 + [{"promoted": True, "state": "cancelled"}], Odds(2, 3, 0)),
}


@pytest.mark.parametrize("case", CASES)
def test_how_often_a_place_was_promoted(day: DrawDay, case: str) -> None:
    weeks_before, odds = CASES[case]
    for weeks, one in enumerate(weeks_before, 1):
        past(day, weeks, **one)  # type: ignore[arg-type]
    assert waiting_odds.at_place(day.session, day.yoga, 2, at("Mon 12:01")) == odds
    assert waiting_odds.at_place(day.session, day.crafts, 2, at("Mon 12:01")) is None


def test_a_slot_of_long_ago_is_forgotten(day: DrawDay, session: Session) -> None:
    for weeks in (1, 2, 30):
        past(day, weeks, promoted=True)
    assert waiting_odds.at_place(session, day.yoga, 2, at("Mon 12:01")) is None
