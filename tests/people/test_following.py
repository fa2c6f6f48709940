"""Following an activity: once, up to a limit, gone with the account, and in the export."""

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from booking import people
from booking.db import transactions
from booking.invariants import breaches
from booking.model import Activity, Event, Follow
from booking.people import following
from tests.support.lunch_hour import LunchHour, at
from tests.support.together import together


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    return LunchHour(session)


def yoga(lunch: LunchHour) -> int:
    return lunch.session.scalars(select(Activity.id).order_by(Activity.id).limit(1)).one()


def follow(lunch: LunchHour, activity_id: int, who: str = "周明") -> str:
    def verb(session: Session) -> str:
        people.follow(session, lunch.people[who], activity_id, at("Mon 09:00"))
        return "follows"

    return lunch.do(verb)


def kinds(lunch: LunchHour) -> list[str]:
    found = select(Event.kind).where(Event.kind.in_(("followed", "unfollowed"))).order_by(Event.id)
    return list(lunch.session.scalars(found))


def test_following_and_stopping_twice_is_the_same_as_once(lunch: LunchHour) -> None:
    one, me = yoga(lunch), lunch.people["周明"]
    for _ in range(2):
        assert follow(lunch, one) == "follows"
    for _ in range(2):
        people.unfollow(lunch.session, me, one, at("Mon 09:01"))
    assert kinds(lunch) == ["followed", "unfollowed"]
    assert lunch.session.scalars(select(Follow)).all() == []


def test_pressed_eight_times_at_once_it_is_one_row(lunch: LunchHour, engine: Engine) -> None:
    one, me = yoga(lunch), lunch.people["周明"]
    together(engine, 8, lambda session, _: people.follow(session, me, one, at("Mon 09:00")))
    lunch.session.rollback()
    assert lunch.session.scalar(select(func.count()).select_from(Follow)) == 1
    assert kinds(lunch) == ["followed"]


def test_different_activities_at_once_do_not_pass_the_limit(
    lunch: LunchHour, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "MOST", 3)
    me = lunch.people["周明"]
    with transactions.transaction(lunch.session) as session:
        rows = [Activity(station_id=lunch.station_id, kind="yoga", title=f"活动 {n}") for n in range(6)]
        session.add_all(rows)
        session.flush()
        ids = [row.id for row in rows]

    answers = together(engine, 6, lambda session, n: people.follow(session, me, ids[n], at("Mon 09:00")))
    assert sorted(map(str, answers)) == ["None"] * 3 + ["no: follow_limit"] * 3


def test_an_archived_or_unknown_activity_cannot_be_followed(lunch: LunchHour) -> None:
    one = yoga(lunch)
    with transactions.transaction(lunch.session) as session:
        session.execute(update(Activity).values(retired_at=at("Mon 08:00")))
    assert [follow(lunch, one), follow(lunch, 999_999)] == ["no: no_such_activity"] * 2


def test_it_is_in_the_export_and_goes_with_the_account(lunch: LunchHour) -> None:
    follow(lunch, yoga(lunch))
    me = lunch.people["周明"]
    (told,) = people.everything_about(lunch.session, me)["follows"]
    assert set(told) == {"station", "activity", "created_at"}
    people.delete_account(lunch.session, me, at("Mon 10:00"))
    assert lunch.session.scalars(select(Follow)).all() == []
    assert breaches(lunch.session, at("Mon 10:01")) == []


def test_a_follow_that_the_history_does_not_know_is_a_breach(lunch: LunchHour) -> None:
    one, me, other = yoga(lunch), lunch.people["周明"], lunch.people["李静"]
    follow(lunch, one)
    with transactions.transaction(lunch.session) as session:
        session.execute(update(Follow).values(person_id=other))
    assert breaches(lunch.session, at("Mon 10:00")) == [
        f"I7 person {me}: does not follow activity {one}, their history says so",
        f"I7 person {other}: follows activity {one}, their history does not say so",
    ]
