"""Address: a person whom mail did not reach proves with a mailed code that it does."""

from flask import flash, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock, people
from booking.errors import RuleViolation
from booking.extensions import client_address, db
from booking.web import htmx
from booking.web.account.blueprint import pages, per_address, show
from booking.web.account.code_request import ask, browser
from booking.web.forms.account import CodeForm, EmailForm
from booking.web.forms.rules import say
from booking.web.security.permissions import sign_in_required


@pages.post("/account/address")
@sign_in_required
def mail_again() -> Response:
    """Mail a code to one's own address, whatever came back from it before."""
    form = EmailForm(formdata=None, data={"email": current_user.person.email})
    if ask(form, "sign_in", url_for("account.mine")):
        return htmx.go(url_for("account.prove_address"))
    flash(form.email.errors[0], "no")
    return htmx.go(url_for("account.mine"))


@pages.route("/account/address/finish", methods=["GET", "POST"])
@sign_in_required
def prove_address() -> Response:
    form = CodeForm()
    if form.validate_on_submit() and _prove(form):
        flash(_("收到了，邮件恢复发送。"), "good")
        return htmx.go(url_for("account.mine"))
    return show("account/prove_address.html", form, email=current_user.person.email)


def _prove(form: CodeForm) -> bool:
    whence = (browser(), client_address(), clock.now(), per_address())
    try:
        if people.prove_address(db.session, current_user.person_id, form.code.data, *whence):
            return True
        form.code.errors = [_("验证码不对，或者已经过期。")]
    except RuleViolation as no:
        say(form.code, no)
    return False
