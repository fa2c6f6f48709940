"""An import that kills itself: `python -m tests.support.crash_import URL NOW before|after`.

Each run of the job is a process of its own, which dies by SIGKILL right before or right after one of its
commits, each one commit later than the one before, until one lives to its end. Chunks are of two rows.
Prints the number of kills.
"""

import sys
from datetime import datetime

import config
from booking import network
from booking.app import create_app
from booking.extensions import db
from booking.network import station_import
from tests.support.crash_tick import die_at, until_one_lives

MOST_RUNS = 12


def main(url: str, now: str, side: str) -> None:
    station_import.CHUNK, station_import.LONGEST = 2, 60
    settings = config.load({"DATABASE_URL": url, "SECRET_KEY": "x" * 40})

    def take_in(run: int) -> None:
        with create_app(settings).app_context():
            die_at(db.engine, 1 if run < MOST_RUNS - 2 and run % 2 == 0 else 2, side)
            while network.import_chunk(db.session, datetime.fromisoformat(now)):
                pass

    until_one_lives(take_in, MOST_RUNS)


if __name__ == "__main__":
    main(*sys.argv[1:])
