"""The cast of a network: 北京, its two districts, their three centres and six stations, two in each centre.

bj 北京市
  chaoyang 朝阳区
    cbd-centre CBD 中心: guomao 国贸驿站, guanghua 光华路驿站
    wangjing-centre 望京中心: wangjing 望京驿站, jiuxianqiao 酒仙桥驿站
  xicheng 西城区
    financial-centre 金融街中心: fuxingmen 复兴门驿站, yuetan 月坛驿站
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from booking import network
from booking.db import transactions
from booking.model import Activity, Node, Station
from tests.support.snapshots import make_cast

FOUNDED = datetime(2026, 11, 16, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
# code: level, name, name_en, code of the node above
NODES = {
    "bj": ("city", "北京市", "Beijing", None),
    "chaoyang": ("district", "朝阳区", "Chaoyang", "bj"),
    "xicheng": ("district", "西城区", "Xicheng", "bj"),
    "cbd-centre": ("centre", "CBD 中心", "CBD centre", "chaoyang"),
    "wangjing-centre": ("centre", "望京中心", "Wangjing centre", "chaoyang"),
    "financial-centre": ("centre", "金融街中心", "Financial Street centre", "xicheng"),
}
# code: name, name_en, address, latitude and longitude, code of the centre
STATIONS = {
    "guomao": ("国贸驿站", "Guomao station", "建国门外大街 1 号", (39.9087, 116.4605), "cbd-centre"),
    "guanghua": ("光华路驿站", "Guanghua Road station", "光华路 7 号", (39.9142, 116.4551), "cbd-centre"),
    "wangjing": ("望京驿站", "Wangjing station", "阜通东大街 10 号", (39.9970, 116.4810), "wangjing-centre"),
    "jiuxianqiao": ("酒仙桥驿站", "Jiuxianqiao station", "酒仙桥路 12 号", (39.9709, 116.4905), "wangjing-centre"),
    "fuxingmen": ("复兴门驿站", "Fuxingmen station", "复兴门内大街 2 号", (39.9071, 116.3565), "financial-centre"),
    "yuetan": ("月坛驿站", "Yuetan station", "月坛南街 38 号", (39.9122, 116.3487), "financial-centre"),
}


@dataclass(frozen=True)
class CityTree:
    """The ids of its nodes and stations by their codes."""

    session: Session
    nodes: Mapping[str, int]
    stations: Mapping[str, int]

    def node(self, code: str) -> Node:
        self.session.rollback()
        return self.session.get_one(Node, self.nodes[code])

    def station(self, code: str) -> Station:
        self.session.rollback()
        return self.session.get_one(Station, self.stations[code])


def city_tree(session: Session) -> CityTree:
    """The tree, committed; every number is still the default, and no policy waits to be applied."""
    nodes, stations = make_cast(session, "city tree", lambda: _make(session))
    return CityTree(session, dict(nodes), dict(stations))


def city_with_activities(session: Session) -> CityTree:
    """The same, with an activity at each station."""
    tree = city_tree(session)
    with transactions.transaction(session):
        session.add_all(Activity(station_id=one, kind="yoga", title="白领瑜伽课堂") for one in tree.stations.values())
    return tree


def _make(session: Session) -> tuple[dict[str, int], dict[str, int]]:
    nodes: dict[str, Node] = {}
    for code, (level, name, name_en, above) in NODES.items():
        parent, details = nodes[above] if above else None, network.NodeDetails(name, name_en)
        nodes[code] = network.add_node.inside(session, parent, level, code, details, FOUNDED, None)
    stations: dict[str, int] = {}
    for code, (name, name_en, address, (latitude, longitude), centre) in STATIONS.items():
        station = Station(
            code=code, name=name, name_en=name_en, address=address, latitude=latitude, longitude=longitude
        )
        session.add(station)
        session.flush()
        network.join_centre.inside(session, station, nodes[centre], FOUNDED, None)
        station.policy_due = False
        stations[code] = station.id
    return {code: node.id for code, node in nodes.items()}, stations
