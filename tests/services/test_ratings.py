"""Ratings of visits: who may rate and when, once, shown as shares from five answers on, and what is kept of them."""

from datetime import date, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from booking import checkin_sync, people, seats, services, slots
from booking.db import transactions
from booking.errors import RuleViolation
from booking.invariants.rated_visits import rated_visits
from booking.model import Booking, Event, Rating
from booking.people import anonymise
from booking.people.data_export import everything_about
from booking.queries import activity_ratings, manager
from booking.queries.activity_ratings import ENOUGH, RATED_WITHIN, Share
from booking.services import ratings as visit_ratings
from booking.statistics import recommendations
from tests.support.lunch_hour import NAMES, LunchHour, at
from tests.support.together import together

AFTER = at("Tue 13:00")  # the slot's end
ENDED_LATE = AFTER + RATED_WITHIN


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Everybody was there, but for 吴桐."""
    made = LunchHour(session, capacity=8)
    for who in NAMES:
        made.book(who, "Mon 10:00")
    for who in NAMES[:-1]:
        made.check_in(who, "12:05")
    made.tick("12:15")
    made.tick("13:00")
    return made


def rate(lunch: LunchHour, who: str, face: str = "good", line: str = "", now: datetime = AFTER, whose: str = "") -> str:
    """How `who` says it was; the visit of `whose`, their own if not told."""
    told = (lunch.latest(whose or who).id, lunch.people[who], face, line, now)
    try:
        services.rate_visit(lunch.session, *told)
    except RuleViolation as no:
        lunch.session.rollback()
        return no.reason
    return "rated"


def ratings(lunch: LunchHour) -> list[tuple[str, str]]:
    lunch.session.rollback()
    return [(one.face, one.line) for one in lunch.session.scalars(select(Rating).order_by(Rating.booking_id))]


REFUSED: list[tuple[str, str, datetime, str, str]] = [
    ("before its end", "周明", AFTER - timedelta(seconds=1), "", "visit_not_over"),
    ("two weeks after", "周明", ENDED_LATE, "", "visit_rating_late"),
    ("who did not come", "吴桐", AFTER, "", "visit_not_attended"),
    ("of another", "周明", AFTER, "李静", "not_your_visit"),
]


@pytest.mark.parametrize(("what", "who", "now", "whose", "reason"), REFUSED, ids=[case[0] for case in REFUSED])
def test_it_is_refused(lunch: LunchHour, what: str, who: str, now: datetime, whose: str, reason: str) -> None:
    assert rate(lunch, who, now=now, whose=whose) == reason
    assert ratings(lunch) == []


def test_the_first_answer_stands(lunch: LunchHour) -> None:
    assert rate(lunch, "周明", "good", now=ENDED_LATE - timedelta(seconds=1)) == "rated"
    assert rate(lunch, "周明", "poor") == "already_rated"
    assert ratings(lunch) == [("good", "")]


def test_a_line_is_added_once(lunch: LunchHour) -> None:
    booking_id, me = lunch.latest("周明").id, lunch.people["周明"]
    rate(lunch, "周明")
    services.add_line(lunch.session, booking_id, me, "老师讲得细", AFTER)
    for other, reason in ((me, "line_given"), (lunch.people["李静"], "not_your_visit")):
        with pytest.raises(RuleViolation, match=reason):
            services.add_line(lunch.session, booking_id, other, "再说一句", AFTER)
        lunch.session.rollback()
    assert ratings(lunch) == [("good", "老师讲得细")]


def test_two_presses_at_once_are_one_rating(lunch: LunchHour, engine: Engine) -> None:
    booking_id, me = lunch.latest("周明").id, lunch.people["周明"]

    def press(session: Session, n: int) -> str:
        services.rate_visit.inside(session, booking_id, me, ("good", "poor")[n], "", AFTER)
        return "rated"

    assert sorted(together(engine, 2, press)) == ["no: already_rated", "rated"]
    assert len(ratings(lunch)) == 1


@pytest.mark.postgresql
def test_without_the_persons_lock_the_second_press_breaks(
    lunch: LunchHour, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control; SQLite has one writer at a time."""
    both, check = Barrier(2), services.to_rate

    def check_together(*asked: Any) -> Booking:
        checked = check(*asked)
        both.wait(30)
        return checked

    monkeypatch.setattr(services.ratings, "alive", lambda *_: None)
    monkeypatch.setattr(services.ratings, "to_rate", check_together)
    booking_id, me = lunch.latest("周明").id, lunch.people["周明"]
    with pytest.raises(IntegrityError):
        together(engine, 2, lambda session, _: services.rate_visit.inside(session, booking_id, me, "good", "", AFTER))
    assert len(ratings(lunch)) == 1


