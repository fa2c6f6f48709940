"""Partners: two people enter as one, are drawn as one, wait as two, and what becomes of one when the other leaves."""

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from booking import draws, invariants, people, slots
from booking.draws import order, proof
from booking.model import Booking, Draw, DrawEntry, Letter, Person, Strike
from tests.support.draw_cast import DrawDay
from tests.support.lunch_hour import LONG_BEFORE, NAMES, TUESDAY, at, tick
from tests.support.together import together

ONE, OTHER, THIRD = NAMES[:3]


def sound(day: DrawDay, clock: str = "Mon 12:02") -> None:
    assert invariants.breaches(day.session, at(clock)) == []


def test_two_share_one_entry_with_the_wishes_of_both(day: DrawDay) -> None:
    assert day.pair(ONE, OTHER, "Mon 10:00", day.yoga) == "1 wishes"
    assert day.enter(OTHER, "Mon 10:10", day.tea) == "2 wishes"
    assert day.change(ONE, "Mon 10:20", day.tea, day.yoga) == f"[{day.tea}, {day.yoga}]"
    assert [day.entry(name).wishes for name in (ONE, OTHER)] == [[day.tea, day.yoga]] * 2
    assert day.join(OTHER, "Mon 10:30", day.entry(ONE).code or "") == "2 wishes"  # a second press changes nothing
    assert day.invite(ONE, "Mon 10:30") == day.entry(ONE).code
    day.draw_all()
    (row,) = proof.published(day.session, day.draw())["entries"]
    assert row[2:] == [3, 2, [day.tea, day.yoga]]
    assert set(day.bookings(day.tea, "booked")) == {day.people[ONE], day.people[OTHER]}
    assert [(line.kind, line.person_id) for line in day.told("paired")] == [
        ("paired", day.people[OTHER]), ("paired", day.people[ONE])
    ]  # fmt: skip
    sound(day)


def test_which_codes_are_refused(day: DrawDay) -> None:
    day.enter(ONE, "Mon 10:00")
    code = day.invite(ONE, "Mon 10:00")
    day.enter(THIRD, "Mon 10:00")
    session = day.session
    elsewhere = Draw(
        station_id=day.station_id, date=TUESDAY, opens_at=LONG_BEFORE, closes_at=at("Mon 12:00"), version=1
    )
    session.add(elsewhere)
    session.flush()
    unlike = f"{(int(code) + 1) % 10**6:06}"
    session.add(DrawEntry(draw_id=elsewhere.id, person_id=day.people[NAMES[4]], tag="abcde", wishes=[day.yoga],
                          entered_at=LONG_BEFORE, code=unlike))  # fmt: skip
    session.commit()
    assert day.join(OTHER, "Mon 10:10", unlike) == "no: partner_unknown"
    assert day.join(OTHER, "Mon 10:10", "") == "no: partner_unknown"
    assert day.join(ONE, "Mon 10:10", code) == "no: own_code"
    assert day.join(THIRD, "Mon 10:10", code) == "no: partner_entered"
    assert day.join(OTHER, "Mon 12:00", code) == "no: draw_closed"
    assert day.invite(ONE, "Mon 12:00") == "no: draw_closed"
    assert day.join(OTHER, "Mon 10:10", code) == "1 wishes"
    assert day.join(NAMES[3], "Mon 10:10", code) == "no: partner_taken"


def test_who_may_not_have_a_seat_cannot_join(day: DrawDay) -> None:
    day.enter(ONE, "Mon 10:00")
    code = day.invite(ONE, "Mon 10:00")
    for who, column in ((OTHER, Person.disabled_at), (ONE, Person.deleted_at)):
        day.session.execute(update(Person).where(Person.id == day.people[who]).values({column: at("Mon 10:05")}))
        day.session.commit()
    assert (
        day.join(OTHER, "Mon 10:10", code) == "no: gone" or day.join(OTHER, "Mon 10:10", code) == "no: partner_unknown"
    )
    assert day.join(THIRD, "Mon 10:10", code) == "no: partner_unknown"


