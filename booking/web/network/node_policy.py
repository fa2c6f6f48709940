"""Node policy: the numbers of a node and its locks, previewed before they count; and the node's history."""

from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock, network
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Node
from booking.network import PolicyPreview
from booking.policy import BOUNDS, CITY_BOUNDS
from booking.queries import network_places
from booking.queries.newest_first import page_of
from booking.web.errors import read_id
from booking.web.forms.network import NodePolicyForm
from booking.web.forms.station import NUMBERS, shown_number
from booking.web.history_texts import said
from booking.web.i18n import formatting
from booking.web.network.blueprint import done, pages, show
from booking.web.security.permissions import overseen_node


@pages.get("/<code>/policy")
def rules(code: str) -> Response:
    node = overseen_node(code, to_change=True)
    return _page(node, _form(node))


@pages.post("/<code>/policy")
def preview_rules(code: str) -> Response:
    """Whom the numbers would change. They are not stored: the preview's form carries them."""
    node = overseen_node(code, to_change=True)
    form = _form(node)
    preview = _previewed(node, form) if form.validate_on_submit() else None
    return _preview(node, form, preview) if preview else _page(node, form)


@pages.post("/<code>/policy/save")
def save_rules(code: str) -> Response:
    node = overseen_node(code, to_change=True)
    form, shown = _form(node), request.form.get("shown", "")
    if not form.validate_on_submit():
        return _page(node, form)
    try:
        due = network.set_node_policy(db.session, node, form.wanted(), shown, clock.now(), current_user.person_id)
    except RuleViolation as no:
        return _again(node, form, no)
    sentence = ngettext(
        "已保存，%(num)s 个驿站几分钟内按新的规则走。", "已保存，%(num)s 个驿站几分钟内按新的规则走。", due
    )
    return done(sentence, "rules", node.code)


@pages.get("/<code>/history")
def history(code: str) -> Response:
    node, session = overseen_node(code, to_change=True), db.session()
    asked = read_id(request.args.get("page", "")) or 1
    events, older = page_of(lambda limit: network_places.node_history(session, node, limit), asked)
    stations, names = network_places.stations_named(session, events), network_places.staff_named(session, events)
    return show(
        "network/history.html", node=node, events=events, older=older, stations=stations, names=names, said=said
    )


def _form(node: Node) -> NodePolicyForm:
    return NodePolicyForm.of(node, network.inherited_lines(db.session(), node))


def _previewed(node: Node, form: NodePolicyForm) -> PolicyPreview | None:
    """None where a rule refuses these numbers, which the form then says."""
    try:
        return network.preview_policy(db.session(), node, form.wanted(), clock.now())
    except RuleViolation as no:
        form.blame(no, formatting.reason(no))
        return None


def _again(node: Node, form: NodePolicyForm, no: RuleViolation) -> Response:
    """The preview as it is by now, or the form with what is wrong. Nothing is, where it all has been saved."""
    preview = _previewed(node, form) if no.reason == "policy_changed" else None
    if preview is None:
        form.blame(no, formatting.reason(no))
        return _page(node, form)
    if not preview.numbers:  # confirmed twice
        return done(_("已保存。"), "rules", node.code)
    page = _preview(node, form, preview, formatting.reason(no))
    page.status_code = 409
    return page


def _preview(node: Node, form: NodePolicyForm, preview: PolicyPreview, sentence: str = "") -> Response:
    words: dict[str, Any] = {"names": NUMBERS, "number": shown_number, "sentence": sentence}
    return show("network/policy_preview.html", node=node, form=form, preview=preview, **words)


def _page(node: Node, form: NodePolicyForm) -> Response:
    bounds = BOUNDS | CITY_BOUNDS
    wrong = form if form.errors or form.form_errors else None
    return show("network/policy.html", wrong, node=node, form=form, bounds=bounds, number=shown_number)
