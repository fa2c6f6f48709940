"""Proof form: the days of a proof of attendance."""

from datetime import date
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import Field
from wtforms.validators import ValidationError

from booking.web.forms.fields import DayField, Form, needed


class ProofForm(Form):
    """From one day to another."""

    blames = {"proof_too_old": "first", "proof_limit": "first"}
    first = DayField(_("从"), [needed])
    last = DayField(_("到"), [needed])

    def validate_last(self, field: Field) -> None:
        if self.first.data and field.data and field.data < self.first.data:
            raise ValidationError(gettext("结束的那天早于开始的那天，请核对。"))

    @classmethod
    def showing(cls, first: date, last: date, **options: Any) -> "ProofForm":
        return cls(data={"first": first, "last": last}, **options)