@pytest.mark.parametrize("who", [ONE, OTHER])
def test_who_leaves_leaves_the_other_in_alone(day: DrawDay, who: str) -> None:
    stays = OTHER if who == ONE else ONE
    day.pair(ONE, OTHER, "Mon 10:00", day.yoga, day.tea)
    assert day.leave(who, "Mon 10:10") == "left"
    entry = day.entry(stays)
    assert (entry.left_at, entry.partner_id, entry.wishes) == (None, None, [day.yoga, day.tea])
    assert [line.person_id for line in day.told("parted")] == [day.people[stays]]
    assert day.enter(who, "Mon 10:20", day.crafts) == "1 wishes"
    day.draw_all()
    assert [row[3] for row in proof.published(day.session, day.draw())["entries"]] == [1, 1]
    sound(day)


@pytest.mark.parametrize("who", [ONE, OTHER])
def test_an_account_deleted_before_the_closing_leaves_the_other_single(day: DrawDay, who: str) -> None:
    stays = OTHER if who == ONE else ONE
    day.pair(ONE, OTHER, "Mon 10:00")
    people.delete_account(day.session, day.people[who], at("Mon 11:00"))
    assert [line.person_id for line in day.told("parted")] == [day.people[stays]]
    day.draw_all()
    (row,) = proof.published(day.session, day.draw())["entries"]
    assert row[3] == 1
    assert day.bookings(day.yoga, "booked") == [day.people[stays]]
    sound(day)


def test_they_have_the_fewer_balls_of_both(day: DrawDay) -> None:
    session, struck = day.session, day.people[OTHER]
    old = Booking(slot_id=day.yoga, station_id=day.station_id, person_id=struck, state="cancelled",
                  created_at=at("Mon 09:00"), ended_at=at("Mon 09:00"))  # fmt: skip
    session.add(old)
    session.flush()
    session.add(Strike(person_id=struck, station_id=day.station_id, slot_id=day.yoga, booking_id=old.id,
                       at=at("Mon 09:00"), reason="no_show"))  # fmt: skip
    session.commit()
    day.pair(ONE, OTHER, "Mon 10:00")
    day.enter(THIRD, "Mon 10:00")
    day.draw_all()
    listed = proof.published(day.session, day.draw())["entries"]
    assert {(people, balls) for _no, _tag, balls, people, _wishes in listed} == {(2, 1), (1, 3)}


def test_they_get_the_first_wish_with_two_seats(day: DrawDay) -> None:
    slots.set_capacity(day.session, day.yoga, 1, at("Mon 09:00"), day.manager_id)
    day.pair(ONE, OTHER, "Mon 10:00", day.yoga, day.crafts)
    day.draw_all()
    assert day.bookings(day.crafts, "booked") == [day.people[ONE], day.people[OTHER]]
    assert day.bookings(day.yoga, "booked") == []
    sound(day)


def test_without_two_seats_they_wait_one_behind_the_other(session: Session) -> None:
    """One seat in each slot: whoever is alone gets it, before them or after them."""
    day = DrawDay(session, capacity=1)
    day.pair(ONE, OTHER, "Mon 10:00", day.yoga, day.crafts)
    day.enter(THIRD, "Mon 10:00")
    day.draw_all()
    both = [day.people[ONE], day.people[OTHER]]
    assert day.bookings(day.yoga, "booked") == [day.people[THIRD]]
    assert day.bookings(day.yoga, "waiting") == day.bookings(day.crafts, "waiting") == both
    assert [day.entry(name).result for name in (ONE, OTHER, THIRD)] == ["lost", "lost", "seat"]
    letters = {
        one.person_id: one.details for one in session.scalars(select(Letter).where(Letter.kind == "draw_result"))
    }
    assert {(person_id, told["place"], told["people"]) for person_id, told in letters.items()} == {
        (both[0], 1, 3), (both[1], 2, 3)
    }  # fmt: skip
    tick(session, at("Mon 12:01:10"))  # the one seat that is left goes to the first in line, who waits as anybody else
    assert (day.bookings(day.crafts, "booked"), day.bookings(day.crafts, "waiting")) == (both[:1], both[1:])
    sound(day)


