"""Storage: uploaded pictures stay while an activity shows them, and go a day after the last one does."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from time import monotonic

import pytest
from flask import Flask
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from booking import invariants, jobs, pictures, slots
from booking.db import transactions
from booking.errors import RuleViolation
from booking.model import Activity, Picture
from booking.pictures import Encoded
from tests.support.lunch_hour import LunchHour, at

NOW, DAY = at("Mon 09:00"), timedelta(days=1)
WAITS = text(
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_stat_activity"
    " WHERE datname = current_database())"
)
ONE, OTHER = Encoded(b"large", b"card"), Encoded(b"larger", b"card")


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    return LunchHour(session)


def save(
    lunch: LunchHour, picture: str, when: datetime = NOW, activity_id: int | None = None, title: str = "画画"
) -> str:
    activity = Activity(id=activity_id, station_id=lunch.station_id, title=title, kind="art", picture=picture)
    try:
        slots.save_activity(lunch.session, activity, when, lunch.manager_id)
    except RuleViolation as no:
        return f"no: {no.reason}"
    lunch.session.rollback()
    return "saved"


def stored(lunch: LunchHour) -> set[str]:
    lunch.session.rollback()
    return set(lunch.session.scalars(select(Picture.name)))


def test_a_picture_is_stored_once_and_found_in_both_sizes(lunch: LunchHour) -> None:
    assert {pictures.store(lunch.session, ONE, NOW) for _ in range(2)} == {ONE.name}
    assert lunch.session.scalar(select(func.count()).select_from(Picture)) == 1
    assert [pictures.find(lunch.session, ONE.name, size) for size in ("large", "card")] == [b"large", b"card"]
    assert pictures.find(lunch.session, OTHER.name, "card") is None


def test_it_goes_a_day_after_the_last_activity_left_it(lunch: LunchHour) -> None:
    for picture in (ONE, OTHER):
        pictures.store(lunch.session, picture, NOW)
    assert save(lunch, ONE.name) == "saved"
    activity_id = lunch.session.scalars(select(func.max(Activity.id))).one()
    assert pictures.forget(lunch.session, NOW + DAY - timedelta(seconds=1)) == 0
    assert (pictures.forget(lunch.session, NOW + DAY), stored(lunch)) == (1, {ONE.name})
    assert save(lunch, OTHER.name, NOW + DAY, title="写字") == "no: picture_gone"
    assert save(lunch, "yoga", NOW + 30 * DAY, activity_id) == "saved"
    assert pictures.forget(lunch.session, NOW + 30 * DAY) == 0, "a page that shows it may be cached"
    assert (pictures.forget(lunch.session, NOW + 31 * DAY), stored(lunch)) == (1, set())


def test_the_retention_job_forgets_it(app: Flask, lunch: LunchHour) -> None:
    pictures.store(lunch.session, ONE, NOW)
    with app.app_context():
        jobs.tick(NOW + 2 * DAY)
    assert stored(lunch) == set()


@pytest.mark.postgresql
def test_one_that_is_just_taken_is_not_forgotten(engine: Engine, lunch: LunchHour) -> None:
    """The job has found it unused, and waits for the activity that takes it."""
    pictures.store(lunch.session, ONE, NOW)

    def forget() -> int:
        with Session(engine) as session:
            return pictures.forget(session, NOW + 2 * DAY)

    with Session(engine) as taking, ThreadPoolExecutor() as pool:
        taking.add(Activity(station_id=lunch.station_id, title="画画", kind="art", picture=ONE.name))
        pictures.keep(taking, ONE.name, "", NOW + 2 * DAY)
        forgotten = pool.submit(forget)
        until = monotonic() + 20
        while not taking.scalar(WAITS) and not forgotten.done():
            assert monotonic() < until
        taking.commit()
        assert forgotten.result(20) == 0
    assert stored(lunch) == {ONE.name}


def test_a_lost_picture_is_found_by_the_check(lunch: LunchHour) -> None:
    pictures.store(lunch.session, ONE, NOW)
    assert save(lunch, ONE.name) == "saved"
    assert invariants.breaches(lunch.session, NOW) == []
    with transactions.transaction(lunch.session) as session:
        session.delete(session.get_one(Picture, ONE.name))
    (breach,) = invariants.breaches(lunch.session, NOW)
    assert breach.endswith("its picture is not stored")
