"""Digest context: what the templates of the daily letters may name, and whether anything is left to tell."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from booking import clock
from booking.mail import links, manager_report, night_draws, service_news, visit_news, wish_news
from booking.mail.recipient import Dropped, managed
from booking.model import HOLDING, Booking, Letter, Slot, Station


def worker(
    session: Session, letter: Letter, _slot: Slot | None, mine: Mapping[int, str], now: datetime
) -> dict[str, Any]:
    """The slots that `digests` noted as ids at the digest's hour; `mine` is the state of the reader's live booking by
    slot."""
    told, today = letter.details, date.fromisoformat(letter.details["date"])
    stations = [session.get_one(Station, station_id) for station_id in told["stations"]]
    _only_today(stations, today, now)
    held = [slot for slot in _slots(session, told["seats"]) if mine.get(slot.id) in HOLDING and slot.ends_at > now]
    places = dict(told["waits"])
    waiting = [slot for slot in _slots(session, places) if mine.get(slot.id) == "waiting" and slot.starts_at > now]
    opens = [slot for slot in _slots(session, told["opens"]) if slot.state != "cancelled"]
    follows = [slot for slot in _slots(session, told.get("follows", ())) if slot.state_at(now) in ("planned", "open")]
    draws = night_draws.results(session, told.get("draws", ()), mine, now)
    answers = service_news.answers(session, told.get("answers", ()))
    wished = wish_news.still_true(session, told.get("wishes", ()), now)
    visited = _slots(session, [slot_id for _, slot_id in told.get("visits", ())])
    if not (held or waiting or opens or follows or draws or answers or wished or visited):
        raise Dropped("nothing is left to tell")
    strikes = [(session.get_one(Station, s), n, _instant(until)) for s, n, until in told["strikes"]]
    return {
        "today": today,
        "seen_at": now,
        "station": stations[0],
        "seats": held,
        "waits": [(slot, places[slot.id]) for slot in waiting],
        "openings": _by_opening(opens),
        "follows": [(slots[0], slots, _unfollow(letter, slots[0])) for slots in _by_activity(follows)],
        "strikes": strikes,
        "draws": draws,
        "answers": answers,
        "notices": service_news.notices(session, told.get("notices", ()), today),
        "wishes": wished,
        "visits": visit_news.asked(told.get("visits", ()), visited, letter.person_id),
    }


def manager(
    session: Session, letter: Letter, _slot: Slot | None, _booking: Booking | None, now: datetime
) -> dict[str, Any]:
    today = date.fromisoformat(letter.details["date"])
    stations = [session.get_one(Station, one) for one in managed(session, letter, letter.details["stations"])]
    _only_today(stations, today, now)
    return {
        "today": today,
        "station": stations[0],
        "reports": [manager_report.of_station(session, station, today, now) for station in stations],
        "troubles": manager_report.troubles(session, now, [station.id for station in stations]),
    }


def _only_today(stations: list[Station], today: date, now: datetime) -> None:
    """Drop a digest whose day is over at all of its stations."""
    if all(clock.at_station(now, station.zone_name).date() != today for station in stations):
        raise Dropped("the day is over")


def _slots(session: Session, ids: Iterable[int]) -> list[Slot]:
    found = (session.get(Slot, slot_id) for slot_id in ids)
    return sorted((slot for slot in found if slot), key=lambda slot: (slot.starts_at, slot.id))


def _by_opening(slots: list[Slot]) -> list[tuple[Station, datetime, date, list[Slot]]]:
    """Slots grouped by station, opening time and day."""
    together: dict[tuple[int, datetime, date], list[Slot]] = {}
    for slot in slots:
        together.setdefault((slot.station_id, slot.opens_at, slot.date), []).append(slot)
    ordered = sorted(together.items(), key=lambda item: item[0][1:])
    return [(group[0].station, opens_at, day, group) for (_, opens_at, day), group in ordered]


def _by_activity(slots: list[Slot]) -> list[list[Slot]]:
    together: dict[int, list[Slot]] = {}
    for slot in slots:
        together.setdefault(slot.activity_id, []).append(slot)
    return list(together.values())


def _unfollow(letter: Letter, slot: Slot) -> str | None:
    return links.unfollow(letter.person_id, slot.activity_id) if letter.person_id else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
