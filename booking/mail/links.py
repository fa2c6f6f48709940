"""Addresses that letters carry. They are built from PUBLIC_URL alone, and none of them acts by itself."""

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
    return public(f"/letters/stop/{_signer().dumps([person_id, kind])}")


def read_stop(token: str) -> tuple[int, str] | None:
    """The person and the kind of digest that a token of `stop` names; None when nobody signed it."""
    try:
        person_id, kind = _signer().loads(token)
    except BadSignature:
        return None
    return int(person_id), str(kind)


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="stop-digest")