@pytest.mark.parametrize("who", [ONE, OTHER])
def test_when_one_can_no_longer_come_the_other_takes_one_seat(session: Session, who: str) -> None:
    day = DrawDay(session, capacity=1)
    day.pair(ONE, OTHER, "Mon 10:00")
    day.tick("Mon 09:00")
    day.tick("Mon 12:00")
    session.execute(update(Person).where(Person.id == day.people[who]).values(disabled_at=at("Mon 12:00")))
    session.commit()
    day.tick("Mon 12:01")
    stays = OTHER if who == ONE else ONE
    assert day.bookings(day.yoga, "booked") == [day.people[stays]]
    assert (day.entry(who).result, day.entry(who).passed_over) == ("passed_over", {str(day.yoga): "gone"})
    told = proof.published(session, day.draw())
    assert told["results"] == [{"no": 1, "slot": day.yoga, "passed_over": {}, "alone": {str(day.yoga): "gone"}}]
    assert order.check(told)[1]
    sound(day)


def test_a_code_is_used_by_one_person_only(day: DrawDay, engine: Engine) -> None:
    day.enter(ONE, "Mon 10:00")
    code, everybody = day.invite(ONE, "Mon 10:00"), [day.people[name] for name in NAMES[1:5]]
    answers = together(
        engine, 4, lambda s, n: draws.join.inside(s, everybody[n], day.draw_id, code, at("Mon 10:10")).id
    )
    assert sorted(isinstance(answer, int) for answer in answers) == [False] * 3 + [True]
    assert set(answers) - {answer for answer in answers if isinstance(answer, int)} == {"no: partner_taken"}
    day.session.rollback()
    assert len(day.session.scalars(select(DrawEntry).where(DrawEntry.partner_id.is_not(None))).all()) == 2


def test_joining_and_leaving_and_sealing_at_once_leave_one_truth(day: DrawDay, engine: Engine) -> None:
    day.enter(ONE, "Mon 10:00")
    code, entry_id, instant = day.invite(ONE, "Mon 10:00"), day.entry(ONE).id, at("Mon 11:59:59")
    acts = (
        lambda s: draws.join.inside(s, day.people[OTHER], day.draw_id, code, instant).id,
        lambda s: draws.change_wishes.inside(s, entry_id, (), instant).id,
        lambda s: draws.freeze.inside(s, [day.draw_id], at("Mon 12:00")),
    )
    together(engine, 3, lambda session, number: acts[number](session))
    listed = proof.published(day.session, day.draw())["entries"]
    entries = [entry for entry in day.entries() if entry.left_at is None]
    assert sum(row[3] for row in listed) == len(entries)
    day.draw_all()
    sound(day)


BROKEN = {
    "I11 one entry of two is said to be of one": (update(DrawEntry).where(DrawEntry.people == 2).values(people=1), "I11"),
    "I12 two together who do not know each other": (
        update(DrawEntry).where(DrawEntry.people == 2).values(partner_id=None), "I12"
    ),
    "I12 one of two has another rank": (
        update(DrawEntry).where(DrawEntry.partner_id.is_not(None), DrawEntry.no.is_(None)).values(rank=5), "I12"
    ),
}  # fmt: skip


@pytest.mark.sqlite
@pytest.mark.parametrize("case", BROKEN)
def test_control_the_check_finds_what_was_tampered_with(day: DrawDay, case: str) -> None:
    statement, code = BROKEN[case]
    day.pair(ONE, OTHER, "Mon 10:00")
    day.enter(THIRD, "Mon 10:00")
    day.draw_all()
    tick(day.session, at("Mon 12:01:10"))
    sound(day)
    day.session.execute(statement)
    day.session.commit()
    assert code in {breach.split()[0] for breach in invariants.breaches(day.session, at("Mon 12:02"))}