def test_nothing_is_shown_before_the_fifth_answer(lunch: LunchHour) -> None:
    slot, session = lunch.now(), lunch.session
    activity_id, station_id, day = slot.activity_id, slot.station_id, slot.date
    for n, who in enumerate(NAMES[:ENOUGH]):
        assert activity_ratings.of_slot(session, lunch.slot_id) is None
        assert activity_ratings.of_activity(session, activity_id, AFTER) is None
        assert activity_ratings.rated_activities(session, station_id, AFTER) == []
        assert activity_ratings.share_of_station(session, station_id, AFTER) is None
        assert activity_ratings.shares_of_slots(session, station_id, day, day) == {}
        rate(lunch, who, "poor" if n == 0 else "good", f"{ENOUGH - n} 分")
    share = Share(4, 0, 1)
    answers = activity_ratings.of_slot(session, lunch.slot_id)
    assert answers == (share, ["1 分", "2 分", "3 分", "4 分", "5 分"])  # by words, not by time
    assert answers == activity_ratings.of_activity(session, activity_id, AFTER)
    assert [(one.id, said) for one, said in activity_ratings.rated_activities(session, station_id, AFTER)] == [
        (activity_id, share)
    ]
    assert activity_ratings.shares_of_slots(session, station_id, day, day) == {lunch.slot_id: share}
    assert activity_ratings.share_of_station(session, station_id, AFTER) == share
    assert share.of_good == 0.8
    later = AFTER + activity_ratings.COUNTED_FOR
    assert activity_ratings.of_activity(session, activity_id, later) is None


@given(st.tuples(*[st.integers(0, 40)] * 3).filter(lambda counts: sum(counts) >= ENOUGH))
def test_a_share_adds_up(counts: tuple[int, int, int]) -> None:
    share = Share(*counts)
    assert share.rated == sum(counts)
    assert 0 <= share.of_good <= 1
    assert (share.of_good == 1) == (share.fine == share.poor == 0)


def test_the_history_has_no_face_and_no_page_of_the_station_has_the_event(lunch: LunchHour) -> None:
    rate(lunch, "周明", "poor", "太挤了")
    slot = lunch.now()
    event = lunch.session.scalars(select(Event).where(Event.kind == "visit_rated")).one()
    assert (event.person_id, event.slot_id, event.station_id) == (lunch.people["周明"], slot.id, None)
    assert (event.details, event.reason, event.booking_id) == ({}, None, None)
    for about in ({}, {"slot_id": slot.id}, {"person_id": lunch.people["周明"]}):
        told = manager.history(lunch.session, slot.station, **about)
        assert "visit_rated" not in {one.kind for one in told}


def test_what_one_can_still_rate(lunch: LunchHour) -> None:
    rate(lunch, "李静", "fine")
    mine = {who: lunch.latest(who) for who in ("周明", "李静", "吴桐")}
    found = activity_ratings.of_bookings(lunch.session, list(mine.values()), AFTER)
    assert found == {mine["周明"].id: None, mine["李静"].id: "fine"}
    late = activity_ratings.of_bookings(lunch.session, list(mine.values()), ENDED_LATE)
    assert late == {mine["李静"].id: "fine"}


def test_a_copy_of_ones_data_has_it_and_with_the_account_the_line_goes(lunch: LunchHour) -> None:
    rate(lunch, "周明", "poor", "太挤了")
    rate(lunch, "李静", "good", "很好")
    copy = everything_about(lunch.session, lunch.people["周明"])["ratings"]
    assert [(one["activity"], one["face"], one["line"]) for one in copy] == [("白领瑜伽课堂", "poor", "太挤了")]
    people.delete_account(lunch.session, lunch.people["周明"], at("Wed 09:00"))
    assert ratings(lunch) == [("poor", ""), ("good", "很好")]
    assert rate(lunch, "周明", now=at("Wed 10:00")) == "no_such_person"


def test_lines_go_when_the_visits_lose_their_names(lunch: LunchHour) -> None:
    rate(lunch, "周明", "poor", "太挤了")
    names_go = datetime.combine(date(2026, 11, 1) + anonymise.KEPT_FOR, AFTER.timetz())
    assert services.forget_lines(lunch.session, names_go - timedelta(days=1)) == 0
    assert services.forget_lines(lunch.session, names_go) == 1
    assert services.forget_lines(lunch.session, names_go) == 0
    for some in [*people.named(lunch.session, names_go)]:
        people.forget_names(lunch.session, some, names_go)
    lunch.session.rollback()
    said = lunch.session.scalars(select(Rating)).one()
    event = lunch.session.scalars(select(Event).where(Event.kind == "visit_rated")).one()
    assert (said.face, said.line) == ("poor", "")
    assert lunch.people["周明"] not in (said.booking.person_id, event.person_id, event.actor_id)


