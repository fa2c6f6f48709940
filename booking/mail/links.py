"""Links in letters, built from PUBLIC_URL alone. Opening one changes nothing."""

from urllib.parse import urlsplit

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer


def public(path: str) -> str:
    """The public URL of one of our pages."""
    return f"{current_app.config['PUBLIC_URL']}{path}"


def host() -> str:
    """The host name in Message-IDs and List-Ids."""
    return urlsplit(current_app.config["PUBLIC_URL"]).hostname or "localhost"


def stop(person_id: int, kind: str) -> str:
    """The URL at which a person unsubscribes from one kind of letter without signing in."""
    return public(f"/letters/stop/{_signer().dumps([person_id, kind])}")


def read_stop(token: str) -> tuple[int, str] | None:
    """The person and the kind of letter in a token of `stop`; None when its signature is wrong."""
    try:
        person_id, kind = _signer().loads(token)
    except BadSignature:
        return None
    return int(person_id), str(kind)


def unfollow(person_id: int, activity_id: int) -> str:
    """The URL at which a person stops following an activity without signing in."""
    return public(f"/letters/unfollow/{_signer('unfollow').dumps([person_id, activity_id])}")


def read_unfollow(token: str) -> tuple[int, int] | None:
    """The person and the activity in a token of `unfollow`; None when its signature is wrong."""
    try:
        person_id, activity_id = _signer("unfollow").loads(token)
    except BadSignature:
        return None
    return int(person_id), int(activity_id)


def rate(booking_id: int, person_id: int) -> str:
    """The URL at which a person rates a visit of theirs without signing in."""
    return public(f"/letters/rate/{_signer('rate-visit').dumps([booking_id, person_id])}")


def read_rate(token: str) -> tuple[int, int] | None:
    """The booking and the person in a token of `rate`; None when its signature is wrong."""
    try:
        booking_id, person_id = _signer("rate-visit").loads(token)
    except BadSignature:
        return None
    return int(booking_id), int(person_id)


def _signer(salt: str = "stop-digest") -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=salt)
