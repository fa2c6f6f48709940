"""Holidays: how far the country's calendar is announced, and the import of a new notice after a preview."""

from flask import flash, url_for
from flask_babel import ngettext
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from booking import clock, slots, workdays
from booking.errors import RuleViolation
from booking.extensions import db
from booking.web import htmx
from booking.web.admin.blueprint import pages, show
from booking.web.forms.fields import country_today
from booking.web.forms.holidays import HolidayConfirmForm, HolidayFileForm
from booking.web.i18n import formatting as words_for
from booking.workdays import HolidayNotice


@pages.get("/holidays")
def holidays() -> Response:
    return _page(HolidayFileForm(formdata=None))


@pages.post("/holidays")
def preview_holidays() -> Response:
    """What the file would change. It is not stored: the preview's form carries it."""
    form = HolidayFileForm()
    notice = form.notice() if form.validate_on_submit() else None
    return _preview(notice) if notice else _page(form)


@pages.post("/holidays/import")
def import_holidays() -> Response:
    form, upload = HolidayConfirmForm(), HolidayFileForm(formdata=None)
    notice = form.notice() if form.validate_on_submit() else None
    if notice is None:
        upload.file.errors = form.file.errors
        return _page(upload)
    try:
        shown = form.shown.data or ""
        changes = slots.import_holidays(db.session, notice, shown, clock.now(), current_user.person_id)
    except RuleViolation as no:
        return _preview(notice, words_for.reason(no), 409)
    sentence = ngettext(
        "%(year)s 年的放假安排导入了，%(num)s 天有变化。还没有人预约的场次几分钟内跟着变。",
        "%(year)s 年的放假安排导入了，%(num)s 天有变化。还没有人预约的场次几分钟内跟着变。",
        len(changes),
        year=notice.year,
    )
    flash(sentence, "good")
    return htmx.go(url_for("admin.holidays"))


def _preview(notice: HolidayNotice, sentence: str = "", status: int = 200) -> Response:
    changes = slots.preview_import(db.session(), notice, clock.now())
    shown = {"file": notice.written(), "shown": slots.fingerprint(changes)}
    page = show(
        "admin/holidays_preview.html",
        year=notice.year,
        changes=changes,
        shown=shown,
        sentence=sentence,
        today=country_today(),
    )
    page.status_code = status
    return page


def _page(form: HolidayFileForm) -> Response:
    session, today = db.session(), country_today()
    known = workdays.known_until(session, today)
    return show(
        "admin/holidays.html", form, form=form, today=today, known_until=known, years=_years(session, today.year)
    )


def _years(session: Session, first: int) -> dict[int, str]:
    """The years from `first` on, each with the source of its dates: law, import or library."""
    found = workdays.sources(session)
    return {year: source.partition(" ")[0] for year, source in found.items() if year >= first}
