"""Commands: the `flask` commands, each a few lines that call a verb."""

import logging
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import Any, BinaryIO

import click
from flask import Flask, current_app
from flask.cli import AppGroup, ScriptInfo, pass_script_info, with_appcontext
from sqlalchemy.exc import DBAPIError

from booking import clock, demo, invariants, jobs, people, slots
from booking.backup.commands import backup, restore
from booking.db import migrating, sqlite_file
from booking.errors import RuleViolation
from booking.extensions import db
from booking.mail import bounces, dsn, previews
from booking.model import LANGUAGES, Station
from booking.network_commands import network_group
from booking.queries import station_lookup
from booking.sanitise import plain
from booking.workdays import holiday_file

log = logging.getLogger(__name__)
workdays_group = AppGroup("workdays", help="The calendar of workdays.")


def register(app: Flask) -> None:
    for command in COMMANDS:
        app.cli.add_command(command)


def with_sentences(command: click.Command) -> click.Command:
    """A trouble with the database ends the command with a sentence."""
    if isinstance(command, click.Group):
        for one in command.commands.values():
            with_sentences(one)
    elif act := command.callback:

        @wraps(act)
        def run(*args: Any, **options: Any) -> Any:
            if command.name not in ("db", "restore", "bounces"):
                refuse_missing()
            try:
                return act(*args, **options)
            except DBAPIError as error:
                raise click.ClickException(trouble(error)) from error

        command.callback = run
    return command


@with_appcontext
def refuse_missing() -> None:
    """End a command where there is no SQLite file: with wrong settings, it would begin an empty database."""
    if (path := sqlite_file.path_of(db.engine)) and (wrong := sqlite_file.missing(path)):
        raise click.ClickException(wrong)


@with_appcontext
def trouble(error: DBAPIError) -> str:
    """What is wrong with the database."""
    path = sqlite_file.path_of(db.engine)
    if path and (problem := sqlite_file.problem(error.orig or error, path)):
        return problem
    db.session.remove()
    return migrating.remedy(db.engine) or f"The database: {str(error.orig).partition(chr(10))[0]}"


@click.command("demo")
@click.option("--if-empty", is_flag=True, help="Where somebody has an account already, only bring today up to date.")
@with_appcontext
def demo_command(*, if_empty: bool) -> None:
    """Load the demo station into an empty database."""
    if current_app.config["PRODUCTION"]:
        raise click.ClickException(
            "The demo's password is public, so there is no demo with an https PUBLIC_URL or APP_ENV=production"
        )
    now = clock.now()
    try:
        demo.load(db.session, now, secret_key=current_app.config["SECRET_KEY"])
        click.echo("The demo station is loaded")
    except demo.NotEmptyError as refused:
        if not if_empty:
            raise click.ClickException("The demo refuses to load where users already exist") from refused
        demo.refresh(db.session, now)


@click.command("tick")
@with_appcontext
def tick() -> None:
    """Run every job that is due, once. Safe to repeat, suitable for cron."""
    sqlite_file.check(db.engine)
    migrating.refuse_mismatch(db.engine)
    told = jobs.tick(clock.now())
    for ran in told:
        if ran.did or ran.error:
            click.echo(f"{ran.name}: {ran.error or ran.did}")
    if any(ran.error for ran in told):
        sys.exit(1)


@click.command("digest")
@click.option("--for", "kind", type=click.Choice(["worker", "manager"]), required=True, help="Whose digest.")
@click.option("--station", "code", required=True, help="Code of the station.")
@click.option("--dry-run", is_flag=True, help="Only show. The scheduler is who writes them.")
@click.option("--whole", is_flag=True, help="Show the text of each letter too.")
@with_appcontext
def digest(kind: str, code: str, *, dry_run: bool, whole: bool) -> None:
    """Show who gets today's digest, with what, and who gets none and why not."""
    if not dry_run:
        raise click.UsageError("the scheduler writes digests when they are due; add --dry-run to look")
    for line in previews.lines(db.session(), kind, _station(code), clock.now(), whole=whole):
        click.echo(line)


@click.command("bounces")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@with_appcontext
def read_bounces(paths: tuple[Path, ...]) -> None:
    """Count letters that came back: read messages from files and folders, or one from standard input.

    Fit for a mail server's pipe: exit 75, so that it tries again, while the database is away.
    """
    count = Counter[str]()
    for message in _messages(paths):
        try:
            count[bounces.receive(db.session, message, clock.now()).value] += 1
        except DBAPIError as error:
            click.echo(trouble(error), err=True)
            sys.exit(os.EX_TEMPFAIL)
    for outcome, times in count.items():
        click.echo(f"{outcome}: {times}", err=not paths)  # what a pipe says on standard output may be mailed


def _messages(paths: Iterable[Path]) -> Iterator[bytes]:
    if not paths:
        yield sys.stdin.buffer.read(dsn.LARGEST + 1)
    for path in paths:
        for file in sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]:
            with file.open("rb") as opened:
                yield opened.read(dsn.LARGEST + 1)


