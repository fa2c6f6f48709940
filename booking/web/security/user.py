"""Who is behind a request: `current_user` is a `Visitor` that we know, or a `Stranger`."""

import logging
from typing import Any

from flask import Flask, Response, g, request, session
from flask.sessions import SecureCookieSessionInterface
from flask_login import AnonymousUserMixin, UserMixin, login_user
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from booking import clock, people
from booking.db import transactions
from booking.extensions import db, login
from booking.model import Manages, Person, SignedIn, Station
from booking.web import htmx, kept

log = logging.getLogger(__name__)


class AnonymousUser(AnonymousUserMixin):  # type: ignore[misc] # Flask-Login is untyped
    """Nobody we know."""

    id: int | None = None
    known: kept.Known[SignedIn] | None = None
    person_id: int | None = None
    person: Person | None = None
    is_admin = False
    stations: tuple[Station, ...] = ()

    def manages(self, _station_id: int) -> bool:
        return False


class CurrentUser(UserMixin):  # type: ignore[misc] # Flask-Login is untyped
    """A person, signed in from one browser. The cookie carries the sign-in's token; rights are looked up in each request."""

    def __init__(self, token: str, found: SignedIn, known: kept.Known[SignedIn] | None = None) -> None:
        self.token = token
        self.known = known
        self.sign_in_id = found.sign_in_id
        self.id = self.person_id = found.person_id
        self.language = found.language
        self.is_admin = found.is_admin
        self.to_renew = found.to_renew

    def get_id(self) -> str:
        return self.token

    @property
    def person(self) -> Person:
        return db.session.get_one(Person, self.person_id)

    def manages(self, station_id: int) -> bool:
        """Whether this person may run the station, as its manager or as an admin."""
        return self.is_admin or db.session.get(Manages, (self.person_id, station_id)) is not None

    @property
    def stations(self) -> tuple[Station, ...]:
        """The stations that this person was appointed to, by name."""
        theirs = select(Station).join(Manages).where(Manages.person_id == self.person_id)
        return tuple(db.session.scalars(theirs.order_by(Station.name)))


class Sessions(SecureCookieSessionInterface):
    """Flask's, with the signer made once and not at every request."""

    def __init__(self) -> None:
        self._made: dict[object, Any] = {}

    def get_signing_serializer(self, app: Flask) -> Any:
        key = app.secret_key
        if key not in self._made:
            self._made = {key: super().get_signing_serializer(app)}
        return self._made[key]


def register(app: Flask) -> None:
    app.session_interface = Sessions()
    login.session_protection = None  # our own rows end a sign-in; phones change their address all day
    login.anonymous_user = AnonymousUser
    login.user_loader(load_user)
    app.after_request(_renew)
    app.permanent_session_lifetime = people.SIGN_IN_LASTS
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False


def enter(found: CurrentUser | None) -> None:
    """Keep who it is in the session of this browser."""
    login_user(found)
    session.permanent = True
    del session["_id"]  # a third of the cookie, and for a protection that we do not use


def _renew(response: Response) -> Response:
    """Sliding expiry: what a person does moves the end of the sign-in on, what a page asks by itself does not."""
    user = g.get("_login_user")
    by_itself = request.method == "GET" and htmx.asked()
    if isinstance(user, CurrentUser) and user.to_renew and not by_itself and response.status_code < 500:
        try:
            with transactions.transaction(db.session) as rows:
                people.renew(rows, user.sign_in_id, clock.now())
        except SQLAlchemyError as error:  # the answer is made, and the next one tries again
            log.warning("a sign-in was not renewed: %s", type(error).__name__)
    return response


def load_user(token: str) -> CurrentUser | None:
    """Who it is, looked up at every request: a sign-in that was ended, wherever that was, opens nothing more."""
    if g.get("calm"):  # a page for when the database is gone must not ask it
        return None
    now, noted = clock.now(), kept.look(request).news.noted if request.method in ("GET", "HEAD") else None
    found = people.find_sign_in(db.session, token, now)
    if found is None:
        return None
    return CurrentUser(token, found, None if noted is None else kept.Known(found, noted, now))
