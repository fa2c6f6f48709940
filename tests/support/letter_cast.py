"""A station with words in both languages, and one letter of each kind about it."""

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking import network, people, seats, slots
from booking.db import transactions
from booking.enqueue import enqueue
from booking.mail import context, digest_writer, digests, reminders, rendering, subscriptions, watch_letters
from booking.model import Activity, JobRun, Letter, ManagerInvitation, Manages, Person, Station, StationDayTotals, Zone
from booking.statistics.station_days import COUNTED_FOR
from booking.workdays import ONE_DAY
from tests.support.lunch_hour import LONG_BEFORE, at, make_manager, make_people, roll_call, tick
from tests.support.snapshots import make_cast, make_story, seed_workdays

STATION = {
    "name": "白领驿站",
    "name_en": "Office Workers' Station",
    "address": "国贸三期 B1 层 · 地铁 1 号线 A 口",
    "address_en": "China World Tower III, B1, Line 1 exit A",
}
YOGA = {
    "title": "白领瑜伽课堂",
    "title_en": "Yoga at Noon",
    "host": "林老师",
    "host_en": "Lin",
    "bring": "瑜伽垫、一杯水",
    "bring_en": "A mat and some water",
}
CRAFTS = {
    "title": "创意手工 · 植物拓印",
    "title_en": "Leaf Prints",
    "host": "周老师",
    "host_en": "Zhou",
    "kind": "crafts",
}
TALK = {
    "title": "青年党史讲堂",
    "title_en": "History for the Young",
    "host": "陈老师",
    "host_en": "Chen",
    "kind": "talk",
}
# Yesterday, yoga, crafts, the next yoga, Thursday, the next talk.
SLOTS: tuple[tuple[dict[str, Any], str, str, str, int], ...] = (
    (YOGA, "健身区", "Fitness area", "Mon 12:10", 3),
    (YOGA, "健身区", "Fitness area", "12:10", 3),
    (CRAFTS, "手工坊", "Workshop", "17:30", 2),
    (YOGA, "健身区", "Fitness area", "Wed 12:10", 15),
    (YOGA, "健身区", "Fitness area", "Thu 12:10", 15),
    (TALK, "红色直播间", "Red Studio", "Wed 12:20", 24),
)
Ids = tuple[int, dict[str, int], int, list[int]]  # the station, the people, the manager, the slots
KINDS = (
    "code",
    "already_registered",
    "manager_invitation",
    "second_factor",
    "staff_transfer",
    "confirmed",
    "promoted",
    "draw_result",
    "calendar",
    "seat_open",
    "watch_link",
    "moved_down",
    "slot_moved",
    "slot_message",
    "slot_cancelled",
    "booking_cancelled",
    "booking_removed",
    "strike",
    "attendance_missing",
    "reminder",
    "worker_digest",
    "manager_digest",
)


