"""Settings are read in one place, and a bad one stops the start with a sentence."""

import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

import config
from tests.support import certificates

GOOD_KEY = "kR8vN2xQ7mZ4tB9wL3pY6cF1jH5sD0gA"


def load(folder: Path, **env: str) -> dict[str, Any]:
    return config.load({"INSTANCE_PATH": str(folder), **env})


def test_nothing_set_means_a_file_beside_the_code_and_letters_as_files(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings["SQLALCHEMY_DATABASE_URI"] == f"sqlite:///{tmp_path}/lunch-hour.sqlite3"
    assert settings["PUBLIC_URL"] == "http://127.0.0.1:8000"
    assert (settings["MAIL_HOST"], settings["MAIL_FOLDER"]) == (None, str(tmp_path / "mail"))
    assert settings["SESSION_COOKIE_NAME"] == "lunch"
    assert settings["SESSION_COOKIE_SECURE"] is False
    assert settings["MAX_CONTENT_LENGTH"] == 131072


def test_the_port_is_part_of_the_public_address(tmp_path: Path) -> None:
    assert load(tmp_path, PORT="8010")["PUBLIC_URL"] == "http://127.0.0.1:8010"


def test_a_development_key_is_kept_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first, second = load(tmp_path)["SECRET_KEY"], load(tmp_path)["SECRET_KEY"]
    assert first == second
    assert len(first) >= 32
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


@pytest.mark.parametrize(("old", "new"), config.RENAMED.items())
def test_an_old_name_stops_the_start_and_names_the_new_one(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(config.BadSetting, match=f"{old} is now called {new}"):
        load(tmp_path, **{old: "2"})


BOUNCES_KEYS = ("HOST", "PORT", "USERNAME", "PASSWORD", "TLS", "STARTTLS", "FOLDER")
BOUNCES: list[tuple[str, tuple[object, ...]]] = [
    ("imaps://me:pw@mail.example.com", ("mail.example.com", 993, "me", "pw", True, False, "INBOX")),
    (
        "imaps://me%40qq.com:p%2Fw@imap.qq.com/INBOX/Bounces",
        ("imap.qq.com", 993, "me@qq.com", "p/w", True, False, "INBOX/Bounces"),
    ),
    (
        "imap://me:pw@mail.example.com:1143/My%20Bounces",
        ("mail.example.com", 1143, "me", "pw", False, True, "My Bounces"),
    ),
    ("imap://me:pw@127.0.0.1/?starttls=0", ("127.0.0.1", 143, "me", "pw", False, False, "INBOX")),
]


@pytest.mark.parametrize(("url", "wanted"), BOUNCES)
def test_one_address_says_where_bounces_are_read(tmp_path: Path, url: str, wanted: tuple[object, ...]) -> None:
    settings = load(tmp_path, BOUNCES_URL=url)
    assert tuple(settings[f"BOUNCES_{key}"] for key in BOUNCES_KEYS) == wanted


@pytest.mark.parametrize("production", [{"APP_ENV": "production"}, {"PUBLIC_URL": "https://lunch.example.com"}])
@pytest.mark.parametrize("key", ["", "short", "x" * 64, "secret-key" * 4, GOOD_KEY[:31]])
def test_production_refuses_a_weak_key(tmp_path: Path, production: dict[str, str], key: str) -> None:
    with pytest.raises(config.BadSetting, match="SECRET_KEY is missing or weak"):
        load(tmp_path, SECRET_KEY=key, **production)
    assert list(tmp_path.iterdir()) == []


def test_https_makes_the_cookies_belong_to_this_host_alone(tmp_path: Path) -> None:
    settings = load(tmp_path, SECRET_KEY=GOOD_KEY, PUBLIC_URL="https://lunch.example.com/")
    assert settings["PRODUCTION"] is True
    assert settings["PUBLIC_URL"] == "https://lunch.example.com"
    assert settings["SESSION_COOKIE_NAME"] == "__Host-lunch"
    assert settings["LANGUAGE_COOKIE_NAME"] == "__Host-lang"
    assert settings["SESSION_COOKIE_SECURE"] is True


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_name_of_postgresql_means_psycopg_3(tmp_path: Path, scheme: str) -> None:
    settings = load(tmp_path, DATABASE_URL=f"{scheme}://lunch:pw@db/lunch")
    assert settings["SQLALCHEMY_DATABASE_URI"] == "postgresql+psycopg://lunch:pw@db/lunch"
    assert settings["SQLALCHEMY_ENGINE_OPTIONS"]["isolation_level"] == "READ COMMITTED"
    assert settings["SQLALCHEMY_ENGINE_OPTIONS"]["execution_options"]["session_settings"]["lock_timeout"] == "3000"


BOTH = {"host": "a,b", "port": "1,2", "dbname": "lunch", "target_session_attrs": "read-write"}
URLS: list[tuple[str, dict[str, object]]] = [
    ("db/lunch", {"host": "db", "dbname": "lunch"}),
    ("lunch:pw@db:5433/lunch", {"host": "db", "port": 5433, "dbname": "lunch", "user": "lunch", "password": "pw"}),
    ("a:1,b:2/lunch", BOTH),
    ("/lunch?host=a:1&host=b:2", BOTH),
    ("/lunch?host=a%3A1&host=b%3A2", BOTH),
    ("/lunch?host=a,b&port=1,2", BOTH),
    ("a:1,b/lunch", BOTH | {"port": "1,5432"}),
    ("a,b/lunch?port=6000", BOTH | {"port": "6000,6000"}),
    ("a:1,b:2/lunch?target_session_attrs=any", BOTH | {"target_session_attrs": "any"}),
    ("[::1]:5433/lunch", {"host": "::1", "port": 5433, "dbname": "lunch"}),
    ("[::1]:1,[::2]:2/lunch", BOTH | {"host": "::1,::2"}),
    ("/lunch?host=::1", {"host": "::1", "dbname": "lunch"}),
    ("/lunch?host=/run/postgresql", {"host": "/run/postgresql", "dbname": "lunch"}),
    ("%2Frun%2Fpostgresql/lunch?port=6000", {"host": "/run/postgresql", "port": "6000", "dbname": "lunch"}),
    ("me:p%40ss@db/lunch", {"host": "db", "dbname": "lunch", "user": "me", "password": "p@ss"}),
    ("me:p@ss@db/lunch", {"host": "db", "dbname": "lunch", "user": "me", "password": "p@ss"}),
    ("me:%2F%3F%23%25:@db/lunch", {"host": "db", "dbname": "lunch", "user": "me", "password": "/?#%:"}),
    ("me@azure:pw@db/lunch", {"host": "db", "dbname": "lunch", "user": "me@azure", "password": "pw"}),
    ("db/lunch?sslmode=verify-full", {"host": "db", "dbname": "lunch", "sslmode": "verify-full"}),
    ("?service=lunch", {"service": "lunch"}),
]


@pytest.mark.parametrize(("url", "wanted"), URLS)
def test_every_form_of_an_address_says_the_same_to_all(tmp_path: Path, url: str, wanted: dict[str, object]) -> None:
    address = make_url(load(tmp_path, DATABASE_URL=f"postgresql://{url}")["SQLALCHEMY_DATABASE_URI"])
    _, parameters = address.get_dialect()().create_connect_args(address)
    assert parameters == wanted


def test_a_parameter_in_the_address_counts_more_than_ours(tmp_path: Path) -> None:
    settings = load(tmp_path, DATABASE_URL="postgresql://db/lunch?connect_timeout=9", DATABASE_LOST_AFTER="10")
    ours = settings["SQLALCHEMY_ENGINE_OPTIONS"]["connect_args"]
    assert "connect_timeout" not in ours
    lost = {"tcp_user_timeout": 10_000, "keepalives_idle": 4, "keepalives_interval": 2, "keepalives_count": 3}
    assert ours == {"application_name": "lunch-hour", **lost}


MAIL = [
    ("smtp://mail.example.com", ("mail.example.com", 587, "", "", False, False)),
    ("smtp://me:p%40ss@mail.example.com:2525", ("mail.example.com", 2525, "me", "p@ss", False, True)),
    ("smtp://me:pw@mail.example.com?starttls=0", ("mail.example.com", 587, "me", "pw", False, False)),
    ("smtps://me:pw@mail.example.com", ("mail.example.com", 465, "me", "pw", True, False)),
    ("smtps://me:pw@mail.example.com?starttls=1", ("mail.example.com", 465, "me", "pw", True, False)),
    ("smtp://mail.example.com?starttls=1", ("mail.example.com", 587, "", "", False, True)),
]
MAIL_KEYS = ("HOST", "PORT", "USERNAME", "PASSWORD", "TLS", "STARTTLS")


@pytest.mark.parametrize(("url", "wanted"), MAIL)
def test_one_address_says_how_mail_leaves(tmp_path: Path, url: str, wanted: tuple[object, ...]) -> None:
    settings = load(tmp_path, MAIL_URL=url)
    assert tuple(settings[f"MAIL_{key}"] for key in MAIL_KEYS) == wanted


def test_the_mail_servers_ca_is_a_file_of_certificates(tmp_path: Path) -> None:
    ca = certificates.authority(tmp_path)
    for url in ("smtps://mail.example.com", "smtp://me:pw@mail.example.com", "smtp://mail.example.com?starttls=1"):
        assert load(tmp_path, MAIL_URL=url)["MAIL_CA"] is None
        assert load(tmp_path, MAIL_URL=url, MAIL_CA=str(ca.pem))["MAIL_CA"] == str(ca.pem)


@pytest.mark.parametrize(
    ("file", "url", "said"),
    [
        ("nothing.pem", "smtps://mail.example.com", "cannot be read: No such file"),
        ("", "smtps://mail.example.com", "cannot be read: Is a directory"),
        ("empty.pem", "smtps://mail.example.com", "PEM"),
        ("ca.key", "smtps://mail.example.com", "PEM"),
        ("half.pem", "smtps://mail.example.com", "PEM"),
        ("ca.pem", "smtp://mail.example.com", "without TLS"),
        ("ca.pem", "smtp://me:pw@mail.example.com?starttls=0", "without TLS"),
    ],
)
def test_a_ca_that_cannot_serve_stops_the_start(tmp_path: Path, file: str, url: str, said: str) -> None:
    ca = certificates.authority(tmp_path)
    (tmp_path / "empty.pem").touch()
    (tmp_path / "half.pem").write_bytes(ca.pem.read_bytes()[:300])
    with pytest.raises(config.BadSetting, match=f"^MAIL_CA.*{said}"):
        load(tmp_path, MAIL_URL=url, MAIL_CA=str(tmp_path / file))


BAD = [
    ("APP_ENV", "live"),
    ("DATABASE_POOL", "0"),
    ("BOUNCES_URL", "mail.example.com"),
    ("BOUNCES_URL", "pop3://me:pw@mail.example.com"),
    ("BOUNCES_URL", "imaps://mail.example.com/INBOX"),
    ("BOUNCES_URL", "imaps://me@mail.example.com/INBOX"),
    ("BOUNCES_URL", "imaps://me:pw@mail.example.com:port/INBOX"),
    ("BOUNCES_URL", "imaps://me:pw@mail.example.com/%E9%80%80%E4%BF%A1"),
    ("BOUNCES_URL", "imaps://me:%E5%AF%86@mail.example.com/INBOX"),
    ("DATABASE_URL", "mysql://root@db/lunch"),
    ("DATABASE_URL", "lunch.db"),
    ("DATABASE_URL", "postgresql://db:port/lunch"),
    ("DATABASE_URL", "postgresql://a:1,b:port/lunch"),
    ("DATABASE_URL", "postgresql://me:a/b@db/lunch"),
    ("DATABASE_URL", "postgresql://me:a%b@db/lunch"),
    ("DATABASE_URL", "postgresql://db/lunch?sslmod=require"),
    ("DATABASE_CONNECT_TIMEOUT", "0"),
    ("DATABASE_LOST_AFTER", "3"),
    ("MAIL_FROM", "Lunch, Beijing <lunch@example.com>"),
    ("MAIL_FROM", "午间驿小时"),
    ("MAIL_FROM", "lunch@驿站.example"),
    ("MAIL_PER_MINUTE", "-1"),
    ("MAIL_URL", "mail.example.com:25"),
    ("MAIL_URL", "smtp://mail.example.com:port"),
    ("MAIL_URL", "smtp://"),
    ("MAIL_URL", "smtp://me:pw@mail.example.com?starttls=yes"),
    ("MAIL_URL", "smtp://me:pw@mail.example.com?starttls="),
    ("BOUNCES_URL", "imap://me:pw@mail.example.com/INBOX?starttls=yes"),
    ("BOUNCES_URL", "imap://me:pw@mail.example.com/INBOX?starttls="),
    ("PRESS_LIMIT", "60"),
    ("PRESS_LIMIT", "0 per minute"),
    ("PRESS_LIMIT", "60 per fortnight"),
    ("PRESS_LIMIT", "60 per minute; 600 per hour"),
    ("PUBLIC_URL", "http://me:pw@lunch.example.com"),
    ("PUBLIC_URL", "http://lunch example.com"),
    ("MAIL_FROM", "lunch@example.com, me@example.com"),
    ("MAIL_FROM", "lunch\nBcc: me@example.com <lunch@example.com>"),
    ("WEB_WORKERS", "9" * 5000),
    ("MAIL_URL", "smtp://me:%E5%AF%86@mail.example.com"),
    ("METRICS_PORT", "70000"),
    ("PORT", "80a"),
    ("PORT", "70000"),
    ("PORT", "８０００"),
    ("PUBLIC_URL", "lunch.example.com"),
    ("PUBLIC_URL", "http://["),
    ("PUBLIC_URL", "https://lunch.example.com:x"),
    ("PUBLIC_URL", "ftp://lunch.example.com"),
    ("PUBLIC_URL", "https://example.com/lunch"),
    ("PUBLIC_URL", "https://example.com/lunch/"),
    ("PUBLIC_URL", "https://example.com/%2F"),
    ("LOG_FORMAT", "xml"),
    ("ACCESS_LOG", "some"),
    ("SLOW_REQUEST_MS", "0"),
    ("SLOW_STATEMENT_MS", "fast"),
    ("METRICS_TOKEN", "short"),
    ("METRICS_TOKEN", "sixteen and spaces"),
    ("METRICS_TOKEN", "一二三四五六七八九十一二三四五六七"),
    ("SIGN_IN_PER_ADDRESS", "-1"),
    ("TRUSTED_PROXIES", "yes"),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_value_that_cannot_be_right_stops_the_start(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(config.BadSetting, match=name):
        load(tmp_path, **{name: value})


def test_a_password_is_never_part_of_the_complaint(tmp_path: Path) -> None:
    with pytest.raises(config.BadSetting) as caught:
        load(tmp_path, MAIL_URL="smtp://me:hunter2@mail.example.com:port")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(config.BadSetting) as caught:
        load(tmp_path, DATABASE_URL="postgresql://me:hunter2@db:port/lunch")
    assert "hunter2" not in str(caught.value)
