"""The demo station: its past, and that there is always something to see."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import demo, history, invariants, people, policy, seats, statistics
from booking.db import transactions
from booking.draws import order, proof
from booking.model import (
    Booking,
    Draw,
    DrawEntry,
    Event,
    Letter,
    Manages,
    Node,
    Person,
    Slot,
    Station,
    Strike,
    WatchLink,
    Zone,
)
from booking.queries import missed_slots, my_bookings, slot_cards, station_day, station_lookup
from booking.statistics import NodeChoice, Span
from tests.support.snapshots import make_cast, seed_workdays

MONDAY = datetime(2026, 11, 23, 9, 59, tzinfo=ZoneInfo("Asia/Shanghai"))
SHORT = 12  # workdays: enough for the worker's missed one
MOMENTS = {
    "a Monday just before ten": MONDAY,
    "a Monday in the middle of lunch": MONDAY.replace(hour=12, minute=20),
    "a Monday in the afternoon": MONDAY.replace(hour=15, minute=7),
    "a Monday in the evening": MONDAY.replace(hour=19, minute=50),
    "a Monday at ten to midnight": MONDAY.replace(hour=23, minute=50),
    "just after midnight": MONDAY.replace(hour=0, minute=1),
    "a Friday before ten": datetime(2026, 11, 27, 8, 30, tzinfo=MONDAY.tzinfo),
    "a Friday night": datetime(2026, 11, 27, 22, 15, tzinfo=MONDAY.tzinfo),
    "a Saturday at three in the night": datetime(2026, 11, 28, 3, 0, tzinfo=MONDAY.tzinfo),
    "a Sunday evening": datetime(2026, 11, 29, 20, 0, tzinfo=MONDAY.tzinfo),
    "National Day": datetime(2026, 10, 1, 11, 0, tzinfo=MONDAY.tzinfo),
    "the middle of Spring Festival": datetime(2026, 2, 18, 13, 0, tzinfo=MONDAY.tzinfo),
    "a Saturday that is worked": datetime(2026, 10, 10, 9, 0, tzinfo=MONDAY.tzinfo),
    "New Year of a year that nobody has announced": datetime(2028, 1, 1, 9, 30, tzinfo=MONDAY.tzinfo),
}
# Those of `make test`; all of them with --whole.
SMALL = (
    "a Monday just before ten",
    "a Monday in the middle of lunch",
    "a Sunday evening",
    "the middle of Spring Festival",
    "New Year of a year that nobody has announced",
)


def load(session: Session, now: datetime, workdays: int = SHORT) -> None:
    """The demo as it is loaded at `now`, made once."""
    with transactions.transaction(session) as rows:
        seed_workdays(rows)
    make_cast(session, ("demo", now, workdays), lambda: demo.load(session, now, workdays))


def refresh(session: Session, now: datetime) -> bool:
    with transactions.transaction(session):
        return demo.refresh(session, now)


def worker(session: Session) -> int:
    return session.scalars(select(Person.id).where(Person.email == "worker@example.com")).one()


def to_see(session: Session, now: datetime, reader: int | None = None) -> dict[str, int]:
    """What a reader sees on the first day that still has slots to come, and what opens within the hour."""
    days = (now.date(), now.date() + timedelta(days=1))
    found = [station_day.find(session.get_bind().engine, "cbd", day, now) for day in days]
    who = seats.eligibility(session, reader, found[0].station, now.date(), now) if reader and found[0] else None
    seen = [slot_cards.cards(day.slots, who, {}, now, day.draws, ()) for day in found if day]
    first = next(found for found in seen if any(card.state in ("open", "planned") for card in found))
    soon = select(func.count(Slot.id)).where(Slot.opens_at > now, Slot.opens_at <= now + timedelta(hours=1))
    return {
        "bookable": sum(card.act == "take" for card in first),
        "full with a line": sum(
            card.state == "open" and not card.slot.free and card.slot.waiting > 0 for card in first
        ),
        "opens soon": session.scalar(soon) or 0,
    }


def belongings(session: Session, now: datetime) -> dict[str, list[int]]:
    me = worker(session)
    return {
        "seats": [booking.state == "booked" for booking in my_bookings.seats_ahead(session, me, now)],
        "places": [waiting.place for waiting in my_bookings.places_ahead(session, me, now)],
        "strikes": [ledger.counting for ledger in my_bookings.strike_ledgers(session, me, now)],
    }


@pytest.mark.one_database
def test_the_worker_was_too_late_once_and_may_read_why(session: Session) -> None:
    load(session, MONDAY)
    (miss,) = missed_slots.misses(session, worker(session), MONDAY)
    assert miss.reason == "line_closed"
    assert miss.rush
    assert miss.rush.full_at
    assert miss.slot.opens_at <= miss.rush.full_at <= miss.at
    assert miss.rush.wanted > miss.slot.capacity


@pytest.mark.one_database
def test_the_past_is_that_of_the_stations_record(session: Session) -> None:
    load(session, MONDAY, demo.PAST_WORKDAYS)
    assert invariants.breaches(session, MONDAY) == []
    held = session.scalar(select(func.count(Slot.id)).where(Slot.state == "done"))
    states = dict(session.execute(select(Booking.state, func.count()).group_by(Booking.state)).all())
    assert held > 200
    assert states["attended"] > 3000
    assert 0.08 < states["released"] / (states["released"] + states["attended"]) < 0.15
    assert states["expired"] > 100
    ways = dict(session.execute(select(Booking.via, func.count()).group_by(Booking.via)).all())
    assert min(ways["line"], ways["door"]) > 50
    assert session.scalar(select(func.count(Booking.id)).where(Booking.late)) > 20
    assert session.scalar(select(func.count(Strike.id)).where(Strike.forgiven_at.is_not(None))) > 10


@pytest.mark.one_database
def test_the_history_of_every_slot_tells_how_it_stands(session: Session) -> None:
    load(session, MONDAY.replace(hour=12, minute=20))
    for slot in session.scalars(select(Slot)):
        told = history.replay(session.scalars(select(Event).where(Event.slot_id == slot.id).order_by(Event.id)))
        known = session.execute(select(Booking.id, Booking.state).where(Booking.slot_id == slot.id))
        assert told.jumps == []
        assert (told.state, told.taken, told.waiting, told.capacity) == (
            slot.state,
            slot.taken,
            slot.waiting,
            slot.capacity,
        )
        assert told.bookings == {row.id: row.state for row in known}


@pytest.mark.sqlite
def test_yoga_is_gone_in_seconds_and_calligraphy_is_not(session: Session) -> None:
    load(session, MONDAY)
    done = select(Slot).where(Slot.state == "done").order_by(Slot.id.desc())
    yoga = session.scalars(done.where(Slot.activity.has(kind="yoga"))).first()
    brush = session.scalars(done.where(Slot.activity.has(kind="art")).limit(3)).all()
    assert yoga
    seated = select(Booking.created_at).where(Booking.slot_id == yoga.id, Booking.waitlist_position.is_(None))
    first = sorted(session.scalars(seated.where(Booking.via == "tap")))
    assert first[-1] - yoga.opens_at < timedelta(minutes=1)
    assert all(slot.taken < slot.capacity * 0.85 for slot in brush)


@pytest.mark.sqlite
def test_five_accounts_can_sign_in_and_nobody_is_written_to(session: Session) -> None:
    load(session, MONDAY)
    known = dict(session.execute(select(Person.email, Person).where(Person.password_hash.is_not(None))).all())
    assert set(known) == {f"{who}@example.com" for who in ("worker", "manager", "admin", "organiser", "reader")}
    assert people.fits("lunch-hour-demo", known["worker@example.com"].password_hash)
    cbd = session.scalars(select(Station.id).where(Station.code == "cbd")).one()
    assert session.get(Manages, (known["manager@example.com"].id, cbd))
    assert known["admin@example.com"].is_admin
    assert session.scalar(select(func.count(Zone.id)).where(Zone.station_id == cbd)) == 11
    assert session.scalar(select(func.count(Letter.id)).where(Letter.state != "sent")) == 0


@pytest.mark.parametrize(
    "moment", [pytest.param(moment, marks=[pytest.mark.whole] * (moment not in SMALL)) for moment in MOMENTS]
)
@pytest.mark.sqlite
def test_there_is_something_to_see_on(session: Session, moment: str) -> None:
    now = MOMENTS[moment]
    load(session, now)
    assert [what for what, number in to_see(session, now, worker(session)).items() if not number] == []
    assert invariants.breaches(session, now) == []
    assert belongings(session, now) == {"seats": [True], "places": [2], "strikes": [1]}


@pytest.mark.one_database
def test_a_database_of_last_week_has_something_to_see_again(session: Session) -> None:
    load(session, MONDAY)
    for later in (timedelta(hours=5), timedelta(days=5, hours=6), timedelta(days=7), timedelta(days=40)):
        now = MONDAY + later
        assert refresh(session, now)
        assert [what for what, number in to_see(session, now).items() if not number] == [], later
        slots = session.scalar(select(func.count(Slot.id)))
        assert refresh(session, now + timedelta(minutes=3))
        assert session.scalar(select(func.count(Slot.id))) == slots


def test_somebody_elses_database_is_left_alone(session: Session) -> None:
    with transactions.transaction(session):
        session.add(Station(code="cbd", name="别人的驿站"))
        people.create(session, "manager@example.com", "周敏", MONDAY)
    before = session.scalar(select(func.count(Event.id)))
    assert not refresh(session, MONDAY)
    with pytest.raises(demo.NotEmptyError):
        load(session, MONDAY)
    assert session.scalar(select(func.count(Event.id))) == before
    assert session.scalar(select(func.count(Slot.id))) == 0


@pytest.mark.sqlite
def test_the_command_refuses_where_users_are_but_may_be_asked_to_keep_quiet(
    app: object, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = app.test_cli_runner()  # type: ignore[attr-defined]
    with transactions.transaction(session):
        people.create(session, "somebody@example.com", "某人", MONDAY)
    assert isinstance(run, FlaskCliRunner)
    told = run.invoke(args=["demo"])
    assert (told.exit_code, "already exist" in told.output) == (1, True)
    assert (run.invoke(args=["demo", "--if-empty"]).exit_code, session.scalar(select(func.count(Slot.id)))) == (0, 0)


@pytest.mark.sqlite
def test_one_draw_is_drawn_and_one_is_gathering(session: Session) -> None:
    load(session, MONDAY)
    drawn, gathering = session.scalars(select(Draw).order_by(Draw.opens_at))
    assert (drawn.state, gathering.state) == ("drawn", "gathering")
    assert gathering.opens_at <= MONDAY < gathering.closes_at
    lines, fits = order.check(proof.published(session, drawn))
    assert fits
    assert lines[0].startswith("value: 3412.56")
    assert len(lines) > 30
    together = select(func.count(DrawEntry.id)).where(DrawEntry.partner_id.is_not(None)).group_by(DrawEntry.draw_id)
    assert session.scalars(together).all() == [2, 2]
    entered = select(func.count(DrawEntry.id)).where(DrawEntry.draw_id == gathering.id)
    assert (session.scalar(entered) or 0) > 15
    (mixed,) = session.scalars(select(Slot).where(Slot.draw_id == gathering.id))
    assert 0.6 < mixed.capacity / mixed.seats < 0.8


@pytest.mark.one_database
def test_a_city_lies_around_the_station_which_keeps_its_numbers(session: Session) -> None:
    load(session, MONDAY)
    city = session.scalars(select(Node).where(Node.level == "city")).one()
    span = Span(MONDAY.date() - timedelta(7), MONDAY.date() - timedelta(1))
    told = statistics.node_numbers(session, city, NodeChoice(span, span.before), MONDAY)
    districts = {row.code: len(row.stations) for row in told.rows}
    assert (districts, told.whole.tally.slots > 50) == ({"chaoyang": 5, "xicheng": 2}, True)
    assert {"dormant": 1, "no_manager": 1}.items() <= dict(told.whole.troubles).items()
    cbd = session.scalars(select(Station).where(Station.code == "cbd")).one()
    assert (policy.read(cbd.policy), station_lookup.only_one(session, MONDAY)) == (policy.DEFAULT, "cbd")
    assert session.scalar(select(Station.policy).where(Station.code == "fuxingmen")) == {"free_minutes": 90}


@pytest.mark.one_database
def test_the_days_that_went_by_are_lived_by_the_neighbours_too(session: Session) -> None:
    load(session, MONDAY)
    later = MONDAY + timedelta(3)
    refresh(session, later)
    last = dict(
        session.execute(
            select(Station.code, func.max(Slot.date)).join(Slot).where(Slot.state == "done").group_by(Station.code)
        ).all()
    )
    assert last["guanghua"] == (later - timedelta(1)).date()
    assert last["jiuxianqiao"] < MONDAY.date() - timedelta(7)
    assert [line for line in invariants.breaches(session, later) if line.startswith(("I1 ", "I2", "I7", "I15"))] == []


@pytest.mark.sqlite
def test_a_talk_of_this_week_can_be_watched_online_and_the_last_ones_were(session: Session) -> None:
    load(session, MONDAY)
    slots = session.scalars(select(Slot).join(WatchLink, WatchLink.slot_id == Slot.id).order_by(Slot.starts_at)).all()
    coming = [slot.date for slot in slots if slot.state != "done"]
    assert coming == [MONDAY.date() + timedelta(days=1)]
    week = Span(MONDAY.date() - timedelta(days=7), MONDAY.date() - timedelta(days=1))
    told = statistics.of_station(session, slots[0].station_id, week).total
    assert (told.watched, told.visits > 0) == (43 * 2, True)
    assert [line for line in invariants.breaches(session, MONDAY) if line.startswith("I15")] == []
