"""Says that letters were sent and kills itself: `python -m tests.support.crash_ends URL lines|one_line ID…`.

`lines` writes the ends as the outbox does; `one_line` sends them all down one line, each a transaction of its own.
"""

import os
import signal
import sys

from sqlalchemy import Engine

from booking import lines
from booking.mail import ends
from tests.support.databases import connect_engine
from tests.support.lunch_hour import at


def main(url: str, how: str, *ids: str) -> None:
    write = {"lines": many_lines, "one_line": one_line}[how]
    kept = write(connect_engine(f"{url}?application_name=killed"), [int(letter_id) for letter_id in ids])
    os.kill(os.getpid(), signal.SIGKILL * bool(kept))


def many_lines(engine: Engine, ids: list[int]) -> object:
    way = ends.OnTheirWay(engine)
    for letter_id in ids:
        way.sent(letter_id, at("Mon 09:30"))
    return way


def one_line(engine: Engine, ids: list[int]) -> object:
    line = lines.own(engine)
    to = line.driver.pgconn
    to.enter_pipeline_mode()
    for letter_id in ids:
        to.send_query_params(b"UPDATE letter SET state = 'sent' WHERE id = %d" % letter_id, None)
        to.pipeline_sync()
    while to.flush():
        pass
    return line


if __name__ == "__main__":
    main(*sys.argv[1:])
