"""View of one day of a station, as one reader sees it: its cards, its strip, and what is said above them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property

from booking import clock, seats
from booking.errors import RuleViolation
from booking.queries import slot_cards
from booking.queries.card_draws import CardDraw
from booking.queries.page_reader import PageReader
from booking.queries.slot_cards import Card
from booking.queries.station_day import DayView, Opening, StationDay, StationPage
from booking.web.worker import filters

SOON = timedelta(minutes=15)
# From this long before it the next opening is shown as a countdown; earlier it is a line of text.
IN_SIGHT = timedelta(hours=12)
OPEN = "open"  # the banner of the minutes after an opening


@dataclass(frozen=True)
class DayPage:
    """`reader` is None for nobody signed in."""

    day: StationDay
    reader: PageReader | None
    now: datetime
    picked: filters.Pick

    @property
    def station(self) -> StationPage:
        return self.day.station

    @property
    def today(self) -> date:
        return self.day.today

    @property
    def when(self) -> date:
        return self.day.when

    @property
    def view(self) -> DayView:
        return next(view for view in self.day.days if view.day.date == self.when)

    @property
    def entries(self) -> Sequence[seats.Entry]:
        return self.reader.who.entries if self.reader else ()

    @property
    def is_shared(self) -> bool:
        """Whether nothing on the page is this reader's own, so that all such readers get the same."""
        return self.reader is None or self.reader.shares

    @cached_property
    def cards(self) -> list[Card]:
        return self.cards_of(self.day.slots, self.day.draws)

    def cards_of(self, slots: Sequence[seats.SlotSnapshot], draws: Mapping[int, CardDraw]) -> list[Card]:
        """Slots of this station as this reader sees them now."""
        reader = self.reader
        who, places, wishes = (reader.who, reader.places, reader.wishes) if reader else (None, {}, ())
        return slot_cards.cards(slots, who, places, self.now, draws, wishes)

    @cached_property
    def shown(self) -> list[Card]:
        """The cards that pass the reader's filters."""
        return [card for card in self.cards if self.picked.takes(card)]

    @property
    def limits(self) -> list[RuleViolation]:
        """What keeps this reader from several of the slots."""
        return limits(self.shown)

    @property
    def next_with_slots(self) -> date | None:
        """The next day with slots, for readers of an empty one."""
        return next((view.day.date for view in self.day.days if view.day.date > self.when and view.slots), None)

    @cached_property
    def opening(self) -> Opening | None:
        return self.day.next_opening(self.now)

    @cached_property
    def banner(self) -> str:
        """What is at the top of the page. Just after an opening it keeps its height, so that no button moves."""
        if any(self.now - SOON < card.slot.opens_at <= self.now for card in self.cards):
            return OPEN
        if self.opening is None:
            return ""
        return "count" if self.opening.opens_at - self.now < IN_SIGHT else "line"

    @cached_property
    def opens_once(self) -> datetime | None:
        """When all cards open, where that is one instant for several: said once, not on every card."""
        coming = [card for card in self.shown if card.state != "cancelled"]
        opens = {card.slot.opens_at if card.state == "planned" and not card.by_draw else None for card in coming}
        return opens.pop() if len(opens) == 1 and len(coming) > 1 else None

    @property
    def opens_said(self) -> bool:
        """Whether the banner says it already."""
        opening = self.opening
        return bool(
            opening and self.banner != OPEN and (opening.opens_at, opening.when) == (self.opens_once, self.when)
        )

    @property
    def counts_to(self) -> datetime | None:
        return self.opening.opens_at if self.opening and self.banner == "count" else None

    @property
    def left(self) -> int:
        return sum(card.left for card in self.cards if card.state == "open")

    @property
    def pace(self) -> int:
        """Seconds between two polls: short around an opening and at noon, longer otherwise."""
        moments = [at for card in self.cards for at in (card.slot.opens_at, card.slot.starts_at)]
        moments += [card.draw.result_at for card in self.cards if card.draw]
        if any(abs(at - self.now) < SOON for at in moments):
            return 4
        return 8 if any(card.act or card.place for card in self.cards) else 30

    def own(self, when: date) -> str:
        """The reader's own at this station on a day of the strip: "booked", "waiting" or nothing."""
        states = {entry.state for entry in self.entries if entry.date == when and entry.station_id == self.station.id}
        return "booked" if states & {"booked", "attended"} else "waiting" if states else ""

    @property
    def changes_at(self) -> datetime:
        """When the clock alone will next change something that is shown."""
        coming = [at + by for card in self.cards for at in _moments(card) for by in (-SOON, timedelta(0), SOON)]
        if self.opening:
            coming += [self.opening.opens_at, self.opening.opens_at - IN_SIGHT]
        coming.append(clock.instant(self.today + timedelta(days=1), time.min, self.station.zone_name))
        return min(at for at in coming if at > self.now)


def limits(cards: Sequence[Card]) -> list[RuleViolation]:
    """The refusals that are said once for all these cards, not on every one."""
    found = {card.refusal.reason: card.refusal for card in cards if card.refusal and not card.mine}
    return [no for no in found.values() if no.flags.said_once]


def _moments(card: Card) -> tuple[datetime, ...]:
    slot, draw = card.slot, card.draw
    return (
        *((draw.opens_at, draw.closes_at, draw.result_at) if draw else ()),
        slot.opens_at,
        slot.free_until,
        slot.waitlist_until,
        slot.checkin_from,
        slot.starts_at,
        slot.release_at,
        slot.ends_at,
        *(value for value in (card.refusal.details.values() if card.refusal else ()) if isinstance(value, datetime)),
    )
