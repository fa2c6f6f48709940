"""Roster of one slot: seats, check-in, standby, walk-ins, and forgiving strikes afterwards."""

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any

from flask import make_response, render_template, url_for
from flask_babel import gettext, ngettext
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock, people, seats, slots
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Booking, Slot
from booking.queries import activity_ratings, checkin, disclosure, door_names, draw_views, manager, watch_links
from booking.queries.folding import fold
from booking.sanitise import plain
from booking.web import htmx
from booking.web.forms.roster import CapacityForm, HostForm, NoteForm, ReasonForm, WalkInForm
from booking.web.forms.watch_link import WatchLinkForm
from booking.web.manager import undo
from booking.web.manager.blueprint import (
    Answer,
    actor,
    done,
    heard,
    labels,
    pages,
    refused_words,
    shown,
    sought,
    sought_email,
)
from booking.web.security.permissions import checkin_booking, checkin_slot, managed_booking, managed_slot


@pages.get("/<code>/slots/<int:slot_id>")
def slot(code: str, slot_id: int) -> Answer:
    """The roster: the page, or its fragment for polling."""
    found = checkin_slot(code, slot_id)
    if not htmx.asked():
        page = make_response(show_slot(found))
        page.headers["Kept-For"] = str(current_user.sign_in_id)
        return page
    now, opened = clock.now(), watch_links.opened(db.session(), slot_id)
    at_door = door_names.mark(db.session(), found.station_id, now)
    moment = f"{found.state_at(now)}-{now >= found.checkin_from}"
    draw = draw_views.awaited(db.session(), [found], now).get(slot_id)
    moment += f"-{draw.people}-{draw.phase}" if draw else ""
    tag = f"{checkin.last_event(db.session(), slot_id)}-{moment}-{opened}-{sought()}-{at_door}"
    return htmx.fresh(hashlib.sha256(tag.encode()).hexdigest()[:16], lambda: show_slot(found, draw=draw))


@pages.get("/<code>/slots/<int:slot_id>/print")
def print_roster(code: str, slot_id: int) -> Answer:
    found = managed_slot(code, slot_id)
    roster = manager.roster(db.session(), found)
    about = disclosure.to_staff(db.session(), found.station, roster.people)
    return render_template("manager/roster_print.html", station=found.station, slot=found, roster=roster, about=about)


@pages.post("/<code>/bookings/<int:booking_id>/check-in")
def check_in(code: str, booking_id: int) -> Answer:
    return _tap(checkin_booking(code, booking_id), seats.check_in)


@pages.post("/<code>/bookings/<int:booking_id>/undo")
def undo_check_in(code: str, booking_id: int) -> Answer:
    return _tap(checkin_booking(code, booking_id), seats.undo_check_in)


@pages.post("/<code>/slots/<int:slot_id>/walk-in")
def walk_in(code: str, slot_id: int) -> Answer:
    """Seat a person who has arrived."""
    act = partial(seats.walk_in, db.session, slot_id)
    return _let_in(checkin_slot(code, slot_id), act, partial(people.admit_guest, standby=False))


@pages.post("/<code>/slots/<int:slot_id>/stand-by")
def stand_by(code: str, slot_id: int) -> Answer:
    """Put a person who has arrived on standby."""
    return _let_in(checkin_slot(code, slot_id), _stand_by(slot_id), partial(people.admit_guest, standby=True))


@pages.post("/<code>/bookings/<int:booking_id>/not-here")
def undo_stand_by(code: str, booking_id: int) -> Answer:
    """Take back that somebody who waits has arrived."""
    booking = checkin_booking(code, booking_id)
    act = partial(seats.undo_stand_by, db.session, booking_id, clock.now(), actor())
    return _acted(booking.slot, act, was="standby")


@pages.post("/<code>/slots/<int:slot_id>/reserve")
def reserve(code: str, slot_id: int) -> Answer:
    """Give a named person a seat before check-in opens."""
    act = partial(seats.reserve, db.session, slot_id)
    return _let_in(managed_slot(code, slot_id), act, people.reserve_for_guest, was="reserved")


