"""Session: who is signed in, from a token in the signed cookie; `current_user` is a `CurrentUser` or an `AnonymousUser`."""

import json
import logging
from typing import Any

from flask import Flask, Response, current_app, g, has_request_context, request, session
from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SecureCookieSessionInterface
from flask_login import AnonymousUserMixin, UserMixin, current_user, login_user
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from booking import clock, people, tree
from booking.extensions import db, login
from booking.model import (
    LANGUAGES,
    OVERSIGHT,
    DoorHelper,
    Manages,
    Node,
    Oversees,
    Person,
    SignedIn,
    Station,
    Suppression,
)
from booking.telemetry import request_context
from booking.web import htmx
from booking.web.i18n.language import of_browser
from booking.web.security.csrf import SignedTokens

log = logging.getLogger(__name__)
SIGNED_IN = "booking.signed_in"  # environ key of a sign-in that was found before Flask was asked


class AnonymousUser(AnonymousUserMixin):  # type: ignore[misc] # Flask-Login is untyped
    """A reader who is not signed in."""

    id: int | None = None
    person_id: int | None = None
    person: Person | None = None
    is_admin = False
    stations: tuple[Station, ...] = ()
    helped: tuple[Station, ...] = ()
    nodes: tuple[Node, ...] = ()
    mail_stopped: Suppression | None = None
    owes_consent = ""

    def manages(self, _station_id: int) -> bool:
        return False

    def helps(self, _station_id: int) -> bool:
        return False


class CurrentUser(UserMixin):  # type: ignore[misc] # Flask-Login is untyped
    """A person, signed in from one browser. The session holds a token; rights are looked up in each request."""

    def __init__(self, token: str, found: SignedIn) -> None:
        self.token = token
        self.sign_in_id = found.sign_in_id
        self.id = self.person_id = found.person_id
        self.language = found.language
        self.is_admin = found.is_admin
        self.to_renew = found.to_renew
        self._manages: dict[int, bool] = {}

    def get_id(self) -> str:
        return self.token

    @property
    def person(self) -> Person:
        # Held: the session forgets a row to which nothing refers, and would ask for it again.
        self._person = db.session.get_one(Person, self.person_id)
        return self._person

    @property
    def mail_stopped(self) -> Suppression | None:
        """Why mail does not reach this person; None when it does."""
        return people.suppressed(db.session, self.person_id)

    @property
    def owes_consent(self) -> str:
        """The version of the privacy notice that this person has not agreed to yet; empty when there is none."""
        agreed = people.agreed_version(db.session, self.person_id)
        return people.PRIVACY_VERSION if agreed < people.PRIVACY_VERSION else ""

    def manages(self, station_id: int) -> bool:
        """Whether this person may manage the station, as its manager or as an admin."""
        if self.is_admin:
            return True
        if station_id not in self._manages:  # the session remembers rows, but not that there is none
            self._manages[station_id] = db.session.get(Manages, (self.person_id, station_id)) is not None
        return self._manages[station_id]

    @property
    def stations(self) -> tuple[Station, ...]:
        """The stations that this person manages, by name."""
        theirs = select(Station).join(Manages).where(Manages.person_id == self.person_id)
        return tuple(db.session.scalars(theirs.order_by(Station.name)))

    def oversees(self, node: Node, *, to_change: bool = False) -> bool:
        """Whether this person oversees the node or one above it; `to_change`, as an organiser."""
        roles = ("organiser",) if to_change else OVERSIGHT
        above = (Oversees.node_id.in_(tree.path_of(node)), Oversees.role.in_(roles))
        mine = select(Oversees.node_id).where(Oversees.person_id == self.person_id, *above)
        return self.is_admin or db.session.scalar(mine.limit(1)) is not None

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes that this person oversees, from the top."""
        theirs = select(Node).join(Oversees, Oversees.node_id == Node.id).where(Oversees.person_id == self.person_id)
        return tuple(db.session.scalars(theirs.order_by(Node.path)))

    def helps(self, station_id: int) -> bool:
        """Whether this person is a door helper of the station at this moment."""
        role = people.door_helper(db.session, self.person_id, station_id)
        return role is not None and role.until > clock.now()

    @property
    def helped(self) -> tuple[Station, ...]:
        """The stations whose door helper this person is at this moment, by name."""
        theirs = (DoorHelper.person_id == self.person_id, DoorHelper.until > clock.now())
        return tuple(db.session.scalars(select(Station).join(DoorHelper).where(*theirs).order_by(Station.name)))


class SessionJSON(TaggedJSONSerializer):
    """Flask's JSON, searched for tags (of what JSON has no type for, such as a tuple) only where one can be."""

    def loads(self, value: str) -> Any:
        return super().loads(value) if '{" ' in value else json.loads(value)


class Sessions(SecureCookieSessionInterface):
    """Flask's sessions, whose signer is made once and not at every request."""

    serializer = SessionJSON()

    def __init__(self) -> None:
        self._made: dict[object, Any] = {}

    def get_signing_serializer(self, app: Flask) -> Any:
        key = app.secret_key
        if key not in self._made:
            made = super().get_signing_serializer(app)
            self._made = {key: made and SignedTokens(made)}
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
    """Store the sign-in in the session of this browser."""
    login_user(found)
    g.loaded = found
    session.permanent = True
    del session["_id"]  # a third of the cookie, for a protection that we do not use


def _renew(response: Response) -> Response:
    """Sliding expiry: a person's action extends the sign-in, a page's own polling does not."""
    user = g.get("loaded")
    by_itself = request.method == "GET" and htmx.asked()
    if user and user.to_renew and not by_itself and response.status_code < 500:
        try:
            people.renew(db.session, user.sign_in_id, clock.now())
        except SQLAlchemyError as error:  # the answer is made already, and the next request tries again
            log.warning("a sign-in was not renewed: %s", type(error).__name__)
    return response


def load_user(token: str) -> CurrentUser | None:
    """User loader: looks the sign-in up at every request, so that ending it anywhere takes effect at once."""
    if g.get("calm"):  # the static error page must not use the database
        return None
    found = request.environ.get(SIGNED_IN) or people.find_sign_in(db.session, token, clock.now())
    request_context.identify(found.person_id if found else None)
    g.loaded = CurrentUser(token, found) if found else None
    return g.loaded


def language() -> str:
    """The person's language, else the browser's cookie, else what the browser asks for, else Chinese."""
    if not has_request_context():
        return LANGUAGES[0]
    if not g.get("calm") and current_user.is_authenticated and current_user.language in LANGUAGES:
        return str(current_user.language)
    chosen = request.cookies.get(current_app.config["LANGUAGE_COOKIE_NAME"])
    return of_browser(chosen, request.headers.get("Accept-Language", ""))
