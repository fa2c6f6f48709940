"""`flask backup` and `flask restore`: what is copied, what is refused, and what a restore leaves behind."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import URL, Engine, func, make_url, select, text
from sqlalchemy.orm import Session

from booking import people
from booking.backup import postgresql_backup, sqlite_backup
from booking.db import migrating, sqlite_file, transactions
from booking.enqueue import enqueue
from booking.extensions import db
from booking.model import Booking, Code, Event, Letter, Person, SignIn, Slot, Station
from tests.db.test_grown_database import ROWS
from tests.support import databases, postgres
from tests.support.lunch_hour import LunchHour, at
from tests.support.restores import Operator

NOW = at("Mon 10:30")


@pytest.fixture
def operator(app: Flask, engine: Engine, session: Session) -> Operator:
    return Operator(app, engine, session, NOW)


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    lunch = LunchHour(session)
    for who in ("周明", "李静", "王磊"):
        lunch.book(who, "Mon 10:00")
    return lunch


def rename(session: Session, name: str) -> None:
    with transactions.transaction(session):
        session.execute(text("UPDATE station SET name = :name"), {"name": name})


def station(engine: Engine) -> str | None:
    with Session(engine) as session:
        return session.scalar(select(Station.name))


def test_a_backup_is_one_file_that_only_its_owner_may_read(
    operator: Operator, lunch: LunchHour, tmp_path: Path
) -> None:
    assert operator.backup(tmp_path / "a").startswith("0")
    assert [file.name for file in tmp_path.iterdir() if file.name != "instance"] == ["a"]
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


@pytest.mark.sqlite
def test_what_stands_in_the_wal_is_in_the_backup(operator: Operator, lunch: LunchHour, tmp_path: Path) -> None:
    rename(lunch.session, "刚改的")
    path = sqlite_file.path_of(operator.engine)
    assert path
    assert path.with_name(f"{path.name}-wal").stat().st_size > 0
    assert operator.backup(tmp_path / "a").startswith("0")
    with closing(sqlite3.connect(f"file:{tmp_path}/a?immutable=1", uri=True)) as copy:
        assert copy.execute("SELECT name FROM station").fetchone() == ("刚改的",)


def test_a_restore_brings_the_state_of_the_backup_back(operator: Operator, lunch: LunchHour, tmp_path: Path) -> None:
    rename(lunch.session, "备份时")
    operator.backup(tmp_path / "a")
    rename(lunch.session, "备份后")
    assert "0: Restored" in operator.restore(tmp_path / "a", "--yes")
    assert station(operator.engine) == "备份时"


def test_a_backup_moves_into_an_empty_database_without_yes(
    operator: Operator, lunch: LunchHour, make_app: Callable[..., Flask], empty_url: str, tmp_path: Path
) -> None:
    operator.backup(tmp_path / "a")
    app, engine = make_app(SQLALCHEMY_DATABASE_URI=empty_url), databases.connect_engine(empty_url)
    assert Operator(app, engine, Session(engine), NOW).restore(tmp_path / "a").startswith("0")
    assert station(engine) == "cbd 白领驿站"
    engine.dispose()


def test_a_backup_of_an_older_schema_is_brought_up_to_date(operator: Operator, empty_url: str, tmp_path: Path) -> None:
    old = databases.connect_engine(empty_url)
    databases.upgrade(old, "0002")
    with old.begin() as connection:
        for statement in ROWS.read_text().rstrip(";\n").split(";\n"):
            connection.exec_driver_sql(statement)
        if old.dialect.name == "postgresql":  # the rows brought their ids along
            connection.execute(text("SELECT setval(seqrelid::regclass, 100000) FROM pg_sequence"))
    if path := sqlite_file.path_of(old):
        sqlite_backup.copy(path, tmp_path / "a")
    else:
        dump(old, tmp_path / "a")
    old.dispose()
    assert operator.restore(tmp_path / "a", "--yes").startswith("0")
    with operator.engine.connect() as connection:
        assert migrating.mismatch(connection) is None
    with Session(operator.engine) as session:
        assert session.scalar(select(func.count(Booking.id)))


def test_everybody_is_signed_out_and_every_letter_is_held(operator: Operator, lunch: LunchHour, tmp_path: Path) -> None:
    with transactions.transaction(lunch.session) as session:
        token = people.begin(session, session.get_one(Person, lunch.people["周明"]), "a phone", NOW)
        enqueue(session, "code", NOW, to="zhou@example.com", code="123456")
        claimed = session.scalars(select(Letter).where(Letter.kind == "confirmed").limit(1)).one()
        claimed.state, claimed.claimed_at = "sending", NOW
    people.ask_for_code(session, "zhou@example.com", "sign_in", "en", NOW, "browser", "192.0.2.1")
    operator.backup(tmp_path / "a")
    assert "lets them go: 2" in operator.restore(tmp_path / "a", "--yes")
    with Session(operator.engine) as restored:
        assert people.find_sign_in(restored, token, NOW) is None
        assert restored.scalars(select(SignIn).where(SignIn.ended_at.is_(None))).all() == []
        assert restored.scalars(select(Code)).all() == []
        told = {(one.kind, one.state, one.held_at is not None) for one in restored.scalars(select(Letter))}
        assert told == {("confirmed", "queued", True), ("code", "dropped", False)}
        assert all("code" not in one.details for one in restored.scalars(select(Letter)))
        assert restored.scalars(select(Event.details).where(Event.kind == "restored")).one()["letters"] == 2


def test_what_has_become_due_since_the_backup_is_made_up_for_and_told_to_nobody(
    operator: Operator, lunch: LunchHour, tmp_path: Path
) -> None:
    """The manager's digest of 11:00 left after the backup; the restored database knows nothing of it."""
    operator.backup(tmp_path / "a")
    operator.now = at("12:11")
    assert "lets them go: 3" in operator.restore(tmp_path / "a", "--yes")
    with Session(operator.engine) as restored:
        kinds = restored.scalars(select(Letter.kind).where(Letter.held_at.is_not(None)).order_by(Letter.id)).all()
        assert kinds == ["confirmed", "confirmed", "manager_digest"]
        assert restored.scalar(select(Slot.state)) == "running"


