"""Slots to come: the list, capacity, one-off slots, cancelling a slot."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from flask import render_template, request, url_for
from flask_babel import gettext, ngettext

from booking import clock, policy, slots
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Booking, Slot
from booking.queries import checkin, disclosure, draw_views, manager
from booking.slots import Resized
from booking.web import htmx
from booking.web.errors import read_id
from booking.web.forms.fields import DayField
from booking.web.forms.programme import OneOffForm
from booking.web.forms.roster import CapacityForm, HostForm, NoteForm, ReasonForm
from booking.web.i18n.formatting import station_date
from booking.web.manager import undo
from booking.web.manager.blueprint import (
    Answer,
    actor,
    changed_words,
    done,
    heard,
    labels,
    pages,
    refused_words,
    shown,
    zone_races,
)
from booking.web.manager.roster import show_slot
from booking.web.security.permissions import managed_slot, managed_station, safe_path


@pages.get("/<code>/slots")
def coming(code: str) -> Answer:
    """From today as far as slots are planned."""
    station = managed_station(code)
    today = station_date(clock.now(), station)
    last = today + timedelta(days=policy.read(station.policy).days_ahead + 1)
    found = manager.slots_between(db.session(), station.id, today, last)
    days = {day.date: day for day in manager.calendar_days(db.session(), station.id, today, last)}
    return render_template("manager/slots.html", station=station, slots=found, days=days, today=today)


@pages.route("/<code>/slots/new", methods=["GET", "POST"])
def add_slot(code: str) -> Answer:
    station = managed_station(code)
    zones, offered = manager.zones(db.session(), station.id), manager.activities(db.session(), station.id)
    form = OneOffForm.of(zones, offered, data=_asked_for())
    if form.validate_on_submit():
        with heard(form, station):
            told = (form.wish(), clock.now(), actor())
            slot = slots.add(db.session, station.id, *told, on_rest_day=form.on_rest_day.data)
            return done(gettext("这一场加上了。"), url_for(".slot", code=code, slot_id=slot.id))
    return shown("manager/slot_new.html", form, station=station, zones=zones, activities=offered)


@pages.post("/<code>/slots/<int:slot_id>/capacity")
def resize(code: str, slot_id: int) -> Answer:
    """Rule 4. A number below the booked ones is answered with the people it would move, for confirmation."""
    slot = managed_slot(code, slot_id)
    form, now = CapacityForm(), clock.now()
    if form.validate_on_submit():
        try:
            did = slots.set_capacity(
                db.session, slot_id, form.capacity.data, now, actor(), move_newest=form.move_newest.data
            )
            return _resized(slot, _what_happened(slot, did, now))
        except RuleViolation as no:
            form.blame(no, refused_words(no, slot.station))
            return _unsized(slot, form, no)
    return _unsized(slot, form, None)


@pages.post("/<code>/slots/<int:slot_id>/host")
def set_host(code: str, slot_id: int) -> Answer:
    """Set a substitute teacher; the people who have booked are told."""
    slot = managed_slot(code, slot_id)
    form = HostForm()
    if not form.validate_on_submit():
        return show_slot(slot, host=form), 422
    try:
        told = slots.set_host(db.session, slot_id, form.host.data, clock.now(), actor())
    except RuleViolation as no:
        return show_slot(slot, no, host=form), 409
    return done(changed_words(told), url_for(".slot", code=code, slot_id=slot_id))


@pages.post("/<code>/slots/<int:slot_id>/note")
def set_note(code: str, slot_id: int) -> Answer:
    """Set the line that the slot's tickets show."""
    slot = managed_slot(code, slot_id)
    form = NoteForm()
    if not form.validate_on_submit():
        return show_slot(slot, note=form), 422
    try:
        slots.set_note(db.session, slot_id, form.note.data, clock.now(), actor())
    except RuleViolation as no:
        return show_slot(slot, no, note=form), 409
    words = gettext("票上会写：%(note)s", note=form.note.data) if form.note.data else gettext("票上的提示拿掉了。")
    return done(words, url_for(".slot", code=code, slot_id=slot_id))


