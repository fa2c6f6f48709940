"""Code request: asks for a code by mail. The browser's session stores the address, the database the expiry."""

import secrets
from dataclasses import dataclass

from flask import session

from booking import clock, people
from booking.errors import RuleViolation
from booking.extensions import client_address, db
from booking.web.account.blueprint import per_address
from booking.web.forms.account import EmailForm
from booking.web.forms.rules import say
from booking.web.security.session import language


@dataclass(frozen=True)
class CodeRequest:
    """What this browser asked a code for, and the page to return to."""

    purpose: str
    email: str
    come_back: str


def ask(form: EmailForm, purpose: str, come_back: str) -> bool:
    """Mail a code if the address may have one. The answer is the same if not; only too many requests are refused."""
    try:
        email = people.clean_email(form.email.data)
        whence = (browser(), client_address(), per_address())
        people.ask_for_code(db.session, email, purpose, language(), clock.now(), *whence)
    except RuleViolation as no:
        say(form.email, no)
        return False
    session["asked"] = [purpose, email, come_back]
    return True


def asked_for(purpose: str) -> CodeRequest | None:
    """This browser's request for a code, if it was for this purpose."""
    asked = CodeRequest(*session.get("asked", ("", "", "")))
    return asked if asked.purpose == purpose else None


def browser() -> str:
    """The secret in this browser's session: a code is valid only in the browser that asked for it."""
    if "browser" not in session:
        session["browser"] = secrets.token_urlsafe(16)
    return str(session["browser"])
