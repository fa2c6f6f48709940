"""Station rows: a sheet of stations as forms, one a row, with the labels of the page as its heads, and back as a table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from flask_babel import force_locale
from flask_babel import lazy_gettext as _
from werkzeug.datastructures import MultiDict
from wtforms import ValidationError

from booking import network, stations
from booking.datum import Position, to_wgs
from booking.model import LANGUAGES, Node, Station, Zone
from booking.network import MOST_STATIONS, SheetRow, WrongCell
from booking.spreadsheets import Layout, Sheet, Table, lay_out
from booking.web.forms.admin import CODE, PlaceForm
from booking.web.forms.fields import CodeField, PlainField
from booking.web.forms.other_heads import OTHER_HEADS
from booking.web.forms.rows import BROKEN, Row, Wrong
from booking.web.forms.rules import Filled, LineField, Ruled
from booking.web.i18n import formatting

COLUMNS = (
    "code",
    "name",
    "name_en",
    "centre",
    "address",
    "address_en",
    "position",
    "datum",
    "managers",
    "zones",
    "model",
)
TEXTS = ("code", "name", "centre", "name_en", "address", "address_en", "model")
REQUIRED = ("code", "name", "centre")
DECIMALS = 7  # of a degree: a centimetre


class StationRowForm(PlaceForm):
    """One row."""

    code = CodeField(_("代码"), CODE)
    centre = CodeField(_("中心代码"), [Filled(_("请填写中心代码。"))])
    datum = PlainField(_("坐标系"), [Ruled(network.read_datum)])
    managers = LineField(_("管理员邮箱"), [Ruled(network.read_managers)])
    zones = LineField(_("场地（名称:人数）"), [Ruled(network.read_zones)])
    model = CodeField(_("样板驿站代码"))

    def validate_datum(self, field: PlainField) -> None:
        if self.position.data and not field.data:
            raise ValidationError(_("写了坐标，就要写坐标系：WGS-84、GCJ-02 或 BD-09。差错会有几百米。"))

    def row(self, number: int) -> SheetRow:
        """What a valid row says."""
        return SheetRow(
            number,
            **{name: getattr(self, name).data or "" for name in TEXTS},
            position=self._place(),
            managers=network.read_managers(self.managers.data or ""),
            zones=network.read_zones(self.zones.data or ""),
        )

    def _place(self) -> Position | None:
        """In WGS-84."""
        typed = stations.read_position(self.position.data or "")
        if typed is None:
            return None
        north, east = to_wgs(typed, network.read_datum(self.datum.data or ""))
        return round(north, DECIMALS), round(east, DECIMALS)


def heads() -> list[str]:
    """The column headers in the reader's language."""
    form = StationRowForm(formdata=None, meta={"csrf": False})
    return [str(form[name].label.text) for name in COLUMNS]


def find(sheets: Sequence[Sheet]) -> Layout:
    """The table under these headers, which may be in any language."""
    known: dict[str, str] = {}
    for language in LANGUAGES:
        with force_locale(language):
            known |= dict(zip(heads(), COLUMNS, strict=True))
    here = dict(zip(COLUMNS, heads(), strict=True))
    return lay_out(sheets, known, {name: here[name] for name in REQUIRED}, MOST_STATIONS, also=OTHER_HEADS["stations"])


def read(layout: Layout) -> tuple[list[SheetRow], list[Wrong]]:
    """The rows that are right, and every error of the others."""
    rows, wrongs = [], []
    for number, typed in layout.rows.items():
        form = StationRowForm(formdata=MultiDict(typed), meta={"csrf": False})
        faults = {name: str(BROKEN) for broken, name in layout.broken if broken == number}
        row = Row(number, form, typed, faults)
        if row.is_valid():
            rows.append(form.row(number))
        else:
            wrongs += row.wrongs()
    return rows, wrongs


def in_sentences(wrongs: Iterable[WrongCell], rows: Iterable[SheetRow]) -> Iterator[Wrong]:
    """The rules' refusals as errors by row and column."""
    labels, typed = dict(zip(COLUMNS, heads(), strict=True)), {row.number: row for row in rows}
    for number, field, no in wrongs:
        told = getattr(typed[number], field)
        text = told if isinstance(told, str) else "; ".join(f"{name}:{size}" for name, size in told)
        yield Wrong(number, labels[field], text, formatting.reason(no))


def table(
    name: str,
    found: Sequence[Station],
    centres: Mapping[int, Node],
    zones: Mapping[int, Sequence[Zone]],
    managers: Mapping[int, set[str]],
) -> Table:
    """The stations as a sheet that can be edited and imported again."""
    rows = []
    for one in found:
        there = "；".join(f"{zone.name}:{zone.capacity}" for zone in zones.get(one.id, ()))
        place = (one.position, "WGS-84" if one.position else "")
        names = (one.code, one.name, one.name_en, centres[one.centre_id or 0].code, one.address, one.address_en)
        rows.append([*names, *place, "；".join(sorted(managers.get(one.id, ()))), there, ""])
    return Table(name, heads(), rows)
