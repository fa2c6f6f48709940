"""Every setting of the app, read from the environment here and nowhere else.

A value that cannot be right stops the start with a sentence that names it.
"""

import os
import re
import secrets
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import getaddresses
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import psycopg
from click import ClickException
from limits import parse_many
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import URL, make_url

ROOT = Path(__file__).resolve().parent
CATALOGUES = ROOT / "booking" / "translations"
WEAK_KEYS = {"dev", "secret", "changeme", "change-me", "password", "secret-key", "your-secret-key"}
MAIL_PORTS = {"smtp": 587, "smtps": 465}
IMAP_PORTS = {"imap": 143, "imaps": 993}
POSTGRESQL = re.compile(r"(?:(?P<login>[^/?]*)@)?(?P<hosts>[^/?@]*)(?P<name>/[^?]*)?(?:\?(?P<query>.*))?")
HOST_AND_PORT = re.compile(r"host=(?:[^:&\[]+|\[[^&]+\])(?::|%3A)[0-9]+", re.IGNORECASE).fullmatch
DATABASE_FORM = (
    "DATABASE_URL must look like postgresql://user:password@host:5432/name, with several hosts host1:5432,host2:5432,"
    " with a socket postgresql:///name?host=/var/run/postgresql, with libpq's parameters behind the question mark,"
    " and with %2F, %3F, %23 and %25 for / ? # % in the password"
)
# Where the links of slots that can be watched online may lead; exactly these hosts, no short links, no redirectors.
WATCH_HOSTS = (
    "meeting.tencent.com,meeting.dingtalk.com,vc.feishu.cn,live.bilibili.com,weixin.qq.com,channels.weixin.qq.com,"
    "live.douyin.com"
)
HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
RENAMED = {"TURNS": "MAX_CONCURRENT_REQUESTS"}


class BadSetting(ClickException):
    """A setting that the app refuses to start with."""


