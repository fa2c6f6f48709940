"""Profile: one's own account: name and contact, language, password, where one is signed in."""

from flask import abort, current_app, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock, people
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import LANGUAGES
from booking.queries import followed
from booking.web import htmx
from booking.web.account.blueprint import agent, pages, show
from booking.web.account.login import welcome
from booking.web.account.reauthentication import ask_for_proof, proven
from booking.web.forms.account import PasswordForm, ProfileForm
from booking.web.forms.rules import say
from booking.web.security.permissions import safe_path, sign_in_required

A_YEAR = 365 * 24 * 3600


@pages.route("/account/", methods=["GET", "POST"])
@sign_in_required
def mine() -> Response:
    form, stations = ProfileForm(obj=current_user.person), current_user.stations
    if not stations:
        del form.wants_manager_digest
    if form.validate_on_submit():
        wanted = {field.name: field.data for field in form if field.name != "csrf_token"}
        people.change_profile(db.session, current_user.person_id, clock.now(), **wanted)
        flash(_("已保存。"), "good")
        return htmx.go(url_for("account.mine"))
    where = people.sign_ins(db.session, current_user.person_id, clock.now())
    factor = people.second_factor_of(db.session, current_user.person_id)
    mine = {"person": current_user.person, "sign_ins": where, "here": current_user.sign_in_id, "factor": factor}
    mine["follows"] = followed.followed(db.session(), current_user.person_id, clock.now())
    return show("account/mine.html", form, stations=stations, **mine)


@pages.route("/account/password", methods=["GET", "POST"])
@sign_in_required
def password() -> Response:
    form = PasswordForm(*people.known_of(current_user.person))
    ask_for_proof(form, "old")
    if form.validate_on_submit() and (token := _change_password(form)):
        answer = welcome(token, url_for("account.mine"), exactly=True)
        flash(_("密码改好了，别处的登录都已退出。"), "good")
        return answer
    return show("account/password.html", form)


@pages.post("/account/sign-ins/end-others")
@sign_in_required
def end_others() -> Response:
    me = current_user.person_id
    people.end_sign_ins(db.session, me, clock.now(), actor_id=me, but=current_user.sign_in_id)
    flash(_("别处的登录都已退出。"), "good")
    return htmx.go(url_for("account.mine"))


@pages.post("/account/language")
def speak() -> Response:
    """For everybody: stored with the account, and in a cookie for readers who are not signed in."""
    wanted = request.form.get("language", "")
    if wanted not in LANGUAGES:
        abort(400)
    if current_user.is_authenticated:
        people.speak(db.session, current_user.person_id, wanted, clock.now())
    response = redirect(safe_path(request.form.get("next")), code=303)
    secure = current_app.config["SESSION_COOKIE_SECURE"]
    name = current_app.config["LANGUAGE_COOKIE_NAME"]
    response.set_cookie(name, wanted, max_age=A_YEAR, secure=secure, httponly=True, samesite="Lax")
    return response


def _change_password(form: PasswordForm) -> str | None:
    if not (tried := proven(form, _("现在的密码不对。"), "old")):
        return None
    try:
        kept = people.hash_password(form.password.data)
        return people.change_password(db.session, tried, kept, agent(), clock.now())
    except RuleViolation as no:
        say(form.confirmed_by("old"), no)
        return None
