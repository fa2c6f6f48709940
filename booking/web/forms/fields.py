"""Form fields that accept what people really type: full-width digits, stray spaces, pasted control characters."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from typing import Any, TypeVar, cast

from flask import request
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    Field,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # the stubs are those of 3.2
from wtforms.fields.core import UnboundField
from wtforms.validators import StopValidation, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget, TextInput

from booking import clock, sanitise
from booking.errors import RuleViolation
from booking.parsing import dates, numbers, times
from booking.sanitise import plain

T = TypeVar("T")
MISSING = _("这一项要填。")
NOT_A_NUMBER = _("请填一个整数，比如 15。")
NOT_A_CHOICE = _("请从列表里选一项。")
EARLIEST_YEAR, FARTHEST_YEARS = 2020, 3
# What people write where a date may be left out because there is no end.
NO_END = {
    "长期",
    "长期有效",
    "一直",
    "不限",
    "永久",
    "无",
    "没有",
    "none",
    "ongoing",
    "open",
    "no end",
    "-",
    "--",
    "—",
    "——",
    "/",
}


class Form(FlaskForm):  # type: ignore[misc]
    """A form that can show a rule's refusal at a field. `blames` maps reason codes to field names."""

    blames: dict[str, str] = {}

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """Reads form fields only: a JSON body is not what a page sends."""

        today: date | None = None  # where a date without a year is counted from; by default the country's today

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            if formdata is None or hasattr(formdata, "getlist"):
                return formdata
            return request.form if form.is_submitted() else None

    def blame(self, no: RuleViolation, sentence: str) -> None:
        """Add the sentence to the fields that the refusal names, or that the reason is about, or to the form."""
        names = str(no.details.get("fields") or self.blames.get(no.reason, "")).split()
        blamed = [name for name in names if name in self]
        for name in blamed:
            self[name].errors = [*self[name].errors, self.sentence_at(name) or sentence]
        if not blamed:
            self.form_errors.append(sentence)

    def sentence_at(self, _name: str) -> str:
        """What the form itself says of a refused field; empty for the refusal's own sentence."""
        return ""

    def fill(self, row: T) -> T:
        """The row, with each of its columns that the form has a field for."""
        self.populate_obj(row)
        return row

    def make(self, kind: type[T], **others: Any) -> T:
        """A dataclass of that kind, from the fields of the same names and these others."""
        typed = {one.name: self[one.name].data for one in fields(cast(Any, kind)) if one.name in self}
        return kind(**typed, **others)

    @classmethod
    def labels(cls) -> dict[str, Any]:
        """The label of each field, by name, in the order of the form."""
        unbound = {name: field for name in dir(cls) if isinstance(field := getattr(cls, name), UnboundField)}
        return {name: unbound[name].args[0] for name in sorted(unbound, key=lambda n: unbound[n].creation_counter)}


class Number(IntegerField):
    """A whole number, as people write it: 15, １５, 15人."""

    data: Any
    widget = TextInput()
    read: numbers.Reader = staticmethod(numbers.read)

    def __init__(self, label: Any = None, validators: Any = None, **options: Any) -> None:
        options["render_kw"] = {"inputmode": "numeric", "autocomplete": "off"} | options.get("render_kw", {})
        super().__init__(label, validators, **options)

    def process_formdata(self, valuelist: list[str]) -> None:
        text = plain(valuelist[0]) if valuelist else ""
        self.data = self.read(text)
        if text and self.data is None:
            raise ValueError(str(NOT_A_NUMBER))


class Minutes(Number):
    """A duration in minutes: 50, 50分钟, 1小时."""

    read = staticmethod(numbers.read_minutes)


