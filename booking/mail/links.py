"""Addresses that letters carry. They are built from PUBLIC_URL alone, and none of them acts by itself."""

import hmac
from functools import lru_cache
from urllib.parse import urlsplit

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer
from itsdangerous.encoding import base64_encode


def public(path: str) -> str:
    """The address of a page of ours, as people outside reach it."""
    return f"{current_app.config['PUBLIC_URL']}{path}"


def host() -> str:
    """The name that our Message-IDs and lists carry."""
    return _host(current_app.config["PUBLIC_URL"])


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


@lru_cache(2)
def _host(address: str) -> str:
    return urlsplit(address).hostname or "localhost"


@lru_cache(8)
def _token(secret: str, person_id: int, kind: str) -> str:
    """As `_signer` signs it, for a fraction of what it takes; a letter names it in several places."""
    signed = base64_encode(f'[{person_id},"{kind}"]')
    seal = _keyed(secret).copy()
    seal.update(signed)
    return b".".join([signed, base64_encode(seal.digest())]).decode()


@lru_cache(2)
def _keyed(secret: str) -> hmac.HMAC:
    """The hash of that signer with its key in it, to be copied: deriving the key is most of the work."""
    signer = _signer(secret).make_signer()
    return hmac.new(signer.derive_key(), digestmod=signer.digest_method)


@lru_cache(2)
def _signer(secret: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt="stop-digest")
