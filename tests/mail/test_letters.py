"""Rendering: each kind of letter as expected in both languages, its headers, and what no letter may ever contain."""

import os
import re
from collections.abc import Callable
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser
from sqlalchemy import select
from sqlalchemy.orm import Session

import config
from booking.db import transactions
from booking.enqueue import enqueue
from booking.mail import links, rendering, subscriptions
from booking.mail.wording import plain_name
from booking.model import Activity, Letter, Person, SecondFactorPolicy, Station, Zone
from tests.support import letter_cast
from tests.support.lunch_hour import at
from tests.support.screens import picture

pytestmark = pytest.mark.one_database

EXPECTED = Path(__file__).parent / "letters"
OPERATIONS = config.ROOT / "docs" / "operations.md"
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


@pytest.mark.sqlite
@pytest.mark.parametrize("tongue", LANGUAGES)
def test_each_news_of_a_second_factor_has_words_of_its_own(app: Flask, session: Session, tongue: str) -> None:
    cast, now, said = letter_cast.Letters(session), at("Mon 09:30"), {}
    with transactions.transaction(session) as rows:
        rows.get_one(Person, cast.manager_id).language = LANGUAGES[tongue]
        rows.add(SecondFactorPolicy(required_of="staff", since=at("Tue 00:00")))
    for what in ("on", "off", "reset", "recovery", "new_codes", "required"):
        cast.do(enqueue, "second_factor", now, person_id=cast.manager_id, what=what, left=3)
        with app.app_context():
            mime = message_from_bytes(
                rendering.compose(session, cast.letter("second_factor"), now).mime, policy=default
            )
        text = mime.get_body(("plain",))
        assert text
        said[what] = (str(mime["Subject"]), text.get_content())
    assert len({subject for subject, _ in said.values()}) == len({text for _, text in said.values()}) == 6
    assert {"zh": "11月24日", "en": "Nov 24"}[tongue] in said["required"][1]
    assert "3" in said["recovery"][1]
    if tongue == "en":
        assert not re.search("[\u4e00-\u9fff]", "".join(text for pair in said.values() for text in pair))


NASTY = "<img src=x onerror=alert(1)>\r\nBcc: victim@example.com {{7*7}} %(x)s"


def composed(app: Flask, session: Session, kind: str) -> bytes:
    letter, now = letter_cast.make(session, kind)
    with app.app_context():
        return rendering.compose(session, letter, now).mime


def make_everything_nasty(session: Session) -> None:
    with transactions.transaction(session):
        for activity in session.scalars(select(Activity)):
            activity.title = activity.host = activity.bring = NASTY[:40]
        for station in session.scalars(select(Station)):
            station.name = station.address = NASTY
        for zone in session.scalars(select(Zone)):
            zone.name = f"{zone.id}{NASTY[:30]}"
        for person in session.scalars(select(Person)):
            person.name = NASTY[:40]
        for letter in session.scalars(select(Letter).where(Letter.kind.in_(("slot_cancelled", "booking_removed")))):
            letter.details = {"reason": NASTY}
        for letter in session.scalars(select(Letter).where(Letter.kind == "slot_message")):
            letter.details = {"text": NASTY}


@pytest.mark.sqlite
@pytest.mark.parametrize("kind", letter_cast.KINDS)
def test_what_people_typed_stays_text(app: Flask, session: Session, kind: str) -> None:
    letter, now = letter_cast.make(session, kind)
    make_everything_nasty(session)
    with app.app_context():
        mime = rendering.compose(session, letter, now).mime
    back = message_from_bytes(mime, policy=default)
    assert "Bcc" not in back
    assert len(back.get_all("To")) == 1
    page = back.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "<img" not in page
    assert "49" not in back["Subject"]


@pytest.mark.sqlite
@pytest.mark.parametrize("kind", letter_cast.KINDS)
def test_every_link_is_ours_and_nothing_is_loaded(app: Flask, session: Session, kind: str) -> None:
    said = letter_cast.said(app, session, kind, "zh_Hans_CN")
    links = re.findall(r'(?:href|src|background|action)="([^"]*)"', said.page)
    assert all(link.startswith("http://localhost/") for link in links)
    assert not re.search(r"<(img|script|link|iframe|form)\b|url\(", said.page)
    assert all(link in said.text or "/slots/" in link or "/me" in link for link in links)


@pytest.mark.sqlite
@pytest.mark.parametrize("kind", letter_cast.KINDS)
def test_the_headers_of_a_letter(app: Flask, session: Session, kind: str) -> None:
    raw = composed(app, session, kind)
    mime = message_from_bytes(raw)
    assert re.fullmatch(r"<[0-9a-f]{32,39}@localhost>", mime["Message-ID"])
    assert mime["Auto-Submitted"] == "auto-generated"
    words = [part.get_content_type() for part in mime.walk() if part.get_content_maintype() == "text"][:2]
    assert words == ["text/plain", "text/html"]
    assert ("List-Unsubscribe" in mime) == ("List-Id" in mime) == (kind in subscriptions.KINDS)


@pytest.mark.sqlite
def test_one_click_says_how(app: Flask, session: Session) -> None:
    raw = composed(app, session, "worker_digest").decode("ascii")
    assert re.search(r"\r\nList-Unsubscribe: <http://localhost/letters/stop/\S+>\r\n", raw)
    assert "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw


