"""`flask bounces`: what a mail server pipes into it, and what an admin hands it as files."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session

import config
from booking import clock
from booking.mail import dsn
from booking.model import Suppression
from tests.support.network_cast import Network
from tests.support.reports import FILES, report, sent_letter

ZHOU = "zhou@example.com"


@pytest.fixture
def network(session: Session) -> Network:
    return Network(session)


@pytest.fixture
def run(app: Flask) -> FlaskCliRunner:
    return app.test_cli_runner()


@pytest.fixture
def sent(network: Network) -> str:
    return sent_letter(network.session, clock.now(), person_id=network.ids["周明"])


def marked(network: Network) -> list[int]:
    network.session.rollback()
    return list(network.session.scalars(select(Suppression.person_id)))


def test_a_piped_report_is_read(run: FlaskCliRunner, network: Network, sent: str) -> None:
    result = run.invoke(args=["bounces"], input=report("postfix", sent, ZHOU))
    assert (result.exit_code, result.stdout) == (0, "")
    assert marked(network) == [network.ids["周明"]]


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "piped", [b"", b"\xff\x00", b"x" * (2 * dsn.LARGEST), report("qq_without_letter"), report("out_of_office")]
)
def test_whatever_is_piped_was_taken(run: FlaskCliRunner, network: Network, piped: bytes) -> None:
    assert run.invoke(args=["bounces"], input=piped).exit_code == 0
    assert marked(network) == []


@pytest.mark.sqlite
def test_files_and_folders_are_read(run: FlaskCliRunner, network: Network, sent: str, tmp_path: Path) -> None:
    maildir = tmp_path / "Maildir"
    for folder in ("new", "cur", "tmp"):
        (maildir / folder).mkdir(parents=True)
    (maildir / "new" / "1.mail").write_bytes(report("postfix", sent, ZHOU))
    (maildir / "cur" / "2.mail:2,S").write_bytes(report("exim", sent, ZHOU))
    result = run.invoke(args=["bounces", str(maildir), str(FILES / "out_of_office.eml")])
    assert result.exit_code == 0
    assert sorted(result.stdout.splitlines()) == ["hard: 1", "ignored: 1", "known: 1"]
    assert marked(network) == [network.ids["周明"]]


@pytest.mark.sqlite
def test_while_the_database_is_away_the_mail_server_is_told_to_try_again() -> None:
    env = os.environ | {"DATABASE_URL": "postgresql://127.0.0.1:1/lunch"}
    command = [sys.executable, "-m", "flask", "bounces"]
    done = subprocess.run(command, cwd=config.ROOT, env=env, input=report("postfix"), capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (os.EX_TEMPFAIL, b"")
    assert b"The database" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.sqlite
def test_a_database_without_tables_is_away_too(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    app = make_app(SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path / 'new.sqlite3'}")
    assert app.test_cli_runner().invoke(args=["bounces"], input=report("postfix")).exit_code == os.EX_TEMPFAIL