def test_the_check_finds_a_rating_of_another_slot(lunch: LunchHour) -> None:
    rate(lunch, "周明")
    assert list(rated_visits(lunch.session, AFTER)) == []
    said = lunch.session.scalars(select(Rating)).one()
    said.date += timedelta(days=1)
    lunch.session.flush()
    told = f"I10 rating of booking {said.booking_id}: not of its slot, station, activity and date"
    assert list(rated_visits(lunch.session, AFTER)) == [told]


def test_the_check_finds_a_rating_of_a_visit_that_did_not_take_place(lunch: LunchHour) -> None:
    rate(lunch, "周明")
    said = lunch.session.scalars(select(Rating)).one()
    said.booking_id = lunch.latest("吴桐").id
    lunch.session.flush()
    told = f"I10 rating of booking {said.booking_id}: of a visit that did not take place"
    assert list(rated_visits(lunch.session, AFTER)) == [told]


def tap(lunch: LunchHour, who: str, tapped: str, arrives: str, *, here: bool) -> str:
    made = checkin_sync.Tap(f"{who}-{tapped}", lunch.latest(who).id, here, at(tapped))
    return checkin_sync.apply(lunch.session, made, at(arrives), lunch.manager_id, "")


def test_a_check_in_undone_offline_takes_its_rating_along(lunch: LunchHour) -> None:
    for who in ("周明", "李静"):
        assert rate(lunch, who, "poor") == "rated"
    assert tap(lunch, "周明", "12:20", "13:20", here=False) == "out"
    assert (lunch.state("周明"), ratings(lunch)) == ("released", [("poor", "")])
    assert list(rated_visits(lunch.session, AFTER)) == []
    assert tap(lunch, "周明", "12:21", "13:22", here=True) == "seated"
    assert rate(lunch, "周明", "good") == "rated"


@pytest.fixture
def unattended(session: Session) -> LunchHour:
    """Nobody was checked in; the manager can still say what happened."""
    made = LunchHour(session)
    for who in ("周明", "李静"):
        made.book(who, "Mon 10:00")
    for clock in ("12:10", "12:15", "13:00"):
        made.tick(clock)
    return made


def test_that_everybody_came_is_taken_back_with_the_ratings(unattended: LunchHour) -> None:
    about = (unattended.session, unattended.slot_id)
    slots.everybody_came(*about, at("13:01"), unattended.manager_id)
    assert rate(unattended, "周明", "poor", now=at("13:05")) == "rated"
    assert slots.take_back_word(*about, at("13:10"), unattended.manager_id) == 2
    assert (unattended.state("周明"), ratings(unattended)) == ("booked", [])


def test_what_did_not_happen_has_no_ratings(unattended: LunchHour) -> None:
    assert tap(unattended, "周明", "12:20", "13:01", here=True) == "in"
    assert rate(unattended, "周明", "poor", now=at("13:05")) == "rated"
    slots.did_not_happen(unattended.session, unattended.slot_id, at("13:10"), unattended.manager_id)
    assert (unattended.state("周明"), ratings(unattended)) == ("cancelled", [])


@pytest.mark.postgresql
def test_no_check_in_is_undone_while_it_is_being_rated(
    lunch: LunchHour, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking_id = lunch.latest("周明").id

    def undone(*_: object) -> None:
        with Session(engine) as other, transactions.transaction(other) as meanwhile:
            meanwhile.execute(text("SET LOCAL lock_timeout = '50ms'"))
            seats.undo_check_in.inside(meanwhile, booking_id, at("12:20"))

    monkeypatch.setattr(visit_ratings, "_check_time", undone)
    with pytest.raises(OperationalError):
        rate(lunch, "周明")


@pytest.mark.parametrize(("answers", "good"), [(ENOUGH - 1, None), (ENOUGH, 0.8)])
def test_a_suggestion_has_the_share_of_good(lunch: LunchHour, answers: int, good: float | None) -> None:
    for n, who in enumerate(NAMES[:answers]):
        rate(lunch, who, "fine" if n == 0 else "good")
    station, activity = lunch.now().station, lunch.now().activity
    hint = recommendations.Hint("turned_away", activity, 2, recommendations.Tally(unmet=9))
    assert [one.good for one in recommendations._with_good(lunch.session, station, [hint], AFTER)] == [good]
