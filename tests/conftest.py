"""What every test may ask for. A test that asks for a database runs on SQLite and on PostgreSQL.

`engine`, `session`, `app`, `client`, `live`, `page` all look at the same fresh database of the test.
Mark a test `sqlite` or `postgresql` when it makes sense on one of them only. Tests of pages run on SQLite, and with
`--whole` on both, unless they are marked `both`. Other tests run on both, but of their cases each on one of them, in
turn, unless they are marked `both`; with `--whole` each on both. A test marked `pairs` runs for every two values of its
parameters, and with `--whole` for all combinations.
"""

import os
import smtplib
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, Page
from pwdlib import PasswordHash
from sqlalchemy import Engine
from sqlalchemy.orm import Session

import config
from booking.app import create_app
from booking.extensions import db, limiter
from booking.invariants import integrity
from booking.people import passwords
from booking.web.cache import store
from tests.support import chromium, databases, pairs, postgres, routing, screens
from tests.support import log_guard as log_guards
from tests.support.live import serving
from tests.support.log_guard import LogGuard
from tests.support.memory import folder
from tests.support.network_cast import CHEAP

BACKENDS = ("sqlite", "postgresql")
PAGES = [Path(__file__).parent / name for name in ("web", "browser")]
# What is about the databases themselves: every case runs on both, and lost foreign keys are looked for, too.
DATABASES = [Path(__file__).parent / name for name in ("backup", "db", "invariants", "queries")]
KEY = "tests-only-0123456789-abcdefghijklmnopqrstuvwxyz"
NOBODY = CHEAP.hash("nobody's")

# How long an example takes says something of the machine, not of the app.
CALM: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("small", max_examples=25, **CALM)
settings.register_profile("whole", **CALM)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--whole", action="store_true", help="Sweeps and fuzz at full size, as `make test-all` does it.")


def pytest_configure(config: pytest.Config) -> None:
    whole = config.getoption("--whole")
    settings.load_profile("whole" if whole else "small")
    screens.wanted = whole or "SCREENS" in os.environ


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" not in metafunc.fixturenames:
        return
    names = backends_of(metafunc.definition, whole=metafunc.config.getoption("--whole"))
    metafunc.parametrize("backend", [pytest.param(name, marks=getattr(pytest.mark, name)) for name in names])


def backends_of(test: pytest.Item, *, whole: bool) -> Sequence[str]:
    """The databases that a test runs on."""
    if only := [name for name in BACKENDS if test.get_closest_marker(name)]:
        return only
    if whole or test.get_closest_marker("both"):
        return BACKENDS
    if one := test.get_closest_marker("one_database"):
        return one.args or BACKENDS[:1]
    return BACKENDS[:1] if within(test.path, PAGES) else BACKENDS


def within(path: Path, folders: Iterable[Path]) -> bool:
    return any(folder in path.parents for folder in folders)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    if not config.getoption("--whole"):
        left = {item for item in items if item.get_closest_marker("whole")}
        left |= spare(item for item in items if item not in left)
        left |= second_looks(item for item in items if item not in left)
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=left)


