"""News of a station's services in the worker's digest: answers to requests, and new notices beside something else.

Since the digest of the station's workday before, which told what was there then. A notice alone makes no digest: it
would be a letter to everybody.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from booking.db.arrays import in_array
from booking.model import Notice, ServiceRequest
from booking.queries import current_notices
from booking.queries.current_notices import NoticeText

NOTICES_TOLD = 3


class NewsSpan(NamedTuple):
    """From the hour of the last digest to that of this one, and the days of both."""

    since: datetime
    until: datetime
    before: date
    today: date


def news(stations: Select[int], told_in: NewsSpan) -> Select[int | None, int]:
    """The people whose requests to these stations were answered, and the stations."""
    answered = _answered(stations, told_in)
    return answered.with_only_columns(ServiceRequest.person_id, ServiceRequest.station_id)


def add_answers(
    session: Session, told: dict[int, dict[str, Any]], stations: Select[int], told_in: NewsSpan, ids: Collection[int]
) -> None:
    """Add the ids of the requests that were answered to what these people's digests tell."""
    theirs = _answered(stations, told_in).where(ServiceRequest.person_id.in_(in_array(ids)))
    columns = (ServiceRequest.person_id, ServiceRequest.station_id, ServiceRequest.id)
    for person_id, station_id, request_id in session.execute(
        theirs.with_only_columns(*columns).order_by(ServiceRequest.id)
    ):
        nothing = {"stations": [station_id], "seats": (), "waits": (), "opens": (), "strikes": []}
        told.setdefault(person_id or 0, nothing).setdefault("answers", []).append(request_id)


def add_notices(
    session: Session, told: Mapping[int, dict[str, Any]], told_in: Callable[[int], NewsSpan], now: datetime
) -> None:
    """Add the ids of what is new on the boards of their stations to digests that have something else to tell."""
    stations = {station_id for details in told.values() for station_id in details["stations"]}
    boards = current_notices.of_stations(session, stations, now) if stations else {}
    new = {station_id: _new(board, told_in(station_id)) for station_id, board in boards.items()}
    for details in told.values():
        theirs = {one.id: one for station_id in details["stations"] for one in new[station_id]}
        if theirs:
            details["notices"] = sorted(theirs)[-NOTICES_TOLD:][::-1]


def answers(session: Session, ids: Collection[int]) -> list[ServiceRequest]:
    """Those of these requests that still have an answer."""
    found = (session.get(ServiceRequest, key) for key in ids)
    return [one for one in found if one and one.answer]


def notices(session: Session, ids: Collection[int], today: date) -> list[Notice]:
    """Those of these notices that are still shown."""
    found = (session.get(Notice, key) for key in ids)
    return [one for one in found if one and one.ended_at is None and one.first <= today <= one.last]


def _answered(stations: Select[int], told_in: NewsSpan) -> Select[Any]:
    said = (ServiceRequest.said_at >= told_in.since, ServiceRequest.said_at < told_in.until)
    return select(ServiceRequest.id).where(
        *said,
        ServiceRequest.state != "withdrawn",
        ServiceRequest.person_id.is_not(None),
        ServiceRequest.station_id.in_(stations),
    )


def _new(board: Collection[NoticeText], told_in: NewsSpan) -> list[NoticeText]:
    """What the last digest could not tell: published since, or begun since."""
    shown = current_notices.shown_on(board, told_in.today)
    known = [one for one in shown if one.created_at < told_in.until]
    return [one for one in known if one.created_at >= told_in.since or one.first > told_in.before]
