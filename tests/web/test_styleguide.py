"""Style guide: every macro in every state, and never in production."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

import config

ICONS = (config.ROOT / "static" / "icons.svg").read_text()


@pytest.mark.sqlite
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_shows_every_part(client: FlaskClient, language: str) -> None:
    page = client.get("/parts", headers={"Accept-Language": language})
    assert page.status_code == 200
    for part in ("opening", "days", "slot", "seats", "pill", "button", "notice", "field", "fold", "empty", "tabs"):
        assert f'class="{part}' in page.text or f" {part}" in page.text


@pytest.mark.sqlite
def test_production_has_no_such_page(make_app: Callable[..., Flask]) -> None:
    assert make_app(PRODUCTION=True).test_client().get("/parts").status_code == 404


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    named = {name for path in templates() for name in names_of_icons(path)}
    assert named
    assert [name for name in sorted(named) if f'id="{name}"' not in ICONS] == []


def test_every_icon_of_the_sprite_is_named_somewhere() -> None:
    code = [
        *(config.ROOT / "booking" / "web").rglob("*.py"),
        *(config.ROOT / "static" / "js").glob("*.js"),
        *templates(),
    ]
    named = "\n".join(path.read_text() for path in code).replace("'", '"')
    assert [name for name in re.findall(r'<symbol id="([^"]+)"', ICONS) if f'"{name}"' not in named] == []


def test_nothing_inline_that_the_policy_would_refuse() -> None:
    """No style attribute, no inline script, no handler: the browser would drop them silently."""
    pages = [path for path in templates() if "mail" not in path.parts]
    for path in pages:
        text = path.read_text()
        for forbidden in (
            " style=",
            "<style",
            "<script>",
            " onclick=",
            " onsubmit=",
            " onchange=",
            "hx-on",
            "javascript:",
        ):
            assert forbidden not in text, f"{forbidden} in {path.name}"


def templates() -> list[Path]:
    return sorted((config.ROOT / "templates").rglob("*.html"))


def names_of_icons(path: Path) -> list[str]:
    pieces = path.read_text().replace("'", '"').split('icon("')[1:]
    return [piece.partition('"')[0] for piece in pieces]
