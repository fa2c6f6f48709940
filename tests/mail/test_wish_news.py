"""Wishes that take place, in the digest: once, to whoever wanted them, while the slot is still to come."""

import pytest
from flask import Flask
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from booking import services, slots
from booking.db import transactions
from booking.extensions import db
from booking.jobs import schedule
from booking.jobs.batches import Turn
from booking.mail import rendering
from booking.mail.context import Dropped
from booking.model import Digest, Letter
from tests.support.letter_cast import Letters, worded, write_digests
from tests.support.lunch_hour import at
from tests.support.snapshots import seed_workdays
from tests.support.statements import heard


class Wisher:
    """林晓 would like 陶艺, and the station has a slot for it on Thursday."""

    def __init__(self, session: Session) -> None:
        with transactions.transaction(session):
            seed_workdays(session)
        self.session, self.cast = session, Letters(session)
        self.slot_id = self.cast.thursday
        self.wish_id = self.make("陶艺")

    def make(self, text: str, who: str = "林晓") -> int:
        asked = (self.cast.station_id, self.cast.people[who], text, "crafts", None, at("Mon 09:00"))
        return int(self.cast.do(lambda s: services.make_wish(s, *asked).id))

    def hold(self, clock: str, wish_id: int = 0, slot_id: int = 0) -> None:
        told = (wish_id or self.wish_id, slot_id or self.slot_id, "", at(clock), self.cast.manager_id)
        self.cast.do(services.hold_wish, *told)

    def digest(self, clock: str, who: str = "林晓") -> list[list[object]] | None:
        """What the digest of that morning tells of wishes; None where there is none."""
        self.session.rollback()
        mine = Digest.person_id == self.cast.people[who]
        before = self.session.scalars(select(Digest.id).where(mine)).all()
        self.cast.do(write_digests, "worker", at(clock))
        found = select(Letter.details).join(Digest, Digest.letter_id == Letter.id)
        told = self.session.scalar(found.where(mine, Digest.id.not_in(before)))
        return None if told is None else list(told.get("wishes", ()))


@pytest.fixture
def wisher(session: Session) -> Wisher:
    return Wisher(session)


def test_it_is_told_on_the_next_morning_and_never_again(wisher: Wisher) -> None:
    assert not wisher.digest("Mon 08:30")
    wisher.hold("Mon 15:00")
    assert wisher.digest("08:30") == [[wisher.slot_id, "陶艺"]]
    assert not wisher.digest("Wed 08:30")


def test_a_word_just_before_the_hour_is_told_on_the_following_day(wisher: Wisher) -> None:
    wisher.hold("08:25")
    assert not wisher.digest("08:30")
    assert wisher.digest("Wed 08:30") == [[wisher.slot_id, "陶艺"]]


def test_a_morning_without_digests_is_made_up_for(wisher: Wisher) -> None:
    wisher.hold("Mon 15:00")
    assert wisher.digest("Wed 08:30") == [[wisher.slot_id, "陶艺"]]


def test_a_digest_that_was_dropped_has_told_nothing(wisher: Wisher) -> None:
    wisher.hold("Mon 15:00")
    wisher.digest("08:30")
    wisher.cast.do(lambda s: s.execute(update(Letter).where(Letter.kind == "worker_digest").values(state="dropped")))
    assert wisher.digest("Wed 08:30") == [[wisher.slot_id, "陶艺"]]


def test_another_slot_is_told_once_more(wisher: Wisher) -> None:
    wisher.hold("Mon 15:00")
    wisher.digest("08:30")
    wisher.hold("10:00", slot_id=wisher.cast.next_yoga)
    assert wisher.digest("Wed 08:30") == [[wisher.cast.next_yoga, "陶艺"]]


def test_who_took_it_back_who_sits_there_and_who_never_wanted_it_are_not_told(wisher: Wisher) -> None:
    cast = wisher.cast
    for who in ("李静", "王磊"):
        cast.do(services.want_wish, wisher.wish_id, cast.people[who], at("Mon 09:30"))
    cast.do(services.take_back_wish, wisher.wish_id, cast.people["王磊"], at("Mon 09:40"))
    wisher.hold("Mon 15:00")
    cast.do(write_digests, "worker", at("08:30"))
    letters = wisher.session.execute(select(Letter.person_id, Letter.details).where(Letter.kind == "worker_digest"))
    told = {person_id for person_id, details in letters if details.get("wishes")}
    assert told == {cast.people[who] for who in ("林晓", "李静")}


def test_a_slot_that_is_over_or_off_is_not_told(wisher: Wisher) -> None:
    wisher.hold("Mon 15:00", slot_id=wisher.cast.yesterday)
    assert not wisher.digest("08:30")
    wisher.hold("10:00")
    wisher.cast.do(slots.cancel, wisher.slot_id, "停电", at("11:00"), wisher.cast.manager_id)
    assert not wisher.digest("Wed 08:30")


def test_the_letter_says_what_takes_place_and_where(app: Flask, wisher: Wisher) -> None:
    wisher.hold("Mon 15:00")
    wisher.digest("08:30")
    letter = wisher.cast.letter("worker_digest", "林晓")
    said = worded(app, wisher.session, letter, at("08:30"), "zh_Hans_CN")
    assert "【你想要的“陶艺”开了】白领瑜伽课堂" in said.text
    assert said.text.count(f"/slots/{wisher.slot_id}") == said.page.count(f"/slots/{wisher.slot_id}") == 1
    assert "You wished for “陶艺”" in worded(app, wisher.session, letter, at("10:30"), "en").text


def test_more_people_are_no_more_statements(app: Flask, wisher: Wisher) -> None:
    def sent(clock: str, letters: int) -> int:
        with app.app_context(), heard(db.engine) as statements:
            assert schedule.write_worker_digests(Turn(at(clock))) == letters
            return len(statements)

    wisher.hold("Mon 15:00")
    one = sent("08:30", 1)
    with transactions.transaction(wisher.session) as session:
        session.execute(delete(Digest))
        session.execute(delete(Letter))
    wisher.cast.do(services.plan_wish, wisher.wish_id, "", at("Mon 15:10"), wisher.cast.manager_id)
    for who in ("周明", "李静", "王磊", "陈晨", "刘洋"):
        wisher.cast.do(services.want_wish, wisher.wish_id, wisher.cast.people[who], at("Mon 15:20"))
    wisher.hold("Mon 15:30")
    assert sent("08:45", 6) <= one


def test_a_letter_whose_wishes_are_all_off_is_not_sent(app: Flask, wisher: Wisher) -> None:
    wisher.hold("Mon 15:00")
    wisher.digest("08:30")
    letter = wisher.cast.letter("worker_digest", "林晓")
    only = {**letter.details, "seats": [], "waits": [], "opens": [], "follows": []}
    wisher.cast.do(lambda s: s.execute(update(Letter).where(Letter.id == letter.id).values(details=only)))
    wisher.cast.do(slots.cancel, wisher.slot_id, "停电", at("08:31"), wisher.cast.manager_id)
    with app.app_context(), pytest.raises(Dropped):
        rendering.compose(wisher.session, wisher.cast.letter("worker_digest", "林晓"), at("08:32"))
