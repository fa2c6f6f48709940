"""Flask's handles. `create_app` binds them to an app."""

from threading import Lock
from time import time

from flask import request
from flask_babel import Babel
from flask_compress import Compress
from flask_limiter import Limiter
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from limits.storage import MemoryStorage

from booking import people
from booking.model import Base


class CalmMemory(MemoryStorage):
    """The counters of the library, without the thread that it starts at every hit: what is over goes now and then."""

    STORAGE_SCHEME = ["calm-memory"]
    hits = 0
    _guard = Lock()

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count `amount` more within `expiry` seconds from the first; the count."""
        now = time()
        with self._guard:
            if self.expirations.get(key, 0) <= now:
                self.storage[key], self.expirations[key] = 0, now + expiry
            self.storage[key] += amount
            self.hits += 1
            if self.hits > max(1_000, len(self.expirations) // 4):  # what is over takes room until then
                self._forget(now)
            return self.storage[key]

    def _forget(self, now: float) -> None:
        self.hits = 0
        for key in [key for key, until in self.expirations.items() if until <= now]:
            del self.storage[key], self.expirations[key]


class Login(LoginManager):  # type: ignore[misc] # Flask-Login is untyped
    """The library's, without its second cookie: we set none, and one that is not ASCII would be an error."""

    def _load_user_from_remember_cookie(self, cookie: str) -> None:
        """Nobody is signed in by it."""


def client_address() -> str:
    """Client address: what limits know a network client by."""
    return people.client_network(request.remote_addr)


# What a verb has written is still true for the page that shows it: no second look after the commit.
db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})
login = Login()
csrf = CSRFProtect()
babel = Babel()
limiter = Limiter(key_func=client_address)
compress = Compress()
