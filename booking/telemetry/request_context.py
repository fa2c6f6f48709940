"""Context of the request at work: its id, and what those who answer it say of it, for its log line and its metrics."""

from contextvars import ContextVar
from time import perf_counter

WORTH_COUNTING = 0.001  # seconds


class RequestContext:
    """Filled in on the way: the route and the person are known to whoever answers."""

    __slots__ = ("began", "lane", "outcome", "person_id", "request_id", "route", "status", "waits")

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.began = perf_counter()
        self.status = "500"  # what a server answers when the app raises
        self.route = "-"
        self.lane = "app"  # cache and fast: answered before Flask
        self.person_id: int | None = None
        self.outcome: str | None = None  # of a booking
        self.waits: list[tuple[str, float]] = []  # for what, and how many seconds


current: ContextVar[RequestContext | None] = ContextVar("request", default=None)


def received() -> None:
    """The request is here in whole: its time begins now, however slowly it was sent."""
    if request := current.get():
        request.began = perf_counter()


def identify(person_id: int | None) -> None:
    """Whose request it is."""
    if request := current.get():
        request.person_id = person_id


def answered(route: str | None, lane: str | None = None) -> None:
    """By which endpoint, and whether before Flask."""
    if request := current.get():
        request.route = route or "-"
        request.lane = lane or request.lane


def decided(outcome: str) -> None:
    """What became of a booking: the state of the place, or the reason of the refusal."""
    if request := current.get():
        request.outcome = outcome


def waited(what: str, began: float) -> None:
    """It has waited for this since then (`perf_counter`)."""
    seconds = perf_counter() - began
    if seconds >= WORTH_COUNTING and (request := current.get()):
        request.waits.append((what, seconds))


def request_id() -> str:
    """The id of the request at work; empty outside of one."""
    request = current.get()
    return request.request_id if request else ""
