"""Station map: where the nearest stations lie around the reader, as dots on rings, without tiles from anywhere."""

import math
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from booking import datum
from booking.datum import Position
from booking.model import Station
from booking.web.i18n.formatting import local

MIDDLE, EDGE = 170, 140  # of a square of 340; the outermost ring
RIM = 157  # where those stand that are farther away
FARTHEST = 2.0  # km
DEGREE = 111.195  # km
APART = 19  # two dots whose numbers can be read
NUDGES = 60


class Dot(NamedTuple):
    """A numbered station on the map; `far` ones stand on the rim, in their direction."""

    number: int
    x: float
    y: float
    far: bool


def _radius(km: float) -> float:
    """The nearer, the larger the scale: most are near, and their numbers need room."""
    return EDGE * math.sqrt(km / FARTHEST) if km <= FARTHEST else RIM


# Kilometres, and the radius of the ring.
RINGS = tuple((km, round(_radius(km))) for km in (0.5, 1, 2))


def dots(here: Position, stations: Sequence[Station]) -> list[Dot]:
    """The stations around a position, with those that lie on one another moved apart; north is up."""
    ways = [_way(here, station) for station in stations]
    places = [[math.sin(angle) * _radius(km), -math.cos(angle) * _radius(km)] for km, angle in ways]
    for _ in range(NUDGES):
        if not _nudge(places):
            break
    found = zip(ways, places, strict=True)
    return [
        Dot(number, round(MIDDLE + x, 1), round(MIDDLE + y, 1), km > FARTHEST)
        for number, ((km, _angle), (x, y)) in enumerate(found, start=1)
    ]


def link(station: Station) -> str:
    """The station's address on Amap, whose maps are in GCJ-02."""
    latitude, longitude = datum.wgs_to_gcj((station.latitude or 0, station.longitude or 0))
    asked = {"position": f"{longitude:.6f},{latitude:.6f}", "name": local(station, "name")}
    return f"https://uri.amap.com/marker?{urlencode(asked)}"


def _way(here: Position, station: Station) -> tuple[float, float]:
    """Kilometres, and the angle from north."""
    north = ((station.latitude or 0) - here[0]) * DEGREE
    east = ((station.longitude or 0) - here[1]) * DEGREE * math.cos(math.radians(here[0]))
    return math.hypot(north, east), math.atan2(east, north)


def _nudge(places: list[list[float]]) -> bool:
    """Push each two dots that overlap half of the way apart, and all out of the middle; whether any moved."""
    moved = False
    for place, one in enumerate(places):
        for other in [[0.0, 0.0], *places[:place]]:
            gap = math.hypot(one[0] - other[0], one[1] - other[1])
            if gap >= APART - 0.5:
                continue
            angle = math.atan2(one[1] - other[1], one[0] - other[0]) if gap else 2.4 * place
            push = (APART - gap) / 2
            for dot, sign in ((one, 1), (other, -1)):
                dot[0] += sign * push * math.cos(angle)
                dot[1] += sign * push * math.sin(angle)
            moved = True
        if (out := math.hypot(*one)) > RIM:
            one[0], one[1] = one[0] * RIM / out, one[1] * RIM / out
    return moved
