"""Node: the numbers of a city, district or centre and of its parts, on screen, on paper and as a file.

Of a station they are numbers only: who oversees a network reads no names of people who come.
"""

from flask import abort, request
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response

from booking import clock, statistics, tree
from booking.extensions import db
from booking.model import Node, Station
from booking.queries import activity_ratings, wish_list
from booking.statistics import NodeChoice
from booking.web.downloads import sent
from booking.web.forms.fields import country_today
from booking.web.network import node_table
from booking.web.network.blueprint import pages, show
from booking.web.network.period import Period, asked_period
from booking.web.security.permissions import overseen_node


@pages.get("/<code>")
def one_node(code: str) -> Response:
    node, period = overseen_node(code), asked_period(country_today())
    choice = _choice(period)
    return show(
        "network/node.html",
        node=node,
        above=_above(node),
        period=period,
        choice=choice,
        told=statistics.node_numbers(db.session(), node, choice, clock.now()),
        columns=node_table.COLUMNS,
        terms=node_table.TERMS,
        today=country_today(),
    )


@pages.get("/<code>/numbers.xlsx")
def export_node(code: str) -> Response:
    node, period = overseen_node(code), asked_period(country_today())
    told = statistics.node_numbers(db.session(), node, _choice(period), clock.now())
    return sent(node_table.tables(node, told), f"{node.code}-{period.span.first}-{period.span.last}")


@pages.get("/<code>/stations/<station_code>")
def node_station(code: str, station_code: str) -> Response:
    """The numbers of one station below, day by day."""
    node, period = overseen_node(code), asked_period(country_today())
    session, below = db.session(), tree.stations_below(node)
    station = session.scalar(select(Station).where(Station.code == station_code, below)) or abort(404)
    days = {span: statistics.days_of_station(session, station.id, span) for span in (period.span, period.before)}
    (row,) = statistics.station_rows(session, clock.now(), Station.id == station.id)
    return show(
        "network/station.html",
        node=node,
        above=_above(node),
        station=station,
        period=period,
        days=days[period.span],
        total=statistics.total_of(days[period.span]),
        before=statistics.total_of(days[period.before]),
        row=row,
        open_wishes=wish_list.open_count(session, station.id),
        rated=activity_ratings.share_of_station(session, station.id, clock.now()),
        terms=node_table.TERMS,
        today=country_today(),
    )


def _choice(period: Period) -> NodeChoice:
    grade, category, sort = (request.args.get(name, "") for name in ("grade", "category", "sort"))
    known = sort.removeprefix("-") in statistics.NODE_KEYS
    return NodeChoice(period.span, period.before, grade, category, sort if known else "")


def _above(node: Node) -> list[Node]:
    """The nodes above that the reader may open too, from the top."""
    above = tree.ancestors(db.session(), node)[:-1]
    return next((above[n:] for n, one in enumerate(above) if current_user.oversees(one)), [])
