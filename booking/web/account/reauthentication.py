"""Re-authentication: before a grave change people prove again who they are: by the password, or by a code that is mailed
to who has none."""

from flask import flash, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock, people
from booking.errors import RuleViolation
from booking.extensions import client_address, db
from booking.web import htmx
from booking.web.account.blueprint import pages, per_address
from booking.web.account.code_request import ask, browser
from booking.web.account.login import check, failed
from booking.web.forms.account import Confirmed, EmailForm
from booking.web.forms.rules import say
from booking.web.security.permissions import safe_path, sign_in_required


@pages.post("/account/confirm")
@sign_in_required
def mail_confirmation() -> Response:
    """Mail a code to one's own address, and go back to the form that asks for it."""
    form = EmailForm(formdata=None, data={"email": current_user.person.email})
    come_back = safe_path(request.form.get("next"), url_for("account.mine"))
    if ask(form, "sign_in", come_back):
        flash(_("邮件已经发到 %(email)s，里面的验证码 15 分钟内有效。", email=form.email.data), "good")
    else:
        flash(form.email.errors[0], "no")
    return htmx.go(come_back)


def ask_for_proof(form: Confirmed, name: str = "password") -> None:
    """Leave in the form the field for what this person can prove themselves with."""
    form.confirm_by(password=current_user.person.password_hash is not None, name=name)


def proven(form: Confirmed, wrong: str, name: str = "password") -> people.Attempt | None:
    """The confirmed proof; else None, and its field says why: `wrong` for a password that does not fit."""
    field = form.confirmed_by(name)
    try:
        by_password = field.name == name
        tried = check(current_user.person.email or "", field.data) if by_password else _by_code(field.data)
    except RuleViolation as no:
        say(field, no)
        return None
    if tried is None:
        field.errors = [wrong if by_password else _("验证码不对，或者已经过期。收到几封的话，用最新的一封。")]
    return tried


def _by_code(code: str) -> people.Attempt | None:
    whence = (browser(), client_address(), clock.now(), per_address())
    tried = people.attempt_by_code(db.session, current_user.person_id, code, *whence)
    if tried is None:
        failed("code", current_user.person.email or "")
    return tried
