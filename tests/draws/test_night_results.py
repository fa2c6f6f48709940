"""Results of the night: who lost is told once, by the morning's digest or by a letter after it."""

from collections.abc import Sequence

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking import seats, slots
from booking.db import transactions
from booking.draws import letters
from booking.mail import digest_writer, digests, previews, subscriptions
from booking.mail.digests import Noted
from booking.mail.recipient import Dropped
from booking.model import Booking, Draw, Letter, Slot, Station
from tests.support.draw_cast import DrawDay
from tests.support.letter_cast import worded
from tests.support.lunch_hour import NAMES, at
from tests.support.snapshots import seed_workdays

MORNING = "08:30"


@pytest.fixture
def night(day: DrawDay) -> DrawDay:
    """Everybody wants one of two seats; drawn on Monday at 22:31."""
    with transactions.transaction(day.session) as session:
        seed_workdays(session)
        times = {"opens_at": at("Mon 20:00"), "closes_at": at("Mon 22:30")}
        session.execute(update(Draw).where(Draw.id == day.draw_id).values(times))
    drawn(day, "Mon 21:00", "Mon 22:30", "Mon 22:31")
    return day


def drawn(day: DrawDay, entered: str, *ticks: str) -> None:
    day.tick("Mon 09:00")
    for name in NAMES:
        day.enter(name, entered, day.yoga)
    for clock in ticks:
        day.tick(clock)


def losers(day: DrawDay) -> set[str]:
    waiting = select(Booking.person_id).where(Booking.state == "waiting", Booking.slot_id == day.yoga)
    ids = set(day.session.scalars(waiting))
    return {name for name, person_id in day.people.items() if person_id in ids}


def gathered(session: Session) -> list[Noted]:
    due = digests.rounds(session, "worker", at(MORNING), even_done=True)
    return digests.gather(session, due, at(MORNING), digests.to_write(session, due, at(MORNING)))


def write(session: Session, noted: Sequence[Noted]) -> None:
    with transactions.transaction(session):
        digest_writer.write(session, noted, at(MORNING))


def told(day: DrawDay) -> dict[str, list[str]]:
    """By name, each letter that tells, or will tell, of a result."""
    found: dict[str, list[str]] = {name: [] for name in NAMES}
    names = {person_id: name for name, person_id in day.people.items()}
    day.session.rollback()
    for letter in day.session.scalars(select(Letter).where(Letter.state != "dropped").order_by(Letter.id)):
        if letter.kind == "draw_result" or letter.details.get("draws"):
            found[names[letter.person_id or 0]].append(letter.kind)
    return found


def test_the_hours_are_those_of_the_digest() -> None:
    assert digests.HOURS["worker"][0] == letters.MORNING


def test_the_digest_tells_of_the_night_and_no_letter_does(night: DrawDay) -> None:
    lost = losers(night)
    queued = select(Letter.next_try_at).where(Letter.kind == "draw_result")
    assert set(night.session.scalars(queued)) == {at("Tue 08:40")}
    write(night.session, gathered(night.session))
    assert told(night) == {name: ["worker_digest"] if name in lost else [] for name in NAMES}
    result = next(one for one in gathered_details(night) if one.get("draws"))["draws"][0]
    assert result[1:] == [night.yoga, {**result[2], "what": "lost", "people": 8, "capacity": 6}]


def gathered_details(day: DrawDay) -> list[dict[str, list[list[object]]]]:
    return list(day.session.scalars(select(Letter.details).where(Letter.kind == "worker_digest")))


def test_who_reads_no_digest_has_the_letter_after_its_hour(night: DrawDay) -> None:
    who = min(losers(night))
    with transactions.transaction(night.session) as session:
        subscriptions.want(session, night.people[who], "worker_digest", at("Mon 23:00"), wanted=False)
    write(night.session, gathered(night.session))
    assert told(night)[who] == ["draw_result"]
    assert set(map(len, told(night).values())) == {0, 1}


def test_who_switches_digests_off_while_they_are_written_has_the_letter(night: DrawDay) -> None:
    who, noted = min(losers(night)), gathered(night.session)
    with transactions.transaction(night.session) as session:
        subscriptions.want(session, night.people[who], "worker_digest", at(MORNING), wanted=False)
    write(night.session, noted)
    assert told(night)[who] == ["draw_result"]


def test_a_letter_that_is_being_sent_is_not_told_again(night: DrawDay) -> None:
    who, noted = min(losers(night)), gathered(night.session)
    theirs = (Letter.kind == "draw_result", Letter.person_id == night.people[who])
    with transactions.transaction(night.session) as session:
        session.execute(update(Letter).where(*theirs).values(state="sending", tries=1, claimed_at=at(MORNING)))
    write(night.session, noted)
    assert told(night)[who] == ["draw_result"]


def test_two_writers_tell_once(night: DrawDay) -> None:
    lost, first, second = losers(night), gathered(night.session), gathered(night.session)
    for noted in (first, second):
        write(night.session, noted)
    assert {name: len(kinds) for name, kinds in told(night).items()} == {name: int(name in lost) for name in NAMES}