@click.command("check")
@with_appcontext
def check() -> None:
    """Check the invariants: print one line for each breach, and exit 1 if there are any."""
    told = invariants.breaches(db.session(), clock.now())
    for line in told:
        click.echo(line)
    if told:
        sys.exit(1)
    click.echo("All invariants hold", err=True)


@click.command("scheduler")
@pass_script_info
def scheduler(info: ScriptInfo) -> None:
    """Run the jobs until SIGTERM. Of several such processes one leads, and another takes over when it dies."""
    from booking.jobs.scheduler import scheduler as keep_on  # noqa: PLC0415 - needed by no web process

    keep_on(info.load_app(), say=log.info)


@click.command("create-user")
@click.argument("email")
@click.option("--role", type=click.Choice(["worker", "manager", "admin"]), required=True)
@click.option("--station", "code", help="Code of the station that a manager runs.")
@click.option("--name", help="What people see; the part before the @ unless given.")
@click.option("--language", type=click.Choice(LANGUAGES), default=LANGUAGES[0], help="Of pages and letters.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@with_appcontext
def create_user(
    email: str, role: str, code: str | None, name: str | None, language: str, *, password_stdin: bool
) -> None:
    """Create an account with a role."""
    if (role == "manager") != bool(code):
        raise click.UsageError("--station belongs to --role manager, and a manager needs one")
    shown, now = name or plain(email).partition("@")[0], clock.now()
    with _refusals_as_errors():
        station = _station(code) if code else None
        known = (email, shown, *((station.code, station.name, station.name_en) if station else ()))
        password_hash = people.hash_password(_password(known, from_stdin=password_stdin))
        create = partial(people.create_manager, station_id=station.id) if station else people.create
        admin = {"is_admin": True} if role == "admin" else {}
        create(db.session, email=email, name=shown, now=now, password_hash=password_hash, language=language, **admin)
    click.echo(f"{role} {email} created")


@click.command("reset-second-factor")
@click.argument("email")
@with_appcontext
def reset_second_factor(email: str) -> None:
    """Turn two-step verification off for somebody who has lost phone and recovery codes."""
    with _refusals_as_errors():
        person_id = people.person_of(db.session, email)
        if person_id is None:
            raise RuleViolation("no_such_person")
        people.reset_second_factor(db.session, person_id, clock.now())
    click.echo(f"Two-step verification of {email} is off, and every sign-in of theirs has ended")


@workdays_group.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--yes", is_flag=True, help="Take it over without asking.")
@with_appcontext
def import_workdays(file: BinaryIO, *, yes: bool) -> None:
    """Import a year in the holiday-cn JSON format, and replan the slots without bookings."""
    now = clock.now()
    with _refusals_as_errors():
        notice = holiday_file.read(file.read(holiday_file.LARGEST + 1))
        changes = slots.preview_import(db.session(), notice, now)
        for change in changes:
            click.echo(_change(change))
        _agree(notice.year, len(changes), yes=yes)
        slots.import_holidays(db.session, notice, slots.fingerprint(changes), now)
    for station_id in slots.stations_to_plan(db.session()):
        slots.plan_ahead(db.session, station_id, now)
    click.echo(f"{len(changes)} dates changed their meaning")


def _change(change: slots.Change) -> str:
    """What a date was and becomes, and what is planned on it."""
    was = ("workday" if change.was.works else "rest day") + (" (tentative)" if change.was.tentative else "")
    becomes = " ".join(filter(None, ("workday" if change.works else "rest day", change.name)))
    touched = f"; {change.slots} slots, {change.people} bookings and waiting" if change.slots else ""
    return f"{change.date:%Y-%m-%d %a}  {was} -> {becomes}{touched}"


def _agree(year: int, count: int, *, yes: bool) -> None:
    """Ask for confirmation at the terminal; without one, `--yes` is required."""
    if yes:
        return
    if not at_terminal():
        raise click.UsageError("nothing was changed: without a terminal to ask at, add --yes")
    click.confirm(f"Take over the holidays of {year}, which change {count} dates?", abort=True)


def at_terminal() -> bool:
    return sys.stdin.isatty()


def _station(code: str) -> Station:
    station = station_lookup.station(db.session(), code)
    if station is None:
        raise click.ClickException(f"there is no station {code!r}")
    return station


def _password(known: Iterable[str], *, from_stdin: bool) -> str:
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    people.check_strength(password, *known)
    return password


@contextmanager
def _refusals_as_errors() -> Iterator[None]:
    try:
        yield
    except RuleViolation as refused:
        details = ", ".join(f"{name} {value}" for name, value in refused.details.items() if value != "")
        raise click.ClickException(f"refused: {refused.reason}{f' ({details})' if details else ''}") from refused


COMMANDS = [
    with_sentences(command)
    for command in (
        *(
            backup,
            restore,
            read_bounces,
            check,
            create_user,
            demo_command,
            digest,
            reset_second_factor,
            scheduler,
            tick,
        ),
        *(network_group, workdays_group, migrating.command),
    )
]
