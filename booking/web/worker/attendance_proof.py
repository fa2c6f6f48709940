"""Proof of attendance: what the reader attended on some days, to print, and its check address, which anybody may open."""

from datetime import date, timedelta

from flask import abort, flash, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from booking import clock, services
from booking.extensions import db
from booking.mail.links import public
from booking.model import AttendanceProof
from booking.people.anonymise import nameless_before
from booking.queries import attended_slots
from booking.web import htmx
from booking.web.forms.fields import DayField
from booking.web.forms.proof_days import ProofForm
from booking.web.forms.rules import heard
from booking.web.i18n import formatting
from booking.web.security import permissions
from booking.web.worker.blueprint import pages

Answer = tuple[str, int] | Response


@pages.get("/me/attendance")
def attendance() -> Answer:
    """The days in the query; the last four weeks when it names no valid ones."""
    today = formatting.station_date(clock.now(), clock.COUNTRY_ZONE)
    first, last = (DayField.read(request.args.get(name, "")) for name in ("first", "last"))
    last = last or today
    return _shown(ProofForm.showing(first or last - timedelta(days=27), last, formdata=None))


@pages.post("/me/attendance")
def issue_proof() -> Answer:
    person, form = permissions.worker(), ProofForm()
    if form.validate_on_submit():
        with heard(form):
            services.issue_proof(db.session, person.id, form.first.data, form.last.data, clock.now())
            flash(_("核对网址开好了，发给谁，谁就能打开。"), "good")
            return htmx.go(url_for("worker.attendance", first=form.first.data, last=form.last.data))
    return _shown(form)


@pages.post("/me/attendance/<int:proof_id>/end")
def end_proof(proof_id: int) -> Answer:
    person, proof = permissions.worker(), db.session.get(AttendanceProof, proof_id)
    if proof is None or proof.person_id != person.id:
        abort(404)
    services.end_proof(db.session, proof, clock.now())
    flash(_("停用了，那个网址打不开了。"), "good")
    return htmx.go(url_for("worker.attendance"))


@pages.get("/v/<code>")
def checked_proof(code: str) -> str:
    """What anybody sees who was given the code: initial, dates, activities and minutes."""
    proof = attended_slots.proof_of(db.session(), code) or abort(404)
    slots = attended_slots.attended(db.session(), proof.person_id, proof.first, proof.last)
    return render_template("worker/proof.html", proof=proof, slots=slots)


def _shown(form: ProofForm) -> tuple[str, int]:
    person, session = permissions.worker(), db.session()
    since = nameless_before(clock.now())
    span: tuple[date, date] | None = (form.first.data, form.last.data) if form.first.data and form.last.data else None
    page = render_template(
        "worker/attendance.html",
        person=person,
        form=form,
        slots=attended_slots.attended(session, person.id, *span) if span else [],
        proofs=attended_slots.proofs(session, person.id),
        since=since,
        public=public,
    )
    return page, 422 if form.errors else 200