class DayField(DateField):
    """A date, as people write it, in a plausible year. With `open_ended`, 长期 is no date."""

    data: Any

    def __init__(self, *args: Any, open_ended: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self.open_ended = open_ended

    @staticmethod
    def read(text: str, today: date | None = None) -> date | None:
        """The date in a text; None for anything else."""
        when = dates.read(text, today or country_today())
        return when if when and EARLIEST_YEAR <= when.year <= clock.now().year + FARTHEST_YEARS else None

    def process_formdata(self, valuelist: list[str]) -> None:
        text = plain(valuelist[0]) if valuelist else ""
        today = self.meta.today or country_today()
        self.data = self.read(text, today)
        if not text or self.data is not None or (self.open_ended and text.casefold() in NO_END):
            return
        if when := dates.contradicts(text, today):
            raise ValueError(gettext("%(date)s 不是写的那个星期几，请核对。", date=when.isoformat()))
        raise ValueError(gettext("请填一个三年以内的日期，比如 %(example)s。", example=f"{clock.now():%Y-%m-%d}"))


class WallTime(TimeField):
    """A wall time, as people write it: 12:10, 12点10分, 下午1:30."""

    data: Any

    def process_formdata(self, valuelist: list[str]) -> None:
        text = plain(valuelist[0]) if valuelist else ""
        self.data = times.read(text)
        if text and self.data is None:
            raise ValueError(gettext("请填一个时间，比如 12:10。"))


class LineField(StringField):
    """One line of text, sanitised."""

    data: Any

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = sanitise.one_line(valuelist[0]) if valuelist else ""


class PlainField(LineField):
    """A value that is typed or pasted, and read by a rule: an address, a number, a code."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = plain(valuelist[0]) if valuelist else ""


class CodeField(PlainField):
    """The code of a station or a node that is there: however a phone or an office writes it, codes are lower case."""

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata(valuelist)
        self.data = self.data.casefold()


class Prose(TextAreaField):
    """Some lines of text."""

    data: Any

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = sanitise.lines(valuelist[0]) if valuelist else ""


class PickField(SelectField):
    """One of a list; another station's id is not in it."""

    def __init__(self, label: Any = None, validators: Any = None, **settings: Any) -> None:
        words = {"invalid_value_message": NOT_A_CHOICE, "invalid_choice_message": NOT_A_CHOICE}
        super().__init__(label, validators, **words, **settings)


class Ticks(SelectMultipleField):
    """Some of a list, as check boxes."""

    data: Any
    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def populate_obj(self, obj: Any, name: str) -> None:
        """A column holds them as one text, "135"."""
        setattr(obj, name, "".join(sorted(set(self.data))))

    def __init__(self, label: Any = None, validators: Any = None, **settings: Any) -> None:
        words = {"invalid_value_message": NOT_A_CHOICE, "invalid_choice_message": NOT_A_CHOICE}
        super().__init__(label, validators, **words, **settings)


def options(words: Mapping[Any, Any]) -> list[Any]:
    """The choices of a list: value and label."""
    return [SelectChoice(value, label) for value, label in words.items()]


def needed(_form: Any, field: Field) -> None:
    """A validator: a value is required. Parsing errors have been reported already."""
    if field.errors:
        raise StopValidation
    if field.data is None or field.data in ("", []):
        raise StopValidation(str(MISSING))


def maybe(_form: Any, field: Field) -> None:
    """A validator: the field may be empty."""
    if not field.errors and (field.data is None or field.data in ("", [])):
        raise StopValidation


class Between:
    """A validator: a number from `low` to `high`."""

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high

    def __call__(self, _form: Any, field: Field) -> None:
        if field.data is not None and not self.low <= field.data <= self.high:
            raise ValidationError(gettext("请填 %(low)s 到 %(high)s 之间的数。", low=self.low, high=self.high))


class Short:
    """A validator: at most `limit` characters, which the browser is told too."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.field_flags = {"maxlength": limit}

    def __call__(self, _form: Any, field: Field) -> None:
        if len(field.data or "") > self.limit:
            raise ValidationError(gettext("最多 %(limit)s 个字。", limit=self.limit))


def country_today() -> date:
    return clock.at_station(clock.now(), clock.COUNTRY_ZONE).date()
