"""Day page: a station's next opening, the strip of days, the cards of one day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import render_template, session
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from booking import clock, policy, seats
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Person, Station
from booking.queries import my_bookings, slot_cards, station_lookup
from booking.queries.slot_cards import Card, DayView, Opening
from booking.web import htmx
from booking.web.i18n import formatting
from booking.web.security import permissions
from booking.web.worker import etag, filters, page_cache, results, shapes, station_list
from booking.web.worker.blueprint import pages

SOON = timedelta(minutes=15)
# From this long before it the next opening is shown as a countdown; earlier it is a line of text.
IN_SIGHT = timedelta(hours=12)


@dataclass(frozen=True)
class DayPage:
    """One day of a station as one reader sees it."""

    station: Station
    person: Person | None
    now: datetime
    when: date
    days: Sequence[DayView]
    cards: Sequence[Card]
    opening: Opening | None
    entries: Sequence[seats.Entry]
    picked: filters.Pick

    @property
    def today(self) -> date:
        return formatting.station_date(self.now, self.station)

    @property
    def view(self) -> DayView:
        return next(view for view in self.days if view.day.date == self.when)

    @property
    def address(self) -> str:
        return filters.address(self.station.code, self.when, self.picked)

    @property
    def shown(self) -> list[Card]:
        """The cards that pass the reader's filters."""
        return [card for card in self.cards if self.picked.takes(card)]

    @property
    def choices(self) -> list[filters.Choice]:
        return filters.choices(self.station.code, self.when, self.picked, self.cards)

    @property
    def limits(self) -> list[RuleViolation]:
        """What keeps this reader from several of the slots: said once, not on every card."""
        found = {card.refusal.reason: card.refusal for card in self.shown if card.refusal and not card.mine}
        return [no for no in found.values() if no.flags.said_once]

    @property
    def next_with_slots(self) -> date | None:
        """The next day with slots, for readers of an empty one."""
        return next((view.day.date for view in self.days if view.day.date > self.when and view.slots), None)

    @property
    def banner(self) -> str:
        """What is at the top of the page. Just after an opening it keeps its height, so that no button moves."""
        if any(self.now - SOON < card.slot.opens_at <= self.now for card in self.cards):
            return "open"
        if self.opening is None:
            return ""
        return "count" if self.opening.opens_at - self.now < IN_SIGHT else "line"

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
        if any(abs(at - self.now) < SOON for at in moments):
            return 4
        return 8 if any(card.act or card.place for card in self.cards) else 30

    @property
    def strip(self) -> list[dict[str, Any]]:
        return [self._square(view) for view in self.days]

    def _square(self, view: DayView) -> dict[str, Any]:
        when = view.day.date
        states = {entry.state for entry in self.entries if entry.date == when and entry.station_id == self.station.id}
        own = "booked" if states & {"booked", "attended"} else "waiting" if states else ""
        words = [formatting.day_date(when, self.today), str(OWN.get(own, ""))]
        return {
            "href": filters.address(self.station.code, when, self.picked),
            "name": formatting.day_name(when, self.today),
            "number": when.day,
            "said": " ".join(filter(None, words)),
            "current": when == self.when,
            "rest": not view.day.works and not view.slots,
            "note": note(view),
            "mine": own,
        }

    @property
    def changes_at(self) -> datetime:
        """When the clock alone will next change something that is shown."""
        coming = [at + by for card in self.cards for at in _moments(card) for by in (-SOON, timedelta(0), SOON)]
        if self.opening:
            coming += [self.opening.opens_at, self.opening.opens_at - IN_SIGHT]
        coming.append(clock.instant(self.today + timedelta(days=1), time.min, self.station.zone_name))
        return min(at for at in coming if at > self.now)

    @property
    def is_plain(self) -> bool:
        """Whether nothing on the page is this reader's own: then all such readers share one cached page."""
        return not self.entries and not any(card.refusal and card.refusal.flags.personal for card in self.cards)

    @property
    def tag(self) -> str:
        """The entity tag of all that the fragment shows, except the running countdown."""
        own = [(entry.date, entry.state) for entry in self.entries]
        who = self.person and ("like everybody" if self.is_plain else self.person.id)
        asked = formatting.language(), self.today, self.when, self.picked
        seen = [etag.facts(card) for card in self.cards]
        return etag.of(who, asked, seen, own, self.banner, self.opening, self.days)


