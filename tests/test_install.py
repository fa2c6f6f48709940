"""Installation: README's set-up works word for word, and what is missing is said in a sentence."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from click import ClickException

import config
from booking.web.i18n import catalogues
from tests.support import postgres, readme
from tests.support.servers import SECRET

WORDS = config.CATALOGUES / "en" / "LC_MESSAGES" / "messages.po"
PATIENCE = 400  # seconds: the installation is part of it
HOST = {"Host": "lunch.example.com"}


def copied(folder: Path) -> Path:
    """What a fresh clone holds."""
    kept = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=config.ROOT, check=True, capture_output=True, text=True,
    ).stdout.split("\0")  # fmt: skip
    for name in filter(None, kept):
        if not name.startswith(("tests/", "bench/")) and (config.ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(config.ROOT / name, folder / name)
    return folder


def asked(port: int, path: str, **headers: str) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=HOST | headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(answer.read().decode())


def wait_until_the_scheduler_works(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if json.loads(asked(port, "/readyz"))["scheduler_age_seconds"] is not None:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def set_up(folder: Path, url: str, workers: str, environment: dict[str, str], *, installs: bool) -> None:
    """Follow README in `folder`, and look whether it serves in both languages and runs the jobs."""
    port, log = postgres.free_port(), folder / "said.log"
    plain = url.replace("postgresql+psycopg", "postgresql")
    own = {"SECRET_KEY": SECRET, "DATABASE_URL": plain, "WEB_WORKERS": workers}
    commands = readme.script(own, installs=installs)
    with readme.followed(folder, commands, environment | {"GRANIAN_PORT": str(port)}, log) as process:
        wait_until_the_scheduler_works(port, process, log)
        assert "Sign in" in asked(port, "/account/sign-in", **{"Accept-Language": "en"})
        assert "登录" in asked(port, "/account/sign-in", **{"Accept-Language": "zh"})
    assert "admin you@example.com created" in log.read_text()


@pytest.mark.whole
@pytest.mark.postgresql
def test_the_set_up_of_the_readme_serves_once_it_is_installed(empty_url: str, tmp_path: Path) -> None:
    """Without the installation itself, which needs the network."""
    for name in ("booking", "templates", "static", "config.py", "wsgi.py", "setup.cfg", ".venv"):
        (tmp_path / name).symlink_to(config.ROOT / name)
    environment = {"PATH": os.environ["PATH"], "INSTANCE_PATH": str(tmp_path / "instance")}
    set_up(tmp_path, empty_url, "1", environment, installs=False)


@pytest.mark.whole
@pytest.mark.postgresql
def test_the_set_up_of_the_readme_works_word_for_word_in_a_fresh_folder(empty_url: str, tmp_path: Path) -> None:
    kept = ("HOME", "LANG", "PATH", "PIP_INDEX_URL", "PIP_CONFIG_FILE", "SSL_CERT_FILE", "HTTPS_PROXY", "HTTP_PROXY")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    set_up(copied(tmp_path), empty_url, "4", environment, installs=True)


@pytest.mark.sqlite
def test_make_install_takes_what_production_needs_and_compiles_the_catalogues(tmp_path: Path) -> None:
    planned = subprocess.run(
        ["make", "--dry-run", "install"], cwd=copied(tmp_path), check=True, capture_output=True, text=True
    ).stdout
    assert re.findall(r"-r (\S+)", planned) == ["requirements/run.txt"]
    assert "pybabel -q compile -i booking/translations/en" in planned


@pytest.mark.sqlite
@pytest.mark.parametrize("version", ["2, 7", "3, 6", "3, 10"])
def test_a_python_that_is_too_old_is_named_and_leaves_nothing(tmp_path: Path, version: str) -> None:
    old = copied(tmp_path) / "old-python"
    old.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'import sys; sys.version_info = ({version}); exec(sys.argv[2])' \"$@\"\n"
    )
    old.chmod(0o755)
    for target in ("install", "run", "test", "lint"):
        refused = subprocess.run(
            ["make", target, "PYTHON=./old-python"], cwd=tmp_path, check=False, capture_output=True, text=True
        )
        assert refused.returncode != 0
        assert "needs Python 3.11 or newer" in refused.stderr
        assert not (tmp_path / ".venv").exists()


@pytest.fixture
def folder(tmp_path: Path, catalogues: None) -> Path:
    """The English catalogue and its compiled form."""
    (made := tmp_path / "en" / "LC_MESSAGES").mkdir(parents=True)
    for name in ("messages.po", "messages.mo"):
        shutil.copy(WORDS.with_name(name), made / name)
    return made


@pytest.mark.sqlite
def test_a_compiled_catalogue_is_accepted_in_whatever_order_it_was_copied(folder: Path, tmp_path: Path) -> None:
    os.utime(folder / "messages.mo", (1, 1))
    catalogues.check(tmp_path)


@pytest.mark.sqlite
@pytest.mark.parametrize("wrong", [pytest.param("missing", marks=pytest.mark.whole), "older"])
def test_the_start_refuses_a_catalogue_that_is_missing_or_outdated(folder: Path, tmp_path: Path, wrong: str) -> None:
    if wrong == "missing":
        (folder / "messages.mo").unlink()
    else:
        with (folder / "messages.po").open("a") as words:
            os.utime(folder / "messages.mo", (1, 1))
            words.write('\nmsgid "一句新话"\nmsgstr "A new sentence"\n')
    with pytest.raises(ClickException, match=f"{wrong}.*make install"):
        catalogues.check(tmp_path)
    for start in ("import wsgi", "import sys; sys.argv[1:] = ['scheduler']; from flask.cli import main; main()"):
        refused = subprocess.run(
            [sys.executable, "-c", f"import config, pathlib; config.CATALOGUES = pathlib.Path({str(tmp_path)!r}); {start}"],
            cwd=config.ROOT, check=False, capture_output=True, text=True,
        )  # fmt: skip
        assert refused.returncode == 1
        assert refused.stderr.startswith("Error: The message catalogue")
        assert "Traceback" not in refused.stderr


@pytest.mark.sqlite
def test_the_web_server_says_a_bad_setting_in_a_sentence(tmp_path: Path) -> None:
    """Not in a trace of every process."""
    environment = {**os.environ, "INSTANCE_PATH": str(tmp_path), "PUBLIC_URL": "lunch.example.com"}
    refused = subprocess.run(
        [sys.executable, "-c", "import wsgi"],
        cwd=config.ROOT, env=environment, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: PUBLIC_URL must look like")
    assert "Traceback" not in refused.stderr
