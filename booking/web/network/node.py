"""Node: the page of a city, district or centre."""

from werkzeug.wrappers import Response

from booking import tree
from booking.extensions import db
from booking.web.network.blueprint import pages, show
from booking.web.security.permissions import overseen_node


@pages.get("/<code>")
def one_node(code: str) -> Response:
    node = overseen_node(code)
    return show("network/node.html", node=node, children=tree.children(db.session(), node.id))
