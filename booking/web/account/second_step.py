"""Second step of a sign-in: the code of the authenticator app, or a recovery code."""

from flask import current_app, flash, session, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from booking import clock, people
from booking.errors import RuleViolation
from booking.extensions import client_address, db
from booking.people import recovery_codes
from booking.web import htmx
from booking.web.account.blueprint import agent, pages, per_address, show
from booking.web.account.login import welcome
from booking.web.account.pending_sign_in import Pending, remembered
from booking.web.forms.account import SecondCodeForm
from booking.web.forms.rules import say
from booking.web.security import security_log


@pages.route("/account/sign-in/second-step", methods=["GET", "POST"])
def second_step() -> Response:
    pending = remembered()
    if pending is None:
        return htmx.go(url_for("account.sign_in"))
    if pending.is_over:
        return _begin_again(pending, _("超过 10 分钟没有输入，请重新登录。"))
    form = SecondCodeForm()
    if form.validate_on_submit() and (token := _finish(form, pending)):
        answer = welcome(token, pending.come_back)
        _say_what_is_left(form, pending.sign_in.person_id)
        return answer
    return show("account/second_step.html", form, next=pending.come_back)


def _begin_again(pending: Pending, sentence: str) -> Response:
    del session["second_step"]
    flash(sentence, "no")
    return htmx.go(url_for("account.sign_in", next=pending.come_back))


def _finish(form: SecondCodeForm, pending: Pending) -> str | None:
    who = pending.sign_in.person_id
    try:
        whence = (client_address(), agent(), clock.now(), per_address())
        key = current_app.config["SECRET_KEY"]
        token = people.finish_sign_in(db.session, pending.sign_in, form.code.data, key, *whence)
    except RuleViolation as no:
        security_log.sign_in_failed("second_factor", no.reason, who)
        say(form.code, no)
        return None
    if token is None:
        security_log.sign_in_failed("second_factor", "wrong", who)
        say(form.code, RuleViolation("wrong_second_code"))
    return token


def _say_what_is_left(form: SecondCodeForm, person_id: int) -> None:
    if recovery_codes.is_one(people.clean_second_code(form.code.data)):
        left = recovery_codes.left(db.session, person_id)
        sentence = ngettext("用掉了一个恢复码，还剩 %(num)s 个。", "用掉了一个恢复码，还剩 %(num)s 个。", left)
        flash(sentence, "wait")
