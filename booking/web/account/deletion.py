"""Account deletion and data export: the page explains the consequences first, and asks for the password or a code."""

import json

from flask import flash, make_response
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock, people
from booking.errors import RuleViolation
from booking.extensions import db
from booking.queries import draw_views
from booking.web import htmx
from booking.web.account.blueprint import pages, show
from booking.web.account.login import leave
from booking.web.account.reauthentication import ask_for_proof, proven
from booking.web.forms.account import DeleteForm
from booking.web.forms.rules import say
from booking.web.security.permissions import sign_in_required


@pages.get("/account/export")
@sign_in_required
def export() -> Response:
    """Everything that we store about the person, as a file."""
    everything = people.everything_about(db.session(), current_user.person_id)
    response = make_response(json.dumps(everything, ensure_ascii=False, indent=1))
    response.mimetype = "application/json"
    response.headers["Content-Disposition"] = 'attachment; filename="lunch-hour.json"'
    return response


@pages.route("/account/delete", methods=["GET", "POST"])
@sign_in_required
def delete() -> Response:
    form = DeleteForm()
    ask_for_proof(form)
    if form.validate_on_submit() and _delete(form):
        leave()
        flash(_("账号已经注销。谢谢你来过。"), "good")
        return htmx.go("/")
    bookings = people.live_bookings(db.session, current_user.person_id)
    stations = current_user.stations
    alone = [one for one in stations if people.is_last_manager(db.session(), current_user.person_id, one.id)]
    entries = draw_views.ahead(db.session(), current_user.person_id, clock.now())
    return show("account/delete.html", form, bookings=bookings, entries=entries, stations=stations, alone=alone)


def _delete(form: DeleteForm) -> bool:
    if not (tried := proven(form, _("密码不对。"))):
        return False
    try:
        people.delete_own_account(db.session, tried, clock.now())
    except RuleViolation as no:
        say(form.confirmed_by(), no)
        return False
    return True
