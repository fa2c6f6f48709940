"""Next steps: a refused form, an error and an empty list each say what to do; public pages may be kept by a browser."""

import json
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

import config
from booking.db import transactions
from booking.web.form_errors import announced
from booking.web.i18n.messages import REASONS
from tests.support.lunch_hour import LunchHour
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import HTMX, Phone

pytestmark = pytest.mark.sqlite
TEMPLATES = sorted((config.ROOT / "templates").rglob("*.html"))


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    with transactions.transaction(session):
        seed_workdays(session)
    return LunchHour(session)


def test_every_empty_list_has_a_way_on() -> None:
    bare = [str(path) for path in TEMPLATES if re.search(r"\{\{ ?empty\(", path.read_text())]
    assert bare == []


# Where a worker's press can end.
REFUSED = """not_open cancelled started over full line_closed day_limit overlap waiting_limit paused not_live line_over
week_limit city_day_limit city_waiting_limit
ended_by_station ended_by_booking removed_by_station no_such_slot no_such_booking not_booked"""


@pytest.mark.parametrize("code", REFUSED.split())
def test_a_refused_press_says_what_to_do_next(code: str) -> None:
    assert REASONS[code].next_step


def test_a_wrong_form_says_so_in_its_title_and_begins_at_the_first_wrong_field(client: FlaskClient) -> None:
    for headers, title in (({}, "有错：登录"), ({"Accept-Language": "en"}, "Error: Sign in")):
        right = client.get("/account/sign-in", headers=headers).text
        page = client.post("/account/sign-in", data={"email": "", "password": ""}, headers=headers)
        assert page.status_code == 422
        assert f"<title>{title}" in page.text
        main = page.text.partition("<main")[2].partition("</main>")[0]
        assert re.findall(r'<input[^>]* id="([a-z]+)"[^>]* autofocus|autofocus[^>]* id="([a-z]+)"', main) == [
            ("", "email")
        ]
        assert re.search('aria-describedby="[^"]*email-error', main)
        assert "autofocus" not in right.partition("<main")[2].partition("</main>")[0]
        assert not re.search(f"<title>{title[:3]}", right)


@pytest.mark.parametrize(
    ("html", "focus"),
    [
        (
            '<p class="error" id="e">No</p><input aria-invalid="true">',
            '<p tabindex="-1" autofocus class="error" id="e">',
        ),
        ('<div class="notice no">No</div>', '<div tabindex="-1" autofocus class="notice no">'),
        (
            '<input aria-invalid="true"><input aria-invalid="true">',
            '<input autofocus aria-invalid="true"><input aria-in',
        ),
        ('<main></main><div class="notice no">', '<main></main><div class="notice no">'),
    ],
    ids=["a group of choices", "what is no one field's", "only the first", "not the words for scripts"],
)
def test_the_focus_is_on_what_is_wrong(app: Flask, html: str, focus: str) -> None:
    with app.test_request_context():
        assert focus in announced(html)


@pytest.mark.parametrize("path", ["/s/cbd?day=2026-11-24", "/slots/{slot}", "/stations"])
def test_a_browser_may_keep_a_public_page_alive_and_nobody_a_personal_one(
    app: Flask, lunch: LunchHour, path: str
) -> None:
    path = path.format(slot=lunch.slot_id)
    for who, kept in (("", "private, no-cache"), ("周明", "no-store")):
        phone = Phone(app, lunch, who)
        for _time in range(3):  # by the app, then by the fast path
            assert phone.get(path, "Mon 10:00").headers["Cache-Control"] == kept
            assert phone.get(path, "Mon 10:00", headers=HTMX).headers["Cache-Control"] == "no-store"
    assert Phone(app, lunch, "周明").get("/me", "Mon 10:00").headers["Cache-Control"] == "no-store"


def test_no_script_listens_to_what_keeps_a_page_out_of_the_browsers_memory() -> None:
    for path in (config.ROOT / "static" / "js").glob("*.js"):
        assert not re.search(r"[\"']unload[\"']|onunload", path.read_text()), path


def test_every_dialog_has_a_name_and_begins_on_the_safe_button() -> None:
    dialogs = [found for path in TEMPLATES for found in re.findall(r"<dialog.*?</dialog>", path.read_text(), re.DOTALL)]
    assert dialogs
    for dialog in dialogs:
        assert re.match(r"<dialog[^>]* aria-label(ledby)?=", dialog)
        assert re.findall(r'<button[^>]* value="([a-z]+)"[^>]* autofocus', dialog) == ["no"]


def test_the_product_has_one_name() -> None:
    manifest = json.loads((config.ROOT / "static" / "manifest.webmanifest").read_text())
    assert manifest["name"] == manifest["short_name"] == "午间驿小时"
    folders = (config.ROOT / "booking", config.ROOT / "templates")
    sources = [path for folder in folders for ext in ("py", "html", "txt") for path in Path(folder).rglob(f"*.{ext}")]
    assert [path for path in sources if re.search(r"_\([\"']白领驿站[\"']\)", path.read_text())] == []