def test_a_database_that_came_back_by_other_means_is_made_safe_too(operator: Operator, lunch: LunchHour) -> None:
    """As after a recovery to a point in time."""
    lunch.session.close()
    operator.engine.dispose()
    assert "lets them go: 2" in operator.run("restore", "--recovered")
    assert station(operator.engine) == "cbd 白领驿站"


@pytest.mark.sqlite
@pytest.mark.parametrize("words", [(), ("a", "--recovered")])
def test_a_restore_wants_a_file_or_the_word_that_there_is_none(operator: Operator, words: tuple[str, ...]) -> None:
    assert operator.run("restore", *words).startswith("2: ")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "is no backup"),
        (b"hello" * 9, "is no backup"),
        ("the other kind", "is a backup of"),
        ("UPDATE alembic_version SET version_num = '9999'", "made by a newer version of the app"),
        ("UPDATE alembic_version SET version_num = 'abc1'", "or another one: its schema is abc1"),
        ("DROP TABLE alembic_version", "is no backup of this app"),
        ("cut", ""),
    ],
)
def test_a_file_that_is_no_backup_of_ours_is_refused_and_changes_nothing(
    operator: Operator, lunch: LunchHour, tmp_path: Path, made: bytes | str | None, said: str
) -> None:
    file = tmp_path / "a"
    if isinstance(made, bytes):
        file.write_bytes(made)
    elif made == "the other kind":
        file.write_bytes(b"PGDMP...." if operator.engine.dialect.name == "sqlite" else b"SQLite format 3\0")
    elif made:
        operator.backup(file)
        damage(operator, file, made)
    rename(lunch.session, "不能丢")
    told = operator.restore(file, "--yes")
    assert told.startswith("1: Error")
    assert said in told
    assert "Traceback" not in told
    assert station(operator.engine) == "不能丢"


