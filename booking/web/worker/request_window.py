"""Request window: sent, read, withdrawn and rated by the person who made them."""

import re

from flask import abort, flash, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from booking import clock, policy, services
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import ServiceRequest, Station
from booking.queries import service_requests
from booking.web import htmx
from booking.web.forms.rules import heard
from booking.web.forms.service_request import KINDS, STATES, RatingForm, RequestForm
from booking.web.i18n import formatting
from booking.web.security import permissions
from booking.web.worker.blueprint import pages

MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
Answer = tuple[str, int] | Response


@pages.route("/s/<code>/requests", methods=["GET", "POST"])
def requests(code: str) -> Answer:
    """A station's window for requests, with the reader's own."""
    station, person, form = permissions.any_station(code), permissions.worker(), RequestForm()
    if form.validate_on_submit():
        with heard(form, station):
            sent = services.send_request(db.session, station.id, person.id, form.kind.data, form.text.data, clock.now())
            flash(_sent_words(sent), "good")
            return htmx.go(url_for("worker.requests", code=code))
    return _shown(station, person.id, form=form)


@pages.post("/requests/<int:request_id>/withdraw")
def withdraw_request(request_id: int) -> Answer:
    request = _own(request_id)
    try:
        services.withdraw(db.session, request.id, clock.now())
    except RuleViolation as no:
        flash(formatting.reason(no), "no")
    else:
        flash(_("诉求撤回了。"), "good")
    return htmx.go(url_for("worker.requests", code=request.station.code))


@pages.post("/requests/<int:request_id>/rate")
def rate_request(request_id: int) -> Answer:
    request, form = _own(request_id), RatingForm()
    if form.validate_on_submit():
        said = form.solved.data == "yes", form.satisfied.data == "yes"
        with heard(form):
            services.rate(db.session, request.id, *said, clock.now())
            flash(_("谢谢，记下了。"), "good")
            return htmx.go(url_for("worker.requests", code=request.station.code))
    return _shown(request.station, permissions.worker().id, rating=form, rated_id=request_id)


def _shown(
    station: Station,
    person_id: int,
    *,
    form: RequestForm | None = None,
    rating: RatingForm | None = None,
    rated_id: int = 0,
) -> tuple[str, int]:
    form, rating = form or RequestForm(formdata=None), rating or RatingForm(formdata=None)
    page = render_template(
        "worker/requests.html",
        station=station,
        form=form,
        rating=rating,
        rated_id=rated_id,
        mine=service_requests.of_person(db.session(), person_id, station.id),
        kinds=KINDS,
        states=STATES,
        most=services.MOST_OPEN,
        rated_within=service_requests.RATED_WITHIN,
        rules=policy.read(station.policy),
    )
    return page, 422 if form.errors or rating.errors else 200


def _own(request_id: int) -> ServiceRequest:
    """The reader's own request: another person's is a 404."""
    person = permissions.worker()
    request = db.session.get(ServiceRequest, request_id)
    return request if request and request.person_id == person.id else abort(404)


def _sent_words(sent: ServiceRequest) -> str:
    words = _("驿站收到了，%(day)s下班前给你第一次答复。", day=formatting.day_date(sent.answer_due_on))
    if MOBILE.search(sent.text):
        words += _("里面有手机号：是别人的话，请撤回来，去掉号码再提。")
    return words
