"""CSRF: Flask-WTF's protection, with one check of a token for Flask's views and for what is answered before them.

Tokens and sessions are signed and dated by itsdangerous (https://itsdangerous.palletsprojects.com/concepts/).
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, cast

from flask import Flask, current_app, g, request, session
from flask_wtf import CSRFProtect
from flask_wtf.csrf import generate_csrf
from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer

SALT = "wtf-csrf-token"  # Flask-WTF's own


class Protection(CSRFProtect):  # type: ignore[misc] # Flask-WTF is untyped
    """What `is_valid` does not accept is checked again by Flask-WTF, which knows the exempt views and says what is wrong."""

    def protect(self, apply_exemptions: bool = False) -> None:
        if is_valid(current_app, request.form.get("csrf_token", ""), session):
            g.csrf_valid = True  # so that forms do not check it again
        else:
            super().protect(apply_exemptions)


csrf = Protection()


def register(app: Flask) -> None:
    csrf.init_app(app)
    app.extensions["csrf_tokens"] = SignedTokens(URLSafeTimedSerializer(app.secret_key or "", salt=SALT))


def is_valid(app: Flask, token: str, session: Mapping[str, Any]) -> bool:
    """Whether the token was signed for this session. It lasts as long as the session."""
    if not app.config["WTF_CSRF_ENABLED"]:
        return True
    try:
        return hmac.compare_digest(app.extensions["csrf_tokens"].loads(token), session["csrf_token"])
    except (BadData, KeyError, TypeError):  # TypeError: not two ASCII texts
        return False


def browser_token() -> str:
    """The random text in this browser's session that its forms are signed with; a new one where it has none."""
    generate_csrf()
    return str(session["csrf_token"])


class SignedTokens(URLSafeTimedSerializer):
    """A serializer of the library, with its keys derived once and not for every token, and with the hash written in C."""

    def __init__(self, made: URLSafeTimedSerializer) -> None:
        signer = made.make_signer(made.salt)
        keys = [signer.derive_key(key) for key in signer.secret_keys]
        how = {"key_derivation": "none", "digest_method": getattr(hashlib, signer.digest_method().name)}
        super().__init__(keys, salt=made.salt, serializer=made.serializer, signer_kwargs=how)
        self._kept = cast("TimestampSigner", self.make_signer())

    def loads(  # type: ignore[override] # as the library's own
        self,
        s: str | bytes,
        max_age: int | None = None,
        return_timestamp: bool = False,
        salt: str | bytes | None = None,
    ) -> Any:
        if return_timestamp or salt is not None:
            return super().loads(s, max_age, return_timestamp, salt)
        return self.load_payload(self._kept.unsign(s, max_age=max_age))
