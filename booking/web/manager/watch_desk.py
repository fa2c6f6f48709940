"""Watch desk: the link of a slot that can also be watched online, set by its manager."""

from flask import current_app, url_for
from flask_babel import gettext

from booking import clock, slots
from booking.errors import RuleViolation
from booking.extensions import db
from booking.queries import watch_links
from booking.web.forms.watch_link import WatchLinkForm
from booking.web.manager.blueprint import Answer, actor, done, pages
from booking.web.manager.roster import show_slot
from booking.web.security.permissions import managed_slot


@pages.post("/<code>/slots/<int:slot_id>/watch")
def set_watch_link(code: str, slot_id: int) -> Answer:
    """Mark the slot, set its link, or take both away."""
    slot, form = managed_slot(code, slot_id), WatchLinkForm()
    if not form.validate_on_submit():
        return show_slot(slot, watching=form), 422
    known = watch_links.link_of(db.session(), slot_id)
    url, hosts = form.wish(known.url if known else ""), current_app.config["WATCH_HOSTS"]
    try:
        slots.set_watch_link(db.session, slot_id, url, hosts, clock.now(), actor())
    except RuleViolation as no:
        return show_slot(slot, no, watching=form), 409
    return done(_said(url), url_for(".slot", code=code, slot_id=slot_id))


def _said(url: str | None) -> str:
    if url is None:
        return gettext("这一场只在室内。")
    return gettext("开始前 5 分钟起，这一场的页面上有“在线看”。") if url else gettext("记下了，链接还没有，记得补上。")