@pages.route("/<code>/bookings/<int:booking_id>/remove", methods=["GET", "POST"])
def remove(code: str, booking_id: int) -> Answer:
    """Take one person off the slot: what they will be told, then the removal."""
    booking = managed_booking(code, booking_id)
    slot, form = booking.slot, ReasonForm()
    name = labels(slot.station, [booking.person], slot)
    if form.validate_on_submit():
        with heard(form, slot.station):
            seats.remove(db.session, booking_id, form.reason.data, clock.now(), actor())
            return done(gettext("移除了 %(name)s。", name=name), url_for(".slot", code=code, slot_id=slot.id))
    return shown("manager/remove.html", form, station=slot.station, slot=slot, booking=booking, name=name)


@pages.post("/<code>/bookings/<int:booking_id>/put-back")
def put_back(code: str, booking_id: int) -> Answer:
    """Undo a removal, until its letter is sent."""
    booking = managed_booking(code, booking_id)
    slot = booking.slot
    try:
        seats.put_back(db.session, booking_id, clock.now(), actor())
    except RuleViolation as no:
        return show_slot(slot, no), 409
    sentence = gettext("%(name)s 恢复了，没有收到信。", name=labels(slot.station, [booking.person], slot))
    return done(sentence, url_for(".slot", code=code, slot_id=slot.id))


@pages.route("/<code>/slots/<int:slot_id>/forgive", methods=["GET", "POST"])
def forgive_slot(code: str, slot_id: int) -> Answer:
    """Forgive all strikes of the slot at once: the lift broke down."""
    found = managed_slot(code, slot_id)
    form = ReasonForm()
    if form.validate_on_submit():
        with heard(form, found.station):
            count = people.forgive_slot(db.session, slot_id, clock.now(), actor(), form.reason.data)
            sentence = ngettext("免除了 %(num)s 次爽约。", "免除了 %(num)s 次爽约。", count)
            return done(sentence, url_for(".slot", code=code, slot_id=slot_id))
    strikes = manager.strikes_of_slot(db.session(), slot_id)
    struck = manager.people(db.session(), {strike.person_id for strike in strikes if not strike.forgiven_at})
    about = disclosure.to_staff(db.session(), found.station, struck)
    return shown("manager/forgive.html", form, station=found.station, slot=found, people=struck, about=about)


def show_slot(
    slot: Slot,
    no: RuleViolation | None = None,
    form: Any = None,
    moving: Any = (),
    guest: Any = None,
    host: Any = None,
    note: Any = None,
    watching: Any = None,
    draw: draw_views.Awaited | None = None,
) -> str:
    """The slot's page, or only its roster where htmx will replace just that."""
    template = "manager/_desk.html" if htmx.asked() else "manager/slot.html"
    session = db.session()
    roster = manager.roster(session, slot)
    found = checkin.find_people(session, slot, sought(), sought_email(), clock.now())
    watch = watch_links.watch_of(session, slot.id)
    runs = current_user.manages(slot.station_id)
    arrivals = door_names.waiting(session, slot.station, clock.now()) if _is_today(slot) else []
    named = [booking.person for one in arrivals for booking in one.bookings]
    return render_template(
        template,
        station=slot.station,
        runs=runs,
        answers=activity_ratings.of_slot(session, slot.id) if runs and clock.now() >= slot.ends_at else None,
        slot=slot,
        roster=roster,
        absent=roster.absent,
        strikes=[strike for strike in manager.strikes_of_slot(session, slot.id) if not strike.forgiven_at],
        sought=sought(),
        suggested=_guest_name(),
        about=disclosure.to_staff(session, slot.station, [*roster.people, *found.people, *named], found.strangers),
        found=found,
        form=form or CapacityForm(formdata=None, data={"capacity": slot.seats}),
        host=host or HostForm(formdata=None, data={"host": slot.host}),
        note=note or NoteForm(formdata=None, data={"note": slot.note}),
        draw=draw or draw_views.awaited(session, [slot], clock.now()).get(slot.id),
        watch=watch,
        watching=watching or WatchLinkForm.of(watch),
        guest=guest or WalkInForm(formdata=None),
        moving=moving,
        no=no,
        sentence=refused_words(no, slot.station) if no else "",
        undo=undo.of(slot),
        removed=seats.may_put_back(session, slot, clock.now()),
        vouched=slots.may_take_back(db.session(), slot),
        arrivals=arrivals,
    )


