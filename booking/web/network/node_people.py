"""People of a node: its organisers and readers, the managers of the stations below, and who is to move."""

from typing import Any

from flask import flash, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import Field

from booking import clock, network, people
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Node, Person, Station
from booking.network import TransferWish
from booking.queries import oversight
from booking.web import htmx
from booking.web.errors import read_id
from booking.web.forms.oversight import OverseerForm, StationManagerForm, TransferForm
from booking.web.forms.rules import Form, heard, say
from booking.web.i18n import formatting
from booking.web.network.blueprint import pages, show
from booking.web.security import permissions
from booking.web.security.permissions import overseen_node
from booking.web.security.session import language


@pages.get("/<code>/people")
def node_people(code: str) -> Response:
    return people_page(overseen_node(code, to_change=True))


@pages.post("/<code>/people/overseers")
def appoint_overseer(code: str) -> Response:
    node, form = overseen_node(code, to_change=True), OverseerForm()
    if form.validate_on_submit():
        with heard(form):
            there = typed_node(node, form.node.data)
            chosen = (form.email.data, form.role.data, clock.now(), current_user.person_id)
            person = network.appoint_overseer(db.session, there, *chosen)
            return done(node, _("%(name)s 现在可以看%(node)s了。", name=person.name, node=there.name))
    return people_page(node, form, overseer=form)


@pages.post("/<code>/people/overseers/<node_code>/<int:person_id>/end")
def end_overseer(code: str, node_code: str, person_id: int) -> Response:
    node = overseen_node(code, to_change=True)
    there = permissions.overseen_role(node, node_code, person_id)
    if not network.end_overseer(db.session, there, person_id, clock.now(), current_user.person_id):
        return done(node, _("之前已经撤下了，这次什么也没有改变。"))
    return done(node, _("撤下了，从下一次打开页面起就看不到了。"))


@pages.post("/<code>/people/managers")
def appoint_manager(code: str) -> Response:
    node, form = overseen_node(code, to_change=True), StationManagerForm()
    if form.validate_on_submit():
        with heard(form):
            station = typed_station(node, form.station.data)
            told = (form.email.data, language(), clock.now(), current_user.person_id)
            return done(node, _appointed(people.invite_manager(db.session, station.id, *told)))
    return people_page(node, form, manager=form)


@pages.post("/<code>/people/stations/<station_code>/managers/<int:person_id>/dismiss")
def dismiss_manager(code: str, station_code: str, person_id: int) -> Response:
    node = overseen_node(code, to_change=True)
    there, person = permissions.overseen_manager(node, station_code, person_id)
    confirmed = bool(request.form.get("confirmed"))
    try:
        was = people.dismiss(db.session, person.id, there.id, clock.now(), current_user.person_id, confirmed=confirmed)
    except RuleViolation as no:
        return people_page(node, last=(person, there, no), wrong=True)
    if not was:
        return done(node, _("之前已经撤下了，这次什么也没有改变。"))
    return done(node, _("%(name)s 不再管理%(station)s。", name=person.name, station=there.name))


@pages.post("/<code>/people/stations/<station_code>/invitations/<int:invitation_id>/withdraw")
def withdraw_manager_invitation(code: str, station_code: str, invitation_id: int) -> Response:
    node = overseen_node(code, to_change=True)
    invitation = permissions.overseen_invitation(node, station_code, invitation_id)
    told = (invitation.station_id, invitation.id, clock.now(), current_user.person_id)
    try:
        people.withdraw_invitation(db.session, *told)
    except RuleViolation as no:
        flash(formatting.reason(no), "no")
        return back(node)
    return done(node, _("邀请撤回了，链接已经失效。"))


@pages.post("/<code>/people/transfers")
def plan_transfer(code: str) -> Response:
    node, form = overseen_node(code, to_change=True), TransferForm()
    if form.validate_on_submit():
        try:
            network.plan_transfers(db.session, [wish_of(node, form)], clock.now(), current_user.person_id)
            return done(node, _("调动安排好了，当天零点生效；本人和两边的管理员都会收到邮件。"))
        except RuleViolation:
            pass  # said at its field
        except network.RefusedTransfers as nothing:
            form.blame(nothing.refusals[0], formatting.reason(nothing.refusals[0]))
    return people_page(node, form, transfer=form)


@pages.post("/<code>/people/transfers/<int:transfer_id>/withdraw")
def withdraw_transfer(code: str, transfer_id: int) -> Response:
    node = overseen_node(code, to_change=True)
    transfer = permissions.overseen_transfer(node, transfer_id)
    try:
        network.withdraw_transfer(db.session, transfer.id, clock.now(), current_user.person_id)
    except RuleViolation as no:
        flash(formatting.reason(no), "no")
        return back(node)
    return done(node, _("调动取消了，本人和两边的管理员都会收到邮件。"))


def wish_of(node: Node, form: Any) -> TransferWish:
    """The transfer that a form, or a row as one, asks for. Raises `station_not_found`, also for one elsewhere."""
    leaves, joins = (_station_in(node, field) for field in (form.leaves, form.joins))
    return TransferWish(form.email.data, leaves, joins, form.on_date.data, bool(form.confirmed.data))


def _station_in(node: Node, field: Field) -> Station:
    try:
        return typed_station(node, field.data)
    except RuleViolation as no:
        say(field, no)
        raise


def typed_station(node: Node, code: str) -> Station:
    """The station below with this code. Raises `station_not_found`, also for one elsewhere."""
    found = permissions.overseen_station(node, code)
    if found is None:
        raise RuleViolation("station_not_found", code=code)
    return found


def typed_node(node: Node, code: str) -> Node:
    """The node at or below with this code. Raises `node_not_found`, also for one elsewhere."""
    found = permissions.node_below(node, code)
    if found is None:
        raise RuleViolation("node_not_found", code=code)
    return found


def people_page(node: Node, wrong: Form | bool | None = None, **words: Any) -> Response:
    """The page, with the forms as they were typed."""
    page, sought, session = read_id(request.args.get("page", "")), request.args.get("q", "")[:80], db.session()
    words = {"overseer": None, "manager": None, "transfer": None, "last": None} | words
    words["overseer"] = words["overseer"] or OverseerForm(formdata=None, data={"node": node.code})
    words["manager"] = words["manager"] or StationManagerForm(formdata=None)
    words["transfer"] = words["transfer"] or TransferForm(formdata=None)
    found: dict[str, Any] = {
        "overseers": oversight.overseers(session, node),
        "managers": oversight.managers(session, node, sought, page),
        "alone": oversight.without_manager(session, node),
        "invitations": oversight.invitations(session, node, clock.now()),
        "transfers": oversight.transfers(session, node),
        "most": oversight.MOST,
    }
    shown = show(
        "network/people.html", wrong if isinstance(wrong, Form) else None, node=node, sought=sought, **found, **words
    )
    if wrong is True:
        shown.status_code = 422
    return shown


def done(node: Node, sentence: str) -> Response:
    flash(sentence, "good")
    return back(node)


def back(node: Node) -> Response:
    """To the page, or, for who has just given up their own role, to what they may still see."""
    if current_user.oversees(node, to_change=True):
        return htmx.go(url_for("network.node_people", code=node.code))
    return htmx.go(url_for("network.cities") if current_user.nodes else "/")


def _appointed(person: Person | None) -> str:
    if person:
        return str(_("已任命 %(name)s。", name=person.name))
    days = people.INVITATION_LASTS.days
    return str(ngettext("邀请发出了，%(num)s 天内有效。", "邀请发出了，%(num)s 天内有效。", days))
