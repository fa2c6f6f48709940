"""Forms: every field of every form cleans what is typed or pasted into it."""

import datetime as dt
import importlib
import pkgutil
from typing import Any

import pytest
from flask import Flask
from flask_wtf import FlaskForm
from wtforms import BooleanField, FileField, RadioField
from wtforms.fields.core import UnboundField

from booking.web import forms
from booking.web.forms.fields import (
    CodeField,
    DayField,
    LineField,
    Minutes,
    Number,
    PickField,
    PlainField,
    Prose,
    Ticks,
    WallTime,
)
from booking.web.forms.rules import Secret

pytestmark = pytest.mark.sqlite

# What is in each text field, by its name in whatever form: `text` keeps its characters, `value` is typed or pasted and
# read by a rule, `prose` has line breaks. A new field has to be entered here.
KINDS: dict[type[Any], set[str]] = {
    LineField: {
        "text",
        *(
            "category",
            "grade",
            "managers",
            "zones",
        ),
        *("name", "name_en", "title", "title_en", "address", "address_en", "company", "host", "host_en", "reason"),
        *("bring", "bring_en", "suits", "suits_en", "note", "value_source", "passed_to", "their_no", "line"),
        *("act", "nonce", "after", "file", "shown", "ticket"),  # written by our own pages
        "typed",
    },
    CodeField: {"centre", "code", "joins", "leaves", "model", "node", "station"},
    PlainField: {
        "datum",
        "email",
        "code",
        "mailed_code",
        "phone",
        "position",
        "zone_name",
        "value",
        "watch_url",
        "again",
    },
    Prose: {"text", "text_en", "answer"},
    Number: {
        *(
            "city_day_seats",
            "city_waiting_entries",
            "city_week_seats",
        ),
        *("capacity", "opens_workdays_before", "person_id", "booking", "slot", "age", "owner"),
        *("days_ahead", "seats_a_day", "waiting_entries", "strikes_to_pause", "strike_days", "pause_days"),
        *("warning_days", "wishes", "most_balls", "newcomer_balls", "draw_share"),
        *("answer_workdays", "end_workdays"),
    },
    Minutes: {"minutes", "draw_minutes", "free_minutes", "line_minutes", "checkin_minutes", "grace_minutes"},
    DayField: {*("on_date",), "date", "since", "valid_from", "valid_until", "first", "last"},
    WallTime: {"starts", "opens_at", "opens_clock", "value_clock"},
    Secret: {"password", "old"},
}
CHOSEN = (PickField, Ticks, BooleanField, RadioField, FileField)

# What is pasted, and what is kept of it. Passwords are kept as they are.
AROUND = ("\ufeff\u202a\u3000", "\u00a0\u2060\u202c\u200f\n")
DIRTY = {
    LineField: [("Ａ\u200bb\u00a0\u3000 c", "Ａb c"), ("王\U00031350\u2066·\u2069李", "王\U00031350·李")],
    PlainField: [
        ("Ａ\u200bb\u00a0\u3000 c", "Ab c"),
        ("１３８–００１３‑８０００", "138-0013-8000"),
        ("a＠b．c", "a@b.c"),
    ],
    CodeField: [(" ＣＢＤ\u200b-1 ", "cbd-1")],
    Prose: [("Ａ\u200bb\r\n\u2060c\u00a0d\r\r", "Ａb\nc d")],
    Number: [("１\u200b５", 15), ("15\u00a0人", 15)],
    Minutes: [("５\u200b０", 50), ("1\u00a0小时", 60)],
    DayField: [("２０２６–１２–０７", dt.date(2026, 12, 7)), ("2026\u200b.12.7", dt.date(2026, 12, 7))],
    WallTime: [("１２：１０", dt.time(12, 10)), ("12\u200b点10分", dt.time(12, 10))],
    Secret: [],
}


def every_form(of: type[Any] = FlaskForm) -> list[type[Any]]:
    for module in pkgutil.iter_modules(forms.__path__):
        importlib.import_module(f"{forms.__name__}.{module.name}")
    found = [form for below in of.__subclasses__() for form in (below, *every_form(below))]
    return [form for form in found if form.__module__.startswith("booking.web.forms.")]


def fields_of(form: type[Any]) -> dict[str, type[Any]]:
    unbound = {name: getattr(form, name) for name in dir(form)}
    return {name: field.field_class for name, field in unbound.items() if isinstance(field, UnboundField)}


def test_every_field_is_of_the_kind_that_its_content_needs() -> None:
    assert len(every_form()) > 20
    found = {(name, kind) for form in every_form() for name, kind in fields_of(form).items() if kind not in CHOSEN}
    assert {(name, kind.__name__) for name, kind in found} == {
        (name, kind.__name__) for kind, names in KINDS.items() for name in names
    }


@pytest.mark.parametrize("form", every_form(), ids=lambda form: form.__name__)
def test_every_field_cleans_what_is_pasted(app: Flask, form: type[Any]) -> None:
    for name, kind in fields_of(form).items():
        for typed, kept in DIRTY.get(kind, ()):
            pasted = typed.join(AROUND)
            with app.test_request_context(method="POST", data={name: pasted}):
                assert form()[name].data == kept, (name, pasted)


def test_a_password_is_kept_as_it_is_typed(app: Flask) -> None:
    typed = "\u00a0Ａ１\u200b "
    for form in every_form():
        for name, kind in fields_of(form).items():
            if kind is Secret:
                with app.test_request_context(method="POST", data={name: typed}):
                    assert form()[name].data == typed
