"""Packaging: a wheel holds what the app needs to run."""

from pathlib import Path

import pytest
from flask import Flask
from setuptools import Distribution

import config


@pytest.mark.sqlite
def test_a_wheel_holds_every_file_of_the_app(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`app` has compiled the catalogues."""
    monkeypatch.chdir(config.ROOT)
    distribution = Distribution({"script_name": "setup.py"})
    distribution.parse_config_files(["setup.cfg"])
    build = distribution.get_command_obj("build_py")
    build.build_lib = str(tmp_path)
    build.ensure_finalized()
    held = {Path(name).relative_to(tmp_path) for name in build.get_outputs(include_bytecode=False)}
    files = (path for folder in ("booking", "templates", "static") for path in (config.ROOT / folder).rglob("*"))
    needed = {path.relative_to(config.ROOT) for path in files if path.is_file() and path.parent.name != "__pycache__"}
    assert needed - held == set()
    assert [path for path in held if "__pycache__" in path.parts] == []
    assert {Path("config.py"), Path("wsgi.py"), Path("booking/translations/en/LC_MESSAGES/messages.mo")} <= held
