"""Addresses that letters carry. They are built from PUBLIC_URL alone, and none of them acts by itself."""

import hmac
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha1
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
    return b".".join([signed, base64_encode(_hmac(secret)(signed))]).decode()


@lru_cache(2)
def _hmac(secret: str) -> Callable[[bytes], bytes]:
    """The hash of that signer, with its key in it for good: to put it in takes OpenSSL twenty times as long as to sign."""
    key = _signer(secret).make_signer().derive_key().ljust(64, b"\0")
    inner, outer = (sha1(key.translate(half), usedforsecurity=True) for half in (hmac.trans_36, hmac.trans_5C))  # noqa: S324 - what itsdangerous signs with

    def sign(said: bytes) -> bytes:
        first, last = inner.copy(), outer.copy()
        first.update(said)
        last.update(first.digest())
        return last.digest()

    return sign


@lru_cache(2)
def _signer(secret: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt="stop-digest")
