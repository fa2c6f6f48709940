"""Authenticator: the second factor set up by a QR code, its recovery codes, turned off. For managers and admins."""

from datetime import timedelta
from typing import Any

from flask import current_app, flash, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock, people
from booking.errors import RuleViolation
from booking.extensions import client_address, db
from booking.model import SecondFactor, SignIn
from booking.people import recovery_codes, totp
from booking.web import htmx, qr_code
from booking.web.account.blueprint import pages, per_address, show
from booking.web.account.reauthentication import ask_for_proof, proven
from booking.web.forms.account import SecondCodeForm, SetUpForm
from booking.web.forms.rules import Form, say
from booking.web.security import security_log
from booking.web.security.permissions import not_for_you, safe_path, sign_in_required

# Who signed in longer ago is asked for the password before it is turned on.
RECENT = timedelta(minutes=15)


@pages.get("/account/second-factor")
@sign_in_required
def second_factor() -> Response:
    factor = _mine()
    return _on(factor, SecondCodeForm(formdata=None)) if factor else _off(_set_up_form(formdata=None))


@pages.post("/account/second-factor")
@sign_in_required
def turn_on() -> Response:
    factor = _mine()
    if factor:
        return _on(factor, SecondCodeForm(formdata=None))
    form = _set_up_form()
    if form.validate_on_submit() and (codes := _turn_on(form)):
        session.pop("seed", None)
        flash(_("两步验证已经开启，别处的登录都已退出。"), "good")
        return _show_codes(codes)
    return _off(form)


@pages.post("/account/second-factor/recovery-codes")
@sign_in_required
def renew() -> Response:
    return _with_code(people.renew_recovery_codes, _show_codes)


@pages.get("/account/second-factor/recovery-codes")
@sign_in_required
def show_codes() -> Response:
    """Right after they were made, once."""
    _mine()
    codes = session.pop("recovery_codes", None)
    if codes is None:
        return htmx.go(url_for("account.second_factor"))
    return show("account/recovery_codes.html", Form(), codes=codes, next=_come_back())


@pages.post("/account/second-factor/off")
@sign_in_required
def turn_off() -> Response:
    return _with_code(people.turn_off_second_factor, _turned_off)


def _mine() -> SecondFactor | None:
    """One's own second factor. 404 for a worker who has none: it is for managers and admins."""
    factor = people.second_factor_of(db.session, current_user.person_id)
    if factor is None and not people.is_staff(db.session, current_user.person_id):
        not_for_you()
    return factor


def _off(form: SetUpForm) -> Response:
    seed = session.setdefault("seed", totp.new_seed())
    secret = totp.secret(_key(), seed)
    address = totp.address(secret, current_user.person.email or "", _("午间驿小时"))
    due = people.second_factor_due(db.session, current_user.person_id)
    made: dict[str, Any] = {"secret": secret, "address": address, "qr": qr_code.svg(address), "due": due}
    return show("account/second_factor_set_up.html", form, next=_come_back(), **made)


def _on(factor: SecondFactor, form: SecondCodeForm) -> Response:
    left = recovery_codes.left(db.session, factor.person_id)
    return show("account/second_factor.html", form, factor=factor, left=left)


def _set_up_form(**given: Any) -> SetUpForm:
    form = SetUpForm(**given)
    here = db.session.get_one(SignIn, current_user.sign_in_id)
    ask_for_proof(form)
    if here.created_at > clock.now() - RECENT:
        del form[form.confirmed_by().name]
    return form


def _turn_on(form: SetUpForm) -> list[str] | None:
    is_asked = "password" in form or "mailed_code" in form
    seed = session.get("seed") or totp.new_seed()
    try:
        people.step_of_app(seed, form.code.data, _key(), clock.now())  # first, for a mailed code counts once
        tried = proven(form, _("密码不对。")) if is_asked else None
        if is_asked and tried is None:
            return None
        mine = (current_user.person_id, current_user.sign_in_id, seed)
        return people.turn_on_second_factor(db.session, *mine, form.code.data, _key(), clock.now(), tried)
    except RuleViolation as no:
        say(form.confirmed_by() if is_asked and no.reason == "changed" else form.code, no)
        return None


def _with_code(verb: Any, then: Any) -> Response:
    """A change of a second factor that is on, proven by one of its codes."""
    factor, form = _mine(), SecondCodeForm()
    if factor is None:
        return htmx.go(url_for("account.second_factor"))
    if form.validate_on_submit():
        try:
            whence = (client_address(), clock.now(), per_address())
            if did := verb(db.session, current_user.person_id, form.code.data, _key(), *whence):
                return then(did)
            no = RuleViolation("wrong_second_code")
        except RuleViolation as refused:
            no = refused
        security_log.sign_in_failed("second_factor", no.reason, current_user.person_id)
        say(form.code, no)
    return _on(factor, form)


def _show_codes(codes: list[str]) -> Response:
    session["recovery_codes"] = codes
    return htmx.go(url_for("account.show_codes", next=_come_back() or None))


def _turned_off(_did: bool) -> Response:
    flash(_("两步验证已经关闭。"), "good")
    return htmx.go(url_for("account.second_factor"))


def _come_back() -> str:
    """The page that asked for a second factor, or nothing."""
    return safe_path(request.values.get("next"), "")


def _key() -> str:
    return str(current_app.config["SECRET_KEY"])
