"""Spreadsheet rows as forms: each cell is validated by the same field as on the page, so each rule exists once."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask_babel import force_locale, gettext, lazy_gettext
from werkzeug.datastructures import MultiDict

from booking.errors import RuleViolation
from booking.model import LANGUAGES, Activity, Zone
from booking.parsing import dates, numbers, times, weekdays
from booking.sanitise import name_key
from booking.spreadsheets import Layout, Remark, Sheet, lay_out
from booking.web.forms.fields import MISSING, NOT_A_CHOICE, DayField, Form
from booking.web.forms.other_heads import OTHER_HEADS
from booking.web.forms.programme import ALLOCATION_WORDS, KIND_WORDS, ActivityForm, PlanForm

# In the order of the form; what is English stands last.
COLUMNS = {
    "activities": sorted(
        (name for name in ActivityForm.labels() if name not in ("picture", "same_host")),
        key=lambda n: n.endswith("_en"),
    ),
    # How seats are given stands last: sheets from before have no such columns.
    "plans": sorted(
        (name for name in PlanForm.labels() if not name.startswith(("opens_", "value_"))),
        key=lambda n: n in ("allocation", "draw_share"),
    ),
}
REQUIRED = {"activities": 2, "plans": 7}  # how many of them, from the left
BY_THE_TIME = "minutes"  # a head that may be missing where the times say until when, 12:10-13:00
FORMS: dict[str, type[Form]] = {"activities": ActivityForm, "plans": PlanForm}
YES = {"是", "开", "也开", "要", "对", "有", "y", "yes", "true", "1", "√", "✓", "✔"}
NO = {"", "否", "不", "不开", "不要", "没有", "无", "n", "no", "false", "0", "×", "x", "-", "—"}
BROKEN = lazy_gettext("这一格是公式的错误，或者公式还没有算出来。请改成文字或数字。")
HOLDS = re.compile(r"\s*\((最多|up to)\s*\d+\s*(人|people)?\)$")  # what the page's list says after a zone's name


@dataclass(frozen=True)
class Wrong:
    """An error, with the number of the row as a spreadsheet shows it, and its column's header."""

    row: int
    column: str
    typed: str
    sentence: str


@dataclass
class Row:
    """One row as a form; `cells` is what was typed, by field; `faults` are sentences about cells that no form can read."""

    number: int
    form: Any
    cells: dict[str, str]
    faults: dict[str, str] = field(default_factory=dict)

    def is_valid(self) -> bool:
        return bool(self.form.validate()) and not self.faults

    def wrongs(self) -> list[Wrong]:
        errors = {name: self._in_sheet(name, str(found[0])) for name, found in self.form.errors.items() if name}
        named = [
            Wrong(self.number, str(self.form[name].label.text), self.cells.get(name, ""), sentence)
            for name, sentence in (errors | self.faults).items()
        ]
        return [*named, *(Wrong(self.number, "", "", str(sentence)) for sentence in self.form.form_errors)]

    def _in_sheet(self, name: str, sentence: str) -> str:
        """A sheet has no list to choose from."""
        if sentence != str(NOT_A_CHOICE):
            return sentence
        return gettext("没有这一项，请核对写法。") if self.cells.get(name) else str(MISSING)


def heads(kind: str) -> list[str]:
    """The column headers of the sheet, in the reader's language."""
    form = FORMS[kind](formdata=None, meta={"csrf": False})
    return [str(form[name].label.text) for name in COLUMNS[kind]]


def find(kind: str, sheets: Sequence[Sheet]) -> Layout:
    """The table under the headers of this kind, which may be in any language."""
    known: dict[str, str] = {}
    for language in LANGUAGES:
        with force_locale(language):
            known |= dict(zip(heads(kind), COLUMNS[kind], strict=True))
    required = dict(zip(COLUMNS[kind], heads(kind), strict=True))
    needed = {name: required[name] for name in COLUMNS[kind][: REQUIRED[kind]]}
    try:
        return lay_out(sheets, known, needed, also=OTHER_HEADS[kind])
    except RuleViolation as no:
        if no.details.get("missing") != needed.pop(BY_THE_TIME, ""):
            raise
    return lay_out(sheets, known, needed, also=OTHER_HEADS[kind])


