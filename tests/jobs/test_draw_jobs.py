"""Jobs of draws: many are drawn in one transaction, and one that cannot be drawn harms no other."""

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.jobs import schedule
from booking.jobs.batches import PartlyDone, Turn
from booking.model import Draw
from tests.support.draw_cast import DrawDay
from tests.support.lunch_hour import NAMES, at


def test_a_draw_that_cannot_be_drawn_harms_no_other(session: Session, app: Flask) -> None:
    day = DrawDay(session)
    for name in NAMES[:4]:
        day.enter(name, "Mon 10:00", day.yoga)
    other = day.apart(NAMES[4:])
    with app.app_context():
        for clock in ("Mon 09:00", "Mon 12:00"):
            schedule.freeze_draws(Turn(at(clock)))
    day.session.execute(update(Draw).where(Draw.id == other).values(commitment="0" * 64))
    day.session.commit()
    with app.app_context(), pytest.raises(PartlyDone, match=f"^{other}: ValueError"):
        schedule.run_draws(Turn(at("Mon 12:01")))
    day.session.rollback()
    states = {one.id: one.state for one in day.session.scalars(select(Draw))}
    assert states == {day.draw_id: "drawn", other: "frozen"}
