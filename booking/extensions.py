"""Extensions: the Flask extensions (database, login, limiter, …), bound to an app by `create_app`."""

from hashlib import sha256
from threading import Lock
from time import time

from flask import request
from flask_babel import Babel
from flask_compress import Compress
from flask_limiter import Limiter
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from limits.storage import MemoryStorage

from booking import people
from booking.model import Base

MOST = 20_000  # counters
LONGEST = 200  # characters of a counter's name


class BoundedMemoryStorage(MemoryStorage):
    """Rate limit counters, at most MOST: a client with many addresses could fill the memory of the library's storage.

    That one also starts a thread at nearly every hit to remove expired counters; here they are removed now and then.
    When there are too many, those that expire first are dropped.
    """

    STORAGE_SCHEME = ["bounded-memory"]
    hits = 0
    _guard = Lock()

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count `amount` more within `expiry` seconds from the first; returns the count."""
        now, key = time(), _short(key)
        with self._guard:
            if self.expirations.get(key, 0) <= now:
                self.storage[key], self.expirations[key] = 0, now + expiry
            self.storage[key] += amount
            self.hits += 1
            count: int = self.storage[key]
            # Expired counters occupy memory until then.
            if self.hits > max(1_000, len(self.expirations) // 4) or len(self.expirations) > MOST:
                self._forget(now)
            return count

    def _forget(self, now: float) -> None:
        self.hits = 0
        over = [key for key, until in self.expirations.items() if until <= now]
        if len(self.expirations) - len(over) > MOST * 3 // 4:
            over = sorted(self.expirations, key=self.expirations.__getitem__)[: len(self.expirations) - MOST * 3 // 4]
        for key in over:
            del self.storage[key], self.expirations[key]

    def get(self, key: str) -> int:
        """The count so far."""
        return super().get(_short(key))


def _short(key: str) -> str:
    """A proxy may pass on an address of any length: long ones are hashed."""
    return key if len(key) <= LONGEST else sha256(key.encode()).hexdigest()


class Login(LoginManager):  # type: ignore[misc] # Flask-Login is untyped
    """Flask-Login without its remember cookie: we set none, and a forged non-ASCII one would raise an error."""

    def _load_user_from_remember_cookie(self, cookie: str) -> None:
        """Never sign anybody in by it."""


def client_address() -> str:
    """Client address: the key of limits by network client."""
    return people.client_network(request.remote_addr)


# Objects stay loaded after a commit: what a verb has written is still true for the page that shows it.
db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})
login = Login()
babel = Babel()
limiter = Limiter(key_func=client_address)
compress = Compress()
