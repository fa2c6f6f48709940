"""Notices of a station: published, changed and ended by its managers; those of the nodes above are only read."""

from flask import render_template, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from booking import clock, services
from booking.extensions import db
from booking.model import Notice
from booking.queries import current_notices
from booking.web.forms.notice import NoticeForm
from booking.web.i18n.formatting import station_date
from booking.web.manager.blueprint import Answer, actor, done, heard, pages, shown
from booking.web.security.permissions import managed, managed_station, of_station


@pages.get("/<code>/notices")
def notices(code: str) -> Answer:
    station, session, now = managed_station(code), db.session(), clock.now()
    above = [one for one in current_notices.of_station(session, station, now) if one.node]
    found = current_notices.written(session, station, station_date(now, station))
    return render_template("manager/notices.html", station=station, above=above, **found)


@pages.route("/<code>/notices/new", methods=["GET", "POST"])
def add_notice(code: str) -> Answer:
    station = managed_station(code)
    form = NoticeForm(data={"first": station_date(clock.now(), station)})
    if form.validate_on_submit():
        with heard(form, station):
            services.publish_notice(db.session, station, form.words(), clock.now(), actor())
            return _done(code, gettext("公告贴出来了。"))
    return shown("manager/notice.html", form, station=station, item=None)


@pages.route("/<code>/notices/<int:notice_id>", methods=["GET", "POST"])
def notice(code: str, notice_id: int) -> Answer:
    station = managed_station(code)
    item = of_station(station, Notice, notice_id)
    form = NoticeForm(obj=item)
    if form.validate_on_submit():
        with heard(form, station):
            services.change_notice(db.session, item, form.words(), clock.now(), actor())
            return _done(code, gettext("已保存。"))
    return shown("manager/notice.html", form, station=station, item=item)


@pages.post("/<code>/notices/<int:notice_id>/end")
def end_notice(code: str, notice_id: int) -> Answer:
    services.end_notice(db.session, managed(code, Notice, notice_id), clock.now(), actor())
    return _done(code, gettext("公告撤下了。"))


def _done(code: str, sentence: str) -> Response:
    return done(sentence, url_for(".notices", code=code))
