"""Rating forms: one of three faces, and a line for who wants to say more."""

from flask_babel import lazy_gettext as _
from wtforms import RadioField
from wtforms.validators import AnyOf, DataRequired

from booking.web.forms.fields import MISSING, Form, LineField, Short, maybe, needed, options

FACES = {"good": _("好"), "fine": _("一般"), "poor": _("不好")}
ICONS = {"good": "smile", "fine": "meh", "poor": "frown"}
WHO_READS = _("最多 100 字。给驿站看，不写名字；这个活动满五份评价后才看得到。")
LONGEST = 100


class VisitRatingForm(Form):
    """How a visit was."""

    face = RadioField(_("这一次怎么样"), [DataRequired(MISSING), AnyOf(FACES)], choices=options(FACES))
    line = LineField(_("想说一句（可以不填）"), [maybe, Short(LONGEST)], description=WHO_READS)


class VisitLineForm(Form):
    """A line, after the face was given."""

    blames = {"line_given": "line", "visit_rating_late": "line"}
    line = LineField(_("想说一句（可以不填）"), [needed, Short(LONGEST)], description=WHO_READS)
