"""MIME: what was put into a letter is what mail programs read in it, and nothing of it is hidden.

With --whole other programs read the letters as they came out of an SMTP server: mail-parser, postal-mime, SpamAssassin.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy
from flask import Flask
from flask_babel import force_locale
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

import config
from booking.app import create_app
from booking.extensions import db
from booking.mail import invites, mime, outbox, rendering, transport
from booking.model import Letter, Person
from booking.sanitise import is_visible, one_line
from tests.conftest import disconnect, settings_for_tests
from tests.mail.test_letters import EXPECTED, LANGUAGES
from tests.mail.test_outbox import settings
from tests.support import letter_cast, mail_server
from tests.support.databases import SqliteCopies, connect_engine

pytestmark = pytest.mark.sqlite
EVERY_KIND = pytest.mark.parametrize("kind", letter_cast.KINDS)
READERS = Path(__file__).parent.parent / "support" / "mail_readers"
ONCE = ("Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type")


def put_in(app: Flask, session: Session, letter: Letter, tongue: str) -> dict[str, Any]:
    """What the letter is made of; its words are those of the reviewed files."""
    url = app.config["PUBLIC_URL"]
    words, page = ((EXPECTED / f"{letter.kind}.{tongue}.{ending}").read_text() for ending in ("txt", "html"))
    subject, text = words.replace("http://localhost", url).split("\n\n", 1)
    page = page.replace("http://localhost", url)
    stop = re.search(r'href="([^"]*/letters/stop/[^"]*)"', page)
    reader = session.get(Person, letter.person_id) if letter.person_id else None
    to = letter.to or (reader.email if reader else None) or ""
    with app.app_context(), force_locale(LANGUAGES[tongue]):
        invite = invites.with_letter(session, letter, to, reader) or invites.Invite(None, "", b"")
    calendars = [("text/calendar", invite.message), ("application/ics", invite.file.decode())]
    return {
        "subject": subject,
        "sender": list(parseaddr(app.config["MAIL_FROM"])),
        "to": [to],
        "date": letter.created_at.astimezone(UTC).isoformat(),
        "message_id": f"<{letter.message_id}@{urlsplit(url).hostname}>",
        "text": text,
        "page": page,
        "method": invite.method or "",
        "files": [[kind, "lunch-hour.ics", content] for kind, content in calendars if content],
        "unsubscribe": f"<{stop[1]}>" if stop else "",
    }


def plain(found: Any) -> Any:
    """With plain line breaks, and none at the end."""
    if isinstance(found, dict):
        return {name: plain(value) for name, value in found.items()}
    if isinstance(found, list):
        return [plain(value) for value in found]
    return found.replace("\r\n", "\n").rstrip("\n") if isinstance(found, str) else found


def read_by_python(raw: bytes) -> dict[str, Any]:
    mail = message_from_bytes(raw, policy=default)
    assert isinstance(mail, EmailMessage)
    text, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text
    assert page
    files = [part for part in mail.walk() if part.get_content_type() in ("text/calendar", "application/ics")]
    contents = [part.get_payload(decode=True).decode() for part in files]  # type: ignore[union-attr]
    return {
        "subject": mail["Subject"],
        "sender": [mail["From"].addresses[0].display_name, mail["From"].addresses[0].addr_spec],
        "to": [one.addr_spec for one in mail["To"].addresses],
        "date": mail["Date"].datetime.isoformat(),
        "message_id": mail["Message-ID"],
        "text": text.get_content(),
        "page": page.get_content(),
        "method": "".join(str(part.get_param("method", "")) for part in files),
        "files": [
            [part.get_content_type(), part.get_filename(), content]
            for part, content in zip(files, contents, strict=True)
        ],
        "unsubscribe": mail["List-Unsubscribe"] or "",
    }


@EVERY_KIND
def test_a_letter_is_well_formed_and_says_what_was_put_in(app: Flask, session: Session, kind: str) -> None:
    letter, now = letter_cast.make(session, kind)
    for tongue, language in LANGUAGES.items():
        letter.language = language
        with app.app_context():
            raw = rendering.compose(session, letter, now).mime
        lines = raw.decode("ascii").split("\r\n")
        assert [line for line in lines if len(line) > 78 and not line.startswith("List-Unsubscribe: ")] == []
        assert "\n" not in "".join(lines)
        assert "\r" not in "".join(lines)
        mail = message_from_bytes(raw, policy=default)
        assert [len(mail.get_all(name, [])) for name in ONCE] == [1] * len(ONCE)
        for part in mail.walk():
            assert part.defects == []
            assert [defect for header in part.values() for defect in header.defects] == []
            if not part.is_multipart():
                assert part.get_payload(decode=True)
                charset = "utf-8" if part.get_content_maintype() == "text" else None
                assert (part["Content-Transfer-Encoding"], part.get_content_charset()) == ("base64", charset)
        found, put = read_by_python(raw), put_in(app, session, letter, tongue)
        assert found["files"] == put["files"]
        assert plain(found) == plain(put)


# Headers with what people typed


def written(**headers: str) -> bytes:
    message = EmailMessage(mime.POLICY)
    for name, value in headers.items():
        message[name] = value
    message.set_content("…", cte=mime.ENCODING)
    return message.as_bytes()


TYPED = [
    "=?utf-8?q?caf=C3=A9?=",
    "Fwd: =?utf-8?b?5Y2I?= x",
    "字 " * 50 + "字",
    "王\U00031350" * 30,
    "😀" * 40,
    "a" * 120,
    "a" * 70 + " 字" + "b" * 40,
    'Booked: "Yoga", (x) <y@z>',
]


@pytest.mark.parametrize("typed", TYPED)
def test_a_subject_is_read_as_it_was_typed(typed: str) -> None:
    raw = written(Subject=typed)
    mail = message_from_bytes(raw, policy=default)
    assert mail["Subject"] == typed
    assert max(map(len, raw.split(b"\r\n"))) <= 78


@given(st.text(st.sampled_from("a bc 字汉\U00031350é😀=?_.,:\"'<>"), min_size=1, max_size=120))
def test_every_subject_comes_back(typed: str) -> None:
    subject = one_line(typed)
    assert message_from_bytes(written(Subject=subject), policy=default)["Subject"] == subject


@pytest.mark.parametrize(
    "name", ["午间驿小时", "Lunch Hour, Beijing (CBD), " * 4 + "x", "北京 朝阳 驿站 " * 6 + "x", ""]
)
def test_the_sender_has_the_name_of_the_setting(name: str) -> None:
    raw = written(From=f'"{name}" <lunch@example.com>')
    value = raw.decode("ascii").removeprefix("From: ").partition("\r\nContent-")[0].replace("\r\n", "")
    shown, address = parseaddr(value)
    assert (str(make_header(decode_header(shown))), address) == (name, "lunch@example.com")


@pytest.mark.parametrize(
    "address", ["=?utf-8?q?x?=@example.com", "=?utf-8?q?caf=c3=a9?=@example.com", "a=?b@example.com"]
)
def test_an_address_is_written_as_it_is(address: str) -> None:
    assert written(To=address).startswith(f"To: {address}\r\nContent-".encode())


# Hidden text


HIDING = re.compile(
    r"preheader|display:\s*none|visibility|opacity|mso-hide|text-indent|\bclip|position:|\bhidden\b"
    r"|font-size:\s*[0-8](\.\d+)?(px|pt|em|;)|(height|width):\s*0|\\u[0-9a-f]{4}|&(zw|shy|#)"
)


def test_no_template_hides_text() -> None:
    """In a browser `test_letters_fit_the_screen_in_light_and_dark` looks at each text."""
    pages = sorted((config.ROOT / "templates" / "mail").rglob("*.html"))
    assert len(pages) > len(letter_cast.KINDS)
    assert [(page.name, found[0]) for page in pages for found in HIDING.finditer(page.read_text())] == []
    for letter in EXPECTED.iterdir():
        assert all(is_visible(line) for line in letter.read_text().split("\n")), letter.name


# Other programs


Posted = list[tuple[Path, dict[str, Any]]]
OUTSIDE = {"PUBLIC_URL": "https://lunch.example.com", "MAIL_FROM": "午间驿小时 <lunch@example.com>"}


@pytest.fixture(scope="module")
def posted(sqlite_copies: SqliteCopies, catalogues: None, tmp_path_factory: pytest.TempPathFactory) -> Posted:
    """Each kind of letter in both languages, as it came out of an SMTP server: the file, and what was put into it."""
    found: Posted = []
    folder = tmp_path_factory.mktemp("posted")
    for kind in letter_cast.KINDS:
        with sqlite_copies.fresh() as url, mail_server.running() as office, Session(connect_engine(url)) as session:
            app = create_app(settings_for_tests(url, folder) | settings(office.port) | OUTSIDE)
            letter, now = letter_cast.make(session, kind)
            details, others = letter.details, sqlalchemy.update(Letter).where(Letter.state == "queued")
            for tongue, language in LANGUAGES.items():
                session.execute(others.values(state="dropped", key=None))
                letter.state, letter.language, letter.next_try_at, letter.details = "queued", language, now, details
                session.commit()
                with app.app_context(), transport.opened(app.config) as server:
                    assert outbox.deliver(db.session, server, now, sqlalchemy.true()).sent == 1
                file = folder / f"{kind}.{tongue}.eml"
                file.write_bytes(office.raw[-1])
                found.append((file, put_in(app, session, letter, tongue)))
            disconnect(app)
    return found


def output_of(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout


@pytest.mark.whole
@pytest.mark.smtp
def test_mail_parser_reads_what_was_put_in(posted: Posted, tmp_path: Path) -> None:
    install = ["install", "--quiet", "--no-deps", "--target", tmp_path, "mail-parser==4.8.0"]
    output_of(sys.executable, "-m", "pip", *install)
    told = output_of(sys.executable, READERS / "mail_parser.py", tmp_path, *(file for file, _ in posted))
    expected = [{name: value for name, value in put.items() if name != "method"} for _, put in posted]
    assert plain_all(json.loads(told)) == plain_all(expected)  # it gives no parameters of a part


@pytest.mark.whole
@pytest.mark.smtp
def test_postal_mime_reads_what_was_put_in(posted: Posted, tmp_path: Path) -> None:
    output_of("npm", "install", "--silent", "--ignore-scripts", "--prefix", tmp_path, "postal-mime@4.0.0")
    told = output_of("node", READERS / "postal_mime.mjs", tmp_path, *(file for file, _ in posted))
    assert plain_all(json.loads(told)) == plain_all(put for _, put in posted)


def plain_all(found: Iterable[dict[str, Any]]) -> list[Any]:
    return [plain(one) for one in found]


# Parts of SpamAssassin's rules that are about hidden or disguised text.
HIDDEN = re.compile("INVIS|TINY|LOW_CONTRAST|OBFU|GIBB|HIDDEN")
PREHEADER = (
    '<body><div style="display: none; font-size: 1px; color: #ffffff">Hello \u200c\u200c\u200c\u200c there</div>'
)


def judged(*files: Path) -> list[tuple[set[str], set[str]]]:
    """For each letter: SpamAssassin's rules with points that it hits, and the parts of its rules that it fits."""
    options = ["report_safe 0", "fold_headers 0", "use_bayes 0"]
    options += ["add_header all Points _TESTSSCORES(,)_", "add_header all Parts _SUBTESTS(,)_"]
    told = output_of("spamassassin", "--local", "--nocreate-prefs", *(f"--cf={option}" for option in options), *files)
    points, parts = (
        [line.split(",") for line in re.findall(f"^X-Spam-{name}: (.*)$", told, re.MULTILINE)]
        for name in ("Points", "Parts")
    )
    hits = [{hit for hit in hits if float(hit.partition("=")[2]) > 0.05} for hits in points]
    return [(hit, {part for part in fit if HIDDEN.search(part)}) for hit, fit in zip(hits, parts, strict=True)]


@pytest.mark.whole
@pytest.mark.smtp
def test_spamassassin_finds_nothing_in_any_letter(posted: Posted) -> None:
    files = [file for file, _ in posted]
    assert dict(zip(files, judged(*files), strict=True)) == dict.fromkeys(files, (set(), set()))


@pytest.mark.whole
def test_spamassassin_would_find_hidden_text(app: Flask, session: Session, tmp_path: Path) -> None:
    letter, now = letter_cast.make(session, "confirmed")
    with app.app_context():
        mail = message_from_bytes(rendering.compose(session, letter, now).mime, policy=mime.POLICY)
    page = mail.get_body(("html",))  # type: ignore[attr-defined]
    page.set_content(re.sub("<body[^>]*>", PREHEADER, page.get_content()), subtype="html", cte=mime.ENCODING)
    (tmp_path / "hidden.eml").write_bytes(mail.as_bytes())
    ((points, parts),) = judged(tmp_path / "hidden.eml")
    assert "HTML_FONT_LOW_CONTRAST" in {hit.partition("=")[0] for hit in points}
    assert parts != set()
