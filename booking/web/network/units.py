"""Units: a node's children and stations; nodes are added, changed, moved, closed and opened again."""

from collections.abc import Sequence

from flask import abort, flash, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock, network
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Node
from booking.queries import network_places
from booking.web import htmx
from booking.web.forms.network import CloseNodeForm, DestinationForm, NewNodeForm, NodeForm
from booking.web.forms.rules import heard
from booking.web.i18n import formatting
from booking.web.network.blueprint import done, pages, show
from booking.web.security.permissions import admins_only, not_for_you, overseen_node, worker


@pages.route("/", methods=["GET", "POST"])
def cities() -> Response:
    """The nodes that the reader oversees; for an admin the cities, and a form for one more."""
    mine = network_places.overseen_by(db.session(), None if worker().is_admin else current_user.person_id)
    if not mine and not current_user.is_admin:
        not_for_you()
    form = NewNodeForm()
    if form.is_submitted():
        admins_only()
    if form.validate_on_submit() and (city := _added(form, None)):
        return done(_("加好了。"), "units", city.code)
    return show("network/cities.html", form, form=form, nodes=mine)


@pages.get("/<code>/units")
def units(code: str) -> Response:
    node = overseen_node(code, to_change=True)
    found = network_places.places_below(db.session(), node)
    return show("network/units.html", node=node, above=_above(node), child_level=network.level_below(node), **found)


@pages.route("/<code>/units/new", methods=["GET", "POST"])
def new_unit(code: str) -> Response:
    node, form = overseen_node(code, to_change=True), NewNodeForm()
    if node.level == "centre":
        abort(404)
    if form.validate_on_submit() and (child := _added(form, node)):
        return done(_("加好了。"), "units", child.code)
    return show("network/new_unit.html", form, node=node, form=form, child_level=network.level_below(node))


@pages.route("/<code>/edit", methods=["GET", "POST"])
def edit(code: str) -> Response:
    node = overseen_node(code, to_change=True)
    form = NodeForm(obj=node)
    if form.validate_on_submit():
        network.change_node(db.session, node, form.details(), clock.now(), current_user.person_id)
        return done(_("已保存。"), "units", code)
    return show("network/edit.html", form, node=node, form=form)


@pages.route("/<code>/move", methods=["GET", "POST"])
def move(code: str) -> Response:
    """For who may change both the node above and the one that it moves to."""
    node = _from_above(code)
    form = DestinationForm.among([one for one in _may_take(node) if one.id != node.parent_id])
    _own_nodes(form.to.data)
    if form.validate_on_submit():
        with heard(form):
            to = overseen_node(form.to.data, to_change=True)
            network.move_node(db.session, node, to, clock.now(), current_user.person_id)
            return done(_("移过去了，下面驿站的规则几分钟内跟着变。"), "units", code)
    return show("network/move.html", form, node=node, station=None, form=form)


@pages.route("/<code>/close", methods=["GET", "POST"])
def close(code: str) -> Response:
    """Asks of each open station of a centre whether it closes or where it moves, and does all or nothing."""
    node = _from_above(code)
    theirs, centres = network.open_stations(db.session(), node), [one for one in _centres() if one.id != node.id]
    form = CloseNodeForm.deciding(theirs, centres)
    _own_nodes(*form.destinations())
    if form.validate_on_submit():
        with heard(form):
            decided, reason = form.decided(theirs, centres), form.reason.data
            network.close_node(db.session, node, decided, reason, clock.now(), current_user.person_id)
            return done(_("已关闭。"), "units", code)
    return show("network/close.html", form, node=node, form=form, stations=theirs)


@pages.post("/<code>/reopen")
def reopen(code: str) -> Response:
    node = _from_above(code)
    try:
        network.reopen_node(db.session, node, clock.now(), current_user.person_id)
        flash(_("重新开放了。"), "good")
    except RuleViolation as no:
        flash(formatting.reason(no), "no")
    return htmx.go(url_for("network.units", code=code))


@pages.route("/<code>/stations/<station_code>/move", methods=["GET", "POST"])
def move_station(code: str, station_code: str) -> Response:
    """A station at or below this node, to another centre that the reader may change too."""
    node = overseen_node(code, to_change=True)
    station = network_places.station_of(db.session(), node, station_code) or not_for_you(node=node.id)
    form = DestinationForm.among([one for one in _centres() if one.id != station.centre_id])
    _own_nodes(form.to.data)
    if form.validate_on_submit():
        with heard(form):
            to = overseen_node(form.to.data, to_change=True)
            network.join_centre(db.session, station, to, clock.now(), current_user.person_id)
            return done(_("移过去了，规则几分钟内跟着变。"), "units", code)
    return show("network/move.html", form, node=node, station=station, form=form)


def _added(form: NewNodeForm, parent: Node | None) -> Node | None:
    """The new node; None where a rule refuses it, which the form then says."""
    wanted = (network.level_below(parent) or "", form.code.data, form.details())
    try:
        return network.add_node(db.session, parent, *wanted, clock.now(), current_user.person_id)
    except RuleViolation as no:
        form.blame(no, formatting.reason(no))
        return None


def _from_above(code: str) -> Node:
    """The node, for who may change the one above it; a city for admins."""
    node = overseen_node(code, to_change=True)
    if node.parent is None:
        admins_only()
    else:
        overseen_node(node.parent.code, to_change=True)
    return node


def _above(node: Node) -> Node | None:
    """The node above, where the reader may change it."""
    return node.parent if node.parent and current_user.oversees(node.parent, to_change=True) else None


def _may_take(node: Node) -> Sequence[Node]:
    """Open nodes of the level above that the reader may change."""
    found = network_places.open_nodes(db.session(), node.parent.level if node.parent else "")
    return [one for one in found if current_user.oversees(one, to_change=True)]


def _centres() -> Sequence[Node]:
    """The open centres that the reader may change."""
    found = network_places.open_nodes(db.session(), "centre")
    return [one for one in found if current_user.oversees(one, to_change=True)]


def _own_nodes(*codes: str | None) -> None:
    """404 for a code, sent in a field, of a node that the reader may not change."""
    for code in filter(None, codes):
        overseen_node(code, to_change=True)
