"""Watch link form: whether a slot can also be watched online, and where."""

from typing import Any, Self

from flask import current_app
from flask_babel import lazy_gettext as _
from wtforms import BooleanField
from wtforms.validators import ValidationError

from booking import slots
from booking.errors import RuleViolation
from booking.queries.watch_links import Watched
from booking.web.forms.fields import Form, PlainField, Short, maybe
from booking.web.i18n import formatting

HYBRID = _("线上线下：也可以在线看")
LONGEST = 300


def leads_there(_form: Any, field: PlainField) -> None:
    """A validator: the rule about links, its sentence at the field."""
    try:
        slots.check_link(field.data, current_app.config["WATCH_HOSTS"])
    except RuleViolation as no:
        raise ValidationError(formatting.reason(no)) from no


def watch_url_field() -> PlainField:
    return PlainField(
        _("在线看的链接"),
        [maybe, Short(LONGEST), leads_there],
        description=_("会议或直播间的 https 网址。可以先不填，开始前补上。"),
        render_kw={"inputmode": "url", "autocomplete": "off"},
    )


class WatchLinkForm(Form):
    """The link of one slot. A new link says by itself that the slot can be watched online."""

    hybrid = BooleanField(HYBRID)
    watch_url = watch_url_field()

    @classmethod
    def of(cls, watch: Watched | None) -> Self:
        """As the slot is now."""
        return cls(formdata=None, data={"hybrid": watch is not None, "watch_url": watch.url if watch else ""})

    def wish(self, known: str) -> str | None:
        """The link that is wanted; None for none, and for a slot that is not to be watched online any more."""
        typed: str = self.watch_url.data or ""
        return typed if self.hybrid.data or (typed and typed != known) else None
