"""Bytecode cache: a second process compiles no template again, and none needs the cache."""

import errno
import sys
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from flask import Flask
from jinja2 import DictLoader, Environment

from booking.web import bytecode_cache


def process(templates: Path, source: str = "{{ 1 + 1 }}") -> Environment:
    """What a new process begins with."""
    return Environment(
        loader=DictLoader({"page": source}), bytecode_cache=bytecode_cache.of(templates), autoescape=True
    )


def kept(templates: Path) -> list[str]:
    return [path.suffix for path in templates.rglob("*") if path.is_file()]


@pytest.fixture(autouse=True)
def writing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


def test_a_second_process_compiles_only_what_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert process(tmp_path).get_template("page").render() == "2"
    assert kept(tmp_path) == [".jinja"]
    compiled: list[str] = []
    real = Environment._compile

    def compile_noted(self: Environment, source: str, filename: str) -> CodeType:
        compiled.append(source)
        return real(self, source, filename)

    monkeypatch.setattr(Environment, "_compile", compile_noted)
    assert process(tmp_path).get_template("page").render() == "2"
    assert compiled == []
    assert process(tmp_path, "{{ 1 + 2 }}").get_template("page").render() == "3"
    assert len(compiled) == 1


def test_a_full_disk_or_a_folder_of_somebody_else_shows_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: Any, **_how: Any) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr("jinja2.bccache.tempfile.NamedTemporaryFile", full)
    assert process(tmp_path).get_template("page").render() == "2"
    (tmp_path / "file").write_text("")
    assert process(tmp_path / "file").get_template("page").render() == "2"
    assert kept(tmp_path) == [""]


def test_where_python_writes_no_bytecode_neither_do_we(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert process(tmp_path).get_template("page").render() == "2"
    assert kept(tmp_path) == []


@pytest.mark.sqlite
def test_the_app_has_one(app: Flask) -> None:
    assert isinstance(app.jinja_env.bytecode_cache, bytecode_cache.TemplateBytecodeCache)
