"""Notices of a node, which all stations below show: published, changed and ended by its organisers."""

from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock, services
from booking.extensions import db
from booking.queries import current_notices
from booking.web.forms.notice import NoticeForm
from booking.web.forms.rules import heard
from booking.web.network.blueprint import done, pages, show
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
        with heard(form):
            services.publish_notice(db.session, node, form.words(), clock.now(), current_user.person_id)
            return done(_("公告贴出来了，下面的驿站都看得到。"), "node_notices", code)
    return show("network/notice.html", form, node=node, form=form, item=None, today=today)


@pages.route("/<code>/notices/<int:notice_id>", methods=["GET", "POST"])
def node_notice(code: str, notice_id: int) -> Response:
    node = overseen_node(code, to_change=True)
    item = overseen_notice(node, notice_id)
    form = NoticeForm(obj=item)
    if form.validate_on_submit():
        with heard(form):
            services.change_notice(db.session, item, form.words(), clock.now(), current_user.person_id)
            return done(_("已保存。"), "node_notices", code)
    today = services.today_at(db.session(), node, clock.now())
    return show("network/notice.html", form, node=node, form=form, item=item, today=today)


@pages.post("/<code>/notices/<int:notice_id>/end")
def end_node_notice(code: str, notice_id: int) -> Response:
    item = overseen_notice(overseen_node(code, to_change=True), notice_id)
    services.end_notice(db.session, item, clock.now(), current_user.person_id)
    return done(_("公告撤下了。"), "node_notices", code)
