"""Slot message: the form with its readers counted, and today's messages with a way to take them back."""

from flask import url_for
from flask_babel import gettext, ngettext

from booking import clock, slots
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Slot
from booking.slots import messages
from booking.web.forms.roster import MessageForm
from booking.web.manager.blueprint import Answer, actor, done, heard, pages, refused_words, shown
from booking.web.security.permissions import managed_slot


@pages.route("/<code>/slots/<int:slot_id>/message", methods=["GET", "POST"])
def write_message(code: str, slot_id: int) -> Answer:
    """Write to everybody on the slot: booked, waiting or both."""
    slot, form = managed_slot(code, slot_id), MessageForm()
    if form.validate_on_submit():
        with heard(form, slot.station):
            text, to = form.text.data, form.audience.data
            people = slots.write_to(db.session, slot_id, to, text, clock.now(), actor())
            return done(_written(people), url_for(".write_message", code=code, slot_id=slot_id))
    return _shown(slot, form)


@pages.post("/<code>/slots/<int:slot_id>/message/<int:event_id>/withdraw")
def withdraw_message(code: str, slot_id: int, event_id: int) -> Answer:
    """Take a message back that nobody has been sent yet."""
    slot = managed_slot(code, slot_id)
    try:
        slots.withdraw_message(db.session, slot_id, event_id, clock.now(), actor())
    except RuleViolation as no:
        form = MessageForm(formdata=None)
        form.form_errors.append(refused_words(no, slot.station))
        return _shown(slot, form)[0], 409
    return done(gettext("撤回了，没有人收到。"), url_for(".write_message", code=code, slot_id=slot_id))


def _written(people: int) -> str:
    return ngettext("信写好了，会发给 %(num)s 人。", "信写好了，会发给 %(num)s 人。", people)


def _shown(slot: Slot, form: MessageForm) -> tuple[str, int]:
    session = db.session()
    return shown(
        "manager/message.html",
        form,
        station=slot.station,
        slot=slot,
        counts={name: len(messages.reached(session, slot.id, name)) for name in messages.AUDIENCES},
        sent=messages.today(session, slot, clock.now()),
        most=messages.MOST_A_DAY,
    )
