"""Proofs of attendance: whose, of which days, how many, ended, forgotten."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from booking import people, services
from booking.errors import RuleViolation
from booking.model import AttendanceProof
from booking.people.anonymise import nameless_before
from booking.people.data_export import everything_about
from booking.queries import attended_slots
from tests.support.lunch_hour import LunchHour, at
from tests.support.together import together

MONDAY, FRIDAY = date(2026, 11, 23), date(2026, 11, 27)
NOW = at("Wed 09:00")


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """周明 came on Tuesday, 李静 booked and did not."""
    lunch = LunchHour(session)
    for who in ("周明", "李静"):
        lunch.book(who, "Mon 10:00")
    lunch.check_in("周明", "Tue 12:05")
    return lunch


def issue(lunch: LunchHour, first: date = MONDAY, last: date = FRIDAY, who: str = "周明") -> AttendanceProof:
    return services.issue_proof(lunch.session, lunch.people[who], first, last, NOW)


def test_it_shows_what_was_attended_on_its_days_and_nothing_else(lunch: LunchHour) -> None:
    mine, theirs = lunch.people["周明"], lunch.people["李静"]
    assert [slot.id for slot in attended_slots.attended(lunch.session, mine, MONDAY, FRIDAY)] == [lunch.slot_id]
    assert attended_slots.attended(lunch.session, theirs, MONDAY, FRIDAY) == []
    assert attended_slots.attended(lunch.session, mine, MONDAY, MONDAY) == []


def test_the_same_days_are_one_proof_however_often_pressed(lunch: LunchHour, engine: Engine) -> None:
    me = lunch.people["周明"]
    codes = together(engine, 8, lambda session, _: services.issue_proof(session, me, MONDAY, FRIDAY, NOW).code)
    assert len(set(codes)) == 1
    assert lunch.session.scalar(select(func.count()).select_from(AttendanceProof)) == 1


def test_ten_at_most_and_none_of_days_without_names(lunch: LunchHour) -> None:
    for n in range(services.MOST_PROOFS):
        issue(lunch, MONDAY - timedelta(days=n))
    for first, reason in (
        (MONDAY - timedelta(days=40), "proof_limit"),
        (nameless_before(NOW) - timedelta(days=1), "proof_too_old"),
    ):
        with pytest.raises(RuleViolation) as no:
            issue(lunch, first)
        assert no.value.reason == reason
        lunch.session.rollback()


def test_ended_it_is_not_found_any_more(lunch: LunchHour) -> None:
    proof = issue(lunch)
    code = proof.code
    assert attended_slots.proof_of(lunch.session, code) is proof
    services.end_proof(lunch.session, proof, NOW)
    assert attended_slots.proof_of(lunch.session, code) is None


def test_it_is_in_the_export_and_goes_with_the_account_and_by_retention(lunch: LunchHour) -> None:
    proof, _other = issue(lunch), issue(lunch, who="李静")
    copy = everything_about(lunch.session, lunch.people["周明"])["attendance_proofs"]
    assert [(one["code"], one["first"]) for one in copy] == [(proof.code, "2026-11-23")]
    people.delete_account(lunch.session, lunch.people["李静"], NOW)
    assert lunch.session.scalars(select(AttendanceProof.id)).all() == [proof.id]
    assert services.forget_proofs(lunch.session, NOW + timedelta(days=150)) == 0
    assert services.forget_proofs(lunch.session, NOW + timedelta(days=180)) == 1
