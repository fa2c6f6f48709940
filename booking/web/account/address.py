"""Address: one's own e-mail address, changed for another or proved after letters came back; both by a mailed code."""

from collections.abc import Callable
from functools import partial

from flask import flash, session, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock, people
from booking.errors import RuleViolation
from booking.extensions import client_address, db
from booking.web import htmx
from booking.web.account.blueprint import pages, per_address, show
from booking.web.account.code_request import ask, asked_for, browser
from booking.web.account.reauthentication import ask_for_proof, proven
from booking.web.forms.account import AddressForm, CodeForm, EmailForm
from booking.web.forms.rules import say
from booking.web.security.permissions import sign_in_required
from booking.web.security.session import language


@pages.post("/account/address/again")
@sign_in_required
def mail_again() -> Response:
    """Mail a code to one's own address, whatever came back from it before."""
    form = EmailForm(formdata=None, data={"email": current_user.person.email})
    if ask(form, "sign_in", url_for("account.mine")):
        return htmx.go(url_for("account.prove_address"))
    flash(form.email.errors[0], "no")
    return htmx.go(url_for("account.mine"))


@pages.route("/account/address/prove", methods=["GET", "POST"])
@sign_in_required
def prove_address() -> Response:
    if asked_for("sign_in") is None:
        return htmx.go(url_for("account.mine"))
    form = CodeForm()
    if form.validate_on_submit() and _proved(form):
        session.pop("asked", None)
        flash(_("收到了，邮件恢复发送。"), "good")
        return htmx.go(url_for("account.mine"))
    finish = url_for("account.prove_address")
    return show("account/prove_address.html", form, email=current_user.person.email, finish=finish, is_new=False)


@pages.route("/account/address", methods=["GET", "POST"])
@sign_in_required
def change_address() -> Response:
    form = AddressForm()
    ask_for_proof(form)
    if form.validate_on_submit() and _asked(form):
        return htmx.go(url_for("account.finish_address"))
    return show("account/change_address.html", form)


@pages.route("/account/address/finish", methods=["GET", "POST"])
@sign_in_required
def finish_address() -> Response:
    asked = asked_for("address")
    if asked is None:
        return htmx.go(url_for("account.change_address"))
    form = CodeForm()
    if form.validate_on_submit() and _changed(form, asked.email):
        session.pop("asked", None)
        flash(_("邮箱换好了，以后用它登录。"), "good")
        return htmx.go(url_for("account.mine"))
    finish = url_for("account.finish_address")
    return show("account/prove_address.html", form, email=asked.email, finish=finish, is_new=True)


def _asked(form: AddressForm) -> bool:
    """Confirm who it is, and mail a code to the new address. The answer is the same if it has an account."""
    own, email = current_user.person.email or "", people.clean_email(form.email.data)
    if email == own:
        form.email.errors = [_("这就是你现在的邮箱。")]
        return False
    if not (tried := proven(form, _("密码不对。"))):
        return False
    try:
        whence = (browser(), client_address(), per_address())
        people.ask_for_new_address(db.session, tried, email, language(), clock.now(), *whence)
    except RuleViolation as no:
        say(form.email, no)
        return False
    session["asked"] = ["address", email, url_for("account.mine")]
    return True


def _changed(form: CodeForm, email: str) -> bool:
    whence = (browser(), client_address(), clock.now(), per_address(), current_user.sign_in_id)
    return _fits(
        form, partial(people.change_address, db.session, current_user.person_id, email, form.code.data, *whence)
    )


def _proved(form: CodeForm) -> bool:
    whence = (browser(), client_address(), clock.now(), per_address())
    return _fits(form, partial(people.prove_address, db.session, current_user.person_id, form.code.data, *whence))


def _fits(form: CodeForm, redeem: Callable[[], bool]) -> bool:
    try:
        if redeem():
            return True
    except RuleViolation as no:
        say(form.code, no)
        return False
    form.code.errors = [_("验证码不对，或者已经过期。收到几封的话，用最新的一封。")]
    return False
