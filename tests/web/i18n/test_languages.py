"""Languages are not mixed: on English pages all Chinese is a name that somebody typed, and the other way round."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.model import (
    Activity,
    ActivityWish,
    Base,
    Node,
    Notice,
    Person,
    PlanException,
    Rating,
    ServiceRequest,
    Slot,
    Station,
    Strike,
    Zone,
)
from tests.support.everybody import NOON, PAGES, Everybody

CHINESE = re.compile(r"[\u3400-\u9fff\u3000-\u303f\uff00-\uffef]+")
SPOKEN = ("aria-label", "placeholder", "title", "alt", "data-confirm", "data-done", "data-failed", "data-days")
# Typed texts are shown as they are where there is no translation.
TYPED = (Person.name, Person.company, Slot.host, Slot.cancel_reason, PlanException.host, Strike.forgive_reason)
TYPED += (ServiceRequest.text, ServiceRequest.answer, ServiceRequest.passed_to, Notice.title, Notice.text)
TYPED += (ActivityWish.text, ActivityWish.answer)
TYPED += (Rating.line, Node.grade, Node.category)
TYPED += (Node.name,)  # the history keeps the one that a node had
IN_TWO = (Activity, Station, Zone)
OWN = {"中文", "©"}

pytestmark = pytest.mark.sqlite


class Words(HTMLParser):
    """The texts of a page, those for screen readers included, without parts marked as another language."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._quiet: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if self._quiet or (tag != "html" and "lang" in given) or tag in ("script", "style", "textarea"):
            if tag not in ("input", "img", "br", "meta", "link", "use"):
                self._quiet.append(tag)
            return
        self.found += [value for name, value in given.items() if name in SPOKEN and value]

    def handle_endtag(self, tag: str) -> None:
        if self._quiet and self._quiet[-1] == tag:
            self._quiet.pop()

    def handle_data(self, data: str) -> None:
        if not self._quiet and data.strip():
            self.found.append(data.strip())


@pytest.fixture
def everybody(app: Flask, session: Session) -> Iterator[Everybody]:
    with time_machine.travel(NOON, tick=False):
        made = Everybody(app, session, "http://localhost")
        made.load()
        yield made


def typed(session: Session) -> set[str]:
    """Everything Chinese that people typed and that has no English beside it."""
    words = {str(word) for column in TYPED for word in session.scalars(select(column)) if word}
    for table in IN_TWO:
        for row in session.scalars(select(table)):
            words |= _without_english(row)
    return {part for word in words for part in CHINESE.findall(word)}


def _without_english(row: Base) -> set[str]:
    names = [name.removesuffix("_en") for name in vars(row) if name.endswith("_en")]
    return {getattr(row, name) for name in names if getattr(row, name) and not getattr(row, f"{name}_en")}


def test_english_pages_say_nothing_in_chinese_but_names(everybody: Everybody) -> None:
    everybody.speak("en")
    known = typed(everybody.session) | OWN
    mixed = set()
    for who in PAGES:
        client = everybody.signed_in(who)
        for path in everybody.pages(who):
            if path == "/parts":
                continue  # the style guide, in the texts of its examples
            page = client.get(path, headers={"Accept-Language": "en"}, follow_redirects=True).text
            for words in Words(page).found:
                mixed |= {(path, part) for part in CHINESE.findall(words) if part not in known}
    assert mixed == set()


def test_chinese_pages_have_no_english_sentence(everybody: Everybody) -> None:
    mixed = set()
    for who in PAGES:
        client = everybody.signed_in(who)
        for path in everybody.pages(who):
            page = client.get(path, headers={"Accept-Language": "zh-CN"}, follow_redirects=True).text
            mixed |= {
                (path, words) for words in Words(page).found if re.search(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", words)
            }
    assert mixed == set()
