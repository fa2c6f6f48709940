"""Invitation: the page behind the link that makes somebody a manager. Opening it changes nothing: scanners open links."""

from flask import flash, make_response, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response

from booking import clock, people
from booking.errors import RuleViolation
from booking.extensions import db, limiter
from booking.model import ManagerInvitation, Person, Station
from booking.web import htmx
from booking.web.account.blueprint import agent, hashes_an_hour, pages, show
from booking.web.account.login import welcome
from booking.web.forms.account import InvitationForm
from booking.web.i18n import formatting
from booking.web.security.permissions import reader
from booking.web.security.session import language


@pages.route("/account/invitation/<token>", methods=["GET", "POST"])
@limiter.limit(hashes_an_hour, methods=["POST"])
def invitation(token: str) -> Response:
    try:
        found = people.invitation_of(db.session(), token, clock.now())
        station = db.session.get_one(Station, found.station_id)
        form = InvitationForm(found.email, station.code, station.name, station.name_en)
        standing = _standing(found)
        if standing == "mine" and form.is_submitted():
            return _accept(token, station)
        if standing == "new" and form.validate_on_submit():
            answer = welcome(_register(token, form), url_for("manager.today", code=station.code), exactly=True)
            flash(_welcome_words(station), "good")
            return answer
    except RuleViolation as no:
        # Somebody has registered the address meanwhile: the page asks them to sign in.
        return htmx.go(url_for("account.invitation", token=token)) if no.reason == "email_taken" else _over(no)
    return show("account/invitation.html", form, invitation=found, station=station, standing=standing, token=token)


def _standing(found: ManagerInvitation) -> str:
    """Who reads: `mine` and `other` are signed in, `known` has an account and is not, `new` has none."""
    if person := reader():
        return "mine" if person.email == found.email else "other"
    return "known" if db.session.scalar(select(Person.id).where(Person.email == found.email)) else "new"


def _accept(token: str, station: Station) -> Response:
    people.accept_invitation(db.session, token, current_user.person_id, clock.now())
    flash(_welcome_words(station), "good")
    return htmx.go(url_for("manager.today", code=station.code))


def _register(token: str, form: InvitationForm) -> str:
    """The sign-in of a new account. The slow hashing is before the transaction."""
    password = form.password.data or ""
    kept = people.hash_password(password) if password else None
    told = (form.name.data, kept, language(), agent())
    return people.register_invited(db.session, token, *told, clock.now())


def _welcome_words(station: Station) -> str:
    return _("欢迎！你现在管理%(station)s。", station=formatting.local(station, "name"))


def _over(no: RuleViolation) -> Response:
    """404 for a link that never was, 410 for one that is over."""
    told = {"sentence": formatting.reason(no), "next_step": formatting.next_step(no), "reason": no.reason}
    page = render_template("account/invitation_over.html", **told)
    return make_response(page, 404 if no.reason == "invitation_unknown" else 410)
