"""PgBouncer between the app and PostgreSQL: pooling of sessions works, every other one is refused at the start."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread

import psycopg
import pytest
from sqlalchemy import URL, make_url, select

from booking.db import connections, pool
from booking.db.statements import CompiledStatement
from booking.jobs import leader_election
from booking.model import Station
from config import BadSetting
from tests.support import databases, memory, postgres, servers
from tests.support.servers import Ground

pytestmark = [pytest.mark.whole, pytest.mark.postgresql]

SETTINGS = """
[databases]
* = host={host} port={port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = 20
"""


@contextmanager
def bouncer(database: str, mode: str) -> Iterator[URL]:
    """Debian's, with its defaults: it refuses the start-up parameters that it does not know."""
    url, own = make_url(database), postgres.free_port()
    with postgres.folder_of_its_own(memory.MEMORY) as folder:
        settings, log = folder / "pgbouncer.ini", folder / "log"
        settings.write_text(SETTINGS.format(host=url.host, port=url.port, own=own, mode=mode))
        process = postgres.as_postgres(["/usr/sbin/pgbouncer", str(settings)], log)
        try:
            yield postgres.answering(url.set(host="127.0.0.1", port=own), process, log)
        finally:
            process.terminate()
            process.wait(30)


def whole(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@contextmanager
def busy(url: URL) -> Iterator[None]:
    """Others who use the pooler all the time."""
    over = Event()

    def ask() -> None:
        with psycopg.connect(postgres.plain(url), autocommit=True, prepare_threshold=None) as connection:
            while not over.is_set():
                connection.execute("SELECT pg_sleep(0.001)")

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(30)


def test_all_is_as_without_it_where_sessions_are_pooled(database_url: str) -> None:
    with bouncer(database_url, "session") as url:
        engine = databases.connect_engine(whole(url))
        connections.check_pooling(engine)
        assert pool.fetch(engine, CompiledStatement(select(Station.id))) == []
        with pool.connection(engine) as held:
            shown = [
                held.driver.execute(f"SHOW {name}").fetchone()[0] for name in ("timezone", "statement_timeout", "jit")
            ]
            assert shown == ["UTC", "5s", "off"]
            assert held.driver.execute("SHOW enable_seqscan").fetchone() == ("off",)
        first, second = leader_election.ByConnection(engine), leader_election.ByConnection(engine)
        assert first.acquire()
        assert not second.acquire()
        assert first.holds()
        first.release()
        assert second.acquire()
        second.release()
        engine.dispose()


@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize("others", [False, True])
def test_every_other_pooling_is_refused(database_url: str, mode: str, others: bool) -> None:
    with bouncer(database_url, mode) as url, ExitStack() as stack:
        if others:
            stack.enter_context(busy(url))
        engine = databases.connect_engine(whole(url))
        for _ in range(5):
            with pytest.raises(BadSetting, match="pool_mode = session"):
                connections.check_pooling(engine)
        engine.dispose()


@pytest.mark.parametrize("command", ["check", "scheduler"])
def test_a_command_says_the_remedy_and_ends(database_url: str, tmp_path: Path, command: str) -> None:
    with bouncer(database_url, "transaction") as url:
        settings = servers.environment(Ground(whole(url), tmp_path).settings())
        ran = subprocess.run(
            [servers.BIN / "flask", command], env=settings, capture_output=True, text=True, check=False, timeout=60
        )
        assert ran.returncode != 0
        assert "pool_mode = session" in ran.stderr
        assert "Traceback" not in ran.stderr
