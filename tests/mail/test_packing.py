"""Headers and ways out are made by hand: they read, and are signed, as the libraries would have it."""

from email import message_from_bytes
from email.policy import default

import pytest
from flask import Flask
from itsdangerous import URLSafeSerializer

from booking.mail import links, packing


@pytest.mark.parametrize(
    "words",
    [
        "Today 12:10 Yoga at Noon",
        "今天 12:10 白领瑜伽课堂",
        "第三" * 60,
        "Leaf Prints " * 9 + "at noon",
        "=?utf-8?b?bm90IHdvcmRz?=",
        "😀" * 25 + " é",
    ],
)
def test_a_subject_reads_as_it_was_written_on_lines_that_are_short(words: str) -> None:
    raw = f"Subject: {packing.subject(words)}\r\n\r\n".encode("ascii")
    assert message_from_bytes(raw, policy=default)["Subject"] == words  # type: ignore[arg-type]
    assert max(map(len, raw.split(b"\r\n"))) <= 76


@pytest.mark.parametrize("text", ["短", "x" * 300, "早上好" * 200, "a=b \n" * 40, "." * 80, ""])
def test_quoted_text_has_short_lines(text: str) -> None:
    assert max(map(len, packing.quoted(text).split(b"\r\n"))) <= 76


@pytest.mark.parametrize("person_id", [1, 60_000, 2**40])
def test_a_way_out_is_signed_as_itsdangerous_signs(app: Flask, person_id: int) -> None:
    with app.app_context():
        token = links.stop(person_id, "worker_digest").rpartition("/")[2]
        whole = URLSafeSerializer(app.config["SECRET_KEY"], salt="stop-digest").dumps([person_id, "worker_digest"])
        assert token == whole
        assert links.read_stop(token) == (person_id, "worker_digest")
