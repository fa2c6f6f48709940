"""Registration and password reset: both begin with a code by mail and end signed in."""

from flask import flash, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from booking import clock, people
from booking.errors import RuleViolation
from booking.extensions import client_address, db, limiter
from booking.web import htmx
from booking.web.account.blueprint import agent, hashes_an_hour, pages, per_address, show
from booking.web.account.code_request import ask, asked_for, browser
from booking.web.account.login import failed, welcome
from booking.web.forms.account import EmailForm, RegisterForm, ResetForm
from booking.web.forms.rules import say
from booking.web.security.permissions import safe_path
from booking.web.security.session import language


@pages.route("/account/register", methods=["GET", "POST"])
def register() -> Response:
    form, come_back = EmailForm(), safe_path(request.values.get("next"))
    if form.validate_on_submit() and ask(form, "register", come_back):
        return htmx.go(url_for("account.finish_register"))
    return show("account/register.html", form, next=come_back)


@pages.route("/account/register/finish", methods=["GET", "POST"])
@limiter.limit(hashes_an_hour, methods=["POST"])
def finish_register() -> Response:
    asked = asked_for("register")
    if asked is None:
        return htmx.go(url_for("account.register"))
    form = RegisterForm(asked.email)
    if form.validate_on_submit() and (token := _finish(form, asked.email)):
        answer = welcome(token, asked.come_back)
        flash(_("注册好了。"), "good")
        return answer
    return show("account/finish_register.html", form, email=asked.email, next=asked.come_back)


@pages.route("/account/forgotten", methods=["GET", "POST"])
def forgotten() -> Response:
    form, come_back = EmailForm(), safe_path(request.values.get("next"), "/account/")
    if form.validate_on_submit() and ask(form, "reset", come_back):
        return htmx.go(url_for("account.finish_forgotten"))
    return show("account/forgotten.html", form, next=come_back)


@pages.route("/account/forgotten/finish", methods=["GET", "POST"])
@limiter.limit(hashes_an_hour, methods=["POST"])
def finish_forgotten() -> Response:
    asked = asked_for("reset")
    if asked is None:
        return htmx.go(url_for("account.forgotten"))
    form = ResetForm(asked.email)
    if form.validate_on_submit() and (token := _finish(form, asked.email)):
        return welcome(token, asked.come_back)
    return show("account/finish_forgotten.html", form, email=asked.email, next=asked.come_back)


def _finish(form: RegisterForm | ResetForm, email: str) -> str | people.PendingSignIn | None:
    """Use the code, register or reset, and sign in: one transaction, after the slow hashing."""
    how = "registering" if isinstance(form, RegisterForm) else "reset"
    try:
        password, code = form.password.data, form.code.data
        kept = people.hash_password(password) if password else ""
        whence, now = (browser(), client_address()), clock.now()
        if isinstance(form, RegisterForm):
            new = (email, code, form.name.data, kept or None, language(), *whence, now, per_address())
            token = people.sign_in_after(db.session, lambda rows: people.register(rows, *new), password, agent(), now)
        else:
            old = (email, code, kept, *whence, now, per_address())
            token = people.sign_in_after(
                db.session, lambda rows: people.reset_password(rows, *old), password, agent(), now
            )
        if token:
            return token
    except RuleViolation as no:
        if no.reason in ("password_common", "password_known"):
            say(form.password, no)
            return None
        failed(how, email, no.reason)
        say(form.code, no)
        return None
    failed(how, email)
    form.code.errors = [_("验证码不对，或者已经过期。收到几封的话，用最新的一封。")]
    return None
