"""Addresses that letters carry. They are built from PUBLIC_URL alone, and none of them acts by itself."""

from functools import lru_cache
from urllib.parse import urlsplit

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer


def public(path: str) -> str:
    """The address of a page of ours, as people outside reach it."""
    return f"{current_app.config['PUBLIC_URL']}{path}"


def host() -> str:
    """The name that our Message-IDs and lists carry."""
    return urlsplit(current_app.config["PUBLIC_URL"]).hostname or "localhost"


def stop(person_id: int, kind: str) -> str:
    """Where a person ends one kind of digest, without signing in."""
    return public(f"/letters/stop/{_token(current_app.config['SECRET_KEY'], person_id, kind)}")


def read_stop(token: str) -> tuple[int, str] | None:
    """The person and the kind of digest that a token of `stop` names; None when nobody signed it."""
    try:
        person_id, kind = _signer(current_app.config["SECRET_KEY"]).loads(token)
    except BadSignature:
        return None
    return int(person_id), str(kind)


@lru_cache(8)
def _token(secret: str, person_id: int, kind: str) -> str:
    """A letter names it in several places."""
    token: str = _signer(secret).dumps([person_id, kind])
    return token


@lru_cache(2)
def _signer(secret: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt="stop-digest")
