"""Requests of a station: the open ones oldest first, their answers, and the headline with its export."""

from flask import abort, render_template, url_for
from flask_babel import gettext

from booking import clock, services
from booking.extensions import db
from booking.model import ServiceRequest
from booking.queries import service_requests
from booking.web.downloads import sent
from booking.web.forms.service_request import KINDS, STATES, AnswerForm, PassOnForm
from booking.web.i18n.formatting import station_date
from booking.web.manager import tables
from booking.web.manager.blueprint import Answer, actor, done, heard, pages, shown
from booking.web.manager.numbers import asked_span
from booking.web.security.permissions import managed, managed_station


@pages.get("/<code>/requests")
def requests(code: str) -> Answer:
    station, now, session = managed_station(code), clock.now(), db.session()
    span = asked_span(station_date(now, station), days=365)
    found = service_requests.between(session, station, span.first, span.last)
    return render_template(
        "manager/requests.html",
        station=station,
        waiting=service_requests.open_ones(session, station.id),
        ended=[one for one in found if not one.is_open],
        totals=service_requests.totals(found, station, now),
        span=span,
        kinds=KINDS,
        states=STATES,
    )


@pages.get("/<code>/requests/export")
def export_requests(code: str) -> Answer:
    station, now = managed_station(code), clock.now()
    span = asked_span(station_date(now, station), days=365)
    found = service_requests.between(db.session(), station, span.first, span.last)
    table = tables.of_requests(found, station)
    return sent([table], f"{code}-requests-{span.first}-{span.last}")


@pages.get("/<code>/requests/<int:request_id>")
def request_(code: str, request_id: int) -> Answer:
    return _shown(_of_a_person(code, request_id))


@pages.post("/<code>/requests/<int:request_id>/take-up")
def take_up_request(code: str, request_id: int) -> Answer:
    """A first answer: the station is working on it."""
    request, form = _of_a_person(code, request_id), AnswerForm()
    if form.validate_on_submit():
        with heard(form, request.station):
            services.take_up(db.session, request_id, form.answer.data, clock.now(), actor())
            return done(gettext("答复写好了，对方在“诉求”里看得到。"), url_for(".requests", code=code))
    return _shown(request, take_up=form)


@pages.post("/<code>/requests/<int:request_id>/pass-on")
def pass_on_request(code: str, request_id: int) -> Answer:
    request, form = _of_a_person(code, request_id), PassOnForm()
    if form.validate_on_submit():
        with heard(form, request.station):
            told = form.passed_to.data, form.their_no.data, form.answer.data
            services.pass_on(db.session, request_id, *told, clock.now(), actor())
            return done(gettext("转交记下了，对方看得到转给了谁。"), url_for(".requests", code=code))
    return _shown(request, pass_on=form)


@pages.post("/<code>/requests/<int:request_id>/solve")
def solve_request(code: str, request_id: int) -> Answer:
    request, form = _of_a_person(code, request_id), AnswerForm()
    if form.validate_on_submit():
        with heard(form, request.station):
            services.solve(db.session, request_id, form.answer.data, clock.now(), actor())
            return done(gettext("办结了，会请对方说一句解决了没有。"), url_for(".requests", code=code))
    return _shown(request, solve=form)


def _of_a_person(code: str, request_id: int) -> ServiceRequest:
    """A request of the station whose words are still kept."""
    request = managed(code, ServiceRequest, request_id)
    return request if request.person else abort(404)


def _shown(request: ServiceRequest, **given: AnswerForm) -> Answer:
    forms: dict[str, AnswerForm] = {
        "take_up": AnswerForm(formdata=None),
        "pass_on": PassOnForm(formdata=None),
        "solve": AnswerForm(formdata=None),
        **given,
    }
    wrong = next(iter(given.values()), forms["solve"])
    return shown(
        "manager/request.html", wrong, station=request.station, request=request, kinds=KINDS, states=STATES, **forms
    )