def damage(operator: Operator, file: Path, how: str) -> None:
    if how == "cut":
        file.write_bytes(file.read_bytes()[: -file.stat().st_size // 3])
    elif operator.engine.dialect.name == "sqlite":
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(how)
    else:
        with operator.engine.begin() as connection:
            version = connection.scalar(text("SELECT version_num FROM alembic_version"))
            connection.execute(text(how))
        dump(operator.engine, file)
        with operator.engine.begin() as connection:  # the next test has the same database
            connection.execute(text("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) PRIMARY KEY)"))
            connection.execute(text("DELETE FROM alembic_version"))
            connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": version})


def dump(engine: Engine, file: Path) -> None:
    """As it is, without a check."""
    postgresql_backup._run("pg_dump", "-Fc", "-n", "public", "-f", str(file), url=engine.url)


def test_a_database_that_holds_anything_is_overwritten_only_with_yes(
    operator: Operator, lunch: LunchHour, tmp_path: Path
) -> None:
    operator.backup(tmp_path / "a")
    rename(lunch.session, "不能丢")
    assert "add --yes" in operator.restore(tmp_path / "a")
    assert station(operator.engine) == "不能丢"


@pytest.mark.postgresql
def test_a_restore_that_was_killed_is_undone_by_the_next_one(
    operator: Operator, lunch: LunchHour, tmp_path: Path, database_url: str
) -> None:
    operator.backup(tmp_path / "a")
    rename(lunch.session, "不能丢")
    lunch.session.close()
    with psycopg.connect(postgres.plain(database_url), autocommit=True) as admin:
        admin.execute(f"CREATE SCHEMA {postgresql_backup.ASIDE}")
        with admin.transaction():
            postgresql_backup._move(admin, "public", postgresql_backup.ASIDE)
    assert "add --yes" in operator.restore(tmp_path / "a")
    assert station(operator.engine) == "不能丢"


@pytest.mark.postgresql
def test_tables_that_stand_aside_are_not_dropped_unasked(
    operator: Operator, lunch: LunchHour, tmp_path: Path, database_url: str
) -> None:
    operator.backup(tmp_path / "a")
    with psycopg.connect(postgres.plain(database_url), autocommit=True) as admin:
        admin.execute(f"CREATE SCHEMA {postgresql_backup.ASIDE}")
    assert "drop it if nobody needs them" in operator.restore(tmp_path / "a", "--yes")


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
@pytest.mark.sqlite
def test_log_files_of_the_former_database_are_removed(
    operator: Operator, lunch: LunchHour, tmp_path: Path, suffix: str
) -> None:
    operator.backup(tmp_path / "a")
    path = sqlite_file.path_of(operator.engine)
    assert path
    rename(lunch.session, "备份后")
    lunch.session.close()
    wal = path.with_name(f"{path.name}-wal").read_bytes()
    operator.engine.dispose()
    path.with_name(f"{path.name}{suffix}").write_bytes(wal)
    assert operator.restore(tmp_path / "a", "--yes").startswith("0")
    assert station(operator.engine) == "cbd 白领驿站"


@pytest.mark.sqlite
@pytest.mark.parametrize("lock", [sqlite_file.web_lock, sqlite_file.scheduler_lock])
def test_nothing_is_restored_under_a_process_that_runs(
    operator: Operator, lunch: LunchHour, tmp_path: Path, lock: Callable[[Path], sqlite_file.FileLock]
) -> None:
    operator.backup(tmp_path / "a")
    path = sqlite_file.path_of(operator.engine)
    assert path
    held = lock(path)
    assert held.acquire()
    assert "stop the web server and the scheduler first" in operator.restore(tmp_path / "a", "--yes")
    held.release()
    assert operator.restore(tmp_path / "a", "--yes").startswith("0")


@pytest.mark.postgresql
def test_nothing_is_restored_under_a_connection_of_ours(
    operator: Operator, lunch: LunchHour, tmp_path: Path, database_url: str
) -> None:
    operator.backup(tmp_path / "a")
    with psycopg.connect(postgres.plain(database_url), application_name="lunch-hour"):
        assert "stop the web server and the scheduler first" in operator.restore(tmp_path / "a", "--yes")
    assert operator.restore(tmp_path / "a", "--yes").startswith("0")


@pytest.mark.sqlite
def test_the_database_is_not_its_own_backup(operator: Operator, lunch: LunchHour) -> None:
    path = sqlite_file.path_of(operator.engine)
    assert path
    assert "is the database itself" in operator.backup(path)
    assert station(operator.engine) == "cbd 白领驿站"


@pytest.mark.sqlite
def test_a_backup_that_cannot_be_written_says_so(operator: Operator, lunch: LunchHour, tmp_path: Path) -> None:
    assert "cannot be written: No such file or directory" in operator.backup(tmp_path / "nowhere" / "a")


def test_a_breach_in_the_copy_is_told_and_the_copy_kept(operator: Operator, lunch: LunchHour, tmp_path: Path) -> None:
    with transactions.transaction(lunch.session) as session:
        session.execute(text("UPDATE slot SET waiting = 3"))
    told = operator.backup(tmp_path / "a")
    assert told.startswith("1: ")
    assert "I1 slot 1: waiting 3 but 1 entries wait" in told
    assert (tmp_path / "a").exists()


@contextmanager
def role(url: str, *rights: str) -> Iterator[URL]:
    """A role of its own that owns the tables."""
    with psycopg.connect(postgres.plain(url), autocommit=True) as admin:
        database = make_url(url).database
        admin.execute(f"CREATE ROLE keeper LOGIN PASSWORD 'p@ss:word' {' '.join(rights)}")  # type: ignore[arg-type]
        admin.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO keeper")
        admin.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO keeper")
        try:
            yield make_url(url).set(username="keeper", password="p@ss:word", database=database)
        finally:
            admin.execute("DROP OWNED BY keeper")
            admin.execute("DROP ROLE keeper")


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("right", "said"), [("CREATEDB", "is written"), ("NOCREATEDB", "It was not restored to check")]
)
def test_a_role_that_may_not_create_a_database_hears_what_was_not_verified(
    make_app: Callable[..., Flask], database_url: str, lunch: LunchHour, tmp_path: Path, right: str, said: str
) -> None:
    with role(database_url, right) as url:
        address = url.render_as_string(hide_password=False)
        app, engine = make_app(SQLALCHEMY_DATABASE_URI=address), databases.connect_engine(address)
        told = Operator(app, engine, lunch.session, NOW).backup(tmp_path / "a")
        engine.dispose()
        with app.app_context():
            db.engine.dispose()
    assert told.startswith("0")
    assert ("It was not restored" in told) == (right == "NOCREATEDB")
    assert said in told


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("url", "variables"),
    [
        ("postgresql://u:p%40ss@h:5433/d", {"PGHOST": "h", "PGPORT": "5433", "PGUSER": "u", "PGPASSWORD": "p@ss"}),
        ("postgresql://u:p@/d?host=/run/pg", {"PGHOST": "/run/pg", "PGDATABASE": "d", "PGPASSWORD": "p"}),
        ("postgresql://u:p@h/d?sslmode=require", {"PGSSLMODE": "require", "PGPASSWORD": "p"}),
        ("postgresql://u:p@/d?host=a:1&host=b:2", {"PGHOST": "a,b", "PGPORT": "1,2", "PGPASSWORD": "p"}),
        ("postgresql://u:p@[::1]:5/d", {"PGHOST": "::1", "PGPORT": "5", "PGPASSWORD": "p"}),
    ],
)
def test_credentials_go_by_the_environment(url: str, variables: dict[str, str]) -> None:
    told = postgresql_backup.environment(make_url(url).set(drivername="postgresql+psycopg"))
    assert variables.items() <= told.items()
