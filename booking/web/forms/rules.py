"""Validators and fields shared by the forms of all audiences."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import Field, PasswordField
from wtforms.validators import InputRequired, StopValidation, ValidationError

from booking.errors import RuleViolation
from booking.web.forms.fields import Form, LineField, PlainField
from booking.web.i18n import formatting

__all__ = ["Filled", "Form", "LineField", "PlainField", "Ruled", "Secret", "heard", "say"]


class Ruled:
    """A validator that calls a business rule: its refusal is shown at the field."""

    def __init__(self, rule: Callable[[str], Any]) -> None:
        self.rule = rule

    def __call__(self, _form: Any, field: Field) -> None:
        if not field.data:
            return
        try:
            self.rule(field.data)
        except RuleViolation as no:
            raise ValidationError(formatting.reason(no)) from no


class Filled(InputRequired):
    """Required, and not only spaces."""

    def __call__(self, form: Any, field: Field) -> None:
        super().__call__(form, field)
        if isinstance(field.data, str) and not field.data.strip():
            field.errors = []
            raise StopValidation(self.message or _("请填写。"))


class Secret(PasswordField):
    """A password: never trimmed, never shown again."""

    data: str

    def __init__(self, label: Any, validators: list[Any] | None = None, **options: Any) -> None:
        super().__init__(label, validators, filters=[lambda text: text or ""], **options)


def say(field: Field, no: RuleViolation) -> None:
    """Show a refusal from inside the transaction at the field it is about."""
    field.errors = [*field.errors, formatting.reason(no)]


@contextmanager
def heard(form: Form, where: formatting.HasZoneName | None = None) -> Iterator[None]:
    """Show a rule's refusal in the form, its instants by the clock of `where`; the view goes on to render it."""
    try:
        yield
    except RuleViolation as no:
        form.blame(no, formatting.reason(no, where))
