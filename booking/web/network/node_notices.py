"""Notices of a node, which all stations below show: published, changed and ended by its organisers."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import flash, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock, services
from booking.errors import RuleViolation
from booking.extensions import db
from booking.queries import current_notices
from booking.web import htmx
from booking.web.forms.notice import NoticeForm
from booking.web.i18n import formatting
from booking.web.network.blueprint import pages, show
from booking.web.security.permissions import overseen_node, overseen_notice


@pages.get("/<code>/notices")
def node_notices(code: str) -> Response:
    node, session, now = overseen_node(code, to_change=True), db.session(), clock.now()
    today = services.today_at(session, node, now)
    found = current_notices.written(session, node, today)
    return show("network/notices.html", node=node, today=today, current=found["current"], past=found["past"])


@pages.route("/<code>/notices/new", methods=["GET", "POST"])
def add_node_notice(code: str) -> Response:
    node = overseen_node(code, to_change=True)
    today = services.today_at(db.session(), node, clock.now())
    form = NoticeForm(data={"first": today})
    if form.validate_on_submit():
        with _heard(form):
            services.publish_notice(db.session, node, form.words(), clock.now(), current_user.person_id)
            return _done(_("公告贴出来了，下面的驿站都看得到。"), code)
    return show("network/notice.html", form, node=node, form=form, item=None, today=today)


@pages.route("/<code>/notices/<int:notice_id>", methods=["GET", "POST"])
def node_notice(code: str, notice_id: int) -> Response:
    node = overseen_node(code, to_change=True)
    item = overseen_notice(node, notice_id)
    form = NoticeForm(obj=item)
    if form.validate_on_submit():
        with _heard(form):
            services.change_notice(db.session, item, form.words(), clock.now(), current_user.person_id)
            return _done(_("已保存。"), code)
    today = services.today_at(db.session(), node, clock.now())
    return show("network/notice.html", form, node=node, form=form, item=item, today=today)


@pages.post("/<code>/notices/<int:notice_id>/end")
def end_node_notice(code: str, notice_id: int) -> Response:
    item = overseen_notice(overseen_node(code, to_change=True), notice_id)
    services.end_notice(db.session, item, clock.now(), current_user.person_id)
    return _done(_("公告撤下了。"), code)


@contextmanager
def _heard(form: NoticeForm) -> Iterator[None]:
    """Show a rule's refusal in the form; the view goes on to render it."""
    try:
        yield
    except RuleViolation as no:
        form.blame(no, formatting.reason(no))


def _done(sentence: str, code: str) -> Response:
    flash(sentence, "good")
    return htmx.go(url_for("network.node_notices", code=code))
