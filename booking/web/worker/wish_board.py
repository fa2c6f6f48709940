"""Wish board: what people would like at a station, for everybody to read; making a wish, and wanting one too."""

from flask import abort, flash, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from booking import clock, services
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import ActivityWish, Station
from booking.queries import wish_list
from booking.web import htmx
from booking.web.forms.activity_wish import STATES, WishForm, about
from booking.web.forms.rules import heard
from booking.web.i18n import formatting
from booking.web.security import permissions
from booking.web.worker.blueprint import pages

Answer = tuple[str, int] | Response


@pages.get("/s/<code>/wishes")
def wish_board(code: str) -> Answer:
    return _shown(permissions.any_station(code), WishForm(formdata=None))


@pages.post("/s/<code>/wishes")
def make_wish(code: str) -> Answer:
    station, person, form = permissions.any_station(code), permissions.worker(_page(code)), WishForm()
    if form.validate_on_submit():
        wanted, now = (form.text.data, form.kind.data, form.day), clock.now()
        with heard(form, station):
            wish = services.make_wish(db.session, station.id, person.id, *wanted, now)
            is_new = wish.person_id == person.id and wish.created_at == now
            flash(_("心愿提好了。") if is_new else _("已经有一样的心愿了，也算上了你。"), "good")
            return htmx.go(_page(code, wish.id))
    return _shown(station, form)


@pages.post("/s/<code>/wishes/<int:wish_id>/want")
def want_wish(code: str, wish_id: int) -> Answer:
    person, wish = permissions.worker(_page(code)), _of_station(code, wish_id)
    try:
        services.want_wish(db.session, wish.id, person.id, clock.now())
    except RuleViolation as no:
        flash(formatting.reason(no, wish.station), "no")
    else:
        flash(_("也算上了你。开了会写进早上的日报。"), "good")
    return htmx.go(_page(code, wish.merged_into or wish.id))


@pages.post("/s/<code>/wishes/<int:wish_id>/take-back")
def take_back_wish(code: str, wish_id: int) -> Answer:
    person, wish = permissions.worker(_page(code)), _of_station(code, wish_id)
    try:
        withdrawn = services.take_back_wish(db.session, wish.id, person.id, clock.now())
    except RuleViolation as no:
        flash(formatting.reason(no, wish.station), "no")
    else:
        flash(_("心愿收回了。") if withdrawn else _("不算你了。"), "good")
    return htmx.go(_page(code, wish.merged_into or wish.id))


def _shown(station: Station, form: WishForm) -> tuple[str, int]:
    reader, session, now = permissions.reader(), db.session(), clock.now()
    reader_id = reader.id if reader else None
    page = render_template(
        "worker/wishes.html",
        station=station,
        form=form,
        person=reader,
        waiting=wish_list.wanted(session, station.id, reader_id),
        answered=wish_list.answered(session, station.id, now, reader_id),
        about=about,
        states=STATES,
        most=services.MOST_WISHES,
        sign_in=url_for("account.sign_in", next=_page(station.code)),
    )
    return page, 422 if form.errors else 200


def _of_station(code: str, wish_id: int) -> ActivityWish:
    """A wish of this station: another's is a 404."""
    wish = db.session.get(ActivityWish, wish_id)
    return wish if wish and wish.station.code == code else abort(404)


def _page(code: str, wish_id: int | None = None) -> str:
    return url_for("worker.wish_board", code=code, _anchor=f"wish-{wish_id}" if wish_id else None)
