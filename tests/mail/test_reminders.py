"""Reminders: half an hour before the start, to who asked for it and has a seat that they did not just take."""

from collections.abc import Callable
from datetime import time
from email import message_from_bytes

import pytest
from flask import Flask
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from booking import seats, slots
from booking.jobs import schedule
from booking.jobs.batches import Turn
from booking.mail import outbox, reminders, rendering, subscriptions
from booking.mail.recipient import Dropped
from booking.model import Booking, Letter, Person, Slot
from booking.people import suppression
from tests.support.letter_cast import Letters, tuesday, worded
from tests.support.lunch_hour import at
from tests.support.together import together


@pytest.fixture
def cast(session: Session) -> Letters:
    """Tuesday is full since Monday at ten; 林晓 sits in yoga at 12:10, waits for crafts, and wants reminders."""
    cast = tuesday(session)
    cast.do(subscriptions.want, cast.people["林晓"], "reminder", at("Mon 18:00"), wanted=True)
    return cast


def remind(cast: Letters, clock: str) -> int:
    """What the job writes at that time."""
    cast.session.rollback()
    return int(reminders.write(cast.session, reminders.due(cast.session, at(clock)), at(clock)))


def test_it_is_written_once_half_an_hour_before(cast: Letters) -> None:
    assert [remind(cast, clock) for clock in ("11:39:59", "11:40", "11:40:20", "11:59")] == [0, 1, 0, 0]
    letter = cast.letter("reminder", "林晓")
    assert (letter.slot_id, letter.next_try_at) == (cast.yoga, at("11:40"))


@pytest.mark.parametrize(("clock", "written"), [("11:59:59", 1), ("12:00", 0), ("12:10", 0)])
def test_after_an_outage_it_is_late_but_not_useless(cast: Letters, clock: str, written: int) -> None:
    assert remind(cast, clock) == written


@pytest.mark.parametrize(
    ("seated", "clock", "written"),
    [("10:40", "11:40", 1), ("10:40:01", "11:40", 0), ("10:40:01", "11:55", 0)],
)
def test_who_has_just_booked_knows(cast: Letters, seated: str, clock: str, written: int) -> None:
    cast.do(lambda s: s.execute(update(Booking).where(Booking.id == _seat(cast)).values(seated_at=at(seated))))
    assert remind(cast, clock) == written


@pytest.mark.parametrize("opens", ["11:38", "11:40", "11:42"])
def test_it_waits_while_slots_open(cast: Letters, opens: str) -> None:
    cast.do(lambda s: s.execute(update(Slot).where(Slot.id == cast.next_talk).values(opens_at=at(opens))))
    assert remind(cast, "11:40") == 0
    cast.do(lambda s: slots.open_due(s, at("11:43")))
    assert remind(cast, "11:44:30") == 1


REASONS: dict[str, Callable[[Letters, Session], object]] = {
    "checked in": lambda cast, s: seats.check_in(s, _seat(cast), at("11:58"), cast.manager_id),
    "given up": lambda cast, s: seats.give_up(s, _seat(cast), at("11:30")),
    "slot cancelled": lambda cast, s: slots.cancel(s, cast.yoga, "停电", at("11:30"), cast.manager_id),
    "switched off": lambda cast, s: subscriptions.want(s, _me(cast), "reminder", at("11:30"), wanted=False),
    "disabled": lambda cast, s: s.execute(update(Person).where(Person.id == _me(cast)).values(disabled_at=at("11:30"))),
    "mail comes back": lambda cast, s: suppression.suppress(s, _me(cast), "soft", "550", at("11:30")),
}


def _me(cast: Letters) -> int:
    return cast.people["林晓"]


def _seat(cast: Letters) -> int:
    booking = seats.live_booking(cast.session, cast.yoga, _me(cast))
    assert booking
    return booking.id


@pytest.mark.parametrize("why", REASONS)
def test_who_needs_none_gets_none(cast: Letters, why: str) -> None:
    cast.do(lambda s: REASONS[why](cast, s))
    assert remind(cast, "11:59") == 0


@pytest.mark.parametrize("why", REASONS)
def test_what_happens_before_it_is_sent_stops_it(app: Flask, cast: Letters, why: str) -> None:
    assert remind(cast, "11:40") == 1
    cast.do(lambda s: REASONS[why](cast, s))
    with app.app_context(), pytest.raises(Dropped):
        rendering.compose(cast.session, cast.letter("reminder"), at("11:59"))


