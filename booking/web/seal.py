"""Opens what itsdangerous has signed and dated. Its key is derived once: that and its many steps are most of the work."""

import hmac
from time import time
from typing import Any

from itsdangerous import URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, base64_encode, bytes_to_int


class Seal:
    """One serializer's signature: HMAC of `payload.instant`. https://itsdangerous.palletsprojects.com/concepts/"""

    def __init__(self, made_by: URLSafeTimedSerializer) -> None:
        signer: Any = made_by.make_signer(made_by.salt)
        self._load = made_by.load_payload
        self._key, self._digest = signer.derive_key(), signer.algorithm.digest_method().name

    def open(self, sealed: str, lasts: float | None = None) -> Any:
        """What was signed, at most `lasts` seconds ago; None when it was not, or then."""
        signed, _dot, signature = sealed.encode().rpartition(b".")
        if not hmac.compare_digest(signature, base64_encode(hmac.digest(self._key, signed, self._digest))):
            return None
        payload, _dot, instant = signed.rpartition(b".")
        age = int(time()) - bytes_to_int(base64_decode(instant))
        return self._load(payload) if lasts is None or 0 <= age <= lasts else None