def first_who_waits(night: DrawDay) -> str:
    night.session.rollback()
    waiting = select(Booking.person_id).where(Booking.state == "waiting", Booking.slot_id == night.yoga)
    first = night.session.scalars(waiting.order_by(Booking.waitlist_position).limit(1)).one()
    return next(name for name, person_id in night.people.items() if person_id == first)


def booking_of(night: DrawDay, who: str) -> int:
    night.session.rollback()
    theirs = (Booking.slot_id == night.yoga, Booking.person_id == night.people[who])
    return night.session.scalars(select(Booking.id).where(*theirs)).one()


def gets_a_seat(night: DrawDay, _who: str) -> None:
    winner = select(Booking.id).where(Booking.slot_id == night.yoga, Booking.state == "booked").limit(1)
    seats.give_up(night.session, night.session.scalars(winner).one(), at("Mon 22:40"))


def slot_is_cancelled(night: DrawDay, _who: str) -> None:
    slots.cancel(night.session, night.yoga, "停电", at("08:00"), night.manager_id)


def gives_up_the_place(night: DrawDay, who: str) -> None:
    seats.give_up(night.session, booking_of(night, who), at("08:00"))


MEANWHILE = {
    "nothing": (lambda *_: None, ("没抽中", "候补第 1", "轮到时名额自动归你")),
    "seat": (gets_a_seat, ()),
    "cancelled": (slot_is_cancelled, ()),
    "given up": (gives_up_the_place, ("没抽中",)),
}


@pytest.mark.parametrize("by", ["letter", "digest before", "digest after"])
@pytest.mark.parametrize("case", MEANWHILE)
def test_a_result_is_told_as_far_as_it_is_still_true(app: Flask, night: DrawDay, case: str, by: str) -> None:
    """Told by the letter; by a digest written before it came so, or after."""
    act, said = MEANWHILE[case]
    who, session = first_who_waits(night), night.session
    noted = gathered(session)
    session.rollback()
    if by == "digest before":
        write(session, noted)
    act(night, who)
    if by == "digest after":
        write(session, gathered(session))
    kind = "draw_result" if by == "letter" else "worker_digest"
    letter = session.scalar(select(Letter).where(Letter.kind == kind, Letter.person_id == night.people[who]))
    try:
        text = worded(app, session, letter, at("08:41"), "zh_Hans_CN").text if letter else ""
    except Dropped:
        text = ""
    assert tuple(words for words in MEANWHILE["nothing"][1] if words in text) == said


def test_a_draw_that_is_void_since_all_is_cancelled_is_told(app: Flask, day: DrawDay) -> None:
    drawn(day, "Mon 10:10")
    for slot_id in (day.yoga, day.crafts, day.tea):
        slots.cancel(day.session, slot_id, "停电", at("Mon 11:00"), day.manager_id)
    for clock in ("Mon 12:00", "Mon 12:01"):
        day.tick(clock)
    letter = day.session.scalars(select(Letter).where(Letter.kind == "draw_result").limit(1)).one()
    assert "场次都取消了" in worded(app, day.session, letter, at("Mon 12:02"), "zh_Hans_CN").text


def test_a_preview_names_nobody_whose_result_became_untrue(app: Flask, night: DrawDay) -> None:
    slot_is_cancelled(night, "")
    station = night.session.get_one(Station, night.station_id)
    with app.app_context():
        head, *rest = previews.lines(night.session, "worker", station, at("08:10"))
    assert head.endswith(": 0 get one, 8 get none")
    assert sum(line.endswith("gets none: nothing is left to tell") for line in rest) == 6


def test_by_day_the_letter_leaves_at_once(day: DrawDay) -> None:
    with transactions.transaction(day.session) as session:
        seed_workdays(session)
    drawn(day, "Mon 10:10", "Mon 12:00", "Mon 12:01")
    lost = losers(day)
    queued = select(Letter.next_try_at).where(Letter.kind == "draw_result")
    assert set(day.session.scalars(queued)) == {at("Mon 12:01")}
    write(day.session, gathered(day.session))
    assert told(day) == {name: ["draw_result"] if name in lost else [] for name in NAMES}


def test_nobody_waits_for_the_morning_of_a_slot_that_begins_then(day: DrawDay) -> None:
    draw = day.draw()
    moments = {"Mon 21:59": "Mon 21:59", "Mon 22:00": "Tue 08:40", "Tue 08:29": "Tue 08:40", "Tue 08:30": "Tue 08:30"}
    assert {clock: letters._sent_at(day.session, draw, at(clock)) for clock in moments} == {
        clock: at(sent) for clock, sent in moments.items()
    }
    early = {"opens_at": at("Tue 08:00"), "starts_at": at("Tue 09:30"), "free_until": at("Tue 09:00")}
    more = {"waitlist_until": at("Tue 09:00"), "checkin_from": at("Tue 09:15")}
    with transactions.transaction(day.session) as session:
        session.execute(update(Slot).where(Slot.id == day.yoga).values(early | more))
    assert letters._sent_at(day.session, draw, at("Mon 23:00")) == at("Mon 23:00")
