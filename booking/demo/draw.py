"""Draw: two activities of the demo are given by draw: of one the seats were drawn yesterday, with a public value that was
corrected once; for one people enter now, and some of its seats are kept for the door."""

from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from booking import clock, draws, slots, workdays
from booking.demo.specials import Specials
from booking.demo.stage import DemoData
from booking.errors import RuleViolation
from booking.model import Draw, Slot, Station

LEAD = timedelta(minutes=75)
ENTER_FOR = timedelta(minutes=120)
# How long ago each opened, on which day after the one that is shown its slot is, and how many people enter.
DRAWN, GATHERING = (timedelta(hours=26), 1, 40), (timedelta(minutes=40), 2, 24)
SHARE = 70  # percent of the seats that are drawn of the second
# Which of the specials are given so.
PLACE = 1
# What counts in yesterday's draw, half an hour after it closed, and how it was typed first.
VALUE_AFTER, CORRECTED_AFTER = timedelta(minutes=30), timedelta(minutes=7)
SOURCE, VALUE, MISREAD = "当天上证指数的收盘点位，上海证券交易所网站", "3412.56", "3412.65"


def show(session: Session, stage: DemoData, secret_key: str, now: datetime) -> None:
    """Make both. The second is drawn by the scheduler, as any other."""
    for since, days, people in (DRAWN, GATHERING):
        opens_at = now - since
        if slot := _slot(session, stage, opens_at, days, now):
            past = opens_at + ENTER_FOR < now
            if not past:
                _keep_some_for_the_door(session, stage, slot, opens_at)
            draw_id = _put_into_draw(session, slot, opens_at, _value(stage, session, opens_at) if past else None)
            draws.commit.inside(session, draw_id, secret_key, opens_at - ENTER_FOR)
            _enter(session, slot, stage.crowd[:people], opens_at)
            if past:
                draws.freeze.inside(session, [draw_id], opens_at + ENTER_FOR)
                _type_value(session, draw_id, stage)
                drawn_at = draws.result_at(session.get_one(Draw, draw_id)) + CORRECTED_AFTER
                draws.draw.inside(session, [draw_id], secret_key, drawn_at)


def _slot(session: Session, stage: DemoData, opens_at: datetime, days: int, now: datetime) -> Slot | None:
    specials = Specials(session, stage, now)
    when = specials.day(LEAD) + days * workdays.ONE_DAY
    return specials.add(when, PLACE, opens_at, now + ENTER_FOR)


def _keep_some_for_the_door(session: Session, stage: DemoData, slot: Slot, now: datetime) -> None:
    drawn, door_seats = draws.share(slot.capacity, SHARE)
    slots.set_capacity.inside(session, slot.id, drawn, now, stage.manager_id)
    slot.door_seats = door_seats
    session.flush()


def _value(stage: DemoData, session: Session, opens_at: datetime) -> draws.PublicValue:
    zone = session.get_one(Station, stage.station_id).zone_name
    since = clock.at_station(opens_at + ENTER_FOR + VALUE_AFTER, zone)
    return draws.PublicValue("digits", SOURCE, since.time().replace(second=0, microsecond=0))


def _type_value(session: Session, draw_id: int, stage: DemoData) -> None:
    """Typed by somebody who entered, corrected by the manager. Around midnight the draw has no value."""
    since = session.get_one(Draw, draw_id).value_from
    if since is None:
        return
    with suppress(RuleViolation):  # paused: has not entered
        first = since + timedelta(minutes=3)
        draws.type_value.inside(session, draw_id, stage.crowd[0], MISREAD, MISREAD, first)
    draws.type_value.inside(session, draw_id, stage.manager_id, VALUE, VALUE, since + CORRECTED_AFTER)


def _put_into_draw(session: Session, slot: Slot, opens_at: datetime, value: draws.PublicValue | None) -> int:
    terms = draws.Terms(opens_at + ENTER_FOR, slot.waitlist_until, value)
    draw_id = draws.draw_for(session, slot.station_id, slot.date, opens_at, terms, opens_at - ENTER_FOR)
    slot.opens_at, slot.draw_id = slot.starts_at, draw_id
    session.flush()
    return draw_id or 0


def _enter(session: Session, slot: Slot, people: tuple[int, ...], opens_at: datetime) -> None:
    """One after the other; the last one together with the one before."""
    pace = timedelta(seconds=70)
    *alone, friend = people
    entry_id = 0
    for n, person_id in enumerate(alone, 1):
        with suppress(RuleViolation):  # paused
            entry_id = draws.enter.inside(session, person_id, slot.id, opens_at + n * pace).id
    with suppress(RuleViolation):
        at = opens_at + len(people) * pace
        code = draws.invite.inside(session, entry_id, at).code or ""
        draws.join.inside(session, friend, slot.draw_id or 0, code, at)
