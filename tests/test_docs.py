"""Documents: every path, name, setting, command, label and picture that they mention is there."""

import configparser
import re
from functools import cache
from pathlib import Path

import click
import pytest
from flask import Flask

import config
from booking import cli

ROOT = config.ROOT
GUIDE = ROOT / "docs" / "管理员手册.md"
DOCUMENTS = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
OWN = ("booking/", "bench/", "deploy/", "docs/", "static/", "templates/", "tests/")
PICTURE_MOST = 120 * 1024

every_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)


def quoted(path: Path) -> list[str]:
    return re.findall(r"`([^`\n]+)`", path.read_text())


def code(path: Path) -> list[str]:
    """What is quoted in the text, and the lines of blocks without their comments."""
    blocks = re.findall(r"^    +(\S.*)$", path.read_text(), re.MULTILINE)
    return quoted(path) + [line.partition("  #")[0] for line in blocks]


@cache
def source() -> str:
    deploy = [path for path in (ROOT / "deploy").rglob("*") if path.is_file()]
    files = [ROOT / "config.py", *deploy, *(ROOT / "booking").rglob("*.py")]
    return "\n".join(file.read_text() for file in files)


def settings() -> set[str]:
    """The names that `config.py` asks the environment for."""
    return set(re.findall(r"""\benv(?:, |\.get\()["']([A-Z_]+)["']""", (ROOT / "config.py").read_text()))


def commands() -> dict[str, click.Command]:
    app = Flask("documents")
    cli.register(app)
    return dict(app.cli.commands)


@every_document
def test_every_path_exists(path: Path) -> None:
    named = {word for word in quoted(path) if word.startswith(OWN) and not re.search(r"[<\s]", word)}
    linked = set(re.findall(r'\]\(([^)#]+)\)|src="([^"]+)"', path.read_text()))
    there = {(path.parent / link) for pair in linked for link in pair if link and "://" not in link}
    assert [name for name in sorted(named) if not (ROOT / name).exists() and not name.startswith("instance/")] == []
    assert [str(link) for link in sorted(there) if not link.exists()] == []


@every_document
def test_what_is_named_in_a_file_is_defined_there(path: Path) -> None:
    pattern = r"((?:`\w+`(?:, | and | or )?)+) in `([\w/]+\.py)`"
    named = [
        (name, file) for names, file in re.findall(pattern, path.read_text()) for name in re.findall(r"\w+", names)
    ]
    named = [(name, file) for name, file in named if name not in ("and", "or")]
    wanted = r"^\s*(?:def|class) {0}\b|^{0}\b.*="
    missing = [
        pair for pair in named if not re.search(wanted.format(pair[0]), (ROOT / pair[1]).read_text(), re.MULTILINE)
    ]
    assert missing == []


@every_document
def test_every_capital_name_is_a_setting_or_stands_in_the_code(path: Path) -> None:
    words = {word for text in code(path) for word in re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", text)}
    words |= {text for text in quoted(path) if re.fullmatch("[A-Z]{4,}", text)}
    assert [word for word in sorted(words) if not re.search(rf"\b{word}\b", source())] == []
    assert words.isdisjoint(config.RENAMED)
    exported = set(re.findall(r"^ +export (\w+)=", path.read_text(), re.MULTILINE))
    assert exported <= settings() | {"MALLOC_ARENA_MAX"}


def test_operations_lists_every_setting_and_no_other() -> None:
    table = (ROOT / "docs" / "operations.md").read_text().partition("## Settings")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == settings()


@every_document
def test_every_flask_command_exists_with_its_options(path: Path) -> None:
    known = commands()
    for text in code(path):
        if not text.startswith("flask "):
            continue
        first, *rest = text.split()[1:]
        command = known[first]
        if isinstance(command, click.Group):
            command = command.commands[rest[0]]
        options = {name for option in command.params for name in option.opts}
        assert first == "db" or set(re.findall(r"--[a-z-]+", text)) <= options, text


@every_document
def test_every_make_target_metric_and_page_exists(path: Path) -> None:
    targets = (ROOT / "Makefile").read_text().partition(".PHONY:")[2].splitlines()[0].split()
    metrics = "".join((ROOT / "booking" / name).read_text() for name in ("jobs/metrics.py", "telemetry/web_metrics.py"))
    for text in code(path):
        if found := re.match(r"make (\S+)", text):
            assert found[1] in targets
        if text.startswith("lunch_"):
            assert f'"{text}"' in metrics


def test_the_readme_fits_on_two_screens() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_the_glossary_speaks_of_what_is_in_the_code() -> None:
    words = {word for word in quoted(ROOT / "docs" / "glossary.md") if re.fullmatch(r"\w+", word)}
    assert [word for word in sorted(words) if not re.search(rf"\b{word}\b", source())] == []


def test_the_guide_names_buttons_as_they_are_written_on_the_pages() -> None:
    catalogue = ROOT / "booking" / "translations" / "en" / "LC_MESSAGES" / "messages.po"
    sentences = set(re.findall(r'^msgid "(.*)"$', catalogue.read_text(), re.MULTILINE))
    assert sorted(set(re.findall("【(.+?)】", GUIDE.read_text())) - sentences - {""}) == []


def test_pictures_of_the_guide_are_small_and_shown() -> None:
    pictures = sorted((ROOT / "docs" / "pictures").iterdir())
    assert [file.name for file in pictures if file.stat().st_size > PICTURE_MOST] == []
    assert [file.name for file in pictures if f"(pictures/{file.name})" not in GUIDE.read_text()] == []


def test_the_changelog_begins_with_this_version() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    versions = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == setup["metadata"]["version"]
