"""Digests that tell the same are worded once, and each reader's is still their own."""

import quopri
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import meta, nodes
from sqlalchemy import select
from sqlalchemy.orm import Session

import config
from booking.db import transactions
from booking.mail import alike, links, rendering
from booking.model import Activity, Letter, Person
from tests.support.letter_cast import Letters, write_digests
from tests.support.lunch_hour import at

NOW = at("08:30")
# What a block may name beside its arguments: the same for every reader.
COMMON = {
    "_",
    "ngettext",
    "one_line",
    "link",
    "zone_words",
    "button",
    "slot_facts",
    "when",
    "when_today",
    "where",
    "row",
    "seat",
}


@pytest.fixture
def digests(session: Session) -> list[int]:
    """Tuesday's digests of everybody; 周明's name tries to be markup, 李静 has none, 王磊 reads English."""
    cast = Letters(session)
    cast.yesterday_at_noon()
    cast.full_tuesday()
    cast.do(write_digests, "worker", NOW)
    with transactions.transaction(session):
        session.get_one(Person, cast.people["周明"]).name = "<b>O'N & x</b>"
        session.get_one(Person, cast.people["李静"]).name = ""
        session.get_one(Person, cast.people["王磊"]).language = "en"
        for letter in session.scalars(select(Letter).where(Letter.person_id == cast.people["王磊"])):
            letter.language = "en"
    return list(session.scalars(select(Letter.id).where(Letter.kind == "worker_digest").order_by(Letter.id)))


def words(raw: bytes) -> tuple[str, str, str]:
    message = message_from_bytes(raw, policy=default)
    text, page = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
    return message["Subject"], text.replace("\r\n", "\n"), page.replace("\r\n", "\n")


def test_each_reads_as_if_it_were_the_only_one(app: Flask, session: Session, digests: list[int]) -> None:
    with app.app_context():
        loaded = rendering.load(session, digests)
        for letter in loaded.letters:
            reader = session.get_one(Person, letter.person_id)
            alone = rendering.say(session, letter, reader, letter.language or "zh_Hans_CN", NOW)
            raw = rendering.compose(session, letter, NOW, loaded).mime
            assert words(raw) == (alone.subject, alone.text.rstrip("\n") + "\n", alone.page)
            assert links.stop(reader.id, letter.kind).encode() in raw
            assert alike.NAME not in alone.page


def names(app: Flask, block: nodes.CallBlock | nodes.Macro) -> set[str]:
    """What it names that it was not given."""
    asked = {name.name for name in block.find_all(nodes.Name) if name.ctx == "load"}
    asked -= {name.name for name in block.call.find_all(nodes.Name)} if isinstance(block, nodes.CallBlock) else set()
    for include in block.find_all(nodes.Include):
        asked |= meta.find_undeclared_variables(parsed(app, include.template.value))  # type: ignore[attr-defined]
    given = {name.name for name in block.find_all(nodes.Name) if name.ctx != "load"}
    return asked - given - ({"loop"} if block.find(nodes.For) else set())


def parsed(app: Flask, path: str) -> nodes.Template:
    return app.jinja_env.parse((Path(config.ROOT) / "templates" / path).read_text())


@pytest.mark.parametrize("part", ["subject.txt", "text.txt", "page.html", "../parts.html", "../parts.txt"])
def test_a_block_names_nothing_but_its_arguments(app: Flask, part: str) -> None:
    """Another reader's letter may be the one for which it was worded."""
    page = parsed(app, f"mail/worker_digest/{part}")
    found = [names(app, block) for block in (*page.find_all(nodes.CallBlock), *page.find_all(nodes.Macro))]
    assert len(found) >= 4
    assert set().union(*found) <= COMMON


def test_control_a_block_that_names_a_reader_is_found(app: Flask) -> None:
    page = app.jinja_env.parse("{% call(slot) kept('seat.txt', ('seats', 0)) %}{{ slot.id }} {{ seats }}{% endcall %}")
    assert names(app, next(page.find_all(nodes.CallBlock))) == {"seats"}


def test_a_minute_later_it_is_worded_again(app: Flask, session: Session, digests: list[int]) -> None:
    def page(clock: str) -> str:
        with app.app_context():
            loaded = rendering.load(session, digests)
            return words(rendering.compose(session, loaded.letters[0], at(clock), loaded).mime)[2]

    before = page("08:30")
    with transactions.transaction(session):
        for activity in session.scalars(select(Activity)):
            activity.title = activity.title_en = "Renamed"
    assert page("08:30:59") == before
    assert "Renamed" not in before
    assert "Renamed" in page("08:31")


def filled(known: alike.Alike, frame: alike.Frame, told: dict[str, object], name: str = "") -> alike.Packed:
    filling = alike.Filling(known, "en", NOW, lambda: told, lambda: "p { color: red; }")
    return filling.fill(frame, name, "http://localhost/?a&b")


def test_a_frame_takes_the_name_and_the_way_out_of_each_reader(app: Flask) -> None:
    said = f"to {alike.NAME}, {alike.STOP}"
    with app.app_context():
        one = filled(alike.Alike(), alike.Framing({}).frame("s", said, said), {}, "<i>")
    assert quopri.decodestring(one.text) == b"to <i>, http://localhost/?a&b"
    assert quopri.decodestring(one.page) == b"to &lt;i&gt;, http://localhost/?a&amp;b"


def test_a_text_that_looks_like_a_place_to_fill_prints_nobodys_way_out(app: Flask) -> None:
    odd = "".join(f"\ue001{name}\ue001\ue002{name}\ue002" for name in ("name", "stop", "0"))
    with app.app_context():
        one = filled(alike.Alike(), alike.Framing({}).frame(odd, odd, odd), {}, "王伟")
    assert [one.subject, *(quopri.decodestring(said).decode() for said in (one.text, one.page))] == [odd] * 3


def test_a_block_is_worded_once_and_stands_in_every_letter(app: Flask) -> None:
    known, worded = alike.Alike(), []

    def word(slots: list[int], day: str) -> str:
        worded.append((*slots, day))
        return f"\n<p>{slots} on {day}</p>\n"

    framing = alike.Framing({"slots": [[1]], "day": "Mon"})
    mark = framing.kept("seat.html", ("slots", 0), "day", caller=word)
    frame = framing.frame("", "", f"<b>letter</b>{mark}\ue0029\ue002.")
    worded.clear()
    with app.app_context():
        pages = [filled(known, frame, {"slots": [[n]], "day": "Tue"}).page for n in (1, 2, 1)]
    said = '<b>letter</b>\r\n<p style="color: red;">[{}] on Tue</p>\r\n\ue0029\ue002.'
    assert [quopri.decodestring(page).decode() for page in pages] == [said.format(n) for n in (1, 2, 1)]
    assert worded == [(1, "Tue"), (2, "Tue")]


def test_no_more_than_so_many_are_kept_and_those_asked_for_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alike, "MOST", 2 * len("words"))
    known, made = alike.Alike(), []
    for n in (0, 1, 0, 2, 0, 2, 1):
        known.get(n, NOW, lambda n=n: made.append(n) or "words")
    assert made == [0, 1, 2, 1]
