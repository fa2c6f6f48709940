"""Station row: what one row of a sheet says of a station, and how its cells are read."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from booking import people, sanitise
from booking.datum import DATUMS, Position
from booking.errors import RuleViolation
from booking.sanitise import name_key

MOST_STATIONS = 5_000  # rows of a sheet
MOST_MANAGERS, MOST_ZONES = 10, 50  # of one row
ZONE_NAME, ZONE_CAPACITY = 40, 1000
_BETWEEN = re.compile(r"[;；\n]+")
_BETWEEN_ADDRESSES = re.compile(r"[;；,，、\s]+")
_SIZE = r"(\d{1,6})\s*(?:人|people)?"
# A comma separates zones only after a number of people: 1、2号厅 is one name.
_COMMA = re.compile(rf"([:：]\s*{_SIZE}|[(（]\s*{_SIZE}\s*[)）]|\d\s*人)\s*[,，、]")
# 健身区:20, 健身区(20), 健身区20人; B120人 may be either.
_ZONE = re.compile(rf"(.+?)\s*(?:[:：]\s*{_SIZE}|[(（]\s*{_SIZE}\s*[)）]|(?<![A-Za-z0-9])(\d{{1,6}})\s*人)")
_DATUMS = {
    **{re.sub(r"\W", "", name).lower(): name for name in DATUMS},
    **dict.fromkeys(("gps", "wgs", "地球"), "WGS-84"),
    **dict.fromkeys(("gcj", "高德", "腾讯", "amap", "火星"), "GCJ-02"),
    **dict.fromkeys(("bd", "百度", "baidu"), "BD-09"),
}


@dataclass(frozen=True)
class SheetRow:
    """A row by its number in the sheet. What is empty stays as it is at a station that is there.

    `position` is in WGS-84; `zones` are names with capacities; `model` the code of the station that a new one is like.
    """

    number: int
    code: str
    name: str
    centre: str
    name_en: str = ""
    address: str = ""
    address_en: str = ""
    position: Position | None = None
    managers: tuple[str, ...] = ()
    zones: tuple[tuple[str, int], ...] = ()
    model: str = ""

    @property
    def capacities(self) -> dict[str, int]:
        return {name_key(name): capacity for name, capacity in self.zones}

    def stored(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "SheetRow":
        """From what `stored` gave."""
        position, zones = stored["position"], tuple((name, capacity) for name, capacity in stored["zones"])
        told = {
            "position": tuple(position) if position else None,
            "zones": zones,
            "managers": tuple(stored["managers"]),
        }
        return cls(**{**stored, **told})


def read_datum(text: str) -> str:
    """One of `DATUMS`, as people write it. Raises `bad_datum`."""
    typed = re.sub(r"[\W_]", "", sanitise.plain(text)).lower()
    found = _DATUMS.get(typed) or _DATUMS.get(typed.removesuffix("坐标系").removesuffix("坐标"))
    if not found:
        raise RuleViolation("bad_datum")
    return found


def read_managers(text: str) -> tuple[str, ...]:
    """E-mail addresses in one cell. Raises `bad_manager_address`, `too_many_managers`."""
    found = []
    for typed in filter(None, _BETWEEN_ADDRESSES.split(text.strip())):
        try:
            found.append(people.clean_email(typed))
        except RuleViolation as no:
            raise RuleViolation("bad_manager_address", address=typed[:60]) from no
    if len(found) > MOST_MANAGERS:
        raise RuleViolation("too_many_managers", limit=MOST_MANAGERS)
    return tuple(dict.fromkeys(found))


def read_zones(text: str) -> tuple[tuple[str, int], ...]:
    """Zones with their capacities in one cell: `健身区:20；会议室:16`. Raises `bad_zones`, `zone_twice`."""
    found = []
    for typed in filter(None, map(str.strip, _BETWEEN.split(_COMMA.sub(r"\1;", text)))):
        zone = _ZONE.fullmatch(sanitise.one_line(typed))
        name, *sizes = zone.groups("") if zone else ("", "0")
        capacity = int("".join(sizes))
        if not name or len(name) > ZONE_NAME or not 1 <= capacity <= ZONE_CAPACITY:
            raise RuleViolation("bad_zones", typed=typed[:40], most=ZONE_CAPACITY)
        found.append((name, capacity))
    if len(found) > MOST_ZONES or len({name_key(name) for name, _ in found}) < len(found):
        raise RuleViolation("zone_twice", limit=MOST_ZONES)
    return tuple(found)
