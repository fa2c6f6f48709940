"""TOTP: the six digits of an authenticator app (RFC 6238): its secret, its address for a QR code, and the step of a code.

The secret is derived (HMAC) from SECRET_KEY and a random seed, and the database has only the seed: who has read the
database, or a backup of it, cannot make a code.
"""

import base64
import hmac
import secrets
from collections.abc import Iterator
from datetime import datetime

import pyotp

STEP = 30  # seconds
DRIFT = 1  # steps that the phone's clock may be off


def new_seed() -> str:
    return secrets.token_hex(20)


def secret(secret_key: str, seed: str) -> str:
    """The secret that the app stores, 160 bits in base32."""
    return base64.b32encode(_derive(secret_key, f"secret {seed}")[:20]).decode()


def key_id(secret_key: str) -> str:
    """Eight digits that tell one SECRET_KEY from another, and nothing about it."""
    return _derive(secret_key, "key id").hex()[:8]


def address(secret: str, email: str, issuer: str) -> str:
    """The otpauth address by which an app learns the secret."""
    return pyotp.TOTP(secret, interval=STEP).provisioning_uri(name=email, issuer_name=issuer)


def code(secret: str, now: datetime) -> str:
    """The six digits that an app shows at `now`."""
    return pyotp.HOTP(secret).at(step_at(now))


def step_at(now: datetime) -> int:
    return int(now.timestamp()) // STEP


def steps_of(secret: str, typed: str, now: datetime) -> Iterator[int]:
    """The steps around `now` whose code is the typed one, the oldest first."""
    codes = pyotp.HOTP(secret)
    for step in range(step_at(now) - DRIFT, step_at(now) + DRIFT + 1):
        if hmac.compare_digest(codes.at(step).encode(), typed.encode()):
            yield step


def _derive(secret_key: str, purpose: str) -> bytes:
    return hmac.digest(secret_key.encode(), f"second factor {purpose}".encode(), "sha256")