@pytest.mark.sqlite
def test_what_could_not_be_sent_in_time_is_not_sent(app: Flask, cast: Letters) -> None:
    remind(cast, "11:40")
    with app.app_context():
        assert rendering.compose(cast.session, cast.letter("reminder"), at("12:04:59"))
        with pytest.raises(Dropped):
            rendering.compose(cast.session, cast.letter("reminder"), at("12:05"))


def test_a_slot_that_is_moved_to_a_later_hour_meanwhile_is_not_said_to_begin(app: Flask, cast: Letters) -> None:
    remind(cast, "11:40")
    zone = cast.session.get_one(Slot, cast.yoga).zone_id
    cast.do(slots.move, cast.yoga, slots.Move(time(12, 20), zone), at("11:41"), cast.manager_id)
    letter = cast.letter("reminder")
    with app.app_context(), pytest.raises(Dropped):
        rendering.compose(cast.session, letter, at("11:42"))
    assert "12:20 开始" in worded(app, cast.session, letter, at("11:51"), "zh_Hans_CN").text
    assert remind(cast, "11:51") == 0


@pytest.mark.parametrize(
    ("free_until", "via", "said"),
    [
        ("11:10", "tap", "现在才取消，算临时取消，记一次爽约"),
        ("11:45", "tap", "请在 11:45 前取消"),
        ("10:00", "line", "开始前都可以取消，不记爽约"),
    ],
)
def test_it_says_what_giving_up_means_at_this_hour(
    app: Flask, cast: Letters, free_until: str, via: str, said: str
) -> None:
    seated = update(Booking).where(Booking.id == _seat(cast)).values(via=via, seated_at=at("10:30"))
    cast.do(
        lambda s: (
            s.execute(seated),
            s.execute(update(Slot).where(Slot.id == cast.yoga).values(free_until=at(free_until))),
        )
    )
    remind(cast, "11:40")
    assert said in worded(app, cast.session, cast.letter("reminder"), at("11:40"), "zh_Hans_CN").text


def test_two_schedulers_at_once_write_it_once(cast: Letters, session: Session, engine: Engine) -> None:
    ids = reminders.due(session, at("11:40"))
    assert sum(together(engine, 4, lambda rows, _: reminders.write(rows, ids, at("11:40")))) == 1
    session.rollback()
    assert session.scalar(select(func.count(Letter.id)).where(Letter.kind == "reminder")) == 1


def test_codes_and_seats_are_sent_before_it_and_it_before_digests(cast: Letters, session: Session) -> None:
    remind(cast, "11:40")
    kinds = ("worker_digest", "reminder", "confirmed", "code")
    cast.do(lambda s: s.execute(update(Letter).values(state="sent")))
    for n, kind in enumerate(kinds):
        cast.do(
            lambda s, n=n, kind=kind: s.add(
                Letter(kind=kind, message_id=str(n), created_at=at("11:00"), next_try_at=at("11:00"))
            )
        )
    claimed = {}
    for name, which in (("at once", outbox.AT_ONCE), ("later", outbox.CAN_WAIT)):
        ids = cast.do(lambda s, which=which: outbox._claim(s, at("11:41"), which, 20))
        found = {one.id: one.kind for one in session.scalars(select(Letter).where(Letter.id.in_(ids)))}
        claimed[name] = [found[letter_id] for letter_id in ids]
    assert claimed == {"at once": ["code", "confirmed"], "later": ["reminder", "worker_digest"]}


@pytest.mark.sqlite
def test_the_job_writes_it_and_one_click_ends_it(app: Flask, cast: Letters) -> None:
    with app.app_context():
        assert schedule.write_reminders(Turn(at("11:40"))) == 1
        mime = message_from_bytes(rendering.compose(cast.session, cast.letter("reminder"), at("11:40")).mime)
    assert mime["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = mime["List-Unsubscribe"].strip("<>").removeprefix("http://localhost")
    assert "开始前的提醒" in app.test_client().get(path).text
    assert app.test_client().post(path).status_code == 200
    cast.session.rollback()
    assert not cast.session.get_one(Person, _me(cast)).wants_reminder


def test_nobody_gets_one_who_did_not_ask(session: Session) -> None:
    assert remind(tuesday(session), "11:40") == 0
