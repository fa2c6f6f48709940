"""Tickets: a worker's QR ticket on the manager's phone: its status in large letters, and one button."""

from dataclasses import dataclass
from datetime import datetime

from flask import render_template
from flask_babel import gettext

from booking import clock, seats
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Booking, Station
from booking.queries import my_bookings
from booking.web.i18n.formatting import clock_time, day_date, next_step, station_date
from booking.web.manager.blueprint import Answer, actor, pages, refused_words
from booking.web.security.permissions import checkin_station, may_check_in


@dataclass(frozen=True)
class Reply:
    """What the page says. `act` is the one action that its button does, or empty."""

    tone: str
    title: str
    text: str = ""
    act: str = ""
    code: str = ""


@pages.get("/<code>/tickets/<ticket>")
def ticket(code: str, ticket: str) -> Answer:
    station = checkin_station(code)
    booking = find(station, ticket)
    if booking is None:
        return _page(station, None, unknown()), 404
    return _page(station, booking, answer(booking, clock.now()))


@pages.post("/<code>/tickets/<ticket>")
def use_ticket(code: str, ticket: str) -> Answer:
    """Do what the page offered: check in, put on standby, or check in again after a release."""
    station = checkin_station(code)
    booking = find(station, ticket)
    if booking is None:
        return _page(station, None, unknown()), 404
    try:
        used = seats.admit(db.session, booking.id, clock.now(), actor())
    except RuleViolation as no:
        reply = Reply("no", refused_words(no, station), next_step(no), code=no.reason)
        return _page(station, booking, reply), 409
    return _page(station, used, answer(used, clock.now()))


def find(station: Station, ticket: str) -> Booking | None:
    """The ticket's booking; after a cancellation the one that the person has there instead."""
    found = my_bookings.by_ticket(db.session(), station.id, ticket)
    return found and (seats.live_booking(db.session(), found.slot_id, found.person_id) or found)


def _page(station: Station, booking: Booking | None, reply: Reply) -> str:
    """To a door helper a ticket of another day is only that."""
    seen = booking if booking and may_check_in(booking.slot) else None
    return render_template("manager/ticket.html", station=station, booking=seen, reply=reply)


def answer(booking: Booking, now: datetime) -> Reply:
    """The status of a ticket of this station."""
    slot, station = booking.slot, booking.slot.station
    if slot.state == "cancelled":
        return Reply("no", gettext("这一场取消了"), slot.cancel_reason or "", code="cancelled")
    if now >= slot.ends_at:
        return Reply("no", gettext("这一场已经结束"), code="over")
    if station_date(now, station) != slot.date:
        return Reply(
            "no", gettext("不是今天的票"), gettext("这张票是%(day)s的。", day=day_date(slot.date)), code="wrong_day"
        )
    if booking.state == "attended":
        at = clock_time(booking.checked_in_at or now, station)
        return Reply("good", gettext("已经签到"), gettext("%(time)s 签到的。", time=at), code="already_in")
    if now < slot.checkin_from:
        at = clock_time(slot.checkin_from, station)
        return Reply("wait", gettext("来早了"), gettext("%(time)s 起签到。", time=at), code="too_early")
    return _at_the_door(booking, now)


def _at_the_door(booking: Booking, now: datetime) -> Reply:
    slot = booking.slot
    if booking.state == "booked":
        return Reply("good", gettext("欢迎"), act="check_in", code="welcome")
    if booking.state == "waiting" and booking.standby_at:
        return Reply("wait", gettext("已在现场候补"), gettext("有名额空出来会按到场顺序给。"), code="standby")
    free = now >= slot.first_come_from and slot.free > 0
    if booking.state == "waiting":
        return Reply("wait", gettext("在候补，还没有名额"), act="seat" if free else "stand_by", code="waiting")
    gone = {
        "released": gettext("名额已经释放"),
        "unrecorded": gettext("这一场没有人登记到场"),
        "cancelled": gettext("这个预约取消了"),
        "expired": gettext("候补没有等到"),
    }
    if free:
        more = (
            gettext("还有空位，可以补上，不记爽约。")
            if booking.state == "released"
            else gettext("还有空位，可以补上。")
        )
        return Reply("wait", gone[booking.state], more, act="seat", code="seat_free")
    return Reply("no", gone[booking.state], gettext("没有空位了，可以在现场候补。"), act="stand_by", code="no_seat")


def unknown() -> Reply:
    return Reply("no", gettext("没有这张票"), gettext("它不是本站的，或者地址不完整。"), code="unknown")
