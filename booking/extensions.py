"""Flask's handles. `create_app` binds them to an app."""

from flask_babel import Babel
from flask_compress import Compress
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from limits.storage import MemoryStorage

from booking.model import Base


class CalmMemory(MemoryStorage):
    """The counters of the library, without the thread that it starts at every hit: what is over goes now and then."""

    STORAGE_SCHEME = ["calm-memory"]
    hits = 0

    def _MemoryStorage__schedule_expiry(self) -> None:  # noqa: N802 - the library's private name
        self.hits += 1
        if self.hits % 1_000 == 0:
            self._MemoryStorage__expire_events()  # type: ignore[attr-defined]


# What a verb has written is still true for the page that shows it: no second look after the commit.
db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})
migrate = Migrate()
login = LoginManager()
csrf = CSRFProtect()
babel = Babel()
limiter = Limiter(key_func=get_remote_address)
compress = Compress()
