"""Catalogues: whether the translations are compiled; without them all pages and letters would be Chinese only."""

from io import BytesIO
from pathlib import Path
from typing import IO

from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po
from click import ClickException

REMEDY = "run `make install`, or: pybabel compile -d booking/translations"


class NotCompiled(ClickException):
    """A message catalogue that the app refuses to start with."""


def check(folder: Path) -> None:
    """Refuse a missing or outdated catalogue in a sentence."""
    for words in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        compiled = words.with_suffix(".mo")
        if not compiled.exists():
            raise NotCompiled(f"The message catalogue {compiled} is missing: {REMEDY}")
        if compiled.stat().st_mtime < words.stat().st_mtime and _differ(words, compiled):
            raise NotCompiled(f"The message catalogue {compiled} is older than its translations: {REMEDY}")


def _differ(words: Path, compiled: Path) -> bool:
    """Compares the sentences: a copy or an unpacked archive may have the files in any order."""
    fresh = BytesIO()
    with words.open("rb") as source, compiled.open("rb") as found:
        write_mo(fresh, read_po(source))
        return _sentences(fresh) != _sentences(found)


def _sentences(file: IO[bytes]) -> dict[str, object]:
    file.seek(0)
    return {str(message.id): message.string for message in read_mo(file) if message.id}
