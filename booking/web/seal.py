"""Signed-token reader: verifies what itsdangerous signed and dated, with a key that is derived only once.

At an opening every booking brings two of them. https://itsdangerous.palletsprojects.com/concepts/
"""

import hmac
import json
import zlib
from binascii import a2b_base64, b2a_base64
from time import time
from typing import Any

from itsdangerous import URLSafeTimedSerializer

TO_PLAIN, TO_URL = bytes.maketrans(b"-_", b"+/"), bytes.maketrans(b"+/", b"-_")
TAG = '{" '  # how Flask's JSON marks types that JSON does not have, such as a tuple
_plain = json.JSONDecoder().decode


class Seal:
    """The signature of one serializer: HMAC of `payload.timestamp`."""

    def __init__(self, made_by: URLSafeTimedSerializer) -> None:
        signer: Any = made_by.make_signer(made_by.salt)
        self._loads = made_by.serializer.loads
        self._key, self._digest = signer.derive_key(), signer.algorithm.digest_method().name

    def open(self, sealed: str, lasts: float | None = None) -> Any:
        """The signed value; None when the signature is wrong, or older than `lasts` seconds."""
        signed, _dot, signature = sealed.encode().rpartition(b".")
        if not hmac.compare_digest(signature, _encoded(hmac.digest(self._key, signed, self._digest))):
            return None
        payload, _dot, instant = signed.rpartition(b".")
        if lasts is not None and not 0 <= int(time()) - int.from_bytes(_decoded(instant), "big") <= lasts:
            return None
        packed = payload.startswith(b".")
        text = (zlib.decompress(_decoded(payload[1:])) if packed else _decoded(payload)).decode()
        return _plain(text) if TAG not in text else self._loads(text)


def _encoded(plain: bytes) -> bytes:
    return b2a_base64(plain, newline=False).translate(TO_URL).rstrip(b"=")


def _decoded(text: bytes) -> bytes:
    return a2b_base64(text.translate(TO_PLAIN) + b"==")  # surplus padding is ignored
