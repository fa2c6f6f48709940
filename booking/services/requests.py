"""Requests: what people ask of a station: received, worked on, solved here, or passed on and solved elsewhere.

The first answer and the end are due by the end of a workday of the station's calendar, as its policy says when the request
is sent. No word of a request stands in the history.
"""

from datetime import date, datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from booking import clock, policy, workdays
from booking.db.arrays import in_array
from booking.db.transactions import NO_SYNC, transactional
from booking.errors import RuleViolation
from booking.history import forget_person, record
from booking.model import FORGOTTEN_REQUEST, Event, ServiceRequest, Station
from booking.people.accounts import alive
from booking.queries.service_requests import RATED_WITHIN
from booking.sanitise import name_key
from booking.workdays import LOOK_AHEAD

MOST_OPEN = 3
# The same words of the same person within this time are one request, while it is open.
SAME_WITHIN = timedelta(days=1)
# After its end a request keeps its words and whose it was for so long.
KEPT_FOR = timedelta(days=180)


@transactional
def send_request(
    session: Session, station_id: int, person_id: int, kind: str, text: str, now: datetime
) -> ServiceRequest:
    """Send a request; the same words again within a day are the first one, while it is open.

    Raises `no_requests_here`, `request_limit`.
    """
    alive(session, person_id)  # locked, so that two presses are one request and nobody passes the limit
    station = session.get_one(Station, station_id)
    if station.closed_at:
        raise RuleViolation("no_requests_here")
    still_open = select(ServiceRequest).where(ServiceRequest.person_id == person_id, ServiceRequest.ended_at.is_(None))
    recent = still_open.where(ServiceRequest.station_id == station_id, ServiceRequest.created_at > now - SAME_WITHIN)
    same = next((one for one in session.scalars(recent) if name_key(one.text) == name_key(text)), None)
    if same:
        return same
    if (session.scalar(select(func.count()).select_from(still_open.subquery())) or 0) >= MOST_OPEN:
        raise RuleViolation("request_limit", limit=MOST_OPEN)
    sent = ServiceRequest(station_id=station_id, person_id=person_id, kind=kind, text=text, created_at=now)
    sent.answer_due_on, sent.due_on = _deadlines(session, station, now)
    session.add(sent)
    session.flush()
    _note(session, "request_sent", sent, now, person_id)
    return sent


@transactional
def take_up(session: Session, request_id: int, answer: str, now: datetime, actor_id: int) -> None:
    """Work on it, with a first answer. Raises `request_ended`."""
    request = _open(session, request_id)
    request.state = "working"
    _say(request, answer, now)
    _note(session, "request_taken_up", request, now, actor_id)


@transactional
def pass_on(session: Session, request_id: int, to: str, number: str, answer: str, now: datetime, actor_id: int) -> None:
    """Pass it on to who can solve it, with their number if they gave one. Raises `request_ended`."""
    request = _open(session, request_id)
    request.state, request.passed_to, request.their_no = "passed_on", to, number
    _say(request, answer, now)
    _note(session, "request_passed_on", request, now, actor_id)


@transactional
def solve(session: Session, request_id: int, answer: str, now: datetime, actor_id: int) -> None:
    """End it with an answer: solved here, or elsewhere where it had been passed on. Raises `request_ended`."""
    request = _open(session, request_id)
    request.state = "solved_elsewhere" if request.state == "passed_on" else "solved"
    request.ended_at = now
    _say(request, answer, now)
    _note(session, "request_solved", request, now, actor_id)


@transactional
def withdraw(session: Session, request_id: int, now: datetime) -> None:
    """The person takes it back. Idempotent. Raises `request_ended` for one that was solved."""
    request = _locked(session, request_id)
    if request.state == "withdrawn":
        return
    _check_open(request)
    request.state, request.ended_at = "withdrawn", now
    _note(session, "request_withdrawn", request, now, request.person_id)


@transactional
def rate(session: Session, request_id: int, solved: bool, satisfied: bool, now: datetime) -> None:
    """The person says, once, whether it was solved and whether they are satisfied.

    Raises `request_open`, `request_rated`, and `rating_late` two weeks after its end.
    """
    request = _locked(session, request_id)
    if request.ended_at is None or request.state == "withdrawn":
        raise RuleViolation("request_open")
    if request.rated_at:
        raise RuleViolation("request_rated")
    if now >= request.ended_at + RATED_WITHIN:
        raise RuleViolation("rating_late")
    request.solved, request.satisfied, request.rated_at = solved, satisfied, now
    _note(session, "request_rated", request, now, request.person_id)


@transactional
def forget_requests(session: Session, now: datetime) -> int:
    """Remove the words of those that ended long ago, and the person, from their history too.

    Returns how many. Safe to repeat.
    """
    old = (ServiceRequest.ended_at <= now - KEPT_FOR, ServiceRequest.forgotten_at.is_(None))
    whose = dict(
        session.execute(select(ServiceRequest.id, ServiceRequest.person_id).where(*old).with_for_update()).all()
    )
    if whose:
        gone = update(ServiceRequest).where(ServiceRequest.id.in_(in_array(whose)))
        session.execute(gone.values(**FORGOTTEN_REQUEST, forgotten_at=now), execution_options=NO_SYNC)
        # By their people: events have an index of these.
        theirs = Event.person_id.in_(in_array({person_id for person_id in whose.values() if person_id}))
        about = Event.details["request"].as_integer().in_(in_array(whose))
        forget_person(session, theirs, Event.kind.startswith("request_", autoescape=True), about)
    return len(whose)


def _deadlines(session: Session, station: Station, now: datetime) -> tuple[date, date]:
    """The workdays by whose end the first answer, and the end, are due."""
    today, numbers = clock.at_station(now, station.zone_name).date(), policy.read(station.policy)
    calendar = workdays.load(session, station.id, today, today + LOOK_AHEAD)
    answer_due_on = calendar.workday_after(today, numbers.answer_workdays)
    return answer_due_on, max(answer_due_on, calendar.workday_after(today, numbers.end_workdays))


def _locked(session: Session, request_id: int) -> ServiceRequest:
    return session.get_one(ServiceRequest, request_id, with_for_update={"key_share": True}, populate_existing=True)


def _open(session: Session, request_id: int) -> ServiceRequest:
    request = _locked(session, request_id)
    _check_open(request)
    return request


def _check_open(request: ServiceRequest) -> None:
    if not request.is_open:
        raise RuleViolation("request_ended")


def _say(request: ServiceRequest, answer: str, now: datetime) -> None:
    request.answer, request.said_at = answer, now
    if request.answered_at is None:
        request.answered_at, request.answered_on = now, clock.at_station(now, request.station.zone_name).date()


def _note(session: Session, kind: str, request: ServiceRequest, now: datetime, actor_id: int | None) -> None:
    whose, where = request.person_id, request.station_id
    record(session, kind, now, actor_id=actor_id, person_id=whose, station_id=where, request=request.id)
