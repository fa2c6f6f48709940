"""Specials: one-off slots that the demo adds so that there is something to see at any hour."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import clock, slots, workdays
from booking.demo import content
from booking.demo.stage import DemoData
from booking.errors import RuleViolation
from booking.model import Slot, Station

FIRST = {"rest": time(10, 0), "work": time(18, 0)}
LAST = time(21, 0)
STEP = timedelta(minutes=30)


class Specials:
    """The specials that fit into the remaining hours of a day."""

    def __init__(self, session: Session, stage: DemoData, now: datetime) -> None:
        self.session, self.stage, self.now = session, stage, now
        self.zone = session.get_one(Station, stage.station_id).zone_name

    def day(self, lead: timedelta) -> date:
        """Today while a special can still start in `lead` from now, then tomorrow."""
        today = clock.at_station(self.now, self.zone).date()
        latest = clock.instant(today, LAST, self.zone)
        return today if self.now + lead <= latest else today + workdays.ONE_DAY

    def add(self, when: date, place: int, opens_at: datetime, earliest: datetime) -> Slot | None:
        """Add the `place`-th special of that day, or the next that finds a free zone, at `earliest` or later."""
        kind = self._kind(when)
        offered = content.read("station")["specials"][kind]
        for words in [*offered[place:], *offered[:place]]:
            if self._is_on(words, when):
                continue
            for start in self._starts(when, kind, earliest):
                if slot := self._try(words, start, opens_at):
                    return slot
        return None

    def _try(self, words: dict[str, Any], start: datetime, opens_at: datetime) -> Slot | None:
        wish = slots.OneOff(
            activity_id=self.stage.activities[words["activity"]],
            zone_id=self.stage.zones[words["zone"]],
            date=start.date(),
            starts=start.time(),
            minutes=words["minutes"],
            capacity=words["capacity"],
        )
        with suppress(RuleViolation):  # the zone is taken, or was closed by a manager
            known_at = min(opens_at, self.now)
            slot = slots.add.inside(self.session, self.stage.station_id, wish, known_at, self.stage.manager_id)
            slot.opens_at = opens_at
            return slot
        return None

    def _starts(self, when: date, kind: str, earliest: datetime) -> Iterator[datetime]:
        """Every remaining half hour, by the station's wall clock."""
        start = datetime.combine(when, FIRST[kind])
        while start.time() <= LAST and start.date() == when:
            if clock.instant(when, start.time(), self.zone) >= earliest:
                yield start
            start += STEP

    def _kind(self, when: date) -> str:
        calendar = workdays.load(self.session, self.stage.station_id, when, when)
        return "work" if calendar.is_workday(when) else "rest"

    def _is_on(self, words: dict[str, Any], when: date) -> bool:
        """Whether this special is on that day already and not over: two of a kind would look odd."""
        same = select(Slot.id).where(
            Slot.activity_id == self.stage.activities[words["activity"]],
            Slot.date == when,
            Slot.state != "cancelled",
            Slot.ends_at > self.now,
        )
        return self.session.scalar(same.limit(1)) is not None
