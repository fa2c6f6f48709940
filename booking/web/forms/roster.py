"""Roster forms: changes of one slot and its check-in: capacity, reasons, walk-ins."""

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, RadioField
from wtforms.validators import AnyOf, Regexp

from booking.web.forms.fields import Between, Form, LineField, Number, PlainField, Prose, Short, maybe, needed, options


class CapacityForm(Form):
    """A new number of seats; `move_newest` is the consent that rule 4 requires."""

    blames = {"zone_max": "capacity", "below_booked": "capacity", "over": "capacity"}
    capacity = Number(_("名额"), [needed, Between(1, 1000)])
    move_newest = BooleanField()


class HostForm(Form):
    """Who teaches one slot; empty is the activity's own teacher."""

    host = LineField(_("老师"), [maybe, Short(40)])


class NoteForm(Form):
    """What the tickets of one slot say beside its time and place."""

    note = LineField(_("票上的提示"), [maybe, Short(120)])


class ReasonForm(Form):
    """The reason, which everybody concerned reads."""

    blames = {"reason_missing": "reason", "over": "reason"}
    reason = LineField(_("原因"), [needed, Short(200)])


class MessageForm(Form):
    """A letter to everybody on a slot, or to those with a seat, or to those who wait."""

    blames = {"nobody_to_write": "audience"}
    audience = RadioField(
        _("写给"),
        choices=options({"booked": _("有名额的人"), "waiting": _("候补的人"), "both": _("所有人")}),
        default="booked",
    )
    text = Prose(_("写什么"), [needed, Short(500)])


class TapForm(Form):
    """One tap on the roster, or one scanned ticket; `age` is how many milliseconds ago it was, `owner` who was signed in
    then. A ticket may be expected for one `slot`, and "admit" does what its reply offered."""

    booking = Number(validators=[maybe])
    ticket = LineField(validators=[maybe, Regexp(r"[0-9A-Za-z_-]{8,40}\Z")])
    slot = Number(validators=[maybe])
    act = LineField(validators=[needed, AnyOf(("in", "out", "admit"))])
    age = Number(validators=[needed, Between(0, 999_999_999)])
    nonce = LineField(validators=[needed, Regexp(r"[0-9A-Za-z-]{8,40}\Z")])
    owner = Number(validators=[maybe])
    after = LineField(validators=[maybe, Regexp(r"[0-9A-Za-z-]{8,40}\Z")])

    def validate(self, extra_validators: object = None) -> bool:
        of_roster = self.booking.data is not None and self.act.data != "admit"
        return bool(super().validate(extra_validators)) and (of_roster or bool(self.ticket.data))


class DoorHelperForm(Form):
    """Who helps at the door today, by the e-mail address of their account."""

    blames = {"no_account": "email", "disabled_account": "email", "manages_already": "email"}
    email = PlainField(_("对方账号的邮箱"), [needed, Short(254)])


class WalkInForm(Form):
    """A person without a booking: one of the people found, or a guest with just a name."""

    blames = {"name_missing": "name", "too_long": "name", "looks_like_advert": "name"}
    person_id = Number(validators=[maybe])
    name = LineField(_("名字"), [maybe, Short(40)])

    def validate(self, extra_validators: object = None) -> bool:
        good = bool(super().validate(extra_validators))
        if good and self.person_id.data is None:
            needed_name = bool(self.name.data)
            self.name.errors = [] if needed_name else [str(_("请填名字，或者从找到的人里选一位。"))]
            return needed_name
        return good