def _is_today(slot: Slot) -> bool:
    """Whether those who came without a phone are shown here."""
    return slot.date == clock.at_station(clock.now(), slot.station.zone_name).date()


def _guest_name() -> str:
    """What was sought, where it can be a name: no address, no number."""
    text = plain(sought())
    return "" if "@" in text or fold(text).isdigit() else sought()


def _tap(booking: Booking, verb: Callable[..., Booking]) -> Answer:
    return _acted(booking.slot, lambda: verb(db.session, booking.id, clock.now(), actor()), was=booking.state)


def _stand_by(slot_id: int) -> Callable[..., Booking]:
    def stand_by(person_id: int, *when_and_who: Any) -> Booking:
        return seats.stand_by(db.session, person_id, slot_id, *when_and_who)

    return stand_by


def _let_in(slot: Slot, by_id: Callable[..., Booking], by_name: Callable[..., Booking], was: str = "") -> Answer:
    """Do this for a person found by the search, or for a guest with just a name."""
    form = WalkInForm()
    person_id = form.person_id.data
    if not form.validate_on_submit():
        return show_slot(slot, guest=form), 422
    if person_id and not checkin.may_be_seated(db.session(), slot, person_id, sought_email(), clock.now()):
        return show_slot(slot, RuleViolation("no_such_person")), 404

    def let_in() -> Booking:
        if person_id:
            return by_id(person_id, clock.now(), actor())
        return by_name(db.session, form.name.data, slot.id, clock.now(), actor())

    return _acted(slot, let_in, form, was)


def _acted(slot: Slot, act: Callable[[], Booking], form: WalkInForm | None = None, was: str = "") -> Answer:
    """Run the action, then show the roster again: the fragment for htmx, the page for everybody else."""
    try:
        booking = act()
    except RuleViolation as no:
        if form and no.reason in form.blames:
            form.blame(no, refused_words(no, slot.station))
            return show_slot(slot, guest=form), 422
        return show_slot(slot, no, guest=form), 409
    if htmx.asked():
        return show_slot(slot)
    return _told(slot, booking, was)


def _told(slot: Slot, booking: Booking, was: str) -> Response:
    """`was` is the state before, reserved, or standby: undoing a check-in that was none has changed nothing."""
    name = labels(slot.station, [booking.person], slot)
    back = url_for(".slot", code=slot.station.code, slot_id=slot.id)
    if was == "standby":
        return done(_not_here(booking, name), back)
    words = {
        "attended": gettext("%(name)s 已签到。", name=name),
        "booked": gettext("给 %(name)s 留了名额。", name=name)
        if was == "reserved"
        else gettext("%(name)s 的签到撤销了。", name=name),
        "waiting": gettext("%(name)s 在现场候补。", name=name),
        "cancelled": gettext("%(name)s 的名额空出来了。", name=name),
        "released": gettext("%(name)s 的签到撤销了，名额照旧释放。", name=name),
    }
    idle = booking.state not in words or (booking.state == was and was != "attended")
    sentence = gettext("%(name)s 没有签到，不用撤销。", name=name) if idle else words[booking.state]
    return done(sentence, back)


def _not_here(booking: Booking, name: str) -> str:
    """What became of somebody on standby who was not there."""
    if booking.state == "waiting":
        return gettext("%(name)s 还没到，候补的位次照旧。", name=name)
    if booking.end_reason == "standby_undone":
        return gettext("%(name)s 不在现场候补里了。", name=name)
    return gettext("%(name)s 已经不在现场候补里，什么也没有改变。", name=name)