def spare(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """Of the tests marked `pairs`, those whose values have met in others."""
    found: set[pytest.Item] = set()
    for same in of_one_test(item for item in items if item.get_closest_marker("pairs")):
        kept = pairs.covering([item.callspec.params for item in same])
        found.update(item for place, item in enumerate(same) if place not in kept)
    return found


def second_looks(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """Of tests with several cases on both databases: each case on one of the two, in turn, where nothing asks for more."""
    found: set[pytest.Item] = set()
    for same in of_one_test(item for item in items if not within(item.path, DATABASES)):
        cases: defaultdict[str, list[pytest.Function]] = defaultdict(list)
        for item in same:
            if not any(item.get_closest_marker(name) for name in ("both", "pairs")):
                cases["-".join(word for word in item.callspec._idlist if word not in BACKENDS)].append(item)
        twice = [both for both in cases.values() if len(both) == len(BACKENDS)]
        found.update(both[place % 2] for place, both in enumerate(twice) if len(twice) > 1)
    return found


def of_one_test(items: Iterable[pytest.Item]) -> Iterable[list[pytest.Function]]:
    """The cases of each test that has some, in the order of their names."""
    found: defaultdict[object, list[pytest.Function]] = defaultdict(list)
    for item in sorted(items, key=lambda item: item.nodeid):
        if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
            found[item.path, item.cls, item.originalname].append(item)
    return found.values()


@pytest.fixture(scope="session")
def memory() -> Iterator[Path]:
    """A folder in memory where there is one: SQLite's fsync costs nothing there."""
    with folder() as made:
        yield made


@pytest.fixture(scope="session")
def sqlite_copies(memory: Path) -> databases.SqliteCopies:
    return databases.SqliteCopies(memory)


@pytest.fixture(scope="session")
def postgres_clones() -> Iterator[databases.PostgresClones]:
    with postgres.server() as url:
        clones = databases.PostgresClones(url)
        yield clones
        clones.close()


@pytest.fixture
def databases_of(backend: str, request: pytest.FixtureRequest) -> databases.SqliteCopies | databases.PostgresClones:
    found: databases.SqliteCopies | databases.PostgresClones = request.getfixturevalue(
        "sqlite_copies" if backend == "sqlite" else "postgres_clones"
    )
    return found


@pytest.fixture
def database_url(databases_of: databases.SqliteCopies | databases.PostgresClones) -> Iterator[str]:
    """A migrated database of this test's own. Its address is that of the one before, which is gone."""
    with databases_of.fresh("test") as url:
        yield url


@pytest.fixture
def empty_url(databases_of: databases.SqliteCopies | databases.PostgresClones) -> Iterator[str]:
    """A database without a single table."""
    with databases_of.fresh(migrated=False) as url:
        yield url


@pytest.fixture(scope="session")
def kept_engines() -> dict[str, Engine]:
    """By address. Kept, because an engine keeps its statements compiled."""
    return {}


@pytest.fixture
def engine(database_url: str, kept_engines: dict[str, Engine]) -> Iterator[Engine]:
    if database_url not in kept_engines:
        kept_engines[database_url] = databases.connect_engine(database_url)
    yield kept_engines[database_url]
    kept_engines[database_url].dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A plain SQLAlchemy session, as verbs know it."""
    with Session(engine) as session:
        yield session


@pytest.fixture
def make_app(database_url: str, tmp_path: Path, catalogues: None) -> Iterator[Callable[..., Flask]]:
    """Makes apps on the test's database; keywords are settings."""
    made: list[Flask] = []

    def make(**settings: Any) -> Flask:
        app = create_app(settings_for_tests(database_url, tmp_path) | settings)
        made.append(app)
        return app

    yield make
    for app in made:
        disconnect(app)


def disconnect(app: Flask) -> None:
    with app.app_context():
        db.engine.dispose()


def settings_for_tests(url: str, folder: Path) -> dict[str, Any]:
    return config.load({"SECRET_KEY": KEY, "DATABASE_URL": url, "INSTANCE_PATH": str(folder / "instance")}) | {
        "TESTING": True,
        "SQLALCHEMY_ENGINE_OPTIONS": databases.engine_options(url),
        "WTF_CSRF_ENABLED": False,
        "RATELIMIT_ENABLED": False,
        "CACHE_POLL_SECONDS": 0,
        "WRITE_ATTEMPTS_SYNC": True,
        "ACCESS_LOG": "off",
        "PUBLIC_URL": "http://localhost",
    }


@pytest.fixture(scope="session")
def kept_apps() -> dict[str, tuple[Flask, dict[str, Any]]]:
    """By the address of the database, with the settings that they began with."""
    return {}


@pytest.fixture
def app(
    database_url: str,
    tmp_path: Path,
    make_app: Callable[..., Flask],
    kept_apps: dict[str, tuple[Flask, dict[str, Any]]],
) -> Iterator[Flask]:
    """The app without CSRF and without limits; `make_app` makes others."""
    if database_url not in kept_apps:
        new = make_app()
        kept_apps[database_url] = (new, dict(new.config))
    app, settings = kept_apps[database_url]
    app.config.clear()
    app.config.update(settings | settings_for_tests(database_url, tmp_path))
    # The handle is one for all apps: another one's limits must not reach this one.
    limiter.enabled = app.config["RATELIMIT_ENABLED"]
    # What it remembers is of another database.
    store.register(app)
    yield app
    disconnect(app)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def live(make_app: Callable[..., Flask]) -> Iterator[str]:
    """The address of the app behind a real socket, CSRF and all."""
    with serving(lambda url: make_app(PUBLIC_URL=url, WTF_CSRF_ENABLED=True)) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium.launched() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, live: str) -> Iterator[Page]:
    """A phone that looks at `live`."""
    with chromium.opened(browser, live) as page:
        yield page


@pytest.fixture
def plain_page(browser: Browser, live: str) -> Iterator[Page]:
    """The same phone with JavaScript off."""
    with chromium.opened(browser, live, java_script_enabled=False) as page:
        yield page


@pytest.fixture(scope="session")
def catalogues() -> None:
    """The English words as gettext reads them."""
    for words in (config.ROOT / "booking" / "translations").glob("*/LC_MESSAGES/*.po"):
        ready = words.with_suffix(".mo")
        if not ready.exists() or ready.stat().st_mtime < words.stat().st_mtime:
            command = ["compile", "-i", str(words), "-o", str(ready)]
            subprocess.run([sys.executable, "-m", "babel.messages.frontend", *command], check=True, capture_output=True)


@pytest.fixture(scope="session", autouse=True)
def routes() -> Iterator[None]:
    with routing.compiled_once():
        yield


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 at a thousandth of its price; the tests of passwords pay it."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHash((CHEAP,)))
    monkeypatch.setattr(passwords, "_nobody", NOBODY)


@pytest.fixture(autouse=True)
def kept_keys(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both databases refuse a row without its parent: to look for such rows costs a third of all invariants."""
    if not request.config.getoption("--whole") and not within(request.path, DATABASES):
        for name in ("_sqlite", "_orphans"):
            monkeypatch.setattr(integrity, name, lambda _session: ())


@pytest.fixture(scope="session")
def log_guard() -> Iterator[LogGuard]:
    with log_guards.listening() as guard:
        yield guard


@pytest.fixture(autouse=True)
def no_log_tells_of_people(log_guard: LogGuard) -> Iterator[None]:
    """A test during which a log line has an address, a phone number or a name in it fails."""
    yield
    assert log_guard.taken() == []


@pytest.fixture(autouse=True)
def no_mail_leaves(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever opens SMTP without the mark `smtp` fails, even where the error is swallowed."""
    if request.node.get_closest_marker("smtp"):
        yield
        return
    tried: list[object] = []

    def refuse(*args: object, **_options: object) -> None:
        tried.append(args[1:])
        raise ConnectionRefusedError("no mail leaves a test")

    monkeypatch.setattr(smtplib.SMTP, "connect", refuse)
    yield
    assert tried == []
