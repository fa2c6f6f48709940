"""Deployment files: units, proxies and images that their own programs accept, and that start what README starts."""

import configparser
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import config
from tests.support import readme

pytestmark = pytest.mark.sqlite
DEPLOY = config.ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def unit(name: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DEPLOY / "systemd" / f"lunch-hour-{name}.service")
    return parser["Service"]


def test_units_and_images_start_what_the_readme_starts() -> None:
    (granian,) = (line for line in readme.commands() if line.startswith("granian "))
    options = granian.replace('"$WEB_WORKERS"', "{}").removeprefix("granian ")
    assert unit("web")["ExecStart"].partition("granian ")[2] == options.format("${WEB_WORKERS}")
    assert unit("scheduler")["ExecStart"].endswith("/flask scheduler")
    image = (DEPLOY / "Dockerfile").read_text().replace("--host 0.0.0.0 ", "")
    assert options.format('\\"$WEB_WORKERS\\"') in image
    assert COMPOSE["services"]["scheduler"]["command"] == ["flask", "scheduler"]


def test_both_processes_are_begun_again_and_confined() -> None:
    for name in ("web", "scheduler"):
        service = unit(name)
        assert (service["Restart"], service["ProtectSystem"], service["NoNewPrivileges"]) == ("always", "strict", "yes")
        assert "MALLOC_ARENA_MAX=1" in service["Environment"]
    assert unit("web")["ExecReload"] == "/bin/kill -HUP $MAINPID"


def test_the_image_holds_what_exists_and_compiles_the_catalogues() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    assert [name for names in copied for name in names.split() if not (config.ROOT / name).exists()] == []
    assert "pybabel -q compile" in text
    assert re.search(r"^USER lunch-hour$", text, re.MULTILINE)


def test_compose_waits_for_the_migration_and_keeps_no_secret() -> None:
    services = COMPOSE["services"]
    assert set(services) == {"database", "migrate", "web", "scheduler", "proxy"}
    for name in ("web", "scheduler"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        settings = services[name]["environment"]
        assert re.fullmatch(r"\$\{\w+:\?\}", settings["SECRET_KEY"])
        assert "DATABASE_PASSWORD:?" in settings["DATABASE_URL"]


def test_the_settings_of_the_readme_are_the_same_for_systemd() -> None:
    """Which takes a remark behind a value for a part of it."""
    settings = [line for line in readme.commands() if line.startswith("export ")]
    assert len(settings) == 7
    assert [line for line in settings if "#" in line] == []


def test_the_script_of_the_set_up_runs_a_command_with_the_settings(tmp_path: Path) -> None:
    text = (config.ROOT / "docs" / "operations.md").read_text()
    lines = text.partition("1. Put the project into")[2].partition("#!/bin/sh\n")[2].partition("\n\n")[0]
    settings = f"INSTANCE_PATH={tmp_path}/kept\nMAIL_FROM='午间驿小时 <user@example.com>'\n"
    (tmp_path / "lunch-hour.env").write_text(settings)
    script = lines.replace("/etc/lunch-hour.env", f"{tmp_path}/lunch-hour.env").replace(
        "/opt/lunch-hour", str(config.ROOT)
    )
    command = ["sh", "-c", script, "lunch-hour", "db", "upgrade"]
    subprocess.run(command, cwd=tmp_path, env={"PATH": os.environ["PATH"]}, check=True, capture_output=True)
    found = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "kept").iterdir()}
    assert found["lunch-hour.sqlite3"] == 0
    assert set(found.values()) == {0}


@pytest.mark.parametrize("path", sorted((DEPLOY / "proxies").iterdir()), ids=lambda path: path.name)
def test_a_proxy_passes_on_what_the_app_needs(path: Path) -> None:
    """Caddy sets the X-Forwarded- headers and the host by itself."""
    text = path.read_text()
    wanted = {"X-Request-ID"} if path.name == "Caddyfile" else {"X-Request-ID", "X-Forwarded-For", "X-Forwarded-Proto"}
    assert [name for name in wanted if name not in text] == []
    assert "/metrics" in text


def with_certificate(text: str, folder: Path) -> str:
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=lunch.example.com"
    key, certificate = folder / "key", folder / "pem"
    subprocess.run([*command.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return re.sub(r"/etc/ssl/lunch\.example\.com\.(key|pem)", rf"{folder}/\1", text)


def test_nginx_accepts_its_file(tmp_path: Path) -> None:
    site = tmp_path / "site.conf"
    site.write_text(with_certificate((DEPLOY / "proxies" / "nginx.conf").read_text(), tmp_path))
    main = tmp_path / "nginx.conf"
    main.write_text(
        f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{ access_log off; include {site}; }}\n"
    )
    told = subprocess.run(["nginx", "-t", "-c", str(main)], check=False, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr


@pytest.mark.whole
def test_haproxy_and_caddy_accept_their_files() -> None:
    for command in ("haproxy -c -f haproxy.cfg", "caddy validate --adapter caddyfile --config Caddyfile"):
        told = subprocess.run(command.split(), cwd=DEPLOY / "proxies", check=False, capture_output=True, text=True)
        assert told.returncode == 0, told.stdout + told.stderr
        assert "WARNING" not in told.stderr


@pytest.mark.whole
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    """With programs where the units look for them."""
    for path in UNITS:
        (tmp_path / path.name).write_text(path.read_text().replace("/opt/lunch-hour", str(config.ROOT)))
    told = subprocess.run(
        ["systemd-analyze", "verify", *map(str, sorted(tmp_path.iterdir()))],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert (told.returncode, told.stderr) == (0, "")