def read(kind: str, layout: Layout, activities: Sequence[Activity], zones: Sequence[Zone], today: date) -> list[Row]:
    """The rows under the headers; a date without a year is the next such day from `today` on."""
    words = _words(kind, activities, zones)
    meta = {"csrf": False, "today": today}
    rows = []
    for number, typed in layout.rows.items():
        sent: MultiDict[str, str] = MultiDict()
        for name, text in typed.items():
            sent.setlist(name, words[name](text) if name in words else [text])
        if kind == "activities":
            sent["picture"] = "default"
        form: Any = FORMS[kind](formdata=sent, meta=meta)
        if kind == "plans":
            _until_when(sent, typed)
            form = PlanForm.of(zones, activities, formdata=sent, meta=meta)
        rows.append(Row(number, form, typed, dict(_faults(number, typed, layout))))
    return rows


def remarks(rows: Sequence[Row]) -> Iterator[Remark]:
    """What is worth saying about rows that are right: guessed years, weekends on which nothing runs."""
    for row in rows:
        for name, typed in row.cells.items():
            if isinstance(row.form[name], DayField) and row.form[name].data and dates.lacks_year(typed):
                yield Remark("next_such_day", row.number, {"typed": typed, "date": row.form[name].data.isoformat()})
        if (
            "weekdays" in row.cells
            and {"6", "7"} & set(row.form.weekdays.data or ())
            and not row.form.on_rest_days.data
        ):
            yield Remark("weekends_off", row.number)


def _until_when(sent: MultiDict[str, str], typed: Mapping[str, str]) -> None:
    """A time as 12:10-13:00 is a start, and says for how long where no other cell does."""
    if span := times.read_span(typed.get("starts", "")):
        sent["starts"] = f"{span[0]:%H:%M}"
        sent.setdefault(BY_THE_TIME, "")
        sent[BY_THE_TIME] = sent[BY_THE_TIME] or str(span[1])


def _faults(number: int, typed: Mapping[str, str], layout: Layout) -> Iterator[tuple[str, str]]:
    for name, text in typed.items():
        if (number, name) in layout.broken:
            yield name, str(BROKEN)
        elif name == BY_THE_TIME and (span := times.read_span(typed.get("starts", ""))):
            if text and numbers.read_minutes(text) not in (None, span[1]):
                yield name, gettext("开始那一格写的是 %(minutes)s 分钟，请核对。", minutes=span[1])
        elif name == "on_rest_days" and numbers.folded(text) not in YES | NO:
            yield name, gettext("请写“是”，或者留空。")


def _words(
    kind: str, activities: Sequence[Activity], zones: Sequence[Zone]
) -> Mapping[str, Callable[[str], list[str]]]:
    """Converts a cell to what the page's field would send."""
    if kind == "activities":
        return {"kind": _by_words(_in_both(KIND_WORDS))}
    by_allocation = _by_words(_in_both(ALLOCATION_WORDS))
    by_zone = _by_words({one.name: str(one.id) for one in zones})
    return {
        "activity_id": _by_words({one.title: str(one.id) for one in activities}),
        "zone_id": lambda text: by_zone(
            HOLDS.sub("", numbers.folded(text)) if HOLDS.search(numbers.folded(text)) else text
        ),
        "weekdays": _weekdays,
        "allocation": lambda text: by_allocation(text) if text else ["first"],
        "draw_share": _percent,
        "on_rest_days": lambda text: ["y"] if numbers.folded(text) in YES else [],
    }


def _by_words(known: Mapping[str, str]) -> Callable[[str], list[str]]:
    """By the exact word, then by the first that differs only in width, case and spaces."""
    keys: dict[str, str] = {}
    for word, value in known.items():
        keys.setdefault(name_key(word), value)
    return lambda text: [known.get(text) or keys.get(name_key(text), text and f"?{text}")]


def _in_both(words: Mapping[str, Any]) -> dict[str, str]:
    known = {code: code for code in words}
    for language in LANGUAGES:
        with force_locale(language):
            known |= {str(word): code for code, word in words.items()}
    return known


def _percent(text: str) -> list[str]:
    """70 of 70, 70% and 0.7, as a spreadsheet stores a percentage."""
    typed = numbers.folded(text)
    return [f"{float(typed) * 100:g}" if re.fullmatch(r"0?\.[0-9]{1,4}", typed) else typed.removesuffix("%")]


def _weekdays(text: str) -> list[str]:
    """All the days, or a value that the field refuses."""
    return list(weekdays.read(text) or ([f"?{text}"] if text else []))
