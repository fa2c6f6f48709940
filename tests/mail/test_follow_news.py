"""Followed activities in the digest: each new slot once, and once more on the day on which it opens."""

from collections.abc import Callable
from datetime import date, time

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from booking import people, slots
from booking.db import transactions
from booking.extensions import db
from booking.jobs import schedule
from booking.jobs.batches import Turn
from booking.mail import rendering, subscriptions
from booking.mail.recipient import Dropped
from booking.model import Activity, Digest, Follow, Letter, Slot, Station
from booking.people import suppression
from tests.support.letter_cast import Letters, worded, write_digests
from tests.support.lunch_hour import at
from tests.support.snapshots import seed_workdays
from tests.support.statements import heard

# Days whose slots open later than this week.
FAR = {"Mon": date(2026, 12, 7), "Tue": date(2026, 12, 8), "Wed": date(2026, 12, 9)}


class Follower:
    """林晓 follows yoga since Monday at eleven; what each morning's digest tells her."""

    def __init__(self, session: Session) -> None:
        with transactions.transaction(session):
            seed_workdays(session)
        self.session, self.cast = session, Letters(session)
        self.me = self.cast.people["林晓"]
        self.yoga = session.scalars(select(Activity.id).where(Activity.title == "白领瑜伽课堂")).one()
        self.follow("Mon 11:00")

    def follow(self, clock: str, activity_id: int | None = None) -> None:
        self.cast.do(people.follow, self.me, activity_id or self.yoga, at(clock))

    def add(self, clock: str, day: date, hour: int = 15, activity_id: int | None = None) -> int:
        zone = self.session.scalars(select(Slot.zone_id).where(Slot.id == self.cast.yoga)).one()
        wish = slots.OneOff(activity_id or self.yoga, zone, day, time(hour), 30, 5)
        return int(self.cast.do(lambda s: slots.add(s, self.cast.station_id, wish, at(clock)).id))

    def digest(self, clock: str) -> list[int] | None:
        """The followed slots of the digest of that morning; None where there is no digest."""
        self.session.rollback()
        before = self.session.scalars(select(Digest.id).where(Digest.person_id == self.me)).all()
        self.cast.do(write_digests, "worker", at(clock))
        found = select(Letter.details).join(Digest, Digest.letter_id == Letter.id)
        told = self.session.scalar(found.where(Digest.person_id == self.me, Digest.id.not_in(before)))
        return None if told is None else list(told.get("follows", ()))


@pytest.fixture
def follower(session: Session) -> Follower:
    return Follower(session)


def test_a_slot_is_told_when_it_is_planned_and_when_it_opens_and_never_again(follower: Follower) -> None:
    cast = follower.cast
    new = follower.add("Mon 15:00", FAR["Tue"])
    assert follower.digest("08:30") == [cast.next_yoga, new]  # tomorrow's opens today
    assert follower.digest("Wed 08:30") == [cast.thursday]
    assert follower.digest("Thu 08:30") is None
    assert follower.digest("Fri 08:30") is None


def test_what_was_planned_before_the_follow_is_told_only_when_it_opens(follower: Follower) -> None:
    told = [follower.digest(f"{day} 08:30") for day in ("Mon", "Tue", "Wed", "Thu")]
    assert told == [None, [follower.cast.next_yoga], [follower.cast.thursday], None]


def test_a_morning_without_digests_is_made_up_for(follower: Follower) -> None:
    new = follower.add("Mon 15:00", FAR["Tue"])
    assert follower.digest("Wed 08:30") == [follower.cast.next_yoga, follower.cast.thursday, new]
    assert follower.digest("Thu 08:30") is None


def test_a_slot_added_by_hand_that_opens_at_once_is_told_the_next_morning(follower: Follower) -> None:
    follower.digest("08:30")
    new = follower.add("09:00", at("Wed 15:00").date())
    assert follower.digest("Wed 08:30") == [new, follower.cast.thursday]
    assert follower.digest("Thu 08:30") is None


def test_a_slot_added_minutes_before_the_hour_waits_for_the_next_digest(follower: Follower) -> None:
    new = follower.add("08:25", FAR["Tue"])
    assert follower.digest("08:30") == [follower.cast.next_yoga]
    assert follower.digest("Wed 08:30") == [follower.cast.thursday, new]


def test_a_slot_that_is_off_or_booked_or_another_activitys_is_no_news(follower: Follower) -> None:
    cast = follower.cast
    off, waits, other = follower.add("Mon 15:00", FAR["Mon"]), follower.add("Mon 15:00", FAR["Tue"]), cast.next_talk
    cast.do(slots.cancel, off, "停电", at("Mon 16:00"), cast.manager_id)
    cast.do(
        lambda s: s.execute(update(Slot).where(Slot.id.in_((waits, cast.next_yoga))).values(opens_at=at("Mon 16:00")))
    )
    cast.book("林晓", waits, "Mon 17:00")
    cast.give_up(cast.book("林晓", cast.next_yoga, "Mon 17:00"), "Mon 18:00")
    assert not {off, waits, cast.next_yoga, other} & set(follower.digest("08:30") or ())


def test_what_opens_today_at_a_regulars_station_is_said_once(follower: Follower) -> None:
    follower.cast.book("林晓", follower.cast.yoga, "Mon 10:00:01")
    assert follower.digest("08:30") == []
    assert follower.cast.letter("worker_digest", "林晓").details["opens"] == [
        follower.cast.next_yoga,
        follower.cast.next_talk,
    ]


