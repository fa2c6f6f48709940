"""Letters in words: each kind as it is expected, in both languages, and what no letter may ever do."""

import os
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import letter_cast

EXPECTED = Path(__file__).parent / "letters"
LANGUAGES = {"zh": "zh_Hans_CN", "en": "en"}


@pytest.mark.sqlite
@pytest.mark.parametrize("tongue", LANGUAGES)
@pytest.mark.parametrize("kind", letter_cast.KINDS)
def test_a_letter_reads_as_expected(app: Flask, session: Session, kind: str, tongue: str) -> None:
    said = letter_cast.said(app, session, kind, LANGUAGES[tongue])
    for ending, words in (("txt", f"{said.subject}\n\n{said.text}"), ("html", said.page)):
        expected = EXPECTED / f"{kind}.{tongue}.{ending}"
        if os.environ.get("WRITE_LETTERS"):  # after a change that was meant: write, then read the difference
            expected.parent.mkdir(exist_ok=True)
            expected.write_text(words)
        assert words == expected.read_text()
