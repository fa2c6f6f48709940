"""Datum: coordinates in degrees between WGS-84 (GPS), GCJ-02 (maps of China) and BD-09 (Baidu). We store WGS-84.

In China the three lie 300 to 1,300 m apart. The formulas are those that everybody uses; no authority has published them.
"""

import math
from collections.abc import Callable

Position = tuple[float, float]  # latitude, longitude

DATUMS = ("WGS-84", "GCJ-02", "BD-09")
_AXIS, _ECCENTRICITY = 6378245.0, 0.00669342162296594323  # of Krasovsky's ellipsoid; the second is squared
_SOUTH, _NORTH, _WEST, _EAST = 0.8293, 55.8271, 72.004, 137.8347
_BAIDU = (0.006, 0.0065)
_CLOSE = 1e-9  # degrees: a tenth of a millimetre
_STEPS = 20


def to_wgs(position: Position, datum: str) -> Position:
    """A position that is given in one of `DATUMS`, in WGS-84; outside China it is the same."""
    if datum == "WGS-84" or not in_china(position):
        return position
    return _solved(position, wgs_to_gcj if datum == "GCJ-02" else _wgs_to_bd)


def in_china(position: Position) -> bool:
    """Whether it lies in the rectangle within which maps are shifted."""
    return _SOUTH <= position[0] <= _NORTH and _WEST <= position[1] <= _EAST


def wgs_to_gcj(position: Position) -> Position:
    """As maps of China show a position in WGS-84."""
    if not in_china(position):
        return position
    latitude, longitude = position
    north, east = _shift(longitude - 105, latitude - 35)
    flat = 1 - _ECCENTRICITY * math.sin(math.radians(latitude)) ** 2
    per_radian_north = _AXIS * (1 - _ECCENTRICITY) / flat**1.5
    per_radian_east = _AXIS / math.sqrt(flat) * math.cos(math.radians(latitude))
    return latitude + math.degrees(north / per_radian_north), longitude + math.degrees(east / per_radian_east)


def _wgs_to_bd(position: Position) -> Position:
    latitude, longitude = wgs_to_gcj(position)
    angle = math.atan2(latitude, longitude) + 3e-6 * math.cos(math.radians(longitude) * 3000)
    length = math.hypot(latitude, longitude) + 2e-5 * math.sin(math.radians(latitude) * 3000)
    return length * math.sin(angle) + _BAIDU[0], length * math.cos(angle) + _BAIDU[1]


def _shift(x: float, y: float) -> Position:
    """Metres to the north and to the east, from degrees east and north of 35° N 105° E."""
    shared = _waves(x, (20, 6), (20, 2))
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    return (
        north + shared + _waves(y, (20, 1), (40, 1 / 3), (160, 1 / 12), (320, 1 / 30)),
        east + shared + _waves(x, (20, 1), (40, 1 / 3), (150, 1 / 12), (300, 1 / 30)),
    )


def _waves(at: float, *waves: tuple[float, float]) -> float:
    return sum(size * math.sin(at * often * math.pi) for size, often in waves) * 2 / 3


def _solved(wanted: Position, shifted: Callable[[Position], Position]) -> Position:
    """The position that is shifted to `wanted`. The shift hardly changes within its own length, so a few steps do."""
    found = wanted
    for _ in range(_STEPS):
        there = shifted(found)
        off = wanted[0] - there[0], wanted[1] - there[1]
        found = found[0] + off[0], found[1] + off[1]
        if max(map(abs, off)) < _CLOSE:
            break
    return found
