"""Touch forms: what is scanned or typed at the door screen."""

from flask_babel import lazy_gettext as _

from booking.web.forms.fields import Form, LineField, Short, needed


class TypedForm(Form):
    """A ticket as a scanner types it, or its six digits. No limit here: what is no ticket is told so."""

    typed = LineField(_("票，或者票下面的六位数字"))


class DoorNameForm(Form):
    """The name of somebody without a phone, for the staff."""

    blames = {"name_missing": "name", "too_long": "name", "looks_like_advert": "name", "too_many_names": "name"}
    name = LineField(_("你的称呼"), [needed, Short(40)])
