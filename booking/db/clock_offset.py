"""Clock offset: one thread of a process measures now and then how far the database's clock is ahead of this host's."""

import logging
from datetime import timedelta
from threading import Thread
from time import monotonic, sleep

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from booking import clock
from config import BadSetting

log = logging.getLogger(__name__)

EVERY, AGAIN = 15.0, 1.0  # seconds between two measurements, and after one that failed
NOTICED = timedelta(seconds=0.1)  # less is the time that an answer takes
SLOWEST = 1.0  # seconds after which an answer says too little


def follow(engine: Engine) -> None:
    """Go by the database's clock from now on; on SQLite it is this host's."""
    if engine.dialect.name == "postgresql":
        measure(engine)
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
        _set(there - host - timedelta(seconds=lasted / 2))
    return lasted < SLOWEST


def _set(ahead: timedelta) -> None:
    """Follow a real difference, and let the clock run evenly otherwise."""
    if abs(ahead - clock.Offset.ahead) < NOTICED:
        return
    clock.Offset.ahead = ahead if abs(ahead) > NOTICED else timedelta()
    if clock.is_off():
        log.warning("this host's clock is %.1f s behind the database's, which counts: set it right", clock.ahead())


def _keep_measuring(engine: Engine) -> None:
    while True:
        sleep(EVERY if measure(engine) else AGAIN)
