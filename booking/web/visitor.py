"""Who is behind a request: Flask-Login's view of one sign-in."""

from flask import g
from flask_login import UserMixin

from booking import clock, people
from booking.extensions import db


class Visitor(UserMixin):  # type: ignore[misc] # Flask-Login is untyped
    """A signed-in browser. The cookie carries the sign-in's token, so ending the sign-in ends it."""

    def __init__(self, token: str, signed_in: people.SignedIn) -> None:
        self.token = token
        self.id = signed_in.person_id
        self.sign_in_id = signed_in.sign_in_id
        self.language = signed_in.language
        self.is_admin = signed_in.is_admin

    def get_id(self) -> str:
        return self.token


def recognise(token: str) -> Visitor | None:
    """The visitor with this token, if it still counts. Pages about a lost database do not ask it."""
    if g.get("calm"):
        return None
    signed_in = people.find_sign_in(db.session, token, clock.now())
    return Visitor(token, signed_in) if signed_in else None
