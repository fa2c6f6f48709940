"""Backup commands: `flask backup FILE` and `flask restore FILE`."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from booking import clock, invariants, jobs
from booking.backup import archive, postgresql_backup, sqlite_backup
from booking.backup import settle as settling
from booking.db import migrating, sqlite_file
from booking.extensions import db
from booking.jobs import leader_election

FILE = click.Path(dir_okay=False, path_type=Path)
RUNNING = "{} is running: stop the web server and the scheduler first"


@click.command("backup")
@click.argument("file", type=FILE)
@with_appcontext
def backup(file: Path) -> None:
    """Copy the database into FILE while it is in use, and check the copy."""
    verified = True
    if path := _path():
        breaches = sqlite_backup.backup(path, file, clock.now())
    else:
        breaches, verified = postgresql_backup.backup(db.engine, file, clock.now())
    click.echo(f"{file} is written, {file.stat().st_size} bytes", err=True)
    if not verified:
        click.echo(
            "Its table of contents was read. It was not restored to check the invariants: for that, the role needs"
            " CREATEDB",
            err=True,
        )
    _tell(breaches, "The backup is whole, but the database that it is of breaks invariants")


@click.command("restore")
@click.argument("file", type=FILE, required=False)
@click.option("--yes", is_flag=True, help="Overwrite what the database holds.")
@click.option("--recovered", is_flag=True, help="The database is back by other means: only make it safe to serve.")
@with_appcontext
def restore(file: Path | None, *, yes: bool, recovered: bool) -> None:
    """Make FILE the database. Signs everybody out and holds all letters until an admin lets them go."""
    if bool(file) == recovered:
        raise click.UsageError("name a FILE, or say --recovered after a recovery by PostgreSQL itself")
    path = _path()
    if file:
        _check(file, path)
    with _alone(path):
        if file:
            _replace(file, path, yes=yes)
        _settle()
    _tell(invariants.breaches(db.session(), clock.now()), "The database is restored, but it breaks invariants")


def _check(file: Path, path: Path | None) -> None:
    """Refuse what is no backup of this database, or cannot be brought up to date."""
    if (kind := archive.kind_of(file)) != db.engine.dialect.name:
        raise click.ClickException(f"{file} is a backup of {kind}, and DATABASE_URL names {db.engine.dialect.name}")
    archive.check_revision(file, sqlite_backup.revision(file) if path else postgresql_backup.revision(file))


def _replace(file: Path, path: Path | None, *, yes: bool) -> None:
    holds = sqlite_backup.holds_anything(path) if path else postgresql_backup.holds_anything(db.engine)
    if holds and not yes:
        raise click.ClickException("the database holds people or stations: add --yes to overwrite them")
    db.session.remove()
    db.engine.dispose()
    if path:
        sqlite_backup.replace(path, file)
    else:
        postgresql_backup.replace(db.engine, file)


def _path() -> Path | None:
    """The file of a SQLite database; None for PostgreSQL."""
    path = sqlite_file.path_of(db.engine)
    if path is None and db.engine.dialect.name == "sqlite":
        raise click.ClickException("a database in memory has no backup")
    return path


@contextmanager
def _alone(path: Path | None) -> Iterator[None]:
    """Nobody else uses the database: no web process, no scheduler."""
    if not path and (count := postgresql_backup.others(db.engine)):
        raise click.ClickException(RUNNING.format(f"Something that has {count} connections to the database"))
    locks: dict[str, leader_election.Candidate] = {"A web process": sqlite_file.web_lock(path)} if path else {}
    locks["A scheduler"] = leader_election.candidate(db.engine, Path(current_app.instance_path))
    with ExitStack() as held:
        for name, lock in locks.items():
            if not _acquired(lock):
                raise click.ClickException(RUNNING.format(name))
            held.callback(lock.release)
        yield


def _acquired(lock: leader_election.Candidate) -> bool:
    try:
        return lock.acquire()
    except OSError as error:  # of a file beside the database
        raise click.ClickException(f"{error.filename} cannot be made: {error.strerror}") from error


def _settle() -> None:
    """Everything between the tables of a backup and a database that may be served. Safe to repeat."""
    try:
        migrating.upgrade()
        letters = settling.settle(db.session, clock.now())
        # What has become due since the backup was probably done, and told, before the restore.
        for ran in jobs.in_order([job for job in jobs.TIMETABLE if job.name not in jobs.SENDERS], clock.now()):
            if ran.error:
                click.echo(f"{ran.name}: {ran.error}", err=True)
        letters += settling.hold_rest(db.session, clock.now())
    except BaseException:
        click.echo("The restore is not complete: run it again before anything else is started", err=True)
        raise
    click.echo(f"Restored. Everybody is signed out. Letters held until an admin lets them go: {letters}", err=True)


def _tell(breaches: Sequence[str], sentence: str) -> None:
    """Print breaches of invariants, and exit with 1 if there are any."""
    for line in breaches:
        click.echo(line)
    if breaches:
        click.echo(sentence, err=True)
        sys.exit(1)
