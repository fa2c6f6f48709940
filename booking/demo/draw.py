"""Draw: two activities of the demo are given by draw: of one the seats were drawn yesterday, for one people enter now."""

from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from booking import draws, workdays
from booking.demo.specials import Specials
from booking.demo.stage import DemoData
from booking.errors import RuleViolation
from booking.model import Slot

LEAD = timedelta(minutes=75)
ENTER_FOR = timedelta(minutes=120)
# How long ago each opened, on which day after the one that is shown its slot is, and how many people enter.
DRAWN, GATHERING = (timedelta(hours=26), 1, 40), (timedelta(minutes=40), 2, 24)
# Which of the specials are given so.
PLACE = 1


def show(session: Session, stage: DemoData, secret_key: str, now: datetime) -> None:
    """Make both. The second is drawn by the scheduler, as any other."""
    for since, days, people in (DRAWN, GATHERING):
        opens_at = now - since
        if slot := _slot(session, stage, opens_at, days, now):
            draw_id = _put_into_draw(session, slot, opens_at)
            draws.commit.inside(session, draw_id, secret_key, opens_at - ENTER_FOR)
            _enter(session, slot, stage.crowd[:people], opens_at)
            if opens_at + ENTER_FOR < now:
                closed_at = opens_at + ENTER_FOR
                draws.freeze.inside(session, draw_id, closed_at)
                draws.draw.inside(session, draw_id, secret_key, closed_at + draws.SEALED_FOR)


def _slot(session: Session, stage: DemoData, opens_at: datetime, days: int, now: datetime) -> Slot | None:
    specials = Specials(session, stage, now)
    when = specials.day(LEAD) + days * workdays.ONE_DAY
    return specials.add(when, PLACE, opens_at, now + ENTER_FOR)


def _put_into_draw(session: Session, slot: Slot, opens_at: datetime) -> int:
    terms = draws.Terms(opens_at + ENTER_FOR, slot.waitlist_until)
    draw_id = draws.draw_for(session, slot.station_id, slot.date, opens_at, terms, opens_at - ENTER_FOR)
    slot.opens_at, slot.draw_id = slot.starts_at, draw_id
    session.flush()
    return draw_id or 0


def _enter(session: Session, slot: Slot, people: tuple[int, ...], opens_at: datetime) -> None:
    for n, person_id in enumerate(people, 1):
        with suppress(RuleViolation):  # paused
            draws.enter.inside(session, person_id, slot.id, opens_at + n * timedelta(seconds=70))
