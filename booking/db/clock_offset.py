"""Clock offset: how far the database's clock is ahead of this host's, measured now and then and by each batch of bookings."""

import logging
from datetime import datetime, timedelta
from threading import Thread
from time import monotonic, sleep
from typing import Any

from sqlalchemy import DateTime, Engine, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from booking import clock
from config import BadSetting

log = logging.getLogger(__name__)

EVERY, AGAIN = 15.0, 1.0  # seconds between two measurements, and after one that failed
NOTICED = timedelta(seconds=0.1)  # less is the time that an answer takes
SLOWEST = 1.0  # seconds after which an answer says too little


class DatabaseNow(FunctionElement[datetime]):
    """The instant by the database's clock, as a column; NULL on SQLite, where it is this host's."""

    type = DateTime(timezone=True)
    inherit_cache = True


@compiles(DatabaseNow, "postgresql")
def _on_postgresql(_element: DatabaseNow, _compiler: Any, **_options: Any) -> str:
    return "clock_timestamp()"


@compiles(DatabaseNow, "sqlite")
def _on_sqlite(_element: DatabaseNow, _compiler: Any, **_options: Any) -> str:
    return "NULL"


def follow(engine: Engine) -> None:
    """Go by the database's clock from now on; on SQLite it is this host's."""
    if engine.dialect.name == "postgresql":
        measure(engine)
        clock.Offset.is_followed = True
        Thread(target=_keep_measuring, args=[engine], name="clock-offset", daemon=True).start()


def measure(engine: Engine) -> bool:
    """Whether the offset could be measured; if not, the one from before stays."""
    try:
        with engine.connect() as connection:
            connection.begin()
            host, asked = clock.on_this_host(), monotonic()
            there = connection.scalars(select(func.clock_timestamp())).one()
            lasted = monotonic() - asked
    except (SQLAlchemyError, BadSetting):
        return False
    if lasted < SLOWEST:
        observe(there, host, lasted)
    return lasted < SLOWEST


def observe(there: datetime, host: datetime, lasted: float) -> None:
    """The database's clock showed `there` within the `lasted` seconds from `host`, an instant by this host's clock.

    What differs by more than an answer takes is followed; otherwise the clock runs evenly.
    """
    half = timedelta(seconds=lasted / 2)
    ahead = there - host - half
    if abs(ahead - clock.Offset.ahead) < NOTICED + half:
        return
    clock.Offset.ahead = ahead if abs(ahead) > NOTICED else timedelta()
    if clock.is_off():
        log.warning("this host's clock is %.1f s behind the database's, which counts: set it right", clock.ahead())


def _keep_measuring(engine: Engine) -> None:
    while True:
        sleep(EVERY if measure(engine) else AGAIN)