@pages.route("/<code>/slots/<int:slot_id>/cancel", methods=["GET", "POST"])
def cancel(code: str, slot_id: int) -> Answer:
    """A preview of who is on it and what they will be told, then the cancellation."""
    slot = managed_slot(code, slot_id)
    form = ReasonForm()
    if form.validate_on_submit():
        with heard(form, slot.station):
            told = slots.cancel(db.session, slot_id, form.reason.data, clock.now(), actor())
            return done(
                _called_off(manager.with_address(db.session(), told)), url_for(".slot", code=code, slot_id=slot_id)
            )
    roster = manager.roster(db.session(), slot)
    about = disclosure.to_staff(db.session(), slot.station, roster.people)
    draw = draw_views.awaited(db.session(), [slot], clock.now()).get(slot_id)
    return shown("manager/cancel.html", form, station=slot.station, slot=slot, roster=roster, about=about, draw=draw)


@pages.post("/<code>/slots/<int:slot_id>/bring-back")
def bring_back(code: str, slot_id: int) -> Answer:
    """Undo a cancellation made by mistake, until a letter about it is sent."""
    slot = managed_slot(code, slot_id)
    try:
        with zone_races():
            back = slots.bring_back(db.session, slot_id, clock.now(), actor())
    except RuleViolation as no:
        return show_slot(slot, no), 409
    return done(undo.happened(slot, back), url_for(".slot", code=code, slot_id=slot_id))


def _called_off(people: int) -> str:
    if not people:
        return gettext("已取消。")
    return ngettext("已取消，会通知 %(num)s 人。", "已取消，会通知 %(num)s 人。", people)


def _asked_for() -> dict[str, object]:
    """The form's initial values from the link: the day, the zone."""
    zone_id = read_id(request.args.get("zone", "")) or None
    return {"date": DayField.read(request.args.get("date", "")), "zone_id": zone_id, "minutes": 50}


def _what_happened(slot: Slot, did: Resized, now: datetime) -> str:
    if did.moved:
        names = _names(slot, did.moved)
        return gettext("名额改为 %(n)s。%(names)s 移到候补最前面，会收到邮件。", n=slot.seats, names=names)
    got = _names(slot, checkin.seated_at(db.session(), slot.id, now)) if did.seated else ""
    if did.back and got:
        return gettext(
            "名额改为 %(n)s。%(names)s 的名额还在，没发出的信撤下了；候补里 %(others)s 补上了，会收到邮件。",
            n=slot.seats,
            names=_names(slot, did.back),
            others=got,
        )
    if did.back:
        return gettext(
            "名额改回 %(n)s。%(names)s 的名额还在，没发出的信撤下了。",
            n=slot.seats,
            names=_names(slot, did.back),
        )
    if got:
        return gettext("名额改为 %(n)s。候补里 %(names)s 补上了，会收到邮件。", n=slot.seats, names=got)
    return gettext("名额改为 %(n)s。", n=slot.seats)


def _names(slot: Slot, bookings: Sequence[Booking]) -> str:
    return labels(slot.station, [booking.person for booking in bookings], slot)


def _resized(slot: Slot, sentence: str) -> Answer:
    if htmx.aims_at("slot_row"):
        return render_template("manager/_slot_row.html", slot=slot, station=slot.station, said=sentence)
    here = url_for(".slot", code=slot.station.code, slot_id=slot.id)
    return done(sentence, safe_path(request.form.get("back"), here))


def _unsized(slot: Slot, form: CapacityForm, no: RuleViolation | None) -> Answer:
    """The same page again, with the sentence at the field, and the choice where there is one."""
    details = no.details if no else {}
    moving = checkin.newest(db.session(), slot.id, details["excess"]) if details.get("can_move") else ()
    if htmx.aims_at("slot_row"):
        about = disclosure.to_staff(db.session(), slot.station, [booking.person for booking in moving])
        context = {"slot": slot, "station": slot.station, "form": form, "moving": moving, "about": about}
        return render_template("manager/_slot_row.html", **context), 422
    return show_slot(slot, form=form, moving=moving), 422