pages.add_app_template_global(shapes.card, "slot_card")
OWN = {"booked": lazy_gettext("已预约"), "waiting": lazy_gettext("候补中")}


def _moments(card: Card) -> tuple[datetime, ...]:
    slot = card.slot
    return (
        slot.opens_at,
        slot.free_until,
        slot.waitlist_until,
        slot.checkin_from,
        slot.starts_at,
        slot.release_at,
        slot.ends_at,
        *(value for value in (card.refusal.details.values() if card.refusal else ()) if isinstance(value, datetime)),
    )


@pages.app_template_filter()
def holiday(name: str) -> str:
    """The name of a public holiday in the reader's language, where it is a national one."""
    return str(HOLIDAYS.get(name, name))


HOLIDAYS = {
    "元旦": lazy_gettext("元旦"),
    "春节": lazy_gettext("春节"),
    "清明节": lazy_gettext("清明节"),
    "劳动节": lazy_gettext("劳动节"),
    "端午节": lazy_gettext("端午节"),
    "中秋节": lazy_gettext("中秋节"),
    "国庆节": lazy_gettext("国庆节"),
}


def note(view: DayView) -> str:
    """Why a day is not an ordinary one, or empty."""
    day = view.day
    if not day.works:
        return holiday(day.name) or str(gettext("周末") if day.date.isoweekday() > 5 else gettext("休息"))
    if day.date.isoweekday() > 5:
        return str(gettext("上班"))
    return str(gettext("暂定")) if day.tentative else ""


@pages.get("/")
def home() -> str | Response:
    person = permissions.reader()
    station = station_lookup.station(db.session(), session.get("station", "")) or _only_or_last(person)
    if station is None:
        return station_list.stations()
    return page_cache.shown(station.code, filters.asked()) or _page(station, person)


@pages.get("/s/<code>")
def station(code: str) -> str | Response:
    if page := page_cache.shown(code, filters.asked()):
        _remember(code)
        return page
    found = permissions.open_station(code)
    _remember(found.code)
    return _page(found, permissions.reader())


def _remember(code: str) -> None:
    if session.get("station") != code:
        session["station"] = code


def _page(found: Station, person: Person | None) -> str | Response:
    noted, asked = page_cache.noted(), filters.asked()
    day = look(found, person, asked)
    outcome = None if htmx.asked() else results.last()

    def render() -> str:
        if htmx.asked():
            return render_template("worker/_day.html", day=day, outcome=None)
        many = len(station_lookup.stations(db.session(), limit=2)) > 1
        rules = policy.read(found.policy)
        return render_template("worker/slots.html", station=found, day=day, outcome=outcome, rules=rules, many=many)

    if outcome or "_flashes" in session:
        return render()
    return page_cache.answer(*page_cache.keep(day, found, asked, render, noted))


def look(found: Station, person: Person | None, asked: filters.DayQuery) -> DayPage:
    """The day asked for if the strip has it; else today, or when today is over the next day with slots."""
    now, session_ = clock.now(), db.session()
    days = slot_cards.days(session_, found, now)
    person_id = person.id if person else None
    when = asked.day if asked.day in {view.day.date for view in days} else _best(found, days, now)
    who = seats.eligibility(session_, person_id, found, days[0].day.date, now) if person_id else None
    return DayPage(
        station=found,
        person=person,
        now=now,
        when=when,
        days=days,
        cards=slot_cards.cards(session_, found, when, person_id, now, who),
        opening=slot_cards.next_opening(session_, found.id, now),
        picked=asked.pick,
        entries=who.entries if who else (),
    )


def _best(found: Station, days: Sequence[DayView], now: datetime) -> date:
    today = days[0].day.date
    if any(card.state != "done" for card in slot_cards.cards(db.session(), found, today, None, now)):
        return today
    return next((view.day.date for view in days[1:] if view.slots), today)


def _only_or_last(person: Person | None) -> Station | None:
    """The station of the reader's last booking, or the only one that there is."""
    if person and (held := my_bookings.seats_ahead(db.session(), person.id, clock.now())):
        return held[0].slot.station
    found = station_lookup.stations(db.session(), limit=2)
    return found[0] if len(found) == 1 else None
