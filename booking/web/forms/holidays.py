"""Holiday forms: the file of a notice as an admin uploads it, and the same notice as they confirm it."""

from flask import request
from flask_babel import lazy_gettext as _
from wtforms import Field, FileField
from wtforms.widgets import HiddenInput

from booking.errors import RuleViolation
from booking.web.forms.fields import LineField
from booking.web.forms.rules import Form, say
from booking.workdays import HolidayNotice, holiday_file


class _NoticeForm(Form):
    """Reads a notice from the request; errors are shown at the field."""

    file: Field

    def content(self) -> bytes:
        raise NotImplementedError

    def notice(self) -> HolidayNotice | None:
        try:
            return holiday_file.read(self.content())
        except RuleViolation as no:
            say(self.file, no)
            return None


class HolidayFileForm(_NoticeForm):
    """Upload of a file."""

    file = FileField(_("放假安排文件"), description=_("holiday-cn 格式的 JSON，最大 60 KB，例如 2027.json。"))

    def content(self) -> bytes:
        sent = request.files.get(self.file.name)
        content = sent.read(holiday_file.LARGEST + 1) if sent else b""
        if not content:
            raise RuleViolation("calendar_missing")
        return content


class HolidayConfirmForm(_NoticeForm):
    """The previewed notice, sent again and validated like any file. `shown` is the fingerprint of the preview."""

    file = LineField(widget=HiddenInput())
    shown = LineField(widget=HiddenInput())

    def content(self) -> bytes:
        return (self.file.data or "").encode("utf-8", "replace")
