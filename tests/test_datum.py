"""Coordinates between WGS-84, GCJ-02 and BD-09, against numbers of two libraries that we do not use."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking import datum
from booking.datum import Position, to_wgs, wgs_to_gcj

# WGS-84, then GCJ-02 and BD-09 as prcoords 1.0.2 and coord-convert 0.2.1 (PyPI) both give them, computed once.
# eviltransform 0.1.1 uses another ellipsoid and agrees to 11 mm.
VECTORS = {
    "国贸": ((39.9087, 116.4605), (39.910031370255815, 116.46664759768524), (39.91569967151644, 116.47325066063641)),
    "上海人民广场": (
        (31.2304, 121.4737),
        (31.22845773757727, 121.47822305927693),
        (31.234310593689997, 121.484781468503),
    ),
    "广州塔": ((23.1066, 113.3245), (23.10399820620719, 113.32992121689368), (23.10970363984651, 113.3364770263633)),
    "拉萨": ((29.6525, 91.1721), (29.649710609548677, 91.1735673822567), (29.655764414353268, 91.18006012319674)),
    "乌鲁木齐": ((43.8256, 87.6168), (43.82680539311119, 87.61964994946926), (43.83294979479328, 87.62609977081571)),
    "哈尔滨": ((45.8038, 126.535), (45.80578152514843, 126.54104035015793), (45.81139582294028, 126.54765921413988)),
    "西沙": ((16.834, 112.338), (16.832369052265097, 112.3429110001745), (16.838494238255954, 112.34941231131494)),
}
ABROAD = [(35.68, 139.69), (0.5, 110.0), (60.0, 100.0), (48.8566, 2.3522), (-33.9, 151.2), (40.7, -74.0)]


def metres(one: Position, other: Position) -> float:
    north, east = one[0] - other[0], (one[1] - other[1]) * math.cos(math.radians(one[0]))
    return math.hypot(north, east) * 111_195


@pytest.mark.parametrize("place", VECTORS)
def test_two_libraries_give_the_same_numbers(place: str) -> None:
    wgs, gcj, bd = VECTORS[place]
    assert metres(wgs_to_gcj(wgs), gcj) < 0.001
    assert metres(to_wgs(gcj, "GCJ-02"), wgs) < 0.001
    assert metres(to_wgs(bd, "BD-09"), wgs) < 0.001
    assert to_wgs(wgs, "WGS-84") == wgs


def test_taken_for_another_datum_a_station_would_stand_a_block_away() -> None:
    for wgs, gcj, bd in VECTORS.values():
        assert 250 < metres(wgs, gcj) < 800
        assert 500 < metres(gcj, bd) < 1_000


# A kilometre or so within the rectangle's edge, at which the shift begins at once.
@given(st.floats(0.85, 55.8), st.floats(72.03, 137.8))
def test_there_and_back_is_less_than_a_metre(latitude: float, longitude: float) -> None:
    wgs = (latitude, longitude)
    assert metres(to_wgs(wgs_to_gcj(wgs), "GCJ-02"), wgs) < 1
    for name in ("GCJ-02", "BD-09"):
        assert metres(to_wgs(wgs, name), wgs) < 2_500


@pytest.mark.parametrize("place", ABROAD)
def test_outside_china_nothing_is_shifted(place: Position) -> None:
    assert {to_wgs(place, name) for name in datum.DATUMS} | {wgs_to_gcj(place)} == {place}