class Letters:
    """Everybody of the letters, and a way to get the newest letter of a kind."""

    def __init__(self, session: Session, ids: Ids | None = None) -> None:
        self.session = session
        self.ids = ids or make_cast(session, "letters", self._make)
        self.station_id, people, self.manager_id, slots = self.ids
        self.people = dict(people)
        self.yesterday, self.yoga, self.crafts, self.next_yoga, self.thursday, self.next_talk = slots

    def _make(self) -> Ids:
        station = Station(code="cbd", policy={"seats_a_day": 2}, **STATION)
        self.session.add(station)
        self.session.flush()
        people = make_people(self.session, ("林晓", "周明", "李静", "王磊", "陈晨", "刘洋"))
        manager_id = make_manager(self.session, station.id, "沈站长")
        for person_id in (*people.values(), manager_id):
            self.session.get_one(Person, person_id).email = f"person{person_id}@example.com"
        # As the job leaves the weeks before, in which there was nothing: or each test's first tick would count them.
        before = at("Mon 00:00").date() - ONE_DAY * COUNTED_FOR.days
        past = [before + ONE_DAY * n for n in range(COUNTED_FOR.days)]
        none = dict.fromkeys(("slots", "seats", "visits", "expected", "no_shows"), 0)
        self.session.add_all(StationDayTotals(station_id=station.id, date=day, final=True, **none) for day in past)
        return station.id, people, manager_id, [self._slot(station.id, *one) for one in SLOTS]

    def _slot(self, station_id: int, words: dict[str, Any], zone: str, zone_en: str, starts: str, capacity: int) -> int:
        s, moment = self.session, at(starts)
        place = s.scalar(select(Zone).where(Zone.name == zone)) or Zone(
            station_id=station_id, name=zone, name_en=zone_en, capacity=40
        )
        what = s.scalar(select(Activity).where(Activity.title == words["title"])) or Activity(
            station_id=station_id, **{"kind": "yoga", **words}
        )
        s.add_all([place, what])
        s.flush()
        wish = slots.OneOff(what.id, place.id, moment.date(), moment.time(), 50, capacity)
        return slots.add(s, station_id, wish, LONG_BEFORE).id

    def do(self, verb: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        with transactions.transaction(self.session) as session:
            return verb(session, *arguments, **options)

    def book(self, who: str, slot_id: int, when: str) -> int:
        return int(self.do(lambda s: seats.book_in_transaction(s, self.people[who], slot_id, at(when)).booking.id))

    def give_up(self, booking_id: int, when: str) -> None:
        self.do(seats.give_up, booking_id, at(when))

    def roll_call(self, slot_id: int, when: str) -> None:
        roll_call(self.session, slot_id, at(when), self.manager_id)

    def letter(self, kind: str, who: str | None = None) -> Letter:
        """The newest letter of a kind, to that person."""
        found = select(Letter).where(Letter.kind == kind).order_by(Letter.id.desc()).limit(1)
        return self.session.scalars(found.where(Letter.person_id == self.people[who]) if who else found).one()

    def yesterday_at_noon(self) -> None:
        """Monday's slot: two came, one did not, one waited in vain."""
        for who in ("周明", "李静", "王磊", "陈晨"):
            self.book(who, self.yesterday, "Mon 09:00")
        for who in ("周明", "李静"):
            booking = self.book(who, self.yesterday, "Mon 12:00")
            self.do(seats.check_in, booking, at("Mon 12:05"))
        for clock in ("Mon 12:10", "Mon 12:15", "Mon 13:00"):
            tick(self.session, at(clock))

    def full_tuesday(self) -> None:
        """Tuesday's slots open on Monday at 10 and fill up; 林晓 sits in yoga and waits for crafts."""
        tick(self.session, at("Mon 10:00"))
        for who in ("林晓", "周明", "李静", "王磊"):
            self.book(who, self.yoga, "Mon 10:00:01")
        for who in ("陈晨", "刘洋", "林晓"):
            self.book(who, self.crafts, "Mon 10:00:02")


def tuesday(session: Session) -> Letters:
    """Tuesday is full, and the calendar is known."""
    return _story(session, Letters.full_tuesday)


def monday_and_tuesday(session: Session) -> Letters:
    """Monday is over, Tuesday is full, and the calendar is known."""
    return _story(session, Letters.yesterday_at_noon, Letters.full_tuesday)


def _story(session: Session, *parts: Callable[[Letters], None]) -> Letters:
    def tell() -> Ids:
        cast = Letters(session)
        for part in parts:
            part(cast)
        return cast.ids

    with transactions.transaction(session):
        seed_workdays(session)
    return Letters(session, make_story(session, parts, tell))


def write_digests(session: Session, kind: str, now: datetime, limit: int = 500) -> int:
    """As many of the due digests, as the job writes them."""
    due = digests.rounds(session, kind, now)
    readers = digests.to_write(session, due, now)[:limit]
    return digest_writer.write(session, digests.gather(session, due, now, readers), now)


def make(session: Session, kind: str) -> tuple[Letter, datetime]:
    """The letter of that kind, told by the verbs that tell it, and the instant at which it is worded."""

    def tell() -> tuple[int, datetime]:
        letter, now = MAKERS[kind](Letters(session))
        return letter.id, now

    letter_id, now = make_story(session, ("letter", kind), tell)
    return session.get_one(Letter, letter_id), now


def _code(cast: Letters) -> tuple[Letter, datetime]:
    now = at("Mon 09:30")
    cast.do(enqueue, "code", now, to="lin@example.com", language="zh_Hans_CN", code="407261", purpose="register")
    return cast.letter("code"), now


def _already(cast: Letters) -> tuple[Letter, datetime]:
    now = at("Mon 09:30")
    cast.do(enqueue, "already_registered", now, to="lin@example.com", language="zh_Hans_CN")
    return cast.letter("already_registered"), now


def _invitation(cast: Letters) -> tuple[Letter, datetime]:
    now, to = at("Mon 09:30"), "lin@example.com"
    cast.do(people.invite_manager, cast.station_id, to, "zh_Hans_CN", now, cast.manager_id)
    invitation, letter = cast.session.scalars(select(ManagerInvitation)).one(), cast.letter("manager_invitation")
    with transactions.transaction(cast.session):  # the same in every run
        invitation.token_hash, letter.details = people.hash_token("sample"), {"token": "sample"}
    return cast.letter("manager_invitation"), now


def _staff_transfer(cast: Letters) -> tuple[Letter, datetime]:
    now, to = at("Mon 09:30"), cast.people["林晓"]
    with transactions.transaction(cast.session) as session:
        west = Station(code="west", name="金融街驿站", name_en="Financial Street station")
        session.add_all([west, Manages(person_id=to, station_id=cast.station_id, since=now)])
        session.flush()
        wish = network.TransferWish(
            str(session.get_one(Person, to).email), session.get_one(Station, cast.station_id), west, date(2026, 12, 7)
        )
        network.plan_transfers.inside(session, [wish], now, cast.manager_id)
    return cast.letter("staff_transfer", "林晓"), now


def _second_factor(cast: Letters) -> tuple[Letter, datetime]:
    now, to = at("Mon 09:30"), cast.people["林晓"]
    cast.do(enqueue, "second_factor", now, person_id=to, what="recovery", left=9)
    return cast.letter("second_factor"), now


def _confirmed(cast: Letters) -> tuple[Letter, datetime]:
    cast.book("林晓", cast.yoga, "Mon 10:00:01")
    return cast.letter("confirmed", "林晓"), at("Mon 10:00:02")


def _draw_result(cast: Letters) -> tuple[Letter, datetime]:
    told = {"what": "lost", "draw": 1, "people": 62, "capacity": 15, "rank": 22, "balls": 4, "place": 7}
    now, to = at("Mon 12:01"), cast.people["林晓"]
    for who in ("周明", "李静", "王磊", "林晓"):
        cast.book(who, cast.yoga, "Mon 10:00:01")
    cast.do(enqueue, "draw_result", now, person_id=to, slot_id=cast.yoga, **told)
    return cast.letter("draw_result", "林晓"), now


def _promoted(cast: Letters) -> tuple[Letter, datetime]:
    cast.full_tuesday()
    cast.give_up(cast.book("陈晨", cast.crafts, "Mon 10:01"), "Mon 16:00")
    return cast.letter("promoted", "林晓"), at("Mon 16:00")


def _calendar(cast: Letters) -> tuple[Letter, datetime]:
    booking = cast.book("林晓", cast.yoga, "Mon 10:00:01")
    now, to = at("Mon 10:01"), cast.people["林晓"]
    cast.do(enqueue, "calendar", now, person_id=to, slot_id=cast.yoga, booking_id=booking)
    return cast.letter("calendar"), now


def _seat_open(cast: Letters) -> tuple[Letter, datetime]:
    cast.full_tuesday()
    cast.give_up(cast.book("陈晨", cast.crafts, "Mon 10:01"), "17:10")
    return cast.letter("seat_open", "林晓"), at("17:10")


def _watch_link(cast: Letters) -> tuple[Letter, datetime]:
    cast.full_tuesday()
    cast.do(slots.set_watch_link, cast.crafts, "https://live.bilibili.com/1", ["live.bilibili.com"], at("Mon 17:00"))
    tick(cast.session, at("17:30"))
    cast.do(watch_letters.write, watch_letters.due(cast.session, at("17:30")), at("17:30"))
    return cast.letter("watch_link", "林晓"), at("17:30")


def _moved_down(cast: Letters) -> tuple[Letter, datetime]:
    cast.full_tuesday()
    cast.do(slots.set_capacity, cast.yoga, 2, at("Mon 17:00"), move_newest=True)
    return cast.letter("moved_down"), at("Mon 17:00")


def _slot_moved(cast: Letters) -> tuple[Letter, datetime]:
    cast.full_tuesday()
    studio = cast.session.scalars(select(Zone.id).where(Zone.name == "红色直播间")).one()
    cast.do(slots.move, cast.yoga, slots.Move(time(12, 30), studio), at("Mon 18:00"), cast.manager_id)
    return cast.letter("slot_moved", "林晓"), at("Mon 18:00")


def _message(cast: Letters) -> tuple[Letter, datetime]:
    cast.full_tuesday()
    text = "今天请带瑜伽垫。\n垫子送去清洗了。"
    cast.do(slots.write_to, cast.yoga, "both", text, at("10:30"), cast.manager_id)
    return cast.letter("slot_message", "林晓"), at("10:31")


def _cancelled(cast: Letters) -> tuple[Letter, datetime]:
    cast.full_tuesday()
    cast.do(slots.cancel, cast.yoga, "林老师临时生病", at("Mon 18:00"), cast.manager_id)
    return cast.letter("slot_cancelled", "林晓"), at("Mon 18:00")


def _given_up(cast: Letters) -> tuple[Letter, datetime]:
    booking = cast.book("林晓", cast.yoga, "Mon 10:00:01")
    cast.do(lambda s: s.execute(update(Letter).where(Letter.kind == "confirmed").values(state="sent")))
    cast.give_up(booking, "Mon 10:30")
    return cast.letter("booking_cancelled", "林晓"), at("Mon 10:30")


def _removed(cast: Letters) -> tuple[Letter, datetime]:
    cast.full_tuesday()
    booking = cast.book("林晓", cast.yoga, "Mon 11:00")
    cast.do(seats.remove, booking, "这一场只面向本楼的人", at("Mon 18:00"), cast.manager_id)
    return cast.letter("booking_removed", "林晓"), at("Mon 18:01")


def _strike(cast: Letters) -> tuple[Letter, datetime]:
    cast.full_tuesday()
    tick(cast.session, at("12:10"))
    cast.roll_call(cast.yoga, "12:12")
    tick(cast.session, at("12:15"))
    return cast.letter("strike", "林晓"), at("12:15")


def _attendance(cast: Letters) -> tuple[Letter, datetime]:
    cast.full_tuesday()
    for clock in ("12:10", "12:15"):
        tick(cast.session, at(clock))
    return cast.letter("attendance_missing"), at("12:15")


def _reminder(cast: Letters) -> tuple[Letter, datetime]:
    cast.full_tuesday()
    cast.do(subscriptions.want, cast.people["林晓"], "reminder", at("Mon 18:00"), wanted=True)
    cast.do(reminders.write, reminders.due(cast.session, at("11:40")), at("11:40"))
    return cast.letter("reminder", "林晓"), at("11:40")


def _worker(cast: Letters) -> tuple[Letter, datetime]:
    cast.yesterday_at_noon()
    cast.full_tuesday()
    cast.do(write_digests, "worker", at("08:30"))
    return cast.letter("worker_digest", "林晓"), at("08:30")


def _manager(cast: Letters) -> tuple[Letter, datetime]:
    cast.yesterday_at_noon()
    cast.full_tuesday()
    cast.do(lambda s: s.add(JobRun(name="promote", started_at=at("10:59"), finished_at=at("10:59"), did=0)))
    cast.do(write_digests, "manager", at("11:00"))
    return cast.letter("manager_digest"), at("11:00")


MAKERS: dict[str, Callable[[Letters], tuple[Letter, datetime]]] = dict(
    zip(
        KINDS,
        (
            _code,
            _already,
            _invitation,
            _second_factor,
            _staff_transfer,
            _confirmed,
            _promoted,
            _draw_result,
            _calendar,
            _seat_open,
            _watch_link,
            _moved_down,
            _slot_moved,
            _message,
            _cancelled,
            _given_up,
            _removed,
            _strike,
            _attendance,
            _reminder,
            _worker,
            _manager,
        ),
        strict=True,
    )
)


def said(app: Flask, session: Session, kind: str, language: str) -> rendering.Rendered:
    """The letter of a kind in words."""
    letter, now = make(session, kind)
    return worded(app, session, letter, now, language)


def worded(app: Flask, session: Session, letter: Letter, now: datetime, language: str) -> rendering.Rendered:
    """A letter in words."""
    with app.app_context():
        reader = session.get(Person, letter.person_id) if letter.person_id else None
        return rendering.render(letter.kind, context.of(session, letter, reader, now), language)