@pytest.mark.sqlite
def test_a_letter_is_the_same_at_every_try(app: Flask, session: Session) -> None:
    letter, now = letter_cast.make(session, "confirmed")
    with app.app_context():
        first, again = (rendering.compose(session, letter, now).mime for _ in range(2))
    assert first == again


@pytest.mark.sqlite
@pytest.mark.parametrize("kind", ["seat_open", "moved_down"])
def test_a_place_in_line_never_looks_like_a_booking(app: Flask, session: Session, kind: str) -> None:
    said = letter_cast.said(app, session, kind, "zh_Hans_CN")
    for words in (said.subject, said.text, said.page):
        assert "已预约" not in words
    assert "没有名额" in said.text
    assert 'class="pill amber"' in said.page


NAMES = {
    "林晓": "林晓",
    "看片加 www.evil.example": "看片加",
    "evil.com 免费": "免费",
    "免费https://evil.example/x": "",
    "a@b.example": "",
    "J. R. Smith": "J. R. Smith",
    "O'Neil-Li": "O'Neil-Li",
    "林\u202e晓\u0000": "林晓",
    "Liu.Ru": "Liu. Ru",
    "Liu.Ru（刘如）": "Liu. Ru（刘如）",
    "艾力.吾守尔": "艾力. 吾守尔",
    "王\U00031350": "王\U00031350",
    "字" * 40: "字" * 20,
}


@pytest.mark.parametrize(("typed", "shown"), NAMES.items())
def test_a_name_is_never_an_advertisement(typed: str, shown: str) -> None:
    assert plain_name(typed) == shown


# Stopping a digest


@pytest.fixture
def stop(app: Flask, session: Session) -> str:
    """The address that 林晓's digest carries."""
    cast = letter_cast.Letters(session)
    with app.app_context():
        return links.stop(cast.people["林晓"], "worker_digest").removeprefix("http://localhost")


def wants(session: Session) -> tuple[bool, bool]:
    session.rollback()
    reader = session.scalars(select(Person).where(Person.name == "林晓")).one()
    return reader.wants_digest, reader.wants_manager_digest


def test_opening_the_link_only_asks(client: FlaskClient, session: Session, stop: str) -> None:
    assert client.get(stop).status_code == 200
    assert wants(session) == (True, True)


def test_one_click_stops_that_kind_alone(make_app: Callable[..., Flask], session: Session, stop: str) -> None:
    mail_program = make_app(WTF_CSRF_ENABLED=True).test_client(use_cookies=False)
    answer = mail_program.post(stop, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert wants(session) == (False, True)
    assert mail_program.post(stop.replace("/stop/", "/again/")).status_code == 200
    assert wants(session) == (True, True)


def test_nobody_stops_anothers_digest(client: FlaskClient, session: Session, stop: str) -> None:
    token, _, signature = stop.partition(".")
    assert client.post(f"{token}.{signature[::-1]}").status_code == 404
    assert client.post("/letters/stop/WzEsIndvcmtlcl9kaWdlc3QiXQ").status_code == 404
    assert wants(session) == (True, True)


# As mail programs show them


# The weakest contrast of ink and ground among the texts, by WCAG's arithmetic, and the text. Hidden text has none.
WEAKEST = """() => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => {
    const [r, g, b] = parts(colour).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (parts(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const hidden = element => {
    const style = getComputedStyle(element), box = element.getBoundingClientRect();
    return style.visibility !== "visible" || parseFloat(style.fontSize) < 12 || box.width < 2 || box.height < 2 ||
      box.right < 0 || box.bottom < 0 || !element.checkVisibility({opacityProperty: true});
  };
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim()) continue;
    if (hidden(element)) return [0, texts.currentNode.data.trim()];
    const [dark, bright] = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => a - b);
    found.push([(bright + 0.05) / (dark + 0.05), texts.currentNode.data.trim()]);
  }
  return found.sort((a, b) => a[0] - b[0])[0];
}"""


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("scheme", "width"),
    [
        ("light", 700),
        ("dark", 360),
        pytest.param("light", 360, marks=pytest.mark.whole),
        pytest.param("dark", 700, marks=pytest.mark.whole),
    ],
)
def test_letters_fit_the_screen_in_light_and_dark(browser: Browser, width: int, scheme: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for letter in sorted(EXPECTED.glob("*.html")):
        page.set_content(letter.read_text())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, letter.name
        paper = page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor")
        assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(32, 35, 31)"}[scheme], letter.name
        assert page.locator("a").all_inner_texts() == [text for text in page.locator("a").all_inner_texts() if text]
        contrast, words = page.evaluate(WEAKEST)
        assert contrast >= 4.5, f"{letter.name}: {words}"
        small = [
            box["height"] for a in page.locator(".act a").all() if (box := a.bounding_box()) and box["height"] < 44
        ]
        assert small == [], letter.name
        picture(page, "letter", letter.stem, str(width), scheme)
    assert asked == []
    page.close()


@pytest.mark.sqlite
def test_the_headers_to_sign_with_dkim_are_those_that_our_letters_have(app: Flask, session: Session) -> None:
    digest = message_from_bytes(composed(app, session, "worker_digest"))
    ours = {name.lower() for name in digest} - {"x-auto-response-suppress"}
    lists = re.findall(r"^ +(?:SignHeaders|(?:dkim_)?sign_headers =) (\S+)$", OPERATIONS.read_text(), re.MULTILINE)
    assert [set(re.split("[,:]", names.lower().strip('";'))) for names in lists] == [ours] * 3