@pytest.mark.parametrize("silence", ["unfollowed", "archived", "closed", "deleted", "digest off", "mail comes back"])
def test_who_stopped_or_cannot_be_reached_hears_nothing(follower: Follower, silence: str) -> None:
    cast, now = follower.cast, at("Mon 18:00")
    acts: dict[str, Callable[[Session], object]] = {
        "unfollowed": lambda s: people.unfollow(s, follower.me, follower.yoga, now),
        "archived": lambda s: s.execute(update(Activity).values(retired_at=now)),
        "closed": lambda s: s.execute(update(Station).values(closed_at=now)),
        "deleted": lambda s: people.delete_account(s, follower.me, now),
        "digest off": lambda s: subscriptions.want(s, follower.me, "worker_digest", now, wanted=False),
        "mail comes back": lambda s: suppression.suppress(s, follower.me, "soft", "550", now),
    }
    cast.do(acts[silence])
    assert follower.digest("08:30") is None
    if silence == "deleted":
        assert follower.session.scalars(select(Follow)).all() == []


def test_who_switches_the_digest_on_again_is_told_of_what_is_still_to_come(follower: Follower) -> None:
    follower.cast.do(subscriptions.want, follower.me, "worker_digest", at("Mon 18:00"), wanted=False)
    assert follower.digest("08:30") is None
    follower.cast.do(subscriptions.want, follower.me, "worker_digest", at("Wed 08:00"), wanted=True)
    assert follower.digest("Wed 08:30") == [follower.cast.next_yoga, follower.cast.thursday]


def test_a_digest_that_was_dropped_has_told_nothing(follower: Follower) -> None:
    new = follower.add("Mon 15:00", FAR["Tue"])
    assert follower.digest("08:30") == [follower.cast.next_yoga, new]
    follower.cast.do(lambda s: s.execute(update(Letter).where(Letter.kind == "worker_digest").values(state="dropped")))
    assert follower.digest("Wed 08:30") == [follower.cast.next_yoga, follower.cast.thursday, new]


def test_a_rest_day_of_its_station_writes_none_and_the_next_workday_makes_up(follower: Follower) -> None:
    cast = follower.cast
    new = follower.add("Mon 15:00", FAR["Tue"])
    with transactions.transaction(follower.session) as session:
        slots.set_day(session, session.get_one(Station, cast.station_id), at("08:30").date(), False, at("Mon 16:00"))
    assert follower.digest("08:30") is None
    assert new in (follower.digest("Wed 08:30") or [])


def test_the_letter_names_each_slot_and_how_to_stop(app: Flask, follower: Follower) -> None:
    follower.add("Mon 15:00", FAR["Tue"])
    follower.digest("08:30")
    letter = follower.cast.letter("worker_digest", "林晓")
    said = worded(app, follower.session, letter, at("08:30"), "zh_Hans_CN")
    assert said.subject == "你关注的白领瑜伽课堂：明天 12:10"
    assert "今天 10:00 放号" in said.text
    assert "【你关注的活动】白领瑜伽课堂，健身区 · 白领驿站" in said.text
    assert said.text.count("/letters/unfollow/") == said.page.count("/letters/unfollow/") == 1
    english = worded(app, follower.session, letter, at("10:30"), "en")
    assert "Open for booking" in english.text


def test_a_letter_whose_slots_are_all_off_is_not_sent(app: Flask, follower: Follower) -> None:
    follower.digest("08:30")
    follower.cast.do(slots.cancel, follower.cast.next_yoga, "停电", at("08:31"), follower.cast.manager_id)
    with app.app_context(), pytest.raises(Dropped):
        rendering.compose(follower.session, follower.cast.letter("worker_digest", "林晓"), at("08:32"))


def test_more_followers_are_no_more_statements(app: Flask, follower: Follower) -> None:
    def sent(clock: str, letters: int) -> int:
        with app.app_context(), heard(db.engine) as statements:
            assert schedule.write_worker_digests(Turn(at(clock))) == letters
            return len(statements)

    one = sent("08:30", 1)
    with transactions.transaction(follower.session) as session:
        session.execute(delete(Digest))
        session.execute(delete(Letter))
    for who in ("周明", "李静", "王磊", "陈晨", "刘洋"):
        follower.cast.do(people.follow, follower.cast.people[who], follower.yoga, at("Mon 11:00"))
    assert sent("08:45", 6) <= one


# Any week: when slots are planned, which mornings have digests


@pytest.mark.sqlite
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    added=st.lists(st.tuples(st.sampled_from(["Mon", "Tue", "Wed"]), st.integers(12, 20)), max_size=5),
    down=st.sets(st.sampled_from(["Tue", "Wed", "Thu"])),
)
def test_each_slot_is_told_as_planned_once_whichever_mornings_fail(
    follower: Follower, added: list[tuple[str, int]], down: set[str]
) -> None:
    follower.cast.do(_forget_all)
    moments = sorted(at(f"{day} {hour}:00") for day, hour in added)
    new: list[int] = []
    told: list[int] = []
    for morning in ("Tue 08:30", "Wed 08:30", "Thu 08:30", "Fri 08:30"):
        while moments and moments[0] < at(morning):
            new.append(follower.add(f"{moments.pop(0):%a %H:%M}", FAR["Tue"], 8 + len(new)))
        if morning[:3] not in down:
            told += follower.digest(morning) or []
    assert sorted(slot for slot in told if slot in new) == sorted(new)


def _forget_all(session: Session) -> None:
    session.execute(delete(Digest))
    session.execute(delete(Letter))
    session.execute(update(Slot).where(Slot.date == FAR["Tue"]).values(state="cancelled", date=FAR["Mon"]))
