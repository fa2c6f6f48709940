"""Spreadsheet rows as forms: each cell is validated by the same field as on the page, so each rule exists once."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import force_locale, gettext
from werkzeug.datastructures import MultiDict

from booking.errors import RuleViolation
from booking.model import LANGUAGES, Activity, Zone
from booking.sanitise import plain
from booking.web.forms.fields import Form
from booking.web.forms.programme import KIND_WORDS, WEEKDAYS, ActivityForm, PlanForm

# In the order of the form; what is English stands last.
COLUMNS = {
    "activities": sorted(
        (name for name in ActivityForm.labels() if name != "picture"), key=lambda n: n.endswith("_en")
    ),
    "plans": [name for name in PlanForm.labels() if not name.startswith(("opens_", "on_"))],
}
FORMS: dict[str, type[Form]] = {"activities": ActivityForm, "plans": PlanForm}
CHINESE_DAYS = {name: str(number) for number, name in enumerate("一二三四五六日", start=1)} | {"天": "7"}


@dataclass(frozen=True)
class Wrong:
    """An error, with the row of the sheet (the headers are row 1) and its column's header."""

    row: int
    column: str
    typed: str
    sentence: str


@dataclass
class Row:
    """One row as a form; `cells` is what was typed, by field."""

    number: int
    form: Any
    cells: dict[str, str]

    def wrongs(self) -> list[Wrong]:
        named = [
            Wrong(self.number, str(self.form[name].label.text), self.cells.get(name, ""), str(errors[0]))
            for name, errors in self.form.errors.items()
            if name
        ]
        return [*named, *(Wrong(self.number, "", "", str(sentence)) for sentence in self.form.form_errors)]


def heads(kind: str) -> list[str]:
    """The column headers of the sheet, in the reader's language."""
    form = FORMS[kind](formdata=None, meta={"csrf": False})
    return [str(form[name].label.text) for name in COLUMNS[kind]]


def read(kind: str, cells: Sequence[Sequence[str]], activities: Sequence[Activity], zones: Sequence[Zone]) -> list[Row]:
    """The rows under the headers. Raises `bad_heads` when a required column is missing."""
    names = _names(kind, cells[0] if cells else ())
    words = _words(kind, activities, zones)
    rows = []
    for number, row in enumerate(cells[1:], start=2):
        typed = {name: text for name, text in zip(names, row, strict=False) if name}
        sent: MultiDict[str, str] = MultiDict()
        for name, text in typed.items():
            sent.setlist(name, words.get(name, _as_typed)(text))
        if kind == "activities":
            sent["picture"] = "default"
        form: Any = FORMS[kind](formdata=sent, meta={"csrf": False})
        if kind == "plans":
            form = PlanForm.of(zones, activities, formdata=sent, meta={"csrf": False})
        rows.append(Row(number, form, typed))
    return rows


def _names(kind: str, found: Sequence[str]) -> list[str]:
    """The field of each column; "" for an unknown one."""
    known: dict[str, str] = {}
    for language in LANGUAGES:
        with force_locale(language):
            known |= {_key(head): name for head, name in zip(heads(kind), COLUMNS[kind], strict=True)}
    names = [known.get(_key(head), "") for head in found]
    missing = [name for name in COLUMNS[kind][: 2 if kind == "activities" else 7] if name not in names]
    if missing:
        labels = dict(zip(COLUMNS[kind], heads(kind), strict=True))
        raise RuleViolation("bad_heads", missing=gettext("、").join(labels[name] for name in missing))
    return names


def _words(
    kind: str, activities: Sequence[Activity], zones: Sequence[Zone]
) -> Mapping[str, Callable[[str], list[str]]]:
    """Converts a cell to what the page's field would send."""
    if kind == "activities":
        return {"kind": _by_words(_in_both(KIND_WORDS))}
    return {
        "activity_id": _by_words({_key(one.title): str(one.id) for one in activities}),
        "zone_id": _by_words({_key(one.name): str(one.id) for one in zones}),
        "weekdays": _weekdays,
    }


def _by_words(known: Mapping[str, str]) -> Callable[[str], list[str]]:
    return lambda text: [known.get(_key(text), text and f"?{text}")]


def _as_typed(text: str) -> list[str]:
    return [text.replace("/", "-") if re.fullmatch(r"\d{4}/\d{1,2}/\d{1,2}", plain(text)) else text]


def _in_both(words: Mapping[str, Any]) -> dict[str, str]:
    known = {_key(code): code for code in words}
    for language in LANGUAGES:
        with force_locale(language):
            known |= {_key(str(word)): code for code, word in words.items()}
    return known


def _weekdays(text: str) -> list[str]:
    """周一、周三 · 一三五 · 135 · Mon Wed: all the days, or a value that the field refuses."""
    known = _in_both(WEEKDAYS)
    known |= {word[:3]: day for word, day in known.items() if word.isascii()}
    parts = [part for part in re.split(r"[\s,，、;；/]+", plain(text)) if part]
    if parts and all(_key(part) in known for part in parts):
        return [known[_key(part)] for part in parts]
    days = [CHINESE_DAYS.get(letter, letter) for letter in re.sub(r"[周星期\s,，、;；/]", "", plain(text))]
    return days if all(day in WEEKDAYS for day in days) else [f"?{text}"]


def _key(text: str) -> str:
    return plain(text).casefold()