def load(env: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """The Flask configuration that this environment asks for."""
    for old, new in RENAMED.items():
        if old in env:
            raise BadSetting(f"{old} is now called {new}")
    instance = Path(env.get("INSTANCE_PATH") or ROOT / "instance").resolve()
    public_address = public_url(env)
    https = public_address.startswith("https://")
    production = _choice(env, "APP_ENV", ("development", "production"), "development") == "production"
    database = _database_url(env, instance)
    return {
        "INSTANCE_PATH": str(instance),
        "PUBLIC_URL": public_address,
        "PRODUCTION": production or https,
        "SECRET_KEY": _secret_key(env, instance, strict=production or https),
        "SQLALCHEMY_DATABASE_URI": database,
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(
            database,
            pool=_number(env, "DATABASE_POOL", 5, 1, 50),
            connect_timeout=_number(env, "DATABASE_CONNECT_TIMEOUT", 3, 2, 60),
            lost_after=_number(env, "DATABASE_LOST_AFTER", 5, 4, 300),
        ),
        **_mail(env, instance),
        **_bounces(env),
        **_cookies(https=https),
        **_limits(env),
        "WATCH_HOSTS": _watch_hosts(env),
        "OFFLINE_TICKETS": _choice(env, "OFFLINE_TICKETS", ("on", "off"), "on") == "on",  # off ends the service workers
        # The scheduler's own port, 0 for none. Whoever reaches it reads the figures, so it listens at home.
        "METRICS_PORT": _number(env, "METRICS_PORT", 0, 0, 65535),
        "METRICS_HOST": env.get("METRICS_HOST") or "127.0.0.1",
        **_telemetry(env),
        "BABEL_DEFAULT_LOCALE": "zh_Hans_CN",
        "BABEL_DEFAULT_TIMEZONE": "UTC",
        "BABEL_TRANSLATION_DIRECTORIES": str(CATALOGUES),
    }


def engine_options(url: str, pool: int = 5, connect_timeout: int = 3, lost_after: int = 5) -> dict[str, Any]:
    """Few connections, short waits: a hot row is served faster by a short queue.

    A host that vanishes without a word is noticed after `lost_after` seconds, not in a quarter of an hour.
    """
    hidden = {"hide_parameters": True}  # names and addresses, in the text of an error
    if url.startswith("sqlite"):
        return {**hidden, "connect_args": {"timeout": 3}}  # its busy_timeout
    interval = max(1, lost_after // 5)
    parameters = {
        "connect_timeout": connect_timeout,  # for each host
        "application_name": "lunch-hour",
        "keepalives_idle": lost_after - 3 * interval,
        "keepalives_interval": interval,
        "keepalives_count": 3,
        "tcp_user_timeout": lost_after * 1000,
    }
    given = make_url(url).query
    return {
        **hidden,
        "isolation_level": "READ COMMITTED",
        "pool_size": pool,
        "max_overflow": 0,
        "pool_timeout": 5,
        "pool_pre_ping": True,
        "connect_args": {name: value for name, value in parameters.items() if name not in given},
        "execution_options": {
            "session_settings": {
                "statement_timeout": "5000",
                "lock_timeout": "3000",
                "timezone": "UTC",
                # Compiling a statement takes longer than any of ours, and in a grown city the estimates ask for it.
                "jit": "off",
            }
        },
    }


def split_url(url: str) -> SplitResult:
    """The parts of an address; of one that is none, those of an empty one."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return urlsplit("")
    return parts


def public_url(env: Mapping[str, str]) -> str:
    """Where people reach the app; every link that leaves it is built from this one."""
    url = env.get("PUBLIC_URL") or f"http://127.0.0.1:{_number(env, 'PORT', 8000, 1, 65535)}"
    parts = split_url(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s?#@]", url):
        raise BadSetting(f"PUBLIC_URL must look like https://lunch.example.com, not {url!r}")
    if not url.isascii():
        raise BadSetting(f"PUBLIC_URL must be in ASCII, a Chinese domain in its xn-- form, not {url!r}")
    if parts.path.strip("/"):
        raise BadSetting(f"PUBLIC_URL must have no path: the app needs a host of its own, not {url!r}")
    return url.rstrip("/")


def _database_url(env: Mapping[str, str], instance: Path) -> str:
    url = env.get("DATABASE_URL") or f"sqlite:///{instance / 'lunch-hour.sqlite3'}"
    scheme, mark, rest = url.partition("://")
    if scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        return _postgresql_url(rest)
    if scheme != "sqlite" or not mark:
        raise BadSetting("DATABASE_URL must begin with postgresql:// or sqlite:///")
    return url


def _postgresql_url(rest: str) -> str:
    """The address in one form, whichever of libpq's and SQLAlchemy's was given. libpq itself reads it."""
    found = POSTGRESQL.fullmatch(rest)
    if found is None:
        raise BadSetting(DATABASE_FORM)
    login, hosts, name, query = (found[part] or "" for part in ("login", "hosts", "name", "query"))
    pairs = query.split("&") if query else []
    if several := [unquote(pair.removeprefix("host=")) for pair in pairs if HOST_AND_PORT(pair)]:
        hosts, pairs = ",".join(several), [pair for pair in pairs if not pair.startswith("host=")]
    where = f"{login.replace('@', '%40')}@{hosts}" if login else hosts
    try:
        parts = conninfo_to_dict(f"postgresql://{where}{name}?{'&'.join(pairs)}")
        return _one_form(parts).render_as_string(hide_password=False)
    except (ValueError, psycopg.Error):
        raise BadSetting(DATABASE_FORM) from None


def _one_form(parts: dict[str, Any]) -> URL:
    """Several hosts and sockets stand in the query, as libpq names them."""
    user, password, database = (parts.pop(name, None) for name in ("user", "password", "dbname"))
    hosts, ports = parts.pop("host", ""), parts.pop("port", "")
    host, port = None, None
    if "," in hosts:
        each = ports.split(",") * (1 if "," in ports else hosts.count(",") + 1)
        ports = ",".join(str(int(one or 5432)) for one in each)
        # After a failover, the host that comes back first is not taken for the one that writes.
        parts = {"host": hosts, "port": ports, "target_session_attrs": "read-write", **parts}
    elif hosts.startswith("/") or not hosts:
        parts |= {name: value for name, value in (("host", hosts), ("port", ports)) if value}
    else:
        host, port = hosts, int(ports) if ports else None
    return URL.create("postgresql+psycopg", user, password, host, port, database, parts)


def _secret_key(env: Mapping[str, str], instance: Path, *, strict: bool) -> str:
    key = env.get("SECRET_KEY", "")
    if strict:
        if len(key) < 32 or key.lower() in WEAK_KEYS or len(set(key)) < 10:
            raise BadSetting(
                "SECRET_KEY is missing or weak: production needs 32 random characters or more,"
                " for instance from: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
            )
        return key
    return key or _kept_key(instance / "secret_key")


def _kept_key(path: Path) -> str:
    """A development key that outlives a restart; of several first starts, one key wins."""
    with usable(path.parent):
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f"{path.name}.{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(48))
            with suppress(FileExistsError):
                path.hardlink_to(draft)
            draft.unlink()
        return path.read_text().strip()


@contextmanager
def usable(instance: Path) -> Iterator[None]:
    """What goes wrong with the files in the folder INSTANCE_PATH, as a bad setting."""
    try:
        yield
    except OSError as error:
        raise BadSetting(f"INSTANCE_PATH {instance} cannot be used: {error.strerror}") from error


def _mail_from(env: Mapping[str, str]) -> str:
    """The sender of all letters. A name with commas or the like stands in quotes."""
    sender = env.get("MAIL_FROM") or "午间驿小时 <lunch-hour@localhost>"
    addresses = [address for _, address in getaddresses([sender])]
    if len(addresses) != 1 or not re.fullmatch("[!-~]+@[!-~]+", addresses[0]) or not sender.isprintable():
        raise BadSetting(f"MAIL_FROM must look like 午间驿小时 <lunch@example.com>, not {sender!r}")
    return sender


def _mail(env: Mapping[str, str], instance: Path) -> dict[str, Any]:
    """`smtp://user:password@host:587?starttls=0`, `smtps://…`, or nothing: files to read."""
    settings: dict[str, Any] = {
        "MAIL_FROM": _mail_from(env),
        "MAIL_FOLDER": str(instance / "mail"),
        "MAIL_HOST": None,
        "MAIL_PER_MINUTE": _number(env, "MAIL_PER_MINUTE", 0, 0, 100_000),  # 0: as fast as the server takes them
    }
    if not (url := env.get("MAIL_URL")):
        return settings
    parts = split_url(url)
    if parts.scheme not in MAIL_PORTS or not parts.hostname:
        raise BadSetting("MAIL_URL must look like smtp://user:password@mail.example.com:587")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (user + password).isascii():
        raise BadSetting("MAIL_URL: the user and the password must be in ASCII")
    starttls, tls = _starttls("MAIL_URL", parts, default="1" if user else "0"), parts.scheme == "smtps"
    return settings | {
        "MAIL_HOST": parts.hostname,
        "MAIL_PORT": parts.port or MAIL_PORTS[parts.scheme],
        "MAIL_USERNAME": user,
        "MAIL_PASSWORD": password,
        "MAIL_TLS": tls,
        "MAIL_STARTTLS": not tls and starttls,
        "MAIL_CA": _mail_ca(env, secure=tls or starttls),
        "MAIL_TIMEOUT": _number(env, "MAIL_TIMEOUT", 10, 1, 120),
    }


def _starttls(name: str, parts: SplitResult, default: str) -> bool:
    """What an address says of STARTTLS."""
    told = parse_qs(parts.query, keep_blank_values=True).get("starttls", [default])[-1]
    if told not in ("0", "1"):
        raise BadSetting(f"{name}: starttls must be 0 or 1, not {told!r}")
    return told == "1"


def _mail_ca(env: Mapping[str, str], *, secure: bool) -> str | None:
    """A file with the only CAs that the mail server's certificate may come from; None for the system's."""
    if not (path := env.get("MAIL_CA")):
        return None
    if not secure:
        raise BadSetting("MAIL_CA has no effect without TLS: add ?starttls=1 to MAIL_URL, or use smtps://")
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        raise BadSetting(f"MAIL_CA must name a PEM file of CA certificates, which {path} is not") from None
    except OSError as error:
        raise BadSetting(f"MAIL_CA {path} cannot be read: {error.strerror}") from None
    return path


def _cookies(*, https: bool) -> dict[str, Any]:
    """`__Host-` binds the cookie to this very host, but browsers take it over https only."""
    return {
        "SESSION_COOKIE_NAME": "__Host-lunch" if https else "lunch",
        "SESSION_COOKIE_SECURE": https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "LANGUAGE_COOKIE_NAME": "__Host-lang" if https else "lang",
        "WTF_CSRF_TIME_LIMIT": None,  # a page left open over lunch still works
        "WTF_CSRF_SSL_STRICT": False,  # WeChat's browser sends no Referer; SameSite and the token hold
    }


def _bounces(env: Mapping[str, str]) -> dict[str, Any]:
    """`imaps://user:password@host/INBOX`, the mailbox to which undelivered letters come back; or nothing."""
    if not (url := env.get("BOUNCES_URL")):
        return {"BOUNCES_HOST": None}
    parts = split_url(url)
    folder = unquote(parts.path.removeprefix("/")) or "INBOX"
    if parts.scheme not in IMAP_PORTS or not (parts.hostname and parts.username and parts.password):
        raise BadSetting(
            "BOUNCES_URL must look like imaps://user:password@mail.example.com/INBOX, with %40 for @ in the user"
        )
    if not re.fullmatch("[ -~]+", folder + unquote(parts.username + parts.password)):
        raise BadSetting(
            "User, password and folder in BOUNCES_URL must be in ASCII, a Chinese folder as the server writes it"
        )
    return {
        "BOUNCES_HOST": parts.hostname,
        "BOUNCES_PORT": parts.port or IMAP_PORTS[parts.scheme],
        "BOUNCES_USERNAME": unquote(parts.username),
        "BOUNCES_PASSWORD": unquote(parts.password),
        "BOUNCES_TLS": parts.scheme == "imaps",
        "BOUNCES_STARTTLS": _starttls("BOUNCES_URL", parts, default="1") and parts.scheme == "imap",
        "BOUNCES_FOLDER": folder,
        "BOUNCES_TIMEOUT": _number(env, "MAIL_TIMEOUT", 10, 1, 120),
    }


def _limits(env: Mapping[str, str]) -> dict[str, Any]:
    return {
        "MAX_CONTENT_LENGTH": 128 * 1024,
        "MAX_UPLOAD_LENGTH": 2 * 1024 * 1024,  # of a sheet to import
        "MAX_PICTURE_LENGTH": 10 * 1024 * 1024 + 64 * 1024,  # of a form with a picture of 10 MB
        "MAX_FORM_MEMORY_SIZE": 128 * 1024,
        "MAX_FORM_PARTS": 200,
        # How many processes serve: what is counted in each of them is divided by it.
        "WEB_WORKERS": _number(env, "WEB_WORKERS", 1, 1, 100),
        "MAX_CONCURRENT_REQUESTS": _number(
            env, "MAX_CONCURRENT_REQUESTS", 2, 1, 100
        ),  # requests that a process works on at the same time
        "TRUSTED_PROXIES": _number(env, "TRUSTED_PROXIES", 0, 0, 5),
        "CACHE_POLL_SECONDS": 0.5,  # seconds between two looks at what has changed
        "WRITE_ATTEMPTS_SYNC": False,
        "PRESS_LIMIT": _press_limit(env),
        "SIGN_IN_PER_ADDRESS": _number(env, "SIGN_IN_PER_ADDRESS", 20, 1, 100_000),
        "RATELIMIT_STORAGE_URI": "bounded-memory://",
        "RATELIMIT_HEADERS_ENABLED": False,
    }


def _press_limit(env: Mapping[str, str]) -> str:
    """One limit, as the library `limits` reads it."""
    text = env.get("PRESS_LIMIT") or "60 per minute"
    with suppress(ValueError):
        if [one.amount > 0 for one in parse_many(text)] == [True]:
            return text
    raise BadSetting(f"PRESS_LIMIT must look like 60 per minute, not {text!r}")


def _watch_hosts(env: Mapping[str, str]) -> tuple[str, ...]:
    """Names with commas between them."""
    hosts = tuple(name.strip().lower() for name in (env.get("WATCH_HOSTS") or WATCH_HOSTS).split(","))
    if bad := [name for name in hosts if not HOST.fullmatch(name)]:
        raise BadSetting(f"WATCH_HOSTS must be names of hosts such as live.bilibili.com, with commas, not {bad[0]!r}")
    return hosts


def _telemetry(env: Mapping[str, str]) -> dict[str, Any]:
    token = env.get("METRICS_TOKEN", "")
    if token and not re.fullmatch("[!-~]{16,}", token):
        raise BadSetting("METRICS_TOKEN must have 16 characters or more, in ASCII and without spaces")
    return {
        "LOG_FORMAT": _choice(env, "LOG_FORMAT", ("keyvalue", "json"), "keyvalue"),
        # A line for each request, or only for the slow and the failed.
        "ACCESS_LOG": _choice(env, "ACCESS_LOG", ("all", "problems", "off"), "all"),
        "SLOW_REQUEST_MS": _number(env, "SLOW_REQUEST_MS", 1000, 1, 600_000),
        "SLOW_STATEMENT_MS": _number(env, "SLOW_STATEMENT_MS", 500, 1, 600_000),
        "METRICS_TOKEN": token,  # who sends it reads the web metrics; without it nobody
    }


def _number(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name) or str(default)
    if not (re.fullmatch("[0-9]{1,9}", text) and low <= int(text) <= high):
        raise BadSetting(f"{name} must be a whole number from {low} to {high}, not {text!r}")
    return int(text)


def _choice(env: Mapping[str, str], name: str, choices: tuple[str, ...], default: str) -> str:
    if (text := env.get(name) or default) not in choices:
        raise BadSetting(f"{name} must be one of {', '.join(choices)}, not {text!r}")
    return text
