"""TLS and IPv6 to the database: what the address asks for is checked on every kind of connection."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import literal, select
from sqlalchemy.exc import OperationalError

import config
from booking.db import pool
from booking.db.statements import CompiledStatement
from booking.jobs import leader_election
from tests.support import certificates, databases, memory, postgres

ONE = CompiledStatement(select(literal(1)))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """A server with a certificate for `localhost` by a private CA, on 127.0.0.1 and ::1: its port, and the CA's file."""
    ours = certificates.authority(tmp_path_factory.mktemp("ca"))
    cert = ours.certificate("database", "DNS:localhost")
    with postgres.folder_of_its_own(memory.MEMORY) as files:
        for name, path in (("cert", cert), ("key", cert.with_suffix(".key"))):
            shutil.copy(path, files / name)
            shutil.chown(files / name, "postgres")
            (files / name).chmod(0o600)
        options = (
            "listen_addresses=127.0.0.1,::1",
            "ssl=on",
            f"ssl_cert_file={files}/cert",
            f"ssl_key_file={files}/key",
        )
        with postgres.own(memory.MEMORY, (*postgres.FAST, *options)) as server:
            yield int(server.url.port or 0), ours.pem


def connect(url: str, tmp_path: Path) -> bool:
    """Whether pages, presses and the scheduler's leader reach the database; encrypted, if the address asks for it."""
    settings = config.load({"DATABASE_URL": url, "INSTANCE_PATH": str(tmp_path), "SECRET_KEY": "x" * 40})
    engine = databases.connect_engine(settings["SQLALCHEMY_DATABASE_URI"])
    try:
        with engine.connect() as connection:
            used = connection.exec_driver_sql("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").scalar_one()
        assert pool.fetch(engine, ONE) == [(1,)]
        candidate = leader_election.ByConnection(engine)
        assert candidate.acquire()
        candidate.release()
        return bool(used)
    finally:
        engine.dispose()


@pytest.mark.parametrize(
    ("form", "encrypted"),
    [
        ("postgres@localhost:{port}/postgres?sslmode=verify-full&sslrootcert={ca}", True),
        ("postgres@127.0.0.1:{port}/postgres?sslmode=verify-ca&sslrootcert={ca}", True),
        ("postgres@[::1]:{port}/postgres?sslmode=require", True),
        ("postgres@[::1]:{port}/postgres?sslmode=disable", False),
        ("postgres@[::1]:1,127.0.0.1:{port}/postgres?sslmode=disable", False),
    ],
)
def test_the_address_is_reached_as_it_says(shop: tuple[int, Path], tmp_path: Path, form: str, encrypted: bool) -> None:
    port, ca = shop
    assert connect(f"postgresql://{form.format(port=port, ca=ca)}", tmp_path) is encrypted


def test_another_name_or_another_authority_is_refused(shop: tuple[int, Path], tmp_path: Path) -> None:
    port, ca = shop
    other = certificates.authority(tmp_path / "other").pem
    for host, root in (("127.0.0.1", ca), ("localhost", other)):
        url = f"postgresql://postgres@{host}:{port}/postgres?sslmode=verify-full&sslrootcert={root}"
        with pytest.raises(OperationalError, match="certificate"):
            connect(url, tmp_path)
