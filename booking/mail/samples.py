"""Samples: the context of a made-up lunch hour, for previews of the letters. None of it is in the database."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from types import SimpleNamespace

from booking import clock
from booking.mail import context, manager_report
from booking.model import Activity, Booking, Notice, Person, ServiceRequest, Slot, Station, Zone
from booking.people.codes import GOOD_FOR
from booking.people.invitations import INVITATION_LASTS
from booking.policy import Policy
from booking.queries import manager, station_day
from booking.queries.waiting_odds import Odds
from booking.seats import BOOKS_OPEN
from booking.slots import deadlines
from booking.workdays import ONE_DAY

STATION = {
    "id": 1,
    "code": "cbd",
    "name": "白领驿站",
    "name_en": "Office Workers' Station",
    "address": "国贸三期 B1 层 · 地铁 1 号线 A 口",
    "address_en": "China World Tower III, B1, Line 1 exit A",
    "zone_name": "Asia/Shanghai",
}
YOGA = {
    "title": "白领瑜伽课堂",
    "title_en": "Yoga at Noon",
    "host": "林老师",
    "host_en": "Lin",
    "bring": "瑜伽垫、一杯水",
    "bring_en": "A mat and some water",
}
CRAFTS = {"title": "创意手工 · 植物拓印", "title_en": "Leaf Prints", "host": "周老师", "host_en": "Zhou"}
NAMES = ("林晓", "周明", "李静")


class Noon:
    """Yoga and crafts today and tomorrow, and their participants."""

    def __init__(self, now: datetime) -> None:
        self.station = Station(**STATION)
        self.today = clock.at_station(now, self.station.zone_name).date()
        fitness, workshop = Zone(name="健身区", name_en="Fitness area"), Zone(name="手工坊", name_en="Workshop")
        self.yoga = self._slot(1, YOGA, fitness, self.today, time(12, 10), 15, taken=3, waiting=1)
        self.crafts = self._slot(2, CRAFTS, workshop, self.today, time(12, 20), 12, taken=2)
        self.tomorrow = [
            self._slot(3, YOGA, fitness, self.today + ONE_DAY, time(12, 10), 15),
            self._slot(4, CRAFTS, workshop, self.today + ONE_DAY, time(12, 20), 12),
        ]
        self.yesterday = self._slot(5, YOGA, fitness, self.today - ONE_DAY, time(12, 10), 15)
        self.reader = Person(id=1, name=NAMES[0])
        self.seats = [Booking(person=Person(name=name)) for name in NAMES]

    def _slot(
        self, key: int, words: dict[str, str], zone: Zone, day: date, starts: time, capacity: int, **counts: int
    ) -> Slot:
        starts_at = clock.instant(day, starts, self.station.zone_name)
        table = deadlines.deadlines(starts_at, starts_at + timedelta(minutes=50), Policy())
        table["opens_at"] = clock.instant(day - ONE_DAY, time(10), self.station.zone_name)
        activity = Activity(**{"bring": "", "host": "", **words})
        columns = {"taken": 0, "waiting": 0, **counts}
        return Slot(
            id=key, date=day, station=self.station, zone=zone, activity=activity, capacity=capacity, **columns, **table
        )


def of(kind: str, now: datetime) -> context.Context:
    """Everything that the templates of a letter of that kind may name; KeyError when there is no such kind."""
    noon = Noon(now)
    return context.common(kind, noon.reader, noon.yoga) | MORE[kind](noon)


def _strike(_noon: Noon) -> context.Context:
    return {"numbers": Policy(), "reason": "no_show", "warning": False, "counting": 2, "paused_until": None}


def _slot_moved(noon: Noon) -> context.Context:
    was = SimpleNamespace(name=noon.crafts.zone.name, name_en=noon.crafts.zone.name_en, host=None, host_en=None)
    starts = noon.yoga.starts_at - timedelta(minutes=30)
    return {"was_starts": starts, "was": was, "moved": True, "other_host": False, "waiting": False}


def _worker_digest(noon: Noon) -> context.Context:
    opening = (noon.station, noon.tomorrow[0].opens_at, noon.today + ONE_DAY, noon.tomorrow)
    return {
        "today": noon.today,
        "seen_at": noon.yoga.opens_at,
        "seats": [noon.yoga],
        "waits": [(noon.crafts, 2)],
        "openings": [opening],
        "follows": [(noon.tomorrow[0], [noon.tomorrow[0]], "#")],
        "strikes": [(noon.station, 1, None)],
        "draws": [{"slot": noon.tomorrow[0], **LOST}],
        "wishes": [(noon.tomorrow[1], "想学植物拓印")],
        "visits": [(noon.yesterday, "#")],
        "answers": [ServiceRequest(text="空调太冷，能不能调高一点？", answer="调到 25 度了。", station=noon.station)],
        "notices": [Notice(title="电梯检修，请走东门", station=noon.station)],
    }


def _manager_digest(noon: Noon) -> context.Context:
    rosters = [manager.Roster(noon.yoga, noon.seats), manager.Roster(noon.crafts, noon.seats[:2])]
    last = manager_report.DayOutcome(noon.today - ONE_DAY, slots=2, attended=24, walk_ins=3, released=4, unlucky=5)
    opening = station_day.Opening(noon.tomorrow[0].opens_at, noon.today + ONE_DAY, slots=2, seats=27)
    missed = SimpleNamespace(began_at=noon.yoga.opens_at, ended_at=noon.yoga.opens_at + timedelta(hours=3))
    return {
        "today": noon.today,
        "reports": [manager_report.Report(noon.station, rosters, last, opening, noon.today + 30 * ONE_DAY)],
        "troubles": [("outage", missed)],
    }


def _staff_transfer(noon: Noon) -> context.Context:
    joins = SimpleNamespace(code="west", name="金融街驿站", name_en="Financial Street station")
    about = {"what": "planned", "who": "林晓", "mine": True, "day": noon.today + ONE_DAY}
    return {**about, "leaves": noon.station, "joins": joins}


LOST = {
    "what": "lost",
    "draw": 1,
    "people": 62,
    "capacity": 15,
    "rank": 22,
    "balls": 4,
    "place": 7,
    "odds": Odds(7, 8, 5),
}
MORE: dict[str, Callable[[Noon], context.Context]] = {
    "code": lambda _: {"code": "407261", "purpose": "register", "minutes": int(GOOD_FOR.total_seconds() // 60)},
    "already_registered": lambda _: {},
    "manager_invitation": lambda noon: {"token": "sample", "until": noon.yoga.ends_at + INVITATION_LASTS},
    "second_factor": lambda _: {"what": "on", "left": None},
    "staff_transfer": _staff_transfer,
    "confirmed": lambda _: {"always_free": False, "always_late": False},
    "promoted": lambda _: {"always_free": False, "always_late": False},
    "draw_result": lambda _: LOST,
    "calendar": lambda _: {},
    "seat_open": lambda _: {"place": 2},
    "watch_link": lambda _: {},
    "moved_down": lambda _: {"place": 1},
    "slot_moved": _slot_moved,
    "slot_message": lambda _: {"text": "今天请带瑜伽垫，场地的垫子送去清洗了。", "waiting": False},
    "slot_cancelled": lambda _: {"reason": "林老师临时生病", "fell_through": False},
    "booking_cancelled": lambda _: {"waiting": False, "late": False},
    "booking_removed": lambda _: {"reason": "这一场只面向本楼的人", "was_waiting": False},
    "strike": _strike,
    "attendance_missing": lambda noon: {"until": noon.yoga.ends_at + BOOKS_OPEN, "is_over": False},
    "reminder": lambda _: {"is_free": False, "is_late": True},
    "worker_digest": _worker_digest,
    "manager_digest": _manager_digest,
}
