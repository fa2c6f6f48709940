"""Login: signing in, by password or by a mailed code, and signing out."""

from flask import request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user, logout_user
from werkzeug.wrappers import Response

from booking import clock, people
from booking.errors import RuleViolation
from booking.extensions import client_address, db
from booking.web import htmx
from booking.web.account.blueprint import agent, pages, per_address, show
from booking.web.account.code_request import ask, asked_for, browser
from booking.web.account.pending_sign_in import remember
from booking.web.forms.account import CodeForm, EmailForm, SignInForm
from booking.web.forms.rules import say
from booking.web.security import pending_booking, security_log
from booking.web.security.permissions import owes_second_factor, safe_path
from booking.web.security.session import enter, load_user

# Who signs in from these asked for no page in particular.
NOWHERE = ("/", "/account/")


@pages.route("/account/sign-in", methods=["GET", "POST"])
def sign_in() -> Response:
    come_back = safe_path(request.values.get("next"))
    if request.method == "GET" and current_user.is_authenticated:
        return htmx.go(come_back)
    form = SignInForm()
    if form.validate_on_submit() and (token := _by_password(form)):
        return welcome(token, come_back)
    return show("account/sign_in.html", form, next=come_back, idle=_was_idle())


@pages.route("/account/sign-in/code", methods=["GET", "POST"])
def mail_code() -> Response:
    """The other button of the sign-in page: a code by mail instead of a password."""
    if request.method == "GET":
        return htmx.go(url_for("account.sign_in"))
    form, come_back = EmailForm(), safe_path(request.form.get("next"))
    if form.validate_on_submit() and ask(form, "sign_in", come_back):
        return htmx.go(url_for("account.enter_code"))
    words = SignInForm(formdata=None, data={"email": form.email.data})
    words.email.errors = form.email.errors
    return show("account/sign_in.html", words, 422, next=come_back, idle=_was_idle())


@pages.route("/account/sign-in/finish", methods=["GET", "POST"])
def enter_code() -> Response:
    asked = asked_for("sign_in")
    if asked is None:
        return htmx.go(url_for("account.sign_in"))
    form = CodeForm()
    if form.validate_on_submit() and (token := _by_code(form, asked.email)):
        return welcome(token, asked.come_back)
    return show("account/enter_code.html", form, email=asked.email, next=asked.come_back)


@pages.post("/account/sign-out")
def sign_out() -> Response:
    if current_user.is_authenticated:
        people.end_sign_in(db.session, current_user.person_id, current_user.sign_in_id, clock.now())
    leave()
    return htmx.go("/")


def welcome(entered: str | people.PendingSignIn, come_back: str, *, exactly: bool = False) -> Response:
    """Store the sign-in in a fresh session cookie, and redirect to the page that asked for it, or to the second step.

    Staff who asked for no page in particular begin with their day, unless `exactly` this page is meant. What was pressed
    before is booked on the way.
    """
    pressed = pending_booking.remembered()
    pending_booking.begin_session()
    if isinstance(entered, people.PendingSignIn):
        remember(entered, come_back)
        return htmx.go(url_for("account.second_step"))
    enter(load_user(entered))
    if owes_second_factor():
        come_back = url_for("account.second_factor", next=come_back)
    if pressed:
        return htmx.go(_by_way_of(pressed.slot_id, come_back))
    return htmx.go(come_back if exactly or come_back not in NOWHERE else _landing() or come_back)


def _by_way_of(slot_id: int, come_back: str) -> str:
    """The address that makes the pending booking, and leads to another page than the one of the press where that is meant."""
    is_meant = come_back not in (*NOWHERE, url_for("worker.slot", slot_id=slot_id))
    return url_for("worker.book_pending", slot_id=slot_id, next=come_back if is_meant else None)


def _landing() -> str:
    """Where staff begin their day: an admin with the stations, a manager or door helper with today, who oversees a node
    with that. Empty for everybody else."""
    if current_user.is_admin:
        return url_for("admin.all_stations")
    if current_user.stations or current_user.helped:
        return url_for("manager.stations")
    return url_for("network.one_node", code=current_user.nodes[0].code) if current_user.nodes else ""


def _was_idle() -> bool:
    """Whether this browser's sign-in ended because it was idle."""
    token = session.get("_user_id")
    return token is not None and people.was_idle(db.session, token, clock.now())


def leave() -> None:
    """Remove the person from this browser's session."""
    logout_user()
    session.clear()


def check(email: str, password: str) -> people.Attempt | None:
    """Count a try, then check it; None when the password does not fit. No transaction is open during argon2."""
    try:
        tried = people.attempt(db.session, email, client_address(), clock.now(), per_address())
        if people.fits(password, tried.password_hash):
            return tried
    except RuleViolation as no:
        failed("password", email, no.reason)
        raise
    failed("password", email)
    return None


def failed(how: str, email: str, reason: str = "wrong") -> None:
    """Log a failed sign-in. The account is always looked up, so that the time does not tell whether it exists."""
    security_log.sign_in_failed(how, reason, people.person_of(db.session, email))


def _by_password(form: SignInForm) -> str | people.PendingSignIn | None:
    try:
        if tried := check(form.email.data, form.password.data):
            return _complete(tried)
        form.password.errors = [_("邮箱或密码不对。")]
    except RuleViolation as no:
        say(form.password, no)
    return None


def _complete(tried: people.Attempt) -> str | people.PendingSignIn:
    try:
        return people.complete(db.session, tried, agent(), clock.now())
    except RuleViolation as no:
        security_log.sign_in_failed("password", no.reason, tried.person_id)
        raise


def _by_code(form: CodeForm, email: str) -> str | people.PendingSignIn | None:
    try:
        whence = (browser(), client_address(), agent())
        token = people.with_code(db.session, email, form.code.data, *whence, clock.now(), per_address())
    except RuleViolation as no:
        failed("code", email, no.reason)
        say(form.code, no)
        return None
    if token is None:
        failed("code", email)
        form.code.errors = [_("验证码不对，或者已经过期。收到几封的话，用最新的一封。")]
    return token
